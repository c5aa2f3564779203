import hmac
from urllib.parse import urlsplit

from odoo import api, models

from odoo.addons.spar_mapper_connector.expressions import is_called_from_expression
from odoo.addons.spar_mapper_connector.lib.keyring import bind

from ..lib import settings

#: The separator of core's token and ours, in a link to set a password.
_SIGNED = "~"
#: The pages for a first and for another password.
_FIRST_PATH, _PASSWORD_PATH = "/web/signup", "/web/reset_password"


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _get_signup_url_for_action(self, *args, **kwargs):
        """Direct staff to the host and the page on which they set their password.

        The page for a first password is a website's.
        """
        urls = super()._get_signup_url_for_action(*args, **kwargs)
        host = settings.get_staff_host(self.env.cr.dbname)
        return {
            partner.id: _lead(urls[partner.id], host, partner._has_signed_links())
            if urls[partner.id]
            else urls[partner.id]
            for partner in self
        }

    # === LINKS TO SET A PASSWORD === #

    def _has_signed_links(self) -> bool:
        """Return whether links for this person are signed with a key of the keyring.

        Core's own key is in the database, and the person may get a role.
        """
        is_needed = self.env["spar.settings.seal"].sudo()._is_needed
        users = self.sudo().with_context(active_test=False).user_ids
        are_staff = any(user._is_internal() or user._has_spar_role() for user in users)
        return are_staff and is_needed()

    def _generate_signup_token(self, expiration=None):
        """Return a token; a template's own is unsigned and sets no password."""
        token = super()._generate_signup_token(expiration)
        if not self._has_signed_links() or is_called_from_expression():
            return token
        return f"{token}{_SIGNED}{self._sign_link(token)}"

    @api.model
    def _get_partner_from_token(self, token):
        token, _separator, signature = (token or "").partition(_SIGNED)
        partner = super()._get_partner_from_token(token)
        if not partner or not partner._has_signed_links():
            return partner
        is_signed = hmac.compare_digest(
            signature.encode(), partner._sign_link(token).encode()
        )
        return partner if is_signed else None

    def _sign_link(self, token: str) -> str:
        keyring = self.env["spar.keyring"]._open()
        return keyring.token_mac(bind("password link", self.id, token)).hex()


def _lead(url: str, host: str, is_staff: bool) -> str:
    """Return the address of a link, on a host if one is set."""
    parts = urlsplit(url)
    if host and parts.netloc:
        parts = parts._replace(netloc=host)
    if is_staff and parts.path == _FIRST_PATH:
        parts = parts._replace(path=_PASSWORD_PATH)
    return parts.geturl()
