from odoo import fields, models


class SparFirstSteps(models.TransientModel):
    _inherit = "spar.first.steps"

    setup_warnings = fields.Text(
        string="Set-up warnings", compute="_compute_setup_warnings"
    )

    def _compute_setup_warnings(self):
        """Compute the warnings about missing settings of the machine's operator."""
        self.setup_warnings = "\n".join(self.env["spar.setup.check"]._get_warnings())
