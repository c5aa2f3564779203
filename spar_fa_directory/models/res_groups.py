from odoo import api, models

MEMBERSHIP_FIELDS = {"user_ids", "implied_ids", "implied_by_ids"}


class ResGroups(models.Model):
    _inherit = "res.groups"

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
