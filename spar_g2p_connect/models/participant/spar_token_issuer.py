from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from odoo.addons.spar_mapper_connector.exceptions import OutgoingRefused, TargetUnknown
from odoo.addons.spar_mapper_connector.lib.jose.exceptions import (
    JwtRefused,
    KeySetUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import CACHE
from odoo.addons.spar_mapper_connector.lib.jose.tokens import verify_token
from odoo.addons.spar_mapper_connector.lib.outgoing import check_url

from ...exceptions import ExpiredToken, InvalidToken
from ...lib.tokens import Claims, check_access_token, read_names

_REQUIRED = ("exp", "iat", "sub")
#: ``typ`` of the header: RFC 9068, and what issuers wrote before it.
_TYPES = ("at+jwt", "jwt", "")


class SparTokenIssuer(models.Model):
    """An external issuer of access tokens for this registry, for example a Keycloak.

    Its tokens are accepted for the participants that name it, under their client ID at
    that issuer.
    """

    _name = "spar.token.issuer"
    _description = "Issuer of access tokens"
    _inherit = ["spar.second.person", "spar.sealed.setting", "spar.cached.records"]
    _order = "name"
    _guarded_fields = ("issuer", "audience", "jwks_url", "active")
    _counts_by = "active"

    name = fields.Char(required=True)
    issuer = fields.Char(
        required=True,
        help="The issuer's name in tokens (iss), for example "
        "https://idp.example.org/realms/payments.",
    )
    audience = fields.Char(
        required=True, help="The audience of its tokens for this registry (aud)."
    )
    jwks_url = fields.Char(
        string="JWKS URL",
        required=True,
        help="For example https://idp.example.org/realms/payments/protocol/"
        "openid-connect/certs.",
    )
    active = fields.Boolean(default=True)
    participant_ids = fields.One2many("spar.participant", "token_issuer_id")

    _issuer_uniq = models.UniqueIndex("(issuer)", "This issuer already exists.")

    def _is_guarded(self, name: str, value) -> bool:
        return bool(self.active or name == "active")

    def _stops(self, name: str, value) -> bool:
        return name == "active" and not value

    @api.constrains("jwks_url")
    def _check_jwks_url(self) -> None:
        for issuer in self:
            try:
                check_url(issuer.jwks_url)
            except (OutgoingRefused, TargetUnknown):
                raise ValidationError(
                    self.env._(
                        "JWKS URL: it must begin with https:// and lead to a public "
                        "address."
                    )
                ) from None
            CACHE.forget(issuer.jwks_url)

    @api.model
    def _read_token(self, token: str) -> Claims:
        """Return the claims of ``token``, which one of the issuers issued.

        Raises ExpiredToken or InvalidToken; a token without a scope of ours grants
        nothing.
        """
        versions = self.env["spar.row.versions"]
        issuers = versions._reuse(self, "_read_issuers", self._name)
        issuer = read_names(token).issuer
        if issuer not in issuers:
            raise InvalidToken()
        audience, jwks_url = issuers[issuer]
        try:
            claims = verify_token(
                token,
                lambda kid, alg: CACHE.find(jwks_url, kid, alg),
                issuer=issuer,
                audience=audience,
                required=_REQUIRED,
                types=_TYPES,
            )
        except JwtRefused as error:
            raise (
                ExpiredToken if error.code == "expired" else InvalidToken
            )() from None
        except KeySetUnavailable:
            raise InvalidToken() from None
        return check_access_token(claims)

    @api.model
    def _read_issuers(self) -> dict[str, tuple[str, str]]:
        """Return the audience and JWKS URL of each active issuer, by its name."""
        issuers_sudo = self.sudo().search(Domain.TRUE)._filter_true()
        return {each.issuer: (each.audience, each.jwks_url) for each in issuers_sudo}
