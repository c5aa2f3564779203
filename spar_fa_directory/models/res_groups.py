from odoo import api, models, tools

from .spar_group_log import SPAR_GROUPS

MEMBERSHIP_FIELDS = {"user_ids", "implied_ids", "implied_by_ids"}


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.model
    @tools.ormcache(cache="groups")
    def _get_spar_role_ids(self) -> frozenset[int]:
        """Return the groups that are roles in SPAR."""
        find = self.env["ir.model.data"]._xmlid_to_res_id
        found = (find(f"spar_fa_directory.group_{name}") for name in SPAR_GROUPS)
        return frozenset(group_id for group_id in found if group_id)

    @api.model_create_multi
    def create(self, vals_list):
        with self.env["spar.group.log"]._log_changes(self) as groups:
            groups = super(ResGroups, groups).create(vals_list)
        return groups.with_env(self.env)

    def write(self, vals):
        if not MEMBERSHIP_FIELDS & vals.keys():
            return super().write(vals)
        with self.env["spar.group.log"]._log_changes(self) as groups:
            return super(ResGroups, groups).write(vals)

    def unlink(self):
        with self.env["spar.group.log"]._log_changes(self) as groups:
            return super(ResGroups, groups).unlink()
