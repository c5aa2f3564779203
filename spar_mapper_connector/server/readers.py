"""For whom code of Odoo reads records of ours as superuser.

This is a module of its own: what the access rules of a model read meanwhile, they read
for us (see ``reading.py``).
"""

import sys

from odoo.http import request

from ..expressions import get_person


def get_served_person(env):
    """Return the user whom a request or message serves; None in a scheduled job."""
    if not (request or _is_message()):
        return None
    return env["res.users"].browse(get_person(env))


def is_own_environment(env) -> bool:
    """Return whether an environment is that of whoever is served, with their rights.

    Records that an expression has left in a value can be those of any user.
    """
    if env.su:
        return False
    person = get_served_person(env)
    return person is None or person.id == env.uid


def may_read(person, records) -> bool:
    """Return whether a person may read records, as their own rights and offices say.

    Odoo's notes and activities name any record by its number.

    :param records: of any user; without records, the model is asked
    """
    stored = records.browse(filter(None, records.ids))
    return person._has_spar_role() and stored.with_user(person).has_access("read")


def may_person_read(records) -> bool:
    """Return whether the person who is served, if any, may read records."""
    person = get_served_person(records.env)
    return person is None or may_read(person, records)


def _is_message() -> bool:
    """Return whether a message of a websocket is being served, which is no request."""
    websocket = sys.modules.get("odoo.addons.bus.websocket")
    return bool(websocket and websocket.wsrequest)
