"""A client's request for a token (RFC 6749 4.4.2, 2.3.1)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from odoo.addons.spar_mapper_connector.lib.access_tokens import ASSERTION_TYPE

from ..exceptions import InvalidClient, InvalidTokenRequest, UnsupportedGrantType
from .assertions import read_assertion_client

#: The characters allowed in client_id, client_secret and scope (RFC 6749 appendix A).
_VISIBLE = re.compile(r"[\x20-\x7e]{1,512}")
_ASSERTION = re.compile(r"[\w.-]{1,8192}", re.ASCII)


@dataclass(frozen=True)
class TokenRequest:
    """The client, its proof (a secret or an assertion) and the requested scope."""

    client_id: str
    client_secret: str = field(default="", repr=False)
    scope: str = ""
    assertion: str = field(default="", repr=False)


def read_token_request(
    parameters: Iterable[tuple[str, str]], authorization: str | None
) -> TokenRequest:
    """Return the request in the form's ``parameters`` and the Authorization header.

    Raises InvalidTokenRequest, UnsupportedGrantType or InvalidClient.

    >>> form = [("grant_type", "client_credentials"), ("client_id", "a")]
    >>> read_token_request([*form, ("client_secret", "b")], None).client_id
    'a'
    >>> read_token_request(form[:1], "Basic YTpi").client_id
    'a'
    """
    form = _read_form(parameters)
    if not form.get("grant_type"):
        raise InvalidTokenRequest("grant_type: is missing")
    if form["grant_type"] != "client_credentials":
        raise UnsupportedGrantType()
    scope = form.get("scope", "")
    if "client_assertion" in form or "client_assertion_type" in form:
        return _read_asserted(form, authorization, scope)
    client_id, secret = _read_client(form, authorization)
    return TokenRequest(client_id, secret, scope)


def _read_asserted(
    form: dict[str, str], authorization: str | None, scope: str
) -> TokenRequest:
    """Return the request of a client that signs who it is (RFC 7523 2.2).

    No other proof may accompany the assertion.
    """
    if authorization or form.get("client_secret"):
        raise InvalidTokenRequest(
            "client_assertion: no other proof may be sent with it"
        )
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidTokenRequest(f"client_assertion_type: must be {ASSERTION_TYPE}")
    assertion = form.get("client_assertion", "")
    client_id = read_assertion_client(assertion)
    if form.get("client_id", client_id) != client_id:
        raise InvalidClient()
    return TokenRequest(client_id, scope=scope, assertion=assertion)


def _read_form(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    form: dict[str, str] = {}
    for name, value in parameters:
        if name in form:
            raise InvalidTokenRequest("a parameter is sent twice")
        allowed = _ASSERTION if name == "client_assertion" else _VISIBLE
        if value and not allowed.fullmatch(value):
            raise InvalidTokenRequest(
                "a parameter contains characters that are not allowed"
            )
        form[name] = value
    return form


def _read_client(form: dict[str, str], authorization: str | None) -> tuple[str, str]:
    """Return ``(client_id, client_secret)`` from the header or from the form."""
    basic = _read_basic(authorization)
    if basic and form.get("client_secret"):
        raise InvalidTokenRequest(
            "client_secret: is sent both in the header and in the form"
        )
    client_id, secret = basic or (form.get("client_id"), form.get("client_secret"))
    if not client_id:
        raise InvalidTokenRequest("client_id: is missing")
    if not secret:
        raise InvalidTokenRequest("client_secret: is missing")
    return client_id, secret


def _read_basic(authorization: str | None) -> tuple[str, str] | None:
    scheme, _space, encoded = (authorization or "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "basic":
        raise InvalidClient()
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidClient() from None
    client_id, colon, secret = text.partition(":")
    values = unquote_plus(client_id), unquote_plus(secret)
    if not (colon and all(map(_VISIBLE.fullmatch, values))):
        raise InvalidClient()
    return values
