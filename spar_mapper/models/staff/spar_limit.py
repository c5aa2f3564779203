from odoo import api, fields, models


class SparLimit(models.Model):
    """A limit or a term that is set for everybody: the rows come with addons."""

    _name = "spar.limit"
    _description = "Limit"
    _inherit = ["spar.limit.value", "spar.second.person", "spar.sealed.setting"]
    _guarded_fields = ("value", "is_on")
    _sealed_fields = ("code", "kind", "least", "most")

    kind = fields.Selection(
        [("number", "Number"), ("choice", "Yes or no")],
        required=True,
        readonly=True,
        default="number",
    )
    is_on = fields.Boolean(string="Enabled")

    _code_uniq = models.UniqueIndex("(code)", "The code of a limit must be unique.")

    @api.constrains("value", "least", "most")
    def _check_value(self):
        """Raise ValidationError if a number is out of its range."""
        numbers = self.filtered(lambda limit: limit.kind == "number")
        return super(SparLimit, numbers)._check_value()

    @api.model
    def _is_yes(self, code: str) -> bool:
        """Return the choice of a limit; raises SettingsAltered."""
        return self._get(code).is_on
