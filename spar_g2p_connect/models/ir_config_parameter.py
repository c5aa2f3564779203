from odoo import models


class IrConfigParameter(models.Model):
    """System parameters, some of which each call reads past Odoo's caches."""

    _name = "ir.config_parameter"
    _inherit = ["ir.config_parameter", "spar.cached.records"]
    _is_whole = False
