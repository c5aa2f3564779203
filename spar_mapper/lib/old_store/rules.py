"""The sealing and chaining rules of the old store, and their verification.

Examining a subject also opens it: IDs, addresses and changes then contain the sealed
values.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.identifier import fold
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from .. import audit, seals
from ..old_chain import mac_old_event
from ..records import TEXT_FORM
from ..transitions import WAIT_BEGINS, WAIT_ENDS
from .rows import OldChange, OldId, OldMapping, OldSubject
from .steps import list_steps

ID_DOES_NOT_OPEN = "the ID cannot be decrypted: the row was moved or altered"
SWITCHED_OFF = "the ID was deactivated outside SPAR"
FA_DOES_NOT_OPEN = "the address cannot be decrypted: the row was moved or altered"
OTHER_ID = "the row names an ID that is not one of the person's"


# === CONTEXTS AND COMMITMENTS === #


def id_context(uuid: str, subject: str, change_lock: str, pay_stop: bool) -> bytes:
    """Return the context of a sealed ID.

    It consists of its row, its subject, and the subject's locks on changes and
    payments.
    """
    return bind("id", uuid, subject, change_lock, 1 if pay_stop else 0)


def address_context(
    uuid: str, subject: str, version: int, state: str, canonical: str
) -> bytes:
    """Return the context of a sealed address.

    It consists of its row, its subject, version, state, and the ID.
    """
    return bind("fa", uuid, subject, version, state, canonical)


def change_context(uuid: str, canonical: str, terms: seals.ChangeTerms) -> bytes:
    """Return the context of the address in a pending change.

    It covers who proposed what, and how long it waits.
    """
    return bind(seals.CHANGE, uuid, canonical, *(str(term) for term in terms))


def commit_to(keyring: OpenKeyring, canonical: str, row: OldMapping) -> bytes:
    """Return the keyed commitment to everything ``row`` states about ``canonical``."""
    address = row.address
    parts = (
        canonical,
        address.uuid,
        address.fa,
        address.packed_details,
        str(row.purpose),
        str(row.rank),
        row.state,
        row.version,
        address.authority,
        address.channel,
        address.origin,
        address.proof,
        _write(address.valid_from),
        _write(row.valid_to),
        _write(address.asserted_at),
        address.strategy_number or 0,
        address.fa_type_id or 0,
        address.provider_id or 0,
        address.branch_id or 0,
    )
    return keyring.mac("commitment", bind(*parts))


def _write(moment: datetime | None) -> str:
    return moment.isoformat(timespec="microseconds") if moment else ""


# === ONE SUBJECT === #


def examine(keyring: OpenKeyring, subject: OldSubject) -> Iterator[audit.Finding]:
    """Open everything a subject has, and yield what is wrong with it."""
    for identifier in subject.ids.values():
        yield from _examine_id(keyring, subject, identifier)
    for row in subject.mappings.values():
        yield from _examine_events(keyring, row)
        identifier_of = subject.ids.get(row.identifier_id)
        if identifier_of is None:
            yield "spar_mapping", row.row_id, OTHER_ID
        elif identifier_of.canonical:
            yield from _examine_address(keyring, subject, identifier_of, row)
    for change in subject.changes:
        yield from _examine_change(keyring, subject, change)
    yield from _examine_waiting(subject)


def _examine_id(
    keyring: OpenKeyring, subject: OldSubject, row: OldId
) -> Iterator[audit.Finding]:
    context = id_context(row.uuid, subject.uuid, subject.change_lock, subject.pay_stop)
    if not row.active:
        yield "spar_subject_id", row.row_id, SWITCHED_OFF
    try:
        row.canonical = keyring.unseal(seals.ID, row.sealed, context)
    except SealBroken:
        yield "spar_subject_id", row.row_id, ID_DOES_NOT_OPEN
        return
    if row.digests != keyring.digests(seals.ID, row.canonical):
        yield "spar_subject_id", row.row_id, audit.ID_DIGEST


def _examine_address(
    keyring: OpenKeyring, subject: OldSubject, identifier: OldId, row: OldMapping
) -> Iterator[audit.Finding]:
    context = address_context(
        row.uuid, subject.uuid, row.version, row.state, identifier.canonical
    )
    try:
        row.text = keyring.unseal(seals.ADDRESS, row.sealed, context)
    except SealBroken:
        yield "spar_mapping", row.row_id, FA_DOES_NOT_OPEN
        return
    row.address.fa, row.address.details, _packed = seals.split(row.text)
    row.address.form, row.address.key = TEXT_FORM, fold(row.address.fa)
    if row.digests != keyring.digests(seals.ADDRESS, row.address.key):
        yield "spar_mapping", row.row_id, audit.FA_DIGEST
    if not row.events:
        return
    recorded = row.events[-1][1].commitment_after
    matches_record = commit_to(keyring, identifier.canonical, row) == recorded
    if not matches_record or list_steps(row)[-1].state != row.state:
        yield "spar_mapping", row.row_id, audit.NOT_AS_RECORDED


def _examine_events(keyring: OpenKeyring, row: OldMapping) -> Iterator[audit.Finding]:
    """Check the chain from the first event to the one that the mapping names."""
    if not row.events:
        yield "spar_mapping", row.row_id, audit.NO_EVENTS
        return
    previous = b""
    for number, (event_id, event) in enumerate(row.events, start=1):
        if event.seq != number:
            yield "spar_event", event_id, audit.EVENT_GAP
            return
        if event.previous_mac != previous:
            yield "spar_event", event_id, audit.EVENT_CHAIN
        if event.mac != mac_old_event(keyring, event):
            yield "spar_event", event_id, audit.EVENT_ALTERED
        previous = event.mac
    if (len(row.events), previous) != (row.last_seq, row.last_mac):
        yield "spar_mapping", row.row_id, audit.LAST_EVENT


def _examine_change(
    keyring: OpenKeyring, subject: OldSubject, change: OldChange
) -> Iterator[audit.Finding]:
    row = subject.mappings[change.mapping_id]
    identifier = subject.ids.get(row.identifier_id)
    canonical = identifier.canonical if identifier else ""
    context = change_context(change.uuid, canonical, change.terms)
    try:
        change.text = keyring.unseal(seals.CHANGE, change.sealed, context)
    except SealBroken:
        yield "spar_change", change.row_id, audit.CHANGE_DOES_NOT_OPEN


def _examine_waiting(subject: OldSubject) -> Iterator[audit.Finding]:
    """Compare the changes pending by their rows with those pending by the history."""
    waiting = {c.mapping_id: c.row_id for c in subject.changes if c.state == "waiting"}
    for row in subject.mappings.values():
        kinds = [
            event.kind
            for _row_id, event in row.events
            if event.kind in WAIT_BEGINS or event.kind in WAIT_ENDS
        ]
        waits = bool(kinds) and kinds[-1] in WAIT_BEGINS
        if row.row_id in waiting and not waits:
            yield "spar_change", waiting[row.row_id], audit.CHANGE_ENDED
        if waits and row.row_id not in waiting:
            yield "spar_mapping", row.row_id, audit.CHANGE_HIDDEN
