"""What a provider says of itself: OpenID Connect Discovery 1.0."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ...exceptions import ProviderUnavailable, WrongProvider
from .settings import ClientAuthentication

WELL_KNOWN = "/.well-known/openid-configuration"
#: In the order in which we prefer them; RS256 only where nothing better is offered.
ALGORITHMS = ("PS256", "ES256", "EdDSA", "RS256")
MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class Discovered:
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
    acr_values: tuple[str, ...]
    tells_issuer: bool
    requires_par: bool


def get_issuer(address: str) -> str:
    """The issuer that somebody means who typed its address, or that of its document.

    >>> get_issuer(" https://op.example/realms/a/.well-known/openid-configuration")
    'https://op.example/realms/a'
    >>> get_issuer("https://op.example/realms/a/")
    'https://op.example/realms/a'
    """
    return address.strip().removesuffix(WELL_KNOWN).rstrip("/")


def get_address(issuer: str) -> str:
    """Where the issuer's description is (Discovery 4.1)."""
    return issuer.rstrip("/") + WELL_KNOWN


def read_discovery(document: object, issuer: str) -> Discovered:
    """The description in ``document``, of ``issuer`` and nobody else.

    Raises ProviderUnavailable where it is not usable, WrongProvider where it is
    another's (Discovery 4.3).
    """
    if not isinstance(document, dict):
        raise ProviderUnavailable("discovery")
    told = document.get("issuer")
    if not isinstance(told, str) or told.rstrip("/") != issuer.rstrip("/"):
        raise WrongProvider("issuer")
    return Discovered(
        issuer=told,
        authorization_endpoint=_read_url(document, "authorization_endpoint", True),
        token_endpoint=_read_url(document, "token_endpoint", True),
        userinfo_endpoint=_read_url(document, "userinfo_endpoint", True),
        jwks_uri=_read_url(document, "jwks_uri", True),
        end_session_endpoint=_read_url(document, "end_session_endpoint"),
        par_endpoint=_read_url(document, "pushed_authorization_request_endpoint"),
        algorithms=_read_algorithms(document),
        client_authentications=_read_authentications(document),
        acr_values=_read_list(document, "acr_values_supported"),
        tells_issuer=document.get("authorization_response_iss_parameter_supported")
        is True,
        requires_par=document.get("require_pushed_authorization_requests") is True,
    )


def _read_url(document: dict, name: str, required: bool = False) -> str:
    url = document.get(name, "")
    usable = isinstance(url, str) and urlsplit(url).scheme in ("https", "http")
    if required and not usable:
        raise ProviderUnavailable(name)
    return url if usable else ""


def _read_list(document: dict, name: str) -> tuple[str, ...]:
    values = document.get(name)
    if not isinstance(values, list):
        return ()
    return tuple(value for value in values if isinstance(value, str))


def _read_algorithms(document: dict) -> tuple[str, ...]:
    offered = _read_list(document, "id_token_signing_alg_values_supported")
    known = tuple(each for each in ALGORITHMS if each in offered)
    if not known:
        raise ProviderUnavailable("id_token_signing_alg_values_supported")
    return known


def _read_authentications(document: dict) -> tuple[ClientAuthentication, ...]:
    offered = _read_list(document, "token_endpoint_auth_methods_supported")
    # Discovery 3: client_secret_basic where nothing is said.
    return tuple(
        each
        for each in ClientAuthentication
        if each.value in (offered or ("client_secret_basic",))
    )
