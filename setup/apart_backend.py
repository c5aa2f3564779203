"""Let a mapper elsewhere be the default one; run by Odoo's shell.

SPAR_BACKEND is a JSON object with the values of its backend. Writes to the file named
by SPAR_ANSWER what *Test connection* says, "" if all is well.
"""

import json
import os

from odoo.addons.spar_mapper_connector.exceptions import MapperError

env = globals()["env"]  # provided by Odoo's shell


def test(backend):
    """Return the code of what is wrong with the connection."""
    try:
        backend._bind()._check_connection()
    except MapperError as error:
        return getattr(error, "reason", error.code)
    return ""


def set_backend(values):
    """Return the backend with these values, made if there is none of its name."""
    named = {"name": values["implementation"], **values}
    backends = env["spar.mapper.backend"]
    backend = backends.search([("name", "=", named["name"])], limit=1)
    if backend:
        backend.write(named)
    else:
        backend = backends.create(named)
    backend.is_default = True
    return backend


def run():
    """Make the backend, and call it."""
    backend = set_backend(json.loads(os.environ["SPAR_BACKEND"]))
    env.cr.commit()
    # The caches of the server's processes are out of date.
    env.registry.signal_changes()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump({"problem": test(backend), "id": backend.id}, out)


run()
