from odoo import api, models
from odoo.exceptions import UserError

from ...expressions import is_at_run_time, refuse_expressions

#: The secret under which attempts to log in are counted, and the name by which a store
#: knows calls that are for it. Odoo sets both when it makes a database.
_KEPT = {"database.secret", "database.uuid"}


class IrConfigParameter(models.Model):
    """System parameters that are made with the database and stay."""

    _inherit = "ir.config_parameter"

    @api.model_create_multi
    def create(self, vals_list):
        self._check_kept({vals.get("key") for vals in vals_list})
        return super().create(vals_list)

    def write(self, vals):
        if {"key", "value"} & vals.keys():
            self._check_kept({*self.mapped("key"), vals.get("key")})
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_kept(self):
        self._check_kept(set(self.mapped("key")))

    @api.model
    def _check_kept(self, keys: set) -> None:
        """Raise an error if a user, or an expression, would change one of these keys.

        Raises UserError, and CalledFromExpression for an expression.
        """
        keys.add(self.env.context.get("default_key"))
        if _KEPT.isdisjoint(keys) or not is_at_run_time(self.env):
            return
        refuse_expressions()
        if not self.env.su:
            raise UserError(
                self.env._(
                    "You cannot change the secret or the ID of the database because "
                    "attempts to log in are counted under the secret, and the ID says "
                    "which calls are for this registry."
                )
            )
