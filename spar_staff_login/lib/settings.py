"""What the operator sets in the environment of every Odoo process.

Nobody inside Odoo can change these: not its administrator, not an expression.
"""

from __future__ import annotations

import os

SECOND_FACTOR_VARIABLE = "SPAR_SECOND_FACTOR"
STAFF_HOST_VARIABLE = "SPAR_STAFF_HOST"
OFF = "off"


def needs_second_factor() -> bool:
    """Return whether whoever has a role needs a second factor: unless it is off.

    Any other word than ``off`` leaves it on: a misspelt setting opens nothing.
    """
    return os.environ.get(SECOND_FACTOR_VARIABLE, "").strip().lower() != OFF


def get_staff_host(database: str) -> str:
    """Return the host of staff's screens, in small letters; empty where none is set.

    ``{database}`` in the setting stands for the database's name.
    """
    told = os.environ.get(STAFF_HOST_VARIABLE, "").strip().lower()
    return told.replace("{database}", database.lower())
