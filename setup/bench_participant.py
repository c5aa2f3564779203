"""Run by Odoo's shell in the database to measure in: who calls, and who holds money.

Writes to the file named by SPAR_ANSWER the participant with its secret, made just now.
Can be run again: nothing is made twice.
"""

import json
import os
import sys

sys.path.insert(0, os.environ["SPAR_ROOT"])

from setup import bench_people as people  # noqa: E402  (after the path)
from setup.payer import make_jwk  # noqa: E402

env = globals()["env"]  # Odoo's shell gives it

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
# The same outside of any demo: it signs, too, and is answered signed.
SIGNER = {
    **PARTICIPANT,
    "name": "For measuring signatures",
    "sender_id": "bench-signer.example",
    "demo_only": False,
    "proof": "token_and_signature",
}
# Which numbers are linked, and the digest by which the floor finds their rows.
TABLE = """
    CREATE TABLE IF NOT EXISTS spar_bench_person (
        number bigint PRIMARY KEY, digest bytea NOT NULL)
"""


def make_providers():
    """The providers with their branches, unless they are there."""
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
    """A wallet whose numbers are those of a country with a numbering plan."""
    code = people.get_wallet_code()
    if env["spar.fsp"].search_count([("code", "=", code)]):
        return
    country = env.ref("base.ph").id
    values = {"name": "Measured Wallet", "code": code, "kind": "wallet"}
    env["spar.fsp"].create({**values, "country_id": country})


def get_participant(values):
    """The participant with these values, and a new secret for it."""
    participants = env["spar.participant"]
    found = participants.search([("sender_id", "=", values["sender_id"])])
    participant = found or participants.create(values)
    return participant, {
        "sender_id": participant.sender_id,
        "client_id": participant.client_id,
        "client_secret": participant._set_new_client_secret(),
    }


def get_signer():
    """The one that signs, with a new key in place of what it had."""
    signer, answer = get_participant(SIGNER)
    signer.key_ids.action_revoke()
    jwk = make_jwk()
    public = {name: value for name, value in jwk.items() if name != "d"}
    signer.key_ids.create({"participant_id": signer.id, "key_text": json.dumps(public)})
    return {**answer, "private_jwk": jwk}


def run():
    """Make what is missing, new secrets, and the answer."""
    make_providers()
    make_wallet()
    env.cr.execute(TABLE)
    _participant, answer = get_participant(PARTICIPANT)
    answer["signer"] = get_signer()
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
