"""What the programme side says of its people; run by Odoo's shell, for tests.

SPAR_IDS is a JSON list of names of contacts. Writes to the file named by SPAR_ANSWER
the button of each person's form, and what the nightly comparison found.
"""

import json
import os

env = globals()["env"]  # provided by Odoo's shell


def read_button(name):
    """Return what the form of a person shows to somebody of the programmes."""
    manager = env.ref("spar_registry.demo_user_programme_manager")
    person = env["res.partner"].search([("name", "=", name)])
    return person.with_user(manager).get_spar_address()


def sweep():
    """Compare everybody; return the counts of the report."""
    found = env["spar.sweep"].create({})
    while found._run_chunk():
        pass
    return {name: found[name] for name in ("same", "drift", "unknown")}


def run():
    """Ask, and write the answer."""
    buttons = [read_button(name) for name in json.loads(os.environ["SPAR_IDS"])]
    answer = {"buttons": buttons, "sweep": sweep()}
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
