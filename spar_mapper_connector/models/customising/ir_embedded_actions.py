from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import get_person, is_at_run_time


class IrEmbeddedActions(models.Model):
    """Tabs above a screen: each calls a method as the user who clicks it.

    Every user of Odoo may add one, for everybody. Odoo compares its domain with any
    record as superuser, and shows whether it is true.
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
        if any(map(_has_domain, self)):
            raise ValidationError(
                self.env._(
                    "A tab of your own cannot have a domain: leave it empty. Tabs with "
                    "a domain come with addons."
                )
            )

    @api.model
    def _find_foreign_code(self) -> list[int]:
        """Return the ids of tabs with a domain that no addon brought."""
        tabs_sudo = self.sudo().search([("domain", "not in", (False, "", "[]"))])
        names = tabs_sudo._get_external_ids()
        return [tab.id for tab in tabs_sudo if _has_domain(tab) and not names[tab.id]]

    def _update_field_translations(self, *args, **kwargs):
        self._check_own()
        return super()._update_field_translations(*args, **kwargs)


def _has_domain(tab) -> bool:
    return bool((tab.domain or "").strip("[() \n]"))
