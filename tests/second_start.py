"""Make the logins of a second database; run by Odoo's shell, for a second server.

Writes to the file named by SPAR_ANSWER: the clients of the ID provider, the staff with
their passwords, and the public key by which our messages are verified.
"""

import json
import os
import secrets

from odoo.addons.spar_mapper_connector.lib.g2p_connect.signing import KEY_USE

env = globals()["env"]  # provided by Odoo's shell

STAFF = {
    "programme manager": "spar_registry.demo_user_programme_manager",
    "odoo": "base.user_admin",
}


def set_password(role):
    user, password = env.ref(STAFF[role]), secrets.token_urlsafe(12)
    user.password = password
    return {"login": user.login, "password": password, "role": role}


def make_key():
    """Make the key that signs our messages; return its public half."""
    keys = env["spar.signing.key"]
    keys._generate(KEY_USE, "ES256")
    return json.loads(keys._search_key(KEY_USE, "ES256", "current").public_jwk)


def run():
    """Make passwords and clients, and write the answer."""
    answer = {
        "staff": [set_password(role) for role in STAFF],
        "participants": [],
        "public_jwk": make_key(),
        "idp": {"clients": env["spar.self.service.demo"]._make_clients()},
    }
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
