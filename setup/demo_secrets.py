"""Run by Odoo's shell in a demo's database: its secrets, and what the demo holds.

Writes to the file named by SPAR_ANSWER: staff and participants with their secrets, some
people of the story, and how much there is of what. Secrets that the file named by
SPAR_KNOWN tells are in use and stay; whoever has none there gets one.
"""

import json
import os
import secrets

from odoo.addons.spar_g2p_connect.lib.evidence import UNSIGNED
from odoo.addons.spar_mapper_connector.lib.identifier import fill_template
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey

env = globals()["env"]  # Odoo's shell gives it

ROLES = ("administrator", "auditor", "supervisor", "officer", "viewer")
COUNTED = ("spar.fsp", "spar.fsp.branch", "spar.subject", "spar.mapping", "spar.event")

NEWCOMERS = ("Ama Terefe", "Bilal Sorokin", "Chandra Oyelaran", "Dalia Whitcombe")


def read_known():
    """What was told of this demo before; nothing of a new one."""
    if path := os.environ.get("SPAR_KNOWN"):
        with open(path) as facts:
            return json.load(facts)
    return {}


KNOWN = read_known()


def get_known(what, key):
    """The entries of a list that was told before, by what names them."""
    return {entry[key]: entry for entry in KNOWN.get(what, [])}


def get_demo_records(model):
    """The records of a model that SPAR's addons made as data."""
    named = env["ir.model.data"].search(
        [("model", "=", model), ("module", "=like", "spar\\_%")]
    )
    return env[model].browse(named.mapped("res_id")).exists()


def get_role(user):
    """What a demo user is there for; the groups' order says it for those with two."""
    held = set(user.group_ids.get_external_id().values())
    return next((r for r in ROLES if f"spar_fa_directory.group_{r}" in held), None)


def set_password(user, role):
    """A new password for a member of staff, told this once."""
    password = secrets.token_urlsafe(12)
    user.password = password
    return {"login": user.login, "password": password, "role": role}


def get_staff():
    """The demo's staff with their roles, Odoo's administrator last.

    There are two administrators: one approves what the other one changes.
    """
    staff, roles = [], set()
    for user in get_demo_records("res.users").sorted("id"):
        if role := get_role(user):
            staff.append((user, f"second {role}" if role in roles else role))
            roles.add(role)
    return [*staff, (env.ref("base.user_admin"), "odoo")]


def set_staff():
    """The staff with their passwords: who has none that we know gets one, unless they
    have logged in since, under another name."""
    if odoos_own := env.ref("base.user_demo", raise_if_not_found=False):
        odoos_own.active = False  # its password stands in Odoo's source
    known = get_known("staff", "login")
    staff = []
    for user, role in get_staff():
        if user.login in known:
            staff.append(known.pop(user.login))
        elif not (KNOWN and user.login_date):
            staff.append(set_password(user, role))
    return staff + list(known.values())


def make_key(participant):
    """A new key for a participant that signs, in place of what it had; None for one
    that does not."""
    if participant.proof in UNSIGNED:
        return None
    participant.key_ids.action_revoke()
    private = PrivateKey.generate("ES256")
    participant.key_ids.create(
        {"participant_id": participant.id, "key_text": json.dumps(private.public.jwk)}
    )
    return private.to_jwk()


def make_credentials(participant):
    """A client secret and a key for a participant that has none."""
    return {
        "client_id": participant.client_id,
        "client_secret": participant._set_new_client_secret(),
        "private_jwk": make_key(participant),
    }


def set_participants():
    """The demo's participants with their secrets; the lenient one is the first."""
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
    """How many rows of a model's table there are, archived ones included."""
    if model not in env:
        return 0
    return env[model].sudo().with_context(active_test=False).search_count([])


def make_code():
    """A one-time code, as the ID provider would send it: good for this demo only."""
    return f"{secrets.randbelow(10**6):06}"


def get_people():
    """Some people of the story, as they know themselves."""
    people = KNOWN.get("beneficiaries") or env["spar.mapper.demo"]._get_people()
    return [{**person, "otp": person.get("otp") or make_code()} for person in people]


def write_id(number):
    """A national ID as it travels, in the one way in which the demo tells them all."""
    national_id = env.ref("spar_mapper_connector.id_type_national_id")
    return fill_template(national_id.strategy, number)


def get_newcomers(known):
    """The newcomers that were told before, or new ones."""
    return [
        {**person, "id_value": write_id(person["individual_id"])}
        for person in known or make_newcomers()
    ]


def make_newcomers():
    """People with an ID and without an address: the registry has not heard of them."""
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
    """What the demo's ID provider is told: its clients, and more people."""
    told = KNOWN.get("idp", {})
    known = {
        client["metadata"]["client_id"]: client for client in told.get("clients", [])
    }
    clients = env["spar.self.service.demo"]._make_clients(known)
    return {
        "clients": clients,
        "newcomers": get_newcomers(told.get("newcomers")),
    }


def run():
    """Make the secrets, write the answer, keep both or none."""
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
