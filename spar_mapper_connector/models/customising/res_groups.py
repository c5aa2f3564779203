from odoo import api, models

from odoo.addons.spar_fa_directory.models.spar_group_log import CODE_GROUPS


class ResGroups(models.Model):
    """Names of roles, and of groups that reach code: the second person reads them."""

    _name = "res.groups"
    _inherit = ["res.groups", "spar.shipped.record"]
    _shipped_fields = frozenset(("name", "comment", "privilege_id"))

    @api.model
    def _is_shipped_name(self, name):
        return super()._is_shipped_name(name) or name in CODE_GROUPS


class ResGroupsPrivilege(models.Model):
    """The name of what the roles belong to."""

    _name = "res.groups.privilege"
    _inherit = ["res.groups.privilege", "spar.shipped.record"]
