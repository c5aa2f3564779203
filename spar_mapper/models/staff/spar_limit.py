from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from odoo.addons.spar_mapper_connector.exceptions import SettingsAltered


class SparLimit(models.Model):
    """A limit or a term that is set for everybody: the rows come with addons.

    Only two administrators can change a value; no one else can, and no expression. A
    value that plain SQL changed is not used: what needs it is refused until it is
    corrected.
    """

    _name = "spar.limit"
    _description = "Limit"
    _inherit = ["spar.second.person", "spar.sealed.setting"]
    _guarded_fields = ("value", "is_on")
    _sealed_fields = ("code", "kind", "least", "most")
    _order = "sequence, id"

    name = fields.Char(required=True, readonly=True, translate=True)
    code = fields.Char(required=True, readonly=True)
    sequence = fields.Integer(readonly=True, aggregator=None)
    kind = fields.Selection(
        [("number", "Number"), ("choice", "Yes or no")],
        required=True,
        readonly=True,
        default="number",
    )
    value = fields.Integer(string="Number", aggregator=None)
    is_on = fields.Boolean(string="Enabled")
    least = fields.Integer(string="Minimum", readonly=True, default=1, aggregator=None)
    most = fields.Integer(string="Maximum", readonly=True, default=1, aggregator=None)
    description = fields.Text(readonly=True, translate=True)

    _code_uniq = models.UniqueIndex("(code)", "The code of a limit must be unique.")

    @api.constrains("value", "least", "most")
    def _check_value(self):
        """Raise ValidationError if a number is out of its range."""
        for limit in self:
            if limit.kind == "number" and not limit.least <= limit.value <= limit.most:
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
    def _is_yes(self, code: str) -> bool:
        """Return the choice of a limit; raises SettingsAltered."""
        return self._get(code).is_on

    @api.model
    def _get(self, code: str):
        limit_sudo = self.sudo().search([("code", "=", code)])
        if not limit_sudo or not limit_sudo._filter_true():
            raise SettingsAltered(f"a limit was altered: {code}")
        return limit_sudo
