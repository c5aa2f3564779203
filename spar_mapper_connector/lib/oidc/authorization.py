"""Authorization request and response: to the provider and back.

RFC 6749 4.1, RFC 7636 (PKCE), RFC 9207 (issuer of the response), OpenID Core 3.1.2.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

from .exceptions import AttemptCancelled, AttemptUnknown, WrongProvider
from .settings import ProviderSettings

MAX_PARAMETER = 4096
MAX_ERROR = 64


@dataclass(frozen=True)
class AttemptSecrets:
    """The random values of one attempt, each of 256 bits; none is ever reused."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def make(cls) -> AttemptSecrets:
        return cls(*(secrets.token_urlsafe(32) for _each in range(3)))

    @property
    def challenge(self) -> str:
        """Return the PKCE challenge, method S256.

        >>> verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 B
        >>> AttemptSecrets("", "", verifier).challenge
        'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
        """
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True)
class LoginAttempt:
    """One attempt to log in: what was sent, to compare with what comes back.

    ``began_at`` is in seconds since 1970; with ``fresh`` the person must have
    authenticated since then.
    """

    secrets: AttemptSecrets
    redirect_uri: str
    began_at: int
    fresh: bool = False


@dataclass(frozen=True)
class AuthorizationResponse:
    """A successful authorization response."""

    code: str = field(repr=False)


def build_request(
    settings: ProviderSettings, attempt: LoginAttempt, ui_locales: str = ""
) -> dict[str, str]:
    """Return the parameters of an authorization request, without empty ones."""
    request = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": attempt.redirect_uri,
        "scope": settings.scope,
        "state": attempt.secrets.state,
        "nonce": attempt.secrets.nonce,
        "code_challenge": attempt.secrets.challenge,
        "code_challenge_method": "S256",
        "acr_values": settings.acr_values,
        "claims": settings.claims,
        "ui_locales": ui_locales,
    }
    if attempt.fresh:
        request |= {"max_age": "0", "prompt": settings.fresh_prompt}
    return {name: value for name, value in request.items() if value}


def add_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return ``url`` with ``parameters`` appended to its own.

    >>> add_query("https://op.example/auth?realm=a", {"state": "x y"})
    'https://op.example/auth?realm=a&state=x+y'
    """
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return urlunsplit(parts._replace(query=query))


def read_response(
    settings: ProviderSettings, parameters: Mapping[str, str]
) -> AuthorizationResponse:
    """Return the code in an authorization response from ``settings``' provider.

    Raises WrongProvider, AttemptCancelled or AttemptUnknown.
    """
    issuer = parameters.get("iss")
    if issuer != settings.issuer and (issuer or settings.sends_issuer):
        raise WrongProvider("iss")
    if parameters.get("error"):
        raise AttemptCancelled(read_error(parameters["error"]))
    code = parameters.get("code", "")
    if not code or len(code) > MAX_PARAMETER:
        raise AttemptUnknown("code")
    return AuthorizationResponse(code)


def read_error(error: object) -> str:
    """Return an OAuth error code, or ``other`` for anything else: it is logged.

    >>> read_error("access_denied"), read_error("4711 is unknown"), read_error(None)
    ('access_denied', 'other', 'other')
    """
    text = error if isinstance(error, str) else ""
    known = text.replace("_", "").isalpha() and text.isascii() and text.islower()
    return text if known and len(text) <= MAX_ERROR else "other"


def get_local_path(wanted: str, default: str) -> str:
    """Return ``wanted`` where it is a path of this site, else ``default``.

    This prevents open redirects.

    >>> get_local_path("/spar/change?step=2", "/spar")
    '/spar/change?step=2'
    >>> [get_local_path(bad, "/spar") for bad in ("//evil", r"/\\evil", "https://evil")]
    ['/spar', '/spar', '/spar']
    """
    local = wanted.startswith("/") and wanted[1:2] not in ("/", "\\")
    plain = wanted.isprintable() and "\\" not in wanted
    return wanted if local and plain and len(wanted) <= 512 else default
