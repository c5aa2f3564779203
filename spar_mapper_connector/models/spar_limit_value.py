from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..exceptions import SettingsAltered


class SparLimitValue(models.AbstractModel):
    """A number within a range that an addon ships, with the range.

    Only two administrators can change the number; no one else can, and no expression.
    One that plain SQL changed is not used: what needs it is refused until it is
    corrected. The models that inherit this are sealed settings that take two people.
    """

    _name = "spar.limit.value"
    _description = "Number within a range"
    _order = "sequence, id"

    name = fields.Char(required=True, readonly=True, translate=True)
    code = fields.Char(required=True, readonly=True)
    sequence = fields.Integer(readonly=True, aggregator=None)
    value = fields.Integer(string="Number", aggregator=None)
    least = fields.Integer(string="Minimum", readonly=True, default=1, aggregator=None)
    most = fields.Integer(string="Maximum", readonly=True, default=1, aggregator=None)
    description = fields.Text(readonly=True, translate=True)

    @api.constrains("value", "least", "most")
    def _check_value(self):
        """Raise ValidationError if a number is out of its range."""
        for limit in self:
            if not limit.least <= limit.value <= limit.most:
                raise ValidationError(
                    self.env._(
                        "%(name)s: enter a number from %(least)s to %(most)s.",
                        name=limit.name,
                        least=limit.least,
                        most=limit.most,
                    )
                )

    def write(self, vals):
        if not self.env.su and vals.keys() - set(self._guarded_fields):
            raise AccessError(self.env._("Only the value of a limit can be changed."))
        return super().write(vals)

    @api.model
    def _get_number(self, code: str) -> int:
        """Return the number of a limit; raises SettingsAltered."""
        return self._get(code).value

    @api.model
    def _get(self, code: str):
        limit_sudo = self.sudo().search([("code", "=", code)])
        if not limit_sudo or not limit_sudo._filter_true():
            raise SettingsAltered(f"a limit was altered: {code}")
        return limit_sudo
