"""Seal the accounts of programmes' users once, as they are.

The groups of this addon count as roles now, so that these accounts are sealed like
those of SPAR's staff. An account that differs from its seal, or that also has a role
that was sealed before, stays as it is.
"""

from odoo.api import SUPERUSER_ID, Environment

#: The addons whose groups became roles.
ADDONS = ("spar_registry", "spar_registry_source")


def migrate(cr, version):
    env = Environment(cr, SUPERUSER_ID, {})
    seal = env["spar.settings.seal"]._find_newest("res.users")
    if seal is None:
        return
    names = env["res.groups"]._find_spar_names().items()
    new = {group for name, group in names if name.split(".")[0] in ADDONS}
    roles = env["res.groups"]._get_spar_role_ids()
    for user in env["res.users"]._search_role_holders():
        if user.id not in seal.rows and roles & set(user.all_group_ids.ids) <= new:
            user._seal_accounts(env["res.users"], {})
