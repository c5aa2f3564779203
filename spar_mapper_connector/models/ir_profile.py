from odoo import api, models
from odoo.exceptions import UserError


class IrProfile(models.Model):
    """Odoo's profiler, which records what is served: see ``server/profiling.py``."""

    _inherit = "ir.profile"

    @api.model
    def set_profiling(self, profile=None, collectors=None, params=None):
        """Raise UserError instead of having the requests of a session recorded."""
        if profile:
            raise UserError(
                self.env._(
                    "Requests are not recorded in a database with SPAR because the "
                    "record would hold what people type."
                )
            )
        return super().set_profiling(profile, collectors, params)
