from odoo import fields, models

ADMINISTRATOR = "spar_fa_directory.group_administrator"
#: Important settings are changed by one administrator and approved by another.
NEEDED = 2


class SparFirstSteps(models.TransientModel):
    """What Odoo's administrator sees of SPAR: how its first roles are granted."""

    _name = "spar.first.steps"
    _description = "First steps with SPAR"

    administrator_ids = fields.Many2many(
        "res.users", string="Administrators of SPAR", compute="_compute_administrators"
    )
    missing_count = fields.Integer(string="Missing", compute="_compute_administrators")

    def _compute_display_name(self):
        self.display_name = self.env._("First steps with SPAR")

    def _compute_administrators(self):
        """Compute who has the role now, and how many more are needed."""
        domain = [("all_group_ids", "in", self.env.ref(ADMINISTRATOR).ids)]
        administrators = self.env["res.users"].search(domain)
        for steps in self:
            steps.administrator_ids = administrators
            steps.missing_count = max(NEEDED - len(administrators), 0)

    def action_open_users(self):
        """Open Odoo's list of users, where roles are granted.

        :raises AccessError: for any user who may not open this page
        """
        self.check_access("read")
        return self.env["ir.actions.act_window"]._for_xml_id("base.action_res_users")
