from odoo import models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.expressions import refuse_expressions


class ResUsers(models.Model):
    """Links by which staff set a password."""

    _inherit = "res.users"  # pylint: disable=consider-merging-classes-inherited

    def _action_reset_password(self, signup_type="reset"):
        """Send staff a link that no template has seen and no table stores.

        A mail template could send it to someone else, and a queued mail can be read in
        the database.
        """
        if self.env.context.get("install_mode") or self.env.context.get("import_file"):
            return None
        staff = self.filtered(lambda user: user.partner_id._has_signed_links())
        others = self - staff
        result = None
        if others or not self:
            result = super(ResUsers, others)._action_reset_password(signup_type)
        for user in staff:
            user._send_signed_link(signup_type)
        return result or staff._build_sent_notification()

    def _send_signed_link(self, signup_type: str) -> None:
        """Send one link at once.

        Raises UserError, MailDeliveryException or CalledFromExpression.
        """
        refuse_expressions()
        if not self.active:
            raise UserError(
                self.env._("You cannot perform this action on an archived user.")
            )
        if not self.email:
            raise UserError(
                self.env._(
                    "%(name)s has no e-mail address: enter one first.", name=self.name
                )
            )
        partner_sudo = self.sudo().partner_id
        partner_sudo.signup_prepare(signup_type=signup_type)
        words = self.with_context(lang=self.lang or self.env.lang)
        body = words._get_link_text(signup_type, partner_sudo._get_signup_url())
        server_sudo = self.env["ir.mail_server"].sudo()
        server_sudo.send_email(
            server_sudo._build_email__(
                self.company_id.email_formatted or self.email_formatted,
                [self.email],
                words.env._("Set your password"),
                body,
            )
        )

    def _get_link_text(self, signup_type: str, url: str) -> str:
        why = self.env._(
            "You, or somebody else, requested a new password for the account "
            "%(login)s.",
            login=self.login,
        )
        if signup_type == "signup":
            why = self.env._(
                "An account was created for you: %(login)s.", login=self.login
            )
        return self.env._(
            "Hello %(name)s,\n\n%(why)s\n\nSet your password here:\n%(url)s\n\n"
            "If you did not expect this mail, ignore it: nothing has changed.",
            name=self.name,
            why=why,
            url=url,
        )

    def _build_sent_notification(self) -> dict:
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("A link to set a password was sent."),
            },
        }
