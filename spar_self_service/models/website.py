from odoo import api, models
from odoo.exceptions import AccessError

from odoo.addons.spar_mapper_connector.expressions import get_person, is_at_run_time


class Website(models.Model):
    """Where a website is: links in mails and the ways back from logins lead there."""

    _inherit = "website"

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get("domain") for vals in vals_list):
            self._check_administrator()
        return super().create(vals_list)

    def write(self, vals):
        if "domain" in vals:
            self._check_administrator()
        return super().write(vals)

    @api.model
    def _check_administrator(self) -> None:
        """Raise AccessError for editors of pages, also through code of another addon.

        Their own page there would take a link to set a password.
        """
        person = self.env["res.users"].browse(get_person(self.env))
        if is_at_run_time(self.env) and not person.has_group("base.group_system"):
            raise AccessError(
                self.env._(
                    "Only an administrator can change the domain of a website, because "
                    "links in mails lead there."
                )
            )
