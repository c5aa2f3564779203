"""For whom code of Odoo reads records of ours as superuser.

This is a module of its own: what the access rules of a model read meanwhile, they read
for us (see ``reading.py``).
"""

import sys

from odoo.http import request

from ..expressions import get_person


def may_person_read(records) -> bool:
    """Return whether whoever is served by a request or message may read records.

    Each of them, as their own rights and offices say: Odoo's notes and activities name
    any record by its number. A job of the schedule serves nobody.

    :param records: of any user; without records, the model is asked
    """
    if not (request or _is_message()):
        return True
    person = records.env["res.users"].browse(get_person(records.env))
    stored = records.browse(filter(None, records.ids))
    return person._has_spar_role() and stored.with_user(person).has_access("read")


def _is_message() -> bool:
    """Return whether a message of a websocket is being served, which is no request."""
    websocket = sys.modules.get("odoo.addons.bus.websocket")
    return bool(websocket and websocket.wsrequest)
