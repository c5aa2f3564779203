"""Seal stored messages and callbacks anew, bound to what decides about their row.

Only values that open as they were sealed before are sealed anew; the others end as
unreadable. Afterwards, nothing that was sealed before opens.
"""

from odoo.api import SUPERUSER_ID, Environment
from odoo.tools import SQL

from odoo.addons.spar_g2p_connect.lib.bindings import (
    DONE,
    WAITING,
    CallbackBinding,
    MessageBinding,
)
from odoo.addons.spar_g2p_connect.lib.packing import pack, unpack
from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.keyring import bind

SEAL = "message"
BATCH = 500


def migrate(cr, version):
    env = Environment(cr, SUPERUSER_ID, {})
    if not has_sealed(env):
        return
    # Without the keys the upgrade stops: otherwise what waits would be lost.
    keyring = env["spar.keyring"]._open(for_write=True)
    seal_messages(env, keyring)
    seal_callbacks(env, keyring)


def has_sealed(env):
    """Return whether there is anything to seal anew."""
    ((found,),) = env.execute_query(
        SQL(
            """SELECT EXISTS (SELECT FROM spar_message
                               WHERE sealed_request IS NOT NULL
                                  OR sealed_answer IS NOT NULL)
                   OR EXISTS (SELECT FROM spar_callback)"""
        )
    )
    return found


def seal_messages(env, keyring):
    columns = SQL(", ").join(SQL.identifier(name) for name in MessageBinding._fields)
    query = """SELECT id, state, sealed_request, sealed_answer, %s
                 FROM spar_message
                WHERE id > %s AND (sealed_request IS NOT NULL
                                   OR sealed_answer IS NOT NULL)
                ORDER BY id LIMIT %s"""
    last = 0
    while rows := env.execute_query(SQL(query, columns, last, BATCH)):
        last = rows[-1][0]
        sealed = filter(None, (seal_message(keyring, *row) for row in rows))
        write(
            env.cr,
            """UPDATE spar_message m
                  SET sealed_request = v.request, sealed_answer = v.answer
                 FROM (VALUES %s) v(id, request, answer) WHERE m.id = v.id""",
            "(%s, %s::bytea, %s::bytea)",
            list(sealed),
        )


def seal_message(keyring, row_id, state, request, answer, *bound):
    """Return what is written to a row; None for one that stays as it is."""
    binding = MessageBinding(*bound)
    previous = bind("spar.message", binding.uuid)
    texts = [open_text(keyring, sealed, previous) for sealed in (request, answer)]
    request, answer = texts
    if state == WAITING and request and not answer:
        context = binding.build_context(WAITING)
        return row_id, keyring.seal(SEAL, request, context), None
    if state == DONE and answer:
        context = binding.build_context(DONE)
        rest = request and get_rest(request, answer)
        return (
            row_id,
            keyring.seal(SEAL, rest, context) if rest else None,
            keyring.seal(SEAL, answer, context),
        )
    if state == "refused" and request and not answer:
        return row_id, None, None
    return None


def get_rest(request, answer):
    """Return what is kept of a request: of a rejected one its transaction's ID."""
    message = unpack(request).get("message")
    if not message or unpack(answer).get("message"):
        return None
    return pack({"message": {"transaction_id": message.get("transaction_id")}})


def seal_callbacks(env, keyring):
    # A callback that is not its message's participant's was altered.
    query = """SELECT c.id, c.sealed, c.uuid, c.participant_id, c.url, m.uuid
                 FROM spar_callback c JOIN spar_message m ON m.id = c.message_id
                WHERE c.id > %s AND c.participant_id = m.participant_id
                ORDER BY c.id LIMIT %s"""
    last = 0
    while rows := env.execute_query(SQL(query, last, BATCH)):
        last = rows[-1][0]
        sealed = filter(None, (seal_callback(keyring, *row) for row in rows))
        write(
            env.cr,
            """UPDATE spar_callback c SET sealed = v.sealed
                 FROM (VALUES %s) v(id, sealed) WHERE c.id = v.id""",
            "(%s, %s::bytea)",
            list(sealed),
        )


def seal_callback(keyring, row_id, sealed, *bound):
    """Return what is written to a row; None for one that stays as it is."""
    binding = CallbackBinding(*bound)
    previous = bind("spar.callback", binding.uuid)
    text = open_text(keyring, sealed, previous) if sealed else pack(None)
    return text and (row_id, keyring.seal(SEAL, text, binding.build_context()))


def open_text(keyring, sealed, context):
    """Return the text in ``sealed``, None where there is none or it does not open."""
    if sealed is None:
        return None
    try:
        return keyring.unseal(SEAL, bytes(sealed), context)
    except SealBroken:
        return None


def write(cr, query, template, rows):
    if rows:
        cr.execute_values(query, rows, template=template, page_size=len(rows))
