"""Call the server as a mapper that answers later; run by Odoo's shell.

It is for ``test_remote_callbacks.py``. SPAR_QUESTIONS has the person's ID, the address
and the server's API; the outcomes are written to the file named by SPAR_ANSWER.
"""

import json
import os

from odoo.addons.spar_mapper_connector.exceptions import RemoteMapperRefuses
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    LinkRequest,
    ResolveRequest,
)
from odoo.addons.spar_mapper_connector.lib.remote.client import RemoteMapper
from odoo.addons.spar_mapper_connector.models.remote import (
    spar_mapper_g2p_connect as client,
)
from odoo.addons.spar_mapper_connector.models.remote import (
    spar_remote_settings as settings,
)

env = globals()["env"]  # provided by Odoo's shell
asked = json.loads(os.environ["SPAR_QUESTIONS"])
SENDER = "later.example"
#: Seconds: on a busy machine workers that have just started take longer than the
#: longest time-out that a form accepts.
PATIENCE = settings.MAX_TIMEOUT = 120


def make_backend():
    """Make a participant and the backend that calls this server as it."""
    participant = env["spar.participant"].create(
        {
            "name": SENDER,
            "sender_id": SENDER,
            "state": "active",
            "proof": "token_and_signature",
            "may_link": True,
            "may_resolve": True,
            "scope": "details",
        }
    )
    backend = env["spar.mapper.backend"].create(
        {
            "name": "Answers later",
            "implementation": "spar.mapper.g2p_connect",
            "url": asked["api"],
            "sender_id": SENDER,
            "token_url": f"{asked['api']}/oauth2/client/token",
            "client_id": participant.client_id,
            "secret": participant._set_new_client_secret(),
            "answer_keys_url": f"{asked['api']}/.well-known/jwks.json",
            "is_asynchronous": True,
            "timeout": PATIENCE,
        }
    )
    backend.action_make_key()
    participant.callback_url = backend.callback_url
    env["spar.participant.key"].create(
        {"participant_id": participant.id, "key_text": backend.our_public_key}
    )
    env.cr.commit()
    return backend


def refuse_status(self, requested):
    """Answer as a mapper that has no status: only callbacks are left."""
    raise RemoteMapperRefuses("no_status")


def run():
    """Link and resolve; both are answered by callback alone."""
    # The server is its own other side, and would refuse what it has sent itself.
    client.add_mark = lambda passed, mark: passed
    # The address of this server, which differs for each run of the tests.
    url = asked["api"].removesuffix("/spar/v1")
    type(env["spar.mapper.backend"]).get_base_url = lambda self: url
    RemoteMapper._get_status = refuse_status
    backend = make_backend()
    mapper = backend._bind()
    call = CallContext("system", "test", Authority.PROGRAMME)
    (linked,) = mapper._link_fa(call, [LinkRequest(asked["id"], asked["fa"])])
    (found,) = mapper._resolve_fa(call, [ResolveRequest(asked["id"])])
    env.cr.commit()
    env.cr.execute(
        "SELECT operation, sealed IS NOT NULL FROM spar_remote_answer"
        " WHERE backend_id = %s ORDER BY id",
        [backend.id],
    )
    answer = {
        "linked": linked.outcome.value,
        "found": found.outcome.value,
        "fa": found.fa,
        "answers": env.cr.fetchall(),
    }
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
