"""Start a readiness run; run by Odoo's shell, for ``test_readiness_kill.py``.

SPAR_IDS is a JSON list of the numbers on the cards of people, who become the members of
a new programme, or @ and the file that contains it. SPAR_CHUNK is how many are checked
at a time. The run's id is written to the file named by SPAR_ANSWER.
"""

import json
import os

from odoo.tools import split_every

from odoo.addons.spar_registry.models.readiness import spar_readiness_chunk

env = globals()["env"]  # provided by Odoo's shell
#: Creates contacts without a message for each.
silent = env(context={**env.context, "tracking_disable": True})

#: So that a few hundred people are many chunks.
CHUNK = int(os.environ.get("SPAR_CHUNK", "20"))
#: How many contacts are created at once.
PIECE = 2000


def make_members(programme, numbers):
    """Create a contact with each ID, as a member of the programme."""
    partners = silent["res.partner"].create(
        [{"name": "Readiness"} for _each in numbers]
    )
    id_type = env.ref("spar_mapper_connector.id_type_national_id")
    env["spar.person.identity"].create(
        [
            {"partner_id": partner.id, "id_type_id": id_type.id, "value": number}
            for partner, number in zip(partners, numbers, strict=True)
        ]
    )
    env["spar.programme.member"].create(
        [{"programme_id": programme.id, "partner_id": one.id} for one in partners]
    )


def read_numbers():
    """Return the numbers on the cards."""
    text = os.environ["SPAR_IDS"]
    if text.startswith("@"):
        with open(text[1:]) as numbers:
            return json.load(numbers)
    return json.loads(text)


def run():
    """Make the programme and its people, and start a run."""
    numbers = read_numbers()
    code = f"READY-{numbers[0]}"
    programme = env["spar.programme"].create({"name": "Readiness", "code": code})
    for some in split_every(PIECE, numbers):
        make_members(programme, some)
        env.invalidate_all()
    spar_readiness_chunk.CHUNK_PEOPLE = CHUNK
    wizard = env["spar.readiness.wizard"].create(
        {"source": "programme", "programme_id": programme.id}
    )
    # Pressing the button is a request of its own, and begins a new transaction.
    env.cr.commit()
    run_id = wizard.action_start()["res_id"]
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump({"run_id": run_id, "programme_id": programme.id}, out)


run()
