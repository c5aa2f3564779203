from odoo import api, models


class ResUsers(models.Model):
    _inherit = "res.users"

    def _has_spar_role(self) -> bool:
        """Return whether this user has any role in SPAR."""
        roles = self.env["res.groups"]._get_spar_role_ids()
        return not roles.isdisjoint(self._get_group_ids())

    @api.model_create_multi
    def create(self, vals_list):
        with self.env["spar.group.log"]._log_changes(self) as users:
            users = super(ResUsers, users).create(vals_list)
        return users.with_env(self.env)

    def write(self, vals):
        if "group_ids" not in vals:
            return super().write(vals)
        with self.env["spar.group.log"]._log_changes(self) as users:
            return super(ResUsers, users).write(vals)
