from odoo import models


class SparFsp(models.Model):
    """Numbers that no numbering plan knows are let in by two people."""

    _name = "spar.fsp"
    _inherit = ["spar.fsp", "spar.second.person"]

    _guarded_fields = ("phone_prefixes",)
    _guarded_at_creation = ("phone_prefixes",)

    def _is_guarded(self, name, value):
        """Taking all of them back is nothing that a second person must look at."""
        return bool(value)
