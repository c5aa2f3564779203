"""The requests to one provider, and what is accepted of its answers.

Nothing here is stored. The order is that of OpenID Core 3.1.3 and 5.3: the code is
exchanged once, the ID token checked, then userinfo requested.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from ...exceptions import (
    OutgoingFailed,
    OutgoingRefused,
)
from ..outgoing import HttpResponse
from . import authorization, client_authentication, discovery
from .exceptions import CodeRefused, ProviderUnavailable, UserinfoRefused
from .id_token import LEEWAY, ExpectedClaims, check_id_token, is_time
from .settings import ProviderSettings, UserinfoFormat
from .verified import VerifiedLogin, merge_claims

TIMEOUT = 8.0
TOKEN_BYTES = 64 * 1024
#: Some providers return a portrait, too.
USERINFO_BYTES = 512 * 1024
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Ports:
    """The functions that the relying party needs from outside.

    ``verify`` returns the claims of a token that the provider signed with an allowed
    algorithm, else raises IdTokenRefused or ProviderUnavailable. ``decrypt`` returns
    the text in a JWE for us, or raises UserinfoRefused. ``sign`` signs a client
    assertion.
    """

    send: Callable[..., HttpResponse]
    sign: client_authentication.Signer
    verify: Callable[[ProviderSettings, str], dict[str, object]]
    decrypt: Callable[[str], str]


@dataclass(frozen=True)
class TokenResponse:
    """The provider's answer to the code."""

    id_token: str
    access_token: str

    def __repr__(self) -> str:
        return "TokenResponse()"


@dataclass(frozen=True)
class RelyingParty:
    """The relying party, which is this site, towards one provider."""

    settings: ProviderSettings
    ports: Ports

    def build_address(
        self, attempt: authorization.LoginAttempt, ui_locales: str, now: int
    ) -> str:
        """Return where the browser goes to authenticate; sends a request with PAR."""
        settings = self.settings
        request = authorization.build_request(settings, attempt, ui_locales)
        if settings.par_endpoint:
            # RFC 9126: the browser carries only a reference, which cannot be altered.
            request = {
                "client_id": settings.client_id,
                "request_uri": self._push(request, now),
            }
        return authorization.add_query(settings.authorization_endpoint, request)

    def complete(
        self,
        response: authorization.AuthorizationResponse,
        attempt: authorization.LoginAttempt,
        now: int,
    ) -> VerifiedLogin:
        """Return the verified login; raises a leaf of LoginRefused."""
        tokens = self._exchange(response, attempt, now)
        claims = self.ports.verify(self.settings, tokens.id_token)
        expected = ExpectedClaims(self.settings, attempt, tokens.access_token, now)
        check_id_token(claims, expected)
        subject, acr, auth_time = map(claims.get, ("sub", "acr", "auth_time"))
        # check_id_token has ensured that it is a text.
        subject = subject if isinstance(subject, str) else ""
        userinfo, signed = self._ask_userinfo(tokens.access_token, subject, now)
        return VerifiedLogin(
            issuer=self.settings.issuer,
            subject=subject,
            claims=merge_claims(claims, userinfo),
            acr=acr if isinstance(acr, str) else "",
            auth_time=auth_time if is_time(auth_time) else None,
            id_token=tokens.id_token,
            userinfo=signed,
        )

    # === REQUESTS === #

    def _push(self, request: dict[str, str], now: int) -> str:
        answer = self._post(self.settings.par_endpoint, request, now)
        document = read_object(answer) if answer.status in (200, 201) else {}
        request_uri = document.get("request_uri")
        if not isinstance(request_uri, str):
            raise ProviderUnavailable("par")
        return request_uri

    def _exchange(
        self,
        response: authorization.AuthorizationResponse,
        attempt: authorization.LoginAttempt,
        now: int,
    ) -> TokenResponse:
        form = {
            "grant_type": "authorization_code",
            "code": response.code,
            "redirect_uri": attempt.redirect_uri,
            "code_verifier": attempt.secrets.verifier,
        }
        answer = self._post(self.settings.token_endpoint, form, now)
        if 400 <= answer.status < 500:
            error = read_object(answer, strict=False).get("error")
            raise CodeRefused(authorization.read_error(error))
        return _read_tokens(read_object(answer) if answer.status == 200 else {})

    def _post(self, endpoint: str, form: dict[str, str], now: int) -> HttpResponse:
        call = client_authentication.ClientRequest(
            self.settings, endpoint, now, self.ports.sign
        )
        credentials = client_authentication.authenticate(call)
        return self._send(
            "POST",
            endpoint,
            headers={"Accept": "application/json", **FORM, **credentials.headers},
            body=urlencode({**form, **credentials.form}).encode(),
            max_bytes=TOKEN_BYTES,
        )

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        max_bytes: int,
        body: bytes | None = None,
    ) -> HttpResponse:
        return ask(
            self.ports.send,
            method,
            url,
            headers=headers,
            max_bytes=max_bytes,
            body=body,
        )

    # === USERINFO === #

    def _ask_userinfo(
        self, access_token: str, subject: str, now: int
    ) -> tuple[dict[str, object], str]:
        """Return the userinfo claims of ``subject`` (Core 5.3), and their signed text.

        Nothing is asked of a provider without an endpoint in its settings.
        """
        if not self.settings.userinfo_endpoint:
            return {}, ""
        answer = self._send(
            "GET",
            self.settings.userinfo_endpoint,
            headers={
                "Authorization": f"Bearer {access_token}",
                "Accept": "application/json, application/jwt",
            },
            max_bytes=USERINFO_BYTES,
        )
        if answer.status != 200:
            raise ProviderUnavailable("userinfo")
        claims, signed = self._read_userinfo(answer)
        if claims.get("sub") != subject:
            raise UserinfoRefused("sub")
        _check_addressed(claims, self.settings, now)
        return claims, signed

    def _read_userinfo(self, answer: HttpResponse) -> tuple[dict[str, object], str]:
        """Return the claims, which must have the agreed format, and the signed text."""
        wanted = self.settings.userinfo_format
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_token = kind == "application/jwt"
        if is_token == (wanted is UserinfoFormat.JSON):
            raise UserinfoRefused("format")
        if wanted is UserinfoFormat.JSON:
            return read_object(answer), ""
        token = answer.body.decode("ascii", "replace").strip()
        if wanted is UserinfoFormat.ENCRYPTED:
            token = self.ports.decrypt(token)
        return self.ports.verify(self.settings, token), token


