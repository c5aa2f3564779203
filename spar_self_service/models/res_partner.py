from odoo import api, models
from odoo.exceptions import ValidationError


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.constrains("website_id")
    def _check_staff_of_no_website(self):
        """Raise ValidationError where an account of staff would belong to one website.

        Nobody finds it on another one, or on the host of staff.
        """
        bound = self.filtered("website_id")
        if not bound:
            return
        if self.env["res.users"]._search_staff() & bound._get_all_users():
            raise ValidationError(
                self.env._(
                    "This contact has the account of a member of staff, who logs in on "
                    "every website: leave its website empty."
                )
            )

    def _get_all_users(self):
        """Return the accounts of these contacts, archived ones too."""
        partners_sudo = self.sudo().with_context(active_test=False)
        return partners_sudo.user_ids
