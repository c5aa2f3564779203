from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import get_person, is_at_run_time


class IrEmbeddedActions(models.Model):
    """Tabs above a screen: each calls a method as the user who clicks it.

    Every user of Odoo may add one, for everybody.
    """

    _inherit = "ir.embedded.actions"

    @api.constrains(
        "name",
        "parent_action_id",
        "parent_res_id",
        "parent_res_model",
        "action_id",
        "python_method",
        "user_id",
        "domain",
        "context",
        "groups_ids",
    )
    def _check_own(self):
        """Raise ValidationError if somebody adds or changes a tab of other users."""
        if not is_at_run_time(self.env):
            return
        person = get_person(self.env)
        if any(tab.user_id.id != person for tab in self):
            raise ValidationError(
                self.env._(
                    "You can add tabs to your own screens only. Tabs that everybody "
                    "sees come with addons."
                )
            )

    def _update_field_translations(self, *args, **kwargs):
        self._check_own()
        return super()._update_field_translations(*args, **kwargs)
