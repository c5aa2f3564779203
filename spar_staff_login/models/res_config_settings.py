from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..lib import sessions
from .res_groups import IDLE_MINUTES


class ResConfigSettings(models.TransientModel):
    """The time after which the screens of staff are locked, for shared computers."""

    _inherit = "res.config.settings"

    spar_idle_minutes = fields.Integer(
        string="Minutes until a screen is locked",
        config_parameter=IDLE_MINUTES,
        help="Without activity for this long, the server answers nothing until the "
        "user confirms who they are. 0: after the time that the user's role sets.",
    )

    @api.constrains("spar_idle_minutes")
    def _check_spar_idle_minutes(self):
        """Raise ValidationError for a time that could not be kept."""
        least, most = sessions.LEAST_MINUTES, sessions.MOST_MINUTES
        for settings in self:
            minutes = settings.spar_idle_minutes
            if minutes and not least <= minutes <= most:
                raise ValidationError(
                    self.env._(
                        "Minutes until a screen is locked: enter a number from "
                        "%(least)s to %(most)s, or 0.",
                        least=least,
                        most=most,
                    )
                )
