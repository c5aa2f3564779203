"""List every route and method of the suite that a login can reach.

It is run by Odoo's shell, and writes to the file named by SPAR_ANSWER.
"""

import json
import os

from odoo.service.model import get_public_method

env = globals()["env"]  # Odoo's shell provides it

#: Methods of every model, called on each of ours. (Any user may ask which fields there
#: are, which reveals nothing about anyone.)
COMMON = [
    "search_read",
    "web_search_read",
    "read",
    "web_read",
    "search_count",
    "export_data",
    "formatted_read_group",
    "name_search",
    "create",
    "write",
    "unlink",
    "copy",
]


def list_methods(name):
    """Return what a logged-in user can name in a remote call, of a model's own."""
    model = env[name]
    own = set(dir(type(model))) - set(dir(type(env["base"])))
    found = []
    for word in sorted({*own, *COMMON}):
        try:
            get_public_method(model, word)
        except Exception:  # noqa: S112  nothing that can be called from outside
            continue
        found.append(word)
    return found


def list_routes():
    """Return our own pages; the protocol's are another server's responsibility."""
    return [
        {
            "path": rule.rule,
            "methods": sorted(rule.endpoint.routing.get("methods") or ["GET", "POST"]),
        }
        for rule in env["ir.http"].routing_map().iter_rules()
        if rule.rule.startswith("/spar") and not rule.rule.startswith("/spar/v1")
    ]


found = {
    "models": {
        name: list_methods(name) for name in env.registry if name.startswith("spar.")
    },
    "routes": list_routes(),
}
with open(os.environ["SPAR_ANSWER"], "w") as answer:
    json.dump(found, answer)
