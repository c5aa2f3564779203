"""Set the secrets of a demo's database and report its content; run by Odoo's shell.

Writes to the file named by SPAR_ANSWER: staff and participants with their secrets, some
people of the story, and the number of rows per model. Secrets listed in the file named
by SPAR_KNOWN are in use and are kept; anyone without one there gets a new one.
"""

import json
import os
import secrets

from odoo.addons.spar_g2p_connect.lib.proofs import UNSIGNED
from odoo.addons.spar_mapper.lib.demo_story import build_people
from odoo.addons.spar_mapper.models.spar_mapper_demo import PEOPLE
from odoo.addons.spar_mapper_connector.lib.identifier import fill_template
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey

env = globals()["env"]  # provided by Odoo's shell

#: The group of each role. The first that a user has is theirs.
ROLES = {
    "administrator": "spar_fa_directory.group_administrator",
    "auditor": "spar_fa_directory.group_auditor",
    "supervisor": "spar_fa_directory.group_supervisor",
    "officer": "spar_fa_directory.group_officer",
    "viewer": "spar_fa_directory.group_viewer",
    "programme manager": "spar_registry.group_programme_manager",
    "programme user": "spar_registry.group_programme_user",
}
COUNTED = (
    "spar.fsp",
    "spar.fsp.branch",
    "spar.subject",
    "spar.mapping",
    "spar.event",
    "spar.payment.account",
)

NEWCOMERS = ("Ama Terefe", "Bilal Sorokin", "Chandra Oyelaran", "Dalia Whitcombe")


def read_known():
    """Return what was previously reported of this demo; nothing for a new one."""
    if path := os.environ.get("SPAR_KNOWN"):
        with open(path) as facts:
            return json.load(facts)
    return {}


KNOWN = read_known()


def get_known(what, key):
    """Return the previously reported entries of a list, keyed by their names."""
    return {entry[key]: entry for entry in KNOWN.get(what, [])}


def get_demo_records(model):
    """Return the records of a model that SPAR's addons made as data."""
    named = env["ir.model.data"].search(
        [("model", "=", model), ("module", "=like", "spar\\_%")]
    )
    return env[model].browse(named.mapped("res_id")).exists()


def get_role(user):
    """Return the role of a demo user; for users with two, the groups' order decides."""
    held = set(user.group_ids.get_external_id().values())
    return next((role for role, group in ROLES.items() if group in held), None)


def set_password(user, role):
    """Set and return a new password for a member of staff, shown only this once."""
    password = secrets.token_urlsafe(12)
    user.password = password
    return {"login": user.login, "password": password, "role": role}


def get_staff():
    """Return the demo's staff with their roles, Odoo's administrator last.

    There are two administrators: one approves what the other one changes.
    """
    staff, roles = [], set()
    for user in get_demo_records("res.users").sorted("id"):
        if role := get_role(user):
            staff.append((user, f"second {role}" if role in roles else role))
            roles.add(role)
    return [*staff, (env.ref("base.user_admin"), "odoo")]


def set_staff():
    """Return the staff with their passwords.

    Users whose password is not recorded get a new one, unless they have since logged in
    under another name.
    """
    if odoos_own := env.ref("base.user_demo", raise_if_not_found=False):
        odoos_own.active = False  # its default password is public, in Odoo's source
    known = get_known("staff", "login")
    staff = []
    for user, role in get_staff():
        if user.login in known:
            staff.append(known.pop(user.login))
        elif not (KNOWN and user.login_date):
            staff.append(set_password(user, role))
    return staff + list(known.values())


def make_key(participant):
    """Return a new key for a participant that signs, replacing its previous one.

    :return: None for a participant that does not sign
    """
    if participant.proof in UNSIGNED:
        return None
    participant.key_ids.action_revoke()
    private = PrivateKey.generate("ES256")
    participant.key_ids.create(
        {"participant_id": participant.id, "key_text": json.dumps(private.public.jwk)}
    )
    return private.to_jwk()


def make_credentials(participant):
    """Make a client secret and a key for a participant that has none."""
    return {
        "client_id": participant.client_id,
        "client_secret": participant._set_new_client_secret(),
        "private_jwk": make_key(participant),
    }


def set_participants():
    """Return the demo's participants with their secrets, the lenient one first."""
    found = get_demo_records("spar.participant")
    known = get_known("participants", "client_id")
    return [
        {
            **(known.get(participant.client_id) or make_credentials(participant)),
            "sender_id": participant.sender_id,
            "profile": participant.profile,
        }
        for participant in found.sorted(lambda p: p.profile != "openg2p-1.x")
    ]


def count(model):
    """Return the number of rows in a model's table, archived ones included."""
    if model not in env:
        return 0
    return env[model].sudo().with_context(active_test=False).search_count([])


def make_code():
    """Return a one-time code as the ID provider would send it, for this demo only."""
    return f"{secrets.randbelow(10**6):06}"


def get_people():
    """Return some people of the story, as they know themselves."""
    people = KNOWN.get("beneficiaries") or env["spar.mapper.demo"]._get_people()
    return [{**person, "otp": person.get("otp") or make_code()} for person in people]


def write_id(number):
    """Return a national ID as it travels, in the single spelling that the demo uses."""
    national_id = env.ref("spar_mapper_connector.id_type_national_id")
    return fill_template(national_id.strategy, number)


def get_newcomers(known):
    """Return the previously reported newcomers, or new ones."""
    return [
        {**person, "id_value": write_id(person["individual_id"])}
        for person in known or make_newcomers()
    ]


def make_newcomers():
    """Return people with an ID but no financial address, unknown to the registry."""
    numbers = [f"{secrets.randbelow(10**9) + 7 * 10**9}" for _name in NEWCOMERS]
    return [
        {
            "name": name,
            "individual_id": number,
            "otp": make_code(),
        }
        for name, number in zip(NEWCOMERS, numbers, strict=True)
    ]


def make_id_provider():
    """Return the configuration of the demo's ID provider: clients and more people."""
    earlier = KNOWN.get("idp", {})
    known = {
        client["metadata"]["client_id"]: client for client in earlier.get("clients", [])
    }
    clients = (
        env["spar.self.service.demo"]._make_clients(known)
        if "spar.self.service.demo" in env
        else []
    )
    return {
        "clients": clients,
        "confirmation_clients": env["spar.confirmation.demo"]._make_clients(),
        "newcomers": get_newcomers(earlier.get("newcomers")),
    }


def load_programmes():
    """Load the demo's programmes, if they are not there, and send their accounts.

    They need the store, which their addon does not depend on. A store without their
    addon has no programmes.
    """
    if "spar.registry.demo" not in env:
        return
    story = env["spar.registry.demo"]
    story._load()
    # Somebody who came to a counter.
    story._load_known_to_staff(build_people(PEOPLE)[-1].individual_id)
    env.cr.commit()
    env["spar.outbox.worker"]._cron_send()
    env.cr.commit()


def run():
    """Load the programmes, then make the secrets and write the answer.

    Of the last two, both are done or neither.
    """
    load_programmes()
    answer = {
        "staff": set_staff(),
        "participants": set_participants(),
        "beneficiaries": get_people(),
        "idp": make_id_provider(),
        "counts": {model: count(model) for model in COUNTED},
    }
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
