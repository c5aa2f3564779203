"""A provider's description of itself: OpenID Connect Discovery 1.0."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from .exceptions import ProviderUnavailable, WrongProvider
from .settings import ClientAuthentication

WELL_KNOWN = "/.well-known/openid-configuration"
#: In order of our preference; RS256 only where nothing better is offered.
ALGORITHMS = ("PS256", "ES256", "EdDSA", "RS256")
MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class ProviderMetadata:
    """A provider's own description, checked; empty where it does not offer it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str
    par_endpoint: str
    algorithms: tuple[str, ...]
    client_authentications: tuple[ClientAuthentication, ...]
    sends_issuer: bool
    requires_par: bool
    subject_types: tuple[str, ...] = ()


def get_address(typed: str) -> str:
    """Return the address of a provider's description.

    ``typed`` is its issuer (Discovery 4.1), or that address itself.

    >>> get_address(" https://op.example/realms/a/")
    'https://op.example/realms/a/.well-known/openid-configuration'
    >>> get_address("https://op.example/oidc/.well-known/openid-configuration")
    'https://op.example/oidc/.well-known/openid-configuration'
    """
    return typed.strip().removesuffix(WELL_KNOWN).rstrip("/") + WELL_KNOWN


def read_discovery(document: object, address: str) -> ProviderMetadata:
    """Return the description in ``document``, which was fetched from ``address``.

    Raises ProviderUnavailable where it is not usable, WrongProvider where it is that of
    another site. eSignet publishes its description at a path that is not its issuer's,
    so the path may differ; the administrator who sets up the provider sees the issuer,
    and so does the second person.
    """
    if not isinstance(document, dict):
        raise ProviderUnavailable("discovery")
    issuer = _read_url(document, "issuer", True)
    if get_origin(issuer) != get_origin(address):
        raise WrongProvider("issuer")
    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=_read_url(document, "authorization_endpoint", True),
        token_endpoint=_read_url(document, "token_endpoint", True),
        userinfo_endpoint=_read_url(document, "userinfo_endpoint", True),
        jwks_uri=_read_url(document, "jwks_uri", True),
        end_session_endpoint=_read_url(document, "end_session_endpoint"),
        par_endpoint=_read_url(document, "pushed_authorization_request_endpoint"),
        algorithms=_read_algorithms(document),
        client_authentications=_read_authentications(document),
        sends_issuer=document.get("authorization_response_iss_parameter_supported")
        is True,
        requires_par=document.get("require_pushed_authorization_requests") is True,
        subject_types=_read_list(document, "subject_types_supported"),
    )


def get_origin(url: str) -> tuple[str, str]:
    """Return scheme and host of an address.

    >>> get_origin("https://op.example/realms/a")
    ('https', 'op.example')
    """
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _read_url(document: dict[str, object], name: str, required: bool = False) -> str:
    url = document.get(name, "")
    if isinstance(url, str) and urlsplit(url).scheme in ("https", "http"):
        return url
    if required:
        raise ProviderUnavailable(name)
    return ""


def _read_list(document: dict[str, object], name: str) -> tuple[str, ...]:
    values = document.get(name)
    if not isinstance(values, list):
        return ()
    return tuple(value for value in values if isinstance(value, str))


def _read_algorithms(document: dict[str, object]) -> tuple[str, ...]:
    offered = _read_list(document, "id_token_signing_alg_values_supported")
    known = tuple(each for each in ALGORITHMS if each in offered)
    if not known:
        raise ProviderUnavailable("id_token_signing_alg_values_supported")
    return known


def _read_authentications(
    document: dict[str, object],
) -> tuple[ClientAuthentication, ...]:
    offered = _read_list(document, "token_endpoint_auth_methods_supported")
    # Discovery 3: client_secret_basic is the default.
    return tuple(
        each
        for each in ClientAuthentication
        if each.value in (offered or ("client_secret_basic",))
    )
