from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import get_person, is_at_run_time
from ...lib.addon_code import is_addon_code_only


class IrFilters(models.Model):
    """Favourites: a default filter of others could hide what staff must see."""

    _inherit = "ir.filters"

    @api.constrains("model_id", "user_ids", "domain", "context", "is_default", "active")
    def _check_own(self):
        """Raise ValidationError if a filter of ours, or a default, is for others."""
        if not is_at_run_time(self.env):
            return
        person = get_person(self.env)
        for kept in self:
            name = kept.model_id or ""
            is_for_others = kept.user_ids.ids != [person]
            is_default = kept.is_default and is_addon_code_only()
            if is_for_others and (name.startswith("spar.") or is_default):
                raise ValidationError(
                    self.env._(
                        "You cannot share favourites on the registry's screens, or "
                        "make one the default of others. Save this one for yourself "
                        "only."
                    )
                )
