"""The settings agreed with one OpenID provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class ClientAuthentication(str, Enum):
    """Our client authentication at the token endpoint (OpenID Core 9)."""

    PRIVATE_KEY_JWT = "private_key_jwt"
    SECRET_BASIC = "client_secret_basic"
    SECRET_POST = "client_secret_post"


class UserinfoFormat(str, Enum):
    """The only format in which userinfo is accepted."""

    JSON = "json"
    SIGNED = "jws"
    ENCRYPTED = "jwe"


@dataclass(frozen=True)
class ProviderSettings:
    """The configuration of a provider.

    ``algorithms`` is the allow-list for every signature of the provider: a token's own
    header never widens it.
    """

    issuer: str
    client_id: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    algorithms: tuple[str, ...]
    client_authentication: ClientAuthentication
    client_secret: str = field(default="", repr=False)
    assertion_audience: str = "endpoint"
    userinfo_format: UserinfoFormat = UserinfoFormat.JSON
    scope: str = "openid"
    claims: str = ""
    acr_values: str = ""
    accepted_acrs: frozenset[str] = frozenset()
    fresh_prompt: str = ""
    par_endpoint: str = ""
    sends_issuer: bool = False
