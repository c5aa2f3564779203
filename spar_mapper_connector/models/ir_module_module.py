from odoo import models

from ..lib.waiting import NONE
from ..server.database import limited


class IrModuleModule(models.Model):
    _name = "ir.module.module"
    _inherit = ["ir.module.module"]

    def _button_immediate_function(self, function):
        """An upgrade by a click takes the time it takes, as one by a command does."""
        with limited(NONE):
            return super()._button_immediate_function(function)
