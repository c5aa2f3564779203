"""Let a mapper be the default one; run by Odoo's shell, for ``second_server.py``.

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


def run():
    """Make the backend, and call it."""
    values = json.loads(os.environ["SPAR_BACKEND"])
    named = {"name": values["implementation"], **values}
    backend = env["spar.mapper.backend"].create(named)
    backend.is_default = True
    env.cr.commit()
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump({"problem": test(backend), "id": backend.id}, out)


run()
