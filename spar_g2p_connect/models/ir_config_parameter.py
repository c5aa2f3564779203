from odoo import models


class IrConfigParameter(models.Model):
    """Parameters of which each call reads some, past Odoo's caches."""

    _name = "ir.config_parameter"
    _inherit = ["ir.config_parameter", "spar.cached.records"]
    _is_whole = False
