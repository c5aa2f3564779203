from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.spar_mapper_connector.exceptions import ProposalRefused


class SparConfirmationPortal(models.Model):
    """A portal in another database that may send people to the page of review.

    Two people list it, and the addresses to which the page leads back.
    """

    _name = "spar.confirmation.portal"
    _description = "Portal that proposes changes"
    _inherit = ["spar.second.person", "spar.sealed.setting"]
    _guarded_fields = ("active", "name", "sender_id", "return_urls")
    _counts_by = "active"
    _order = "name"

    name = fields.Char(
        required=True,
        translate=True,
        help="How people know the portal: the page names it as the one who asks.",
    )
    sender_id = fields.Char(
        string="Sender ID",
        required=True,
        help="The sender ID of the participant that the portal is.",
    )
    return_urls = fields.Text(
        string="Return URLs",
        required=True,
        help="The addresses to which the page may lead people back, one on each line, "
        "for example https://portal.example.org/confirmed.",
    )
    active = fields.Boolean(default=True)

    _sender_uniq = models.UniqueIndex(
        "(sender_id)", "A participant is listed as a portal once."
    )

    @api.constrains("return_urls")
    def _check_return_urls(self):
        for portal in self:
            bad = [url for url in portal._get_return_urls() if not _is_usable(url)]
            if bad or not portal._get_return_urls():
                raise ValidationError(
                    self.env._(
                        "Return URLs: write whole addresses that begin with https://, "
                        "without a query, one on each line."
                    )
                )

    def _get_return_urls(self) -> list[str]:
        return (self.return_urls or "").split()

    @api.model
    def _find(self, sender_id: str, return_url: str):
        """Return the portal of a participant; raises ProposalRefused.

        The address must be one of the portal's own, character by character.
        """
        portal_sudo = self.sudo().search([("sender_id", "=", sender_id)])
        if not portal_sudo or not portal_sudo._filter_true():
            raise ProposalRefused("portal")
        if return_url not in portal_sudo._get_return_urls():
            raise ProposalRefused("return_url")
        return portal_sudo


def _is_usable(url: str) -> bool:
    """Return whether a browser can be sent there with a reference added.

    Plain HTTP is for a portal on this machine.
    """
    parts = urlsplit(url)
    is_here = parts.hostname in ("localhost", "127.0.0.1")
    is_safe = parts.scheme == "https" or parts.scheme == "http" and is_here
    plain = not (parts.query or parts.fragment or parts.username)
    return is_safe and bool(parts.hostname) and plain
