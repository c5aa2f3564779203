from odoo import models
from odoo.exceptions import ValidationError

from .auth_oauth_provider import FLOW


class AuthOauthProvider(models.Model):
    """Providers assert who people are, so their settings take two administrators."""

    _name = "auth.oauth.provider"
    _inherit = [
        "auth.oauth.provider",
        "spar.second.person",
        "spar.sealed.setting",
    ]

    _guarded_fields = (
        *("enabled", "client_id", "issuer", "discovery_uri"),
        *("auth_endpoint", "token_endpoint"),
        *("validation_endpoint", "jwks_uri", "par_endpoint", "use_par", "algorithms"),
        *("end_session_endpoint", "tells_issuer", "client_authentication"),
        *("assertion_audience", "assertion_algorithm", "client_secret"),
        *("userinfo_format", "scope", "claims", "acr_values", "accepted_acrs"),
        *("always_fresh", "fresh_prompt", "id_type_id", "id_claim"),
    )
    _guarded_at_creation = ("enabled",)
    _guarded_secrets = ("client_secret",)
    _sealed_fields = ("flow",)
    _sealed_rows = "t.flow = 'spar_oidc'"

    def _is_guarded(self, name, value):
        """Guard every change while people log in here.

        Enabling the provider is guarded too, but disabling it is not.
        """
        if self.flow != FLOW:
            return False
        return bool(value) if name == "enabled" else self.enabled

    def _stops(self, name, value):
        return name == "enabled" and not value

    def _begins(self, values):
        return bool(values.get("enabled"))

    def _let_assert(self):
        """Let these providers assert IDs of their ID types.

        This is for set-ups, and for databases in which only the provider stated it.
        """
        for provider in self.sudo().filtered(lambda p: p.issuer and p.id_type_id):
            issuers = provider.id_type_id._get_issuers()
            if provider.issuer not in issuers:
                provider.id_type_id.issuers = "\n".join([*issuers, provider.issuer])

    def write(self, vals):
        if any(p.flow != vals["flow"] for p in self if "flow" in vals):
            raise ValidationError(
                self.env._(
                    "Flow: a provider stays what it is. Make another one instead, and "
                    "switch this one off."
                )
            )
        return super().write(vals)
