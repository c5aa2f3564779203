from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import is_at_run_time


class ResCountry(models.Model):
    """Countries: their codes decide to which provider an IBAN or a BIC belongs."""

    _inherit = "res.country"

    def write(self, vals):
        if "code" in vals:
            changed = self.filtered(lambda country: country.code != vals["code"])
            changed._check_no_provider()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_providers(self):
        self._check_no_provider()

    def _check_no_provider(self) -> None:
        """Raise ValidationError for a country in which there are providers."""
        if not self or not is_at_run_time(self.env):
            return
        providers_sudo = self.env["spar.fsp"].sudo().with_context(active_test=False)
        found_sudo = providers_sudo.search([("country_id", "in", self.ids)], limit=1)
        if found_sudo:
            raise ValidationError(
                self.env._(
                    "You cannot delete %(country)s or change its code because it "
                    "decides which provider an account belongs to.",
                    country=found_sudo.country_id.name,
                )
            )
