from odoo import api, models

#: Setting -> what it is where nobody has set it, and the most that it can be. Whoever
#: rules Odoo's system parameters, but has no role here, cannot take a limit away.
LIMITS = {
    "lookup_budget": (200, 2000),
    "lookup_hit_cost": (1, 200),
    "lookup_miss_cost": (5, 200),
    "officer_changes": (100, 1000),
    "officer_people_to_provider": (60, 1000),
    "officer_people_to_account": (3, 100),
    "evidence_kilobytes": (4096, 16384),
}


class SparStaffLimits(models.AbstractModel):
    """How much one member of staff may do within 24 hours.

    The limits are system parameters ``spar_mapper.<name>``: no role of SPAR may set
    them, so nobody raises their own.
    """

    _name = "spar.staff.limits"
    _description = "Limits for staff"

    @api.model
    def _get_limit(self, name: str) -> int:
        """Return a limit; what is no number, zero or too much counts as not set."""
        default, most = LIMITS[name]
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        text = (parameters_sudo.get_param(f"spar_mapper.{name}") or "").strip()
        if not (text.isascii() and text.isdecimal()):
            return default
        return int(text) if 0 < int(text) <= most else default
