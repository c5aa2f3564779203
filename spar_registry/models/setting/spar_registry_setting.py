from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from odoo.addons.spar_mapper_connector.exceptions import SettingsAltered


class SparRegistrySetting(models.Model):
    """A limit or a term of the programme side: the rows come with the addon.

    Only two administrators can change a value. A value that plain SQL changed is not
    used: what needs it is refused until it is corrected.
    """

    _name = "spar.registry.setting"
    _description = "Limit of programmes"
    _inherit = ["spar.second.person", "spar.sealed.setting"]
    _guarded_fields = ("value",)
    _sealed_fields = ("code", "least", "most")
    _order = "sequence, id"

    name = fields.Char(required=True, readonly=True, translate=True)
    code = fields.Char(required=True, readonly=True)
    sequence = fields.Integer(readonly=True, aggregator=None)
    value = fields.Integer(string="Number", aggregator=None)
    least = fields.Integer(string="Minimum", readonly=True, default=1, aggregator=None)
    most = fields.Integer(string="Maximum", readonly=True, default=1, aggregator=None)
    description = fields.Text(readonly=True, translate=True)

    _code_uniq = models.UniqueIndex("(code)", "The code of a limit must be unique.")

    @api.constrains("value", "least", "most")
    def _check_value(self):
        """Raise ValidationError if a number is out of its range."""
        for setting in self:
            if not setting.least <= setting.value <= setting.most:
                raise ValidationError(
                    self.env._(
                        "%(name)s: enter a number from %(least)s to %(most)s.",
                        name=setting.name,
                        least=setting.least,
                        most=setting.most,
                    )
                )

    def write(self, vals):
        if not self.env.su and vals.keys() - set(self._guarded_fields):
            raise AccessError(self.env._("Only the value of a limit can be changed."))
        return super().write(vals)

    @api.model
    def _get_number(self, code: str) -> int:
        """Return the number of a limit; raises SettingsAltered."""
        found_sudo = self.sudo().search([("code", "=", code)])
        if not found_sudo or not found_sudo._filter_true():
            raise SettingsAltered(f"a limit was altered: {code}")
        return found_sudo.value
