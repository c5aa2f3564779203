"""Code of an addon of Odoo that is not installed, for tests of who reads what."""

import sys
from types import ModuleType

#: The addon of Odoo's automations, which applies filters as superuser.
AUTOMATION = "base_automation"
_CODE = """
def filter_by(records, domain):
    return records.sudo().filtered_domain(domain)

def find(records, domain):
    return records.sudo().search(domain + [("id", "in", records.ids)])

def find_all(records, domain):
    return records.sudo().search(domain)

def show(records, name):
    return records.sudo().mapped(name)

def show_to_user(records, name):
    return records.mapped(name)

def find_for_user(records):
    return records.search([])

def order_by(records, name):
    return records.sudo().search([], order=name)

def group_by(records, name):
    return records.sudo()._read_group([], [name])

def count(records, name):
    return records.sudo()._read_group([], [], [name + ":count_distinct"])

class Row:
    def __init__(self, name):
        self._name = name

    def show(self, records, name):
        return records.mapped(name)

def compute_beside(records, field):
    return compute_beside.origin(records, field)
"""


def load_addon(test, addon):
    """Return code of an addon: it reads as superuser, or by a row of its own."""
    name = f"odoo.addons.{addon}.models.work"
    module = sys.modules[name] = ModuleType(name)
    test.addCleanup(sys.modules.pop, name, None)
    exec(_CODE, vars(module))  # noqa: S102
    return module
