"""A message as received from a participant: its sender, purpose and mode."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import RejectedMessage
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    OPERATIONS,
    RequestHeader,
)

from ..exceptions import ForeignSenderUri
from .caller import Caller

SYNC, ASYNC = "sync", "async"


class DuplicateMessage(RejectedMessage):
    """The message_id was already used for another message (g2p-connect.md 6.1, A34)."""

    def __init__(self) -> None:
        super().__init__(
            "rjct.message_id.duplicate",
            "was used for another message",
            "header.message_id",
        )


class NoCallback(RejectedMessage):
    """There is nowhere to send an answer: no callback address is agreed (A22)."""

    def __init__(self) -> None:
        super().__init__(
            "err.sender_uri.invalid",
            "no callback URL is configured for this participant",
        )


@dataclass(frozen=True)
class Exchange:
    """A message from an authenticated sender; ``action`` is what the path is for."""

    caller: Caller
    action: str
    header: RequestHeader
    document: dict[str, object]
    mode: str = SYNC

    @property
    def operation(self) -> Operation | None:
        """Return the operation requested of the mapper; None for a status request."""
        return Operation(self.action) if self.action in OPERATIONS else None

    @property
    def is_stored(self) -> bool:
        """Return whether the message is stored: it changes something or has to wait."""
        return self._changes or self.mode == ASYNC

    @property
    def _changes(self) -> bool:
        return self.operation not in (None, Operation.RESOLVE)

    @property
    def claims_id(self) -> bool:
        """Return whether its message_id is reserved, so that repeats are recognised."""
        if not self.is_stored:
            return False
        is_forced = self._changes and self.caller.must_not_repeat
        return is_forced or self.caller.profile.message_ids_are_unique

    @property
    def transaction_id(self) -> str:
        value = self._message.get("transaction_id")
        return value if isinstance(value, str) else ""

    @property
    def wires(self) -> list[object]:
        """Return the items as received; none where the message is not about items."""
        wires = self._message.get(f"{self.action}_request")
        return wires if isinstance(wires, list) else []

    @property
    def _message(self) -> dict[str, object]:
        message = self.document.get("message")
        return message if isinstance(message, dict) else {}

    @property
    def reference_ids(self) -> set[str]:
        """Return the reference IDs of its items, as far as they are texts."""
        found = (w.get("reference_id") for w in self.wires if isinstance(w, dict))
        return {text for text in found if isinstance(text, str) and text}


def choose_callback(registered: str, sender_uri: str) -> str:
    """Return where the answer to a message goes, "" for nowhere.

    The address is in the participant's record; a message may name a place below it
    (A25), and nothing else. Raises ForeignSenderUri.

    >>> choose_callback("https://a.example/cb", "https://a.example/cb/on-link/")
    'https://a.example/cb/on-link'
    >>> choose_callback("https://a.example/cb", "")
    'https://a.example/cb'
    >>> choose_callback("https://a.example/cb", "https://b.example/cb")
    Traceback (most recent call last):
    ...
    odoo.addons.spar_g2p_connect.exceptions.ForeignSenderUri: 403 Forbidden: \
header.sender_uri: is not below the callback address of this participant
    """
    registered, requested = registered.rstrip("/"), sender_uri.rstrip("/")
    if not registered or not requested or requested == registered:
        return registered
    if not _is_plain(requested) or not requested.startswith(f"{registered}/"):
        raise ForeignSenderUri()
    return requested


def _is_plain(url: str) -> bool:
    """Return whether comparing a URL by its prefix is safe.

    It must be interpreted in only one way: no query, fragment, dot segment or escape.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_walking = {".", ".."} & set(parts.path.split("/"))
    is_coded = any(sign in url for sign in "%;\\")
    return not (parts.query or parts.fragment or is_walking or is_coded)


def get_current_url(registered: str, url: str) -> str:
    """Return where a callback for ``url`` goes now.

    An address that has been replaced since then receives nothing more, and above all no
    credentials.

    >>> get_current_url("https://a.example/cb", "https://a.example/cb/x/on-link")
    'https://a.example/cb/x/on-link'
    >>> get_current_url("https://new.example", "https://a.example/cb/on-link")
    'https://new.example/on-link'
    >>> get_current_url("https://new.example/", "https://a.example/cb/txn/on-status")
    'https://new.example/txn/on-status'
    """
    registered = registered.rstrip("/")
    if url == registered or url.startswith(f"{registered}/"):
        return url
    rest, _, action = url.rpartition("/")
    if rest.endswith("/txn"):
        action = f"txn-{action}"
    return build_callback_url(registered, action)


def build_callback_url(address: str, action: str) -> str:
    """Return the URL for one kind of answer below ``address`` (A25).

    >>> build_callback_url("https://a.example/cb", "on-link")
    'https://a.example/cb/on-link'
    >>> build_callback_url("https://a.example/cb/on-search", "on-link")
    'https://a.example/cb/on-search'
    >>> build_callback_url("https://a.example/cb", "txn-on-status")
    'https://a.example/cb/txn/on-status'
    """
    last = address.rpartition("/")[2]
    if last.startswith("on-"):
        return address
    return f"{address}/{action.replace('txn-', 'txn/', 1)}"
