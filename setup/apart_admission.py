"""Let a portal elsewhere be a participant of this store; run by Odoo's shell.

SPAR_PORTAL is a JSON object: the portal's name, sender ID and public key, where people
return to it, its clients at the ID provider, and the issuer. Writes to the file named
by SPAR_ANSWER its sender ID and new client credentials.
"""

import json
import os

env = globals()["env"]  # provided by Odoo's shell

#: What a portal may do: nothing that reads or changes anything of other people.
RIGHTS = {
    "may_use_extension": True,
    "may_read_own": True,
    "may_propose": True,
    "may_object": True,
    "may_resolve": False,
    "scope": "yes_no",
}


def set_participant(portal):
    """Return the portal's participant, with its present key alone."""
    participants = env["spar.participant"]
    found = participants.search([("sender_id", "=", portal["sender_id"])])
    if not found:
        values = {"name": portal["name"], "sender_id": portal["sender_id"]}
        found = participants.create({**values, **RIGHTS})
    found.key_ids.action_revoke()
    key = {"participant_id": found.id, "key_text": json.dumps(portal["public_jwk"])}
    found.key_ids.create(key)
    found.state = "active"
    return found


def list_portal(portal):
    """List the portal, and the address to which people return."""
    values = {"name": portal["name"], "return_urls": portal["return_url"]}
    portals = env["spar.confirmation.portal"]
    found = portals.search([("sender_id", "=", portal["sender_id"])])
    if found:
        found.write(values)
    else:
        portals.create({"sender_id": portal["sender_id"], **values})


def accept_logins(portal):
    """Accept logins at the portal's clients for reading, never as proofs."""
    issuer = env["spar.proof.issuer"].search([("issuer", "=", portal["issuer"])])
    issuer.portal_audiences = "\n".join(portal["client_ids"])


def run():
    """Admit the portal, and write its credentials."""
    portal = json.loads(os.environ["SPAR_PORTAL"])
    participant = set_participant(portal)
    list_portal(portal)
    accept_logins(portal)
    answer = {
        "sender_id": participant.sender_id,
        "client_id": participant.client_id,
        "client_secret": participant._set_new_client_secret(),
    }
    env.cr.commit()
    # The caches of the server's processes are out of date.
    env.registry.signal_changes()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
