"""How the form of a user offers roles: each on its own, to be ticked.

Odoo offers one choice among the groups of a privilege. Roles do not exclude each other,
so each is presented as a privilege of its own.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

#: How the form calls a privilege that is one role; the web client draws it as a tick.
PREFIX = "role_"


def split_privilege(hierarchy: dict[str, Any], privilege_id: int) -> dict[str, Any]:
    """Return a copy of Odoo's description of all groups, with one tick for each role.

    >>> groups = {7: {"name": "Officer", "comment": "Acts", "privilege_id": 1}}
    >>> privileges = {1: {"id": 1, "category_id": 5, "group_ids": [7]}}
    >>> categories = [{"id": 5, "privilege_ids": [1]}]
    >>> found = split_privilege(
    ...     {"groups": groups, "privileges": privileges, "categories": categories}, 1
    ... )
    >>> found["categories"][0]["privilege_ids"], found["groups"][7]["privilege_id"]
    (['role_7'], 'role_7')
    >>> found["privileges"]["role_7"]["name"]
    'Officer'
    """
    split = deepcopy(hierarchy)
    privilege = split["privileges"].pop(privilege_id, None)
    if privilege is None:
        return split
    ticks = {}
    for group_id in privilege["group_ids"]:
        group, name = split["groups"][group_id], f"{PREFIX}{group_id}"
        group["privilege_id"] = name
        ticks[name] = {
            "id": name,
            "name": group["name"],
            "category_id": privilege["category_id"],
            "description": group["comment"],
            "placeholder": "",
            "group_ids": [group_id],
        }
    split["privileges"].update(ticks)
    for category in split["categories"]:
        category["privilege_ids"] = [
            name
            for each in category["privilege_ids"]
            for name in (ticks if each == privilege_id else [each])
        ]
    return split
