from odoo import fields, models


class SparFirstSteps(models.TransientModel):
    _inherit = "spar.first.steps"

    setup_warnings = fields.Text(compute="_compute_setup_warnings")

    def _compute_setup_warnings(self):
        """What the operator of the machine has not set."""
        self.setup_warnings = "\n".join(self.env["spar.setup.check"]._get_warnings())