def ask(
    send: Callable[..., HttpResponse],
    method: str,
    url: str,
    *,
    max_bytes: int,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> HttpResponse:
    """Return an answer below 500; raises ProviderUnavailable for everything else."""
    try:
        answer = send(
            method,
            url,
            timeout=TIMEOUT,
            headers=headers,
            max_bytes=max_bytes,
            body=body,
        )
    except (OutgoingFailed, OutgoingRefused) as error:
        raise ProviderUnavailable(type(error).__name__) from error
    if answer.status >= 500:
        raise ProviderUnavailable("status")
    return answer


def discover(
    send: Callable[..., HttpResponse], address: str
) -> discovery.ProviderMetadata:
    """Return the provider's description of itself at ``address``.

    Raises ProviderUnavailable or WrongProvider.
    """
    answer = ask(send, "GET", address, max_bytes=discovery.MAX_BYTES)
    document = read_object(answer) if answer.status == 200 else None
    return discovery.read_discovery(document, address)


def read_object(answer: HttpResponse, strict: bool = True) -> dict[str, object]:
    """Return the JSON object of an answer.

    Raises ProviderUnavailable where there is none, or returns ``{}`` if not strict.
    """
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        if strict:
            raise ProviderUnavailable("json")
        return {}
    return document


def _read_tokens(document: dict[str, object]) -> TokenResponse:
    id_token, access_token = document.get("id_token"), document.get("access_token")
    kind = document.get("token_type")
    if not (isinstance(id_token, str) and isinstance(access_token, str)):
        raise ProviderUnavailable("token")
    bearer = isinstance(kind, str) and kind.lower() == "bearer"
    # The token is sent in a header, where control characters could inject others.
    printable = access_token.isascii() and access_token.isprintable()
    if not (bearer and printable and id_token and access_token):
        raise ProviderUnavailable("token")
    return TokenResponse(id_token, access_token)


def _check_addressed(
    claims: dict[str, object], settings: ProviderSettings, now: int
) -> None:
    """Check the issuer, audience and expiry of a userinfo, where present (5.3.2)."""
    audience = claims.get("aud", settings.client_id)
    audience = audience if isinstance(audience, list) else [audience]
    expiry = claims.get("exp", now + 1)
    if claims.get("iss", settings.issuer) != settings.issuer:
        raise UserinfoRefused("iss")
    if settings.client_id not in audience:
        raise UserinfoRefused("aud")
    if not isinstance(expiry, int | float) or now >= expiry + LEEWAY:
        raise UserinfoRefused("exp")
