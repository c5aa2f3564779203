from odoo import api, models


class SparSettingsSeal(models.Model):
    """The seal of the settings; problems with it are raised as alarms."""

    _inherit = "spar.settings.seal"

    @api.model
    def _raise_alarms(self, problems):
        result = super()._raise_alarms(problems)
        self.env["spar.alarm"]._raise_alarms(problems)
        return result
