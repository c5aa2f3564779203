from odoo import models


class SparRegistrySetting(models.Model):
    """A limit or a term of the programme side: the rows come with the addon."""

    _name = "spar.registry.setting"
    _description = "Limit of programmes"
    _inherit = ["spar.limit.value", "spar.second.person", "spar.sealed.setting"]
    _guarded_fields = ("value",)
    _sealed_fields = ("code", "least", "most")

    _code_uniq = models.UniqueIndex("(code)", "The code of a limit must be unique.")
