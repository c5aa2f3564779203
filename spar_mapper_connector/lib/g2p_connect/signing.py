"""Where the signature of a message stands, and what it covers (auth.md 4.5).

A signature stands in the message (``signature``: over header and message, in canonical
form) or in the HTTP header ``Signature`` (over the whole body, either as received or in
canonical form, which is what OpenG2P signs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..jose.canonical import canonicalise
from .wire_json import JsonObject

#: Where a signature stands; "" for nowhere.
IN_MESSAGE, IN_HTTP_HEADER = "jws_envelope", "jws_header"

#: The use of the key that signs our messages, requests and answers alike.
KEY_USE = "messages"

_SIGNED_MEMBERS = ("header", "message")

#: ``payload -> the detached signature``.
SignPayload = Callable[[bytes], str]


def place_signature(
    place: str, document: JsonObject, sign: SignPayload
) -> tuple[JsonObject, list[tuple[str, str]]]:
    """Return ``document`` as it is sent, and the headers that go with it.

    An acknowledgement has no header of its own and no place for a signature in it.

    >>> document = {"header": {}, "message": {}}
    >>> place_signature(IN_MESSAGE, document, lambda payload: "s")[0]["signature"]
    's'
    >>> place_signature(IN_HTTP_HEADER, document, lambda payload: "s")[1]
    [('Signature', 's')]
    >>> place_signature("", document, lambda payload: "s")
    ({'header': {}, 'message': {}}, [])
    """
    if place == IN_HTTP_HEADER:
        return document, [("Signature", sign(canonicalise(document)))]
    if place == IN_MESSAGE and "header" in document:
        signature = sign(canonicalise(get_signed_members(document)))
        return {"signature": signature, **document}, []
    return document, []


def find_signature(place: str, document: object, http_signature: str) -> str:
    """Return the signature at ``place``, "" for none."""
    if place == IN_HTTP_HEADER:
        return http_signature.strip()
    value = document.get("signature", "") if isinstance(document, dict) else ""
    return value.strip() if isinstance(value, str) else ""


def build_payloads(place: str, document: object, raw: bytes) -> Iterator[bytes]:
    """Yield the forms of ``document``, one of which must be what was signed.

    >>> document = {"message": {}, "header": {"b": 1, "a": 2}, "signature": "x"}
    >>> list(build_payloads(IN_MESSAGE, document, b""))
    [b'{"header":{"a":2,"b":1},"message":{}}']
    """
    if place == IN_HTTP_HEADER:
        yield raw
        yield canonicalise(document)
    else:
        yield canonicalise(get_signed_members(document))


def get_signed_members(document: object) -> dict[str, object]:
    """Return the members that a signature in the message covers."""
    if not isinstance(document, dict):
        return {}
    return {name: document[name] for name in _SIGNED_MEMBERS if name in document}
