from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.expressions import (
    is_at_run_time,
    refuse_expressions,
)

from .spar_row_versions import RECEIVER_PARAMETER


class IrConfigParameter(models.Model):
    """System parameters, some of which each call reads past Odoo's caches.

    The name of the registry decides which signed calls are for it. Once two people
    administer SPAR, only the server's operator gives it another one.
    """

    _name = "ir.config_parameter"
    _inherit = ["ir.config_parameter", "spar.cached.records"]
    _is_whole = False

    @api.model
    def _check_kept(self, keys: set) -> None:
        """Refuse a change of the registry's name as well.

        Raises UserError, and CalledFromExpression for an expression.
        """
        super()._check_kept(keys)
        if RECEIVER_PARAMETER not in keys or not is_at_run_time(self.env):
            return
        refuse_expressions()
        if self.env["spar.group.log"].sudo()._is_set_up():
            raise UserError(
                self.env._(
                    "Only the server's operator changes the name of this registry. It "
                    "decides which signed calls are for it."
                )
            )
