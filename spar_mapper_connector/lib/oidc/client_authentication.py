"""Client authentication at a provider: one function per method (OpenID Core 9)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus

from .settings import ClientAuthentication, ProviderSettings

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Keycloak refuses more than a minute, eSignet an assertion that is not valid yet.
ASSERTION_SECONDS = 60

#: Signs the claims of a client assertion with our key for this provider.
Signer = Callable[[dict[str, object]], str]


@dataclass(frozen=True)
class ClientCredentials:
    """The headers and form fields that authenticate a request to the provider."""

    headers: dict[str, str]
    form: dict[str, str]


@dataclass(frozen=True)
class ClientRequest:
    """A request that must authenticate us: its endpoint and its time in seconds."""

    settings: ProviderSettings
    endpoint: str
    now: int
    sign: Signer


Method = Callable[[ClientRequest], ClientCredentials]
_METHODS: dict[ClientAuthentication, Method] = {}


def authenticate(call: ClientRequest) -> ClientCredentials:
    """Return the credentials for ``call``, by the method agreed with the provider."""
    return _METHODS[call.settings.client_authentication](call)


def _method(which: ClientAuthentication) -> Callable[[Method], Method]:
    def register(function: Method) -> Method:
        _METHODS[which] = function
        return function

    return register


@_method(ClientAuthentication.PRIVATE_KEY_JWT)
def _by_private_key(call: ClientRequest) -> ClientCredentials:
    """Return credentials with a fresh, single-use assertion (RFC 7523 2.2)."""
    settings = call.settings
    endpoint = settings.assertion_audience == "endpoint"
    assertion = call.sign(
        {
            "iss": settings.client_id,
            "sub": settings.client_id,
            "aud": call.endpoint if endpoint else settings.issuer,
            "iat": call.now,
            "exp": call.now + ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(24),
        }
    )
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return ClientCredentials({}, {"client_id": settings.client_id, **form})


@_method(ClientAuthentication.SECRET_BASIC)
def _by_basic(call: ClientRequest) -> ClientCredentials:
    """Return a Basic header of form-encoded ID and secret (RFC 6749 2.3.1)."""
    settings = call.settings
    pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
    token = base64.b64encode(pair.encode()).decode()
    return ClientCredentials({"Authorization": f"Basic {token}"}, {})


@_method(ClientAuthentication.SECRET_POST)
def _by_post(call: ClientRequest) -> ClientCredentials:
    settings = call.settings
    form = {"client_id": settings.client_id, "client_secret": settings.client_secret}
    return ClientCredentials({}, form)
