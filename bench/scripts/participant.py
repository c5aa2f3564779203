"""Make the participant that calls and the providers; run by Odoo's shell.

The participant, with a newly generated secret, is written to the file named by
SPAR_ANSWER. The script can be run again: nothing is made twice.
"""

import json
import os
import sys

sys.path.insert(0, os.environ["SPAR_ROOT"])

from bench import people  # noqa: E402  (after the path)
from examples.payer.signatures import get_public_jwk, make_jwk  # noqa: E402

env = globals()["env"]  # provided by Odoo's shell

SENDER = "bench.example"
PARTICIPANT = {
    "name": "For measuring",
    "sender_id": SENDER,
    "profile": "openg2p-1.x",
    "demo_only": True,
    "proof": "token",
    "authority": "programme",
    "may_link": True,
    "may_update": True,
    "may_unlink": True,
    "scope": "details",
    "daily_item_limit": 0,
    "calls_per_minute": 0,
    "items_per_minute": 0,
    "state": "active",
}
# The same participant outside of any demo, which also signs and receives signed
# answers.
SIGNER = {
    **PARTICIPANT,
    "name": "For measuring signatures",
    "sender_id": "bench-signer.example",
    "demo_only": False,
    "proof": "token_and_signature",
}
# The numbers that are linked, and the digest by which the floor finds their rows.
TABLE = """
    CREATE TABLE IF NOT EXISTS spar_bench_person (
        number bigint PRIMARY KEY, digest bytea NOT NULL)
"""


def make_providers():
    """Make the providers with their branches, unless they exist."""
    codes = [people.get_provider_code(number) for number in range(people.PROVIDERS)]
    if env["spar.fsp"].search_count([("code", "in", codes)]):
        return
    branches = [
        (0, 0, {"name": f"Branch {number}", "code": people.get_branch_code(number)})
        for number in range(people.BRANCHES)
    ]
    env["spar.fsp"].create(
        [
            {"name": f"Measured Bank {code}", "code": code, "branch_ids": branches}
            for code in codes
        ]
    )


def make_wallet():
    """Make a wallet whose numbers are those of a country with a numbering plan."""
    code = people.get_wallet_code()
    if env["spar.fsp"].search_count([("code", "=", code)]):
        return
    country = env.ref("base.ph").id
    values = {"name": "Measured Wallet", "code": code, "kind": "wallet"}
    env["spar.fsp"].create({**values, "country_id": country})


def get_participant(values):
    """Return the participant with these values, and a new secret for it."""
    participants = env["spar.participant"]
    found = participants.search([("sender_id", "=", values["sender_id"])])
    participant = found or participants.create(values)
    return participant, {
        "sender_id": participant.sender_id,
        "client_id": participant.client_id,
        "client_secret": participant._set_new_client_secret(),
    }


def get_signer():
    """Return the participant that signs, its previous key replaced by a new one."""
    signer, answer = get_participant(SIGNER)
    signer.key_ids.action_revoke()
    jwk = make_jwk()
    key_text = json.dumps(get_public_jwk(jwk))
    signer.key_ids.create({"participant_id": signer.id, "key_text": key_text})
    return {**answer, "private_jwk": jwk}


def run():
    """Make what is missing and new secrets, and write the answer."""
    make_providers()
    make_wallet()
    env.cr.execute(TABLE)
    _participant, answer = get_participant(PARTICIPANT)
    answer["signer"] = get_signer()
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
