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

    @api.model_create_multi
    def create(self, vals_list):
        self._check_receiver({vals.get("key") for vals in vals_list})
        return super().create(vals_list)

    def write(self, vals):
        if {"key", "value"} & vals.keys():
            self._check_receiver({*self.mapped("key"), vals.get("key")})
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_receiver(self):
        self._check_receiver(set(self.mapped("key")))

    @api.model
    def _check_receiver(self, keys: set) -> None:
        """Raise an error if one of these keys is that of the registry's name.

        Raises UserError, and CalledFromExpression for an expression.
        """
        keys.add(self.env.context.get("default_key"))
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
