from odoo import api, models


class SparSettingsSeal(models.Model):
    """What is wrong with settings stands in the list of alarms."""

    _inherit = "spar.settings.seal"

    @api.model
    def _raise_alarms(self, problems):
        result = super()._raise_alarms(problems)
        self.env["spar.alarm"]._raise_alarms(problems)
        return result
