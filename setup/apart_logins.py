"""Make the logins of a database whose store is elsewhere; run by Odoo's shell.

Writes to the file named by SPAR_ANSWER: the clients of the ID provider, the staff with
their passwords, and the public key by which our messages are verified.
"""

import json
import os
import secrets

from odoo.addons.spar_mapper_connector.lib.g2p_connect.signing import KEY_USE

env = globals()["env"]  # provided by Odoo's shell

#: Role -> name, login and role's group of who works at the portal.
COLLEAGUES = {
    "officer": ("Olga Officer", "officer", "officer"),
    "administrator": ("Adam Administrator", "administrator", "administrator"),
    "second administrator": ("Aida Administrator", "administrator2", "administrator"),
}
#: Role -> staff that demo data may have made.
KNOWN = {
    "programme manager": "spar_registry.demo_user_programme_manager",
    "odoo": "base.user_admin",
}
#: Providers whose userinfo nobody signs: a store elsewhere cannot believe them.
UNSIGNED = "json"


def get_staff():
    """Return everybody with a role, as users by their role."""
    staff = {role: find_or_make(*about) for role, about in COLLEAGUES.items()}
    for role, name in KNOWN.items():
        if user := env.ref(name, raise_if_not_found=False):
            staff[role] = user
    return staff


def find_or_make(name, login, group):
    groups = env.ref("base.group_user") + env.ref(f"spar_fa_directory.group_{group}")
    values = {"name": name, "login": login, "group_ids": groups.ids}
    users = env["res.users"]
    return users.search([("login", "=", login)]) or users.create(values)


def set_password(role, user):
    password = secrets.token_urlsafe(12)
    user.password = password
    return {"login": user.login, "password": password, "role": role}


def make_key():
    """Make the key that signs our messages; return its public half."""
    keys = env["spar.signing.key"]
    keys._generate(KEY_USE, "ES256")
    return json.loads(keys._search_key(KEY_USE, "ES256", "current").public_jwk)


def make_clients():
    """Return the clients of the ID provider; offer those whose documents are signed."""
    clients = env["spar.self.service.demo"]._make_clients()
    domain = [("flow", "=", "spar_oidc"), ("userinfo_format", "=", UNSIGNED)]
    env["auth.oauth.provider"].search(domain).is_offered = False
    return clients


def run():
    """Make passwords and clients, and write the answer."""
    if odoos_own := env.ref("base.user_demo", raise_if_not_found=False):
        odoos_own.active = False  # its default password is public, in Odoo's source
    answer = {
        "staff": [set_password(role, user) for role, user in get_staff().items()],
        "participants": [],
        "public_jwk": make_key(),
        "idp": {"clients": make_clients()},
    }
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
