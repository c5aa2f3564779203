"""Act on what an older store left, as people still do; run by Odoo's shell.

SPAR_TOKENS contains links of notices, ``{name: token}``. The results of the acts, and
of a check afterwards, are written to the file named by SPAR_ANSWER. Everything is
committed.
"""

import json
import os

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    ObjectionRequest,
    ResolveRequest,
    ResumeRequest,
)

env = globals()["env"]  # Odoo's shell provides it
mapper = env["spar.mapper.local"]
OWNER = CallContext("person:f0e1d2", "portal", Authority.OWNER, "login")
AUDITOR = CallContext("user:8", "staff", Authority.STAFF, "")


def get_fa(id_value: str) -> str | None:
    payer = CallContext("system", "rest", Authority.PROGRAMME, "bearer")
    (result,) = mapper._resolve_fa(payer, [ResolveRequest(id_value, None, "")])
    return result.fa


def object_by_links(tokens: dict[str, str]) -> dict:
    """Object by the link of each notice; return the remedies."""
    return {
        name: mapper._object_to_notice(OWNER, token).remedy.value
        for name, token in tokens.items()
    }


def approve(id_value: str) -> dict:
    """Approve, as a supervisor, a change that has been pending since then."""
    (waiting,) = mapper._waiting_changes(AUDITOR, id_value)
    change = env["spar.change"].search(
        [("state", "=", "waiting"), ("proposed_at", "=", waiting.proposed_at)]
    )
    supervisor = env.ref("spar_mapper.demo_user_supervisor")
    change = change.with_user(supervisor)
    change.env["spar.change.look"]._record(change, "compared")
    change.action_approve()
    return {
        "state": change.state,
        "is_paid_to_proposed": get_fa(id_value) == waiting.fa,
    }


def go_on(id_value: str) -> dict:
    """Resume an old address, and dispute two of its events.

    One of them is old, and one is new.
    """
    mapper._resume_fa(OWNER, [ResumeRequest(id_value)])
    (period,) = mapper._history(AUDITOR, id_value)
    results = {}
    for event in (period.events[1], period.events[-1]):
        request = ObjectionRequest(id_value, period.uuid, event.seq)
        mapper._object_to(OWNER, request)
        case = env["spar.objection"].search([], order="id desc", limit=1)
        results[event.kind] = case.event_id.kind
    return results


def run() -> None:
    # However long ago it was: the owner's word restores an address.
    env.ref("spar_mapper.limit_objection_days").value = 36500
    results = {
        "by_link": object_by_links(json.loads(os.environ["SPAR_TOKENS"])),
        "approved": [
            approve("token:waiting-update-approve-1@nationalId"),
            approve("token:waiting-for-higher-authority-1@nationalId"),
        ],
        "went_on": go_on("token:suspended-0@nationalId"),
        "check": env["spar.audit"]._check_store(),
    }
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(results, out)


run()
