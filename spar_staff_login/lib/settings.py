"""Settings of the operator in the environment of every Odoo process.

Nothing inside Odoo can change these: neither its administrator nor an expression.
"""

from __future__ import annotations

import os

SECOND_FACTOR_VARIABLE = "SPAR_SECOND_FACTOR"
STAFF_HOST_VARIABLE = "SPAR_STAFF_HOST"
OFF = "off"


def needs_second_factor() -> bool:
    """Return whether users with a role need a second factor: unless it is off.

    Any other word than ``off`` leaves it on: a misspelt setting opens nothing.
    """
    return os.environ.get(SECOND_FACTOR_VARIABLE, "").strip().lower() != OFF


def get_staff_host(database: str) -> str:
    """Return the host of the staff screens, in small letters; empty if none is set.

    ``{database}`` in the setting stands for the database's name.
    """
    host = os.environ.get(STAFF_HOST_VARIABLE, "").strip().lower()
    return host.replace("{database}", database.lower())
