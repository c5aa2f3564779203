from odoo import api, models


class SparFsp(models.Model):
    """Numbers that no numbering plan knows are let in by two people."""

    _name = "spar.fsp"
    _inherit = ["spar.fsp", "spar.second.person", "spar.sealed.setting"]

    _guarded_fields = ("phone_prefixes",)
    _guarded_at_creation = ("phone_prefixes",)

    _sealed_rows = "t.phone_prefixes <> ''"

    @api.model
    def _touches_seal(self, vals):
        return "phone_prefixes" in vals

    @api.model
    def _concerns(self, vals):
        return "phone_prefixes" in vals

    def _stops(self, name, value):
        return name == "phone_prefixes" and not value

    def _is_guarded(self, name, value):
        """Taking all of them back is nothing that a second person must look at."""
        return bool(value)
