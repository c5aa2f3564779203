from odoo import models
from odoo.exceptions import ValidationError

from .auth_oauth_provider import FLOW


class AuthOauthProvider(models.Model):
    """Who says who people are is decided by two administrators."""

    _name = "auth.oauth.provider"
    _inherit = ["auth.oauth.provider", "spar.second.person"]

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

    def _is_guarded(self, name, value):
        """While people log in here, and for letting them; not for stopping them."""
        if self.flow != FLOW:
            return False
        return bool(value) if name == "enabled" else self.enabled

    def write(self, vals):
        if any(p.flow != vals["flow"] for p in self if "flow" in vals):
            raise ValidationError(
                self.env._(
                    "Flow: a provider stays what it is. Make another one instead, and "
                    "switch this one off."
                )
            )
        return super().write(vals)
