"""The proof of who sent a message: a token, a signature, or both (auth.md 4.5)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.lib.g2p_connect.signing import (
    IN_HTTP_HEADER,
    IN_MESSAGE,
    find_signature,
)
from odoo.addons.spar_mapper_connector.lib.jose.exceptions import SignatureRefused
from odoo.addons.spar_mapper_connector.lib.jose.signatures import (
    Signature,
    read_signature,
)

from ..exceptions import SignatureInvalid, SignatureMissing

TOKEN, SIGNATURE, BOTH = "token", "signature", "token_and_signature"
#: The token alone, for every right and from anywhere: for participants that called
#: before signatures were required. It cannot be chosen for any other participant.
TOKEN_AS_BEFORE = "token_as_before"
UNSIGNED = (TOKEN, TOKEN_AS_BEFORE)


@dataclass(frozen=True)
class RequestEvidence:
    """The proof that a request carries besides its body, not yet verified."""

    authorization: str = field(default="", repr=False)
    signature: str = field(default="", repr=False)
    address: str = ""

    @property
    def has_token(self) -> bool:
        return bool(self.authorization.strip())


def read_document_signature(
    place: str, document: object, http_signature: str
) -> Signature:
    """Return the signature of ``document`` at ``place``.

    Raises SignatureMissing or SignatureInvalid.
    """
    text = find_signature(place, document, http_signature)
    if not text:
        raise SignatureMissing(place)
    try:
        return read_signature(text)
    except SignatureRefused as error:
        raise SignatureInvalid(str(error)) from None


def has_signature(document: object, http_signature: str) -> bool:
    """Return whether there is a signature at either place."""
    return any(
        has_signature_at(place, document, http_signature)
        for place in (IN_MESSAGE, IN_HTTP_HEADER)
    )


def has_signature_at(place: str, document: object, http_signature: str) -> bool:
    """Return whether there is a signature at ``place``."""
    return bool(find_signature(place, document, http_signature))


def get_sender(document: object) -> str:
    """Return the sender that a message names, in either envelope; "" for none."""
    if not isinstance(document, dict):
        return ""
    for part, member in (
        ("header", "sender_id"),
        ("request_header", "sender_app_mnemonic"),
    ):
        header = document.get(part)
        sender = header.get(member) if isinstance(header, dict) else None
        if isinstance(sender, str):
            return sender
    return ""


# === ADDRESSES OF ORIGIN === #


def parse_networks(
    text: str,
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the networks in ``text``, separated by commas or white space.

    Raises ValueError.

    >>> [str(network) for network in parse_networks("10.0.0.1, 2001:db8::/32")]
    ['10.0.0.1/32', '2001:db8::/32']
    """
    return [ipaddress.ip_network(each) for each in text.replace(",", " ").split()]


def is_listed(address: str, networks: str) -> bool:
    """Return whether ``address`` lies in one of ``networks``.

    >>> is_listed("::ffff:10.1.2.3", "10.0.0.0/8"), is_listed("11.0.0.1", "10.0.0.0/8")
    (True, False)
    """
    try:
        origin = ipaddress.ip_address(address)
    except ValueError:
        return False
    origin = getattr(origin, "ipv4_mapped", None) or origin
    return any(
        origin.version == network.version and origin in network
        for network in parse_networks(networks)
    )
