from odoo import models
from odoo.exceptions import UserError


class IrDemo(models.TransientModel):
    """Demo data has accounts with every role of SPAR, and participants."""

    _inherit = "ir.demo"

    def install_demo(self):
        raise UserError(
            self.env._(
                "Demo data has accounts with every role. The server's operator loads "
                "it, into a database that is not for real people."
            )
        )
