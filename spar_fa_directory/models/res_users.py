from odoo import api, models


class ResUsers(models.Model):
    _inherit = "res.users"

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
