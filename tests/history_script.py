"""Write the histories of the people in SPAR_IDS, as an auditor reads them.

Run by Odoo's shell; the file is the one named by SPAR_ANSWER.
"""

import json
import os

from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext

env = globals()["env"]  # Odoo's shell provides it


def describe(period):
    """Return a period with its events, as far as the older code had them."""
    events = [
        (e.seq, e.kind, str(e.happened_at), e.actor, e.channel, e.reason)
        + (e.message_reference,)
        for e in period.events
    ]
    return period.fa, str(period.valid_from), events


def run():
    auditor = env.ref("spar_mapper.demo_user_auditor")
    mapper = env["spar.mapper.local"].with_user(auditor)
    call = CallContext(f"user:{auditor.id}", "staff", Authority.STAFF, "")
    history = {
        id_value: [describe(period) for period in mapper._history(call, id_value)]
        for id_value in json.loads(os.environ["SPAR_IDS"])
    }
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(history, out)


run()
