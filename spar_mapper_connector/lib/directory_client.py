"""The client for the directory of another SPAR: a token, then page after page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from ..exceptions import RemoteAnswerInvalid, RemoteRefused
from . import outgoing

PAGE = 1000
_MAX_BYTES = 8 * 1024 * 1024
_TIMEOUT = 30.0
_ATTEMPTS = 3
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class RemotePage:
    """The items of a page, and the cursor of the next ("" at the end)."""

    items: list[dict[str, object]]
    cursor: str


@dataclass
class DirectoryClient:
    """A client for one run: it gets a token once, and a new one when it has expired.

    Every method raises RemoteRefused, RemoteAnswerInvalid or an OutgoingError.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    send: Callable[..., outgoing.HttpResponse] = outgoing.send
    _token: str = field(default="", repr=False)

    def get_providers(self, cursor: str) -> RemotePage:
        """Return a page of providers, archived ones too, ordered by code."""
        return self._get_page("providers", "/directory/providers", cursor)

    def get_branches(self, code: str, cursor: str) -> RemotePage:
        """Return a page of a provider's branches, archived ones too."""
        path = f"/directory/providers/{quote(code, safe='')}/branches"
        return self._get_page("branches", path, cursor)

    def get_fa_types(self) -> list[dict[str, object]]:
        """Return the kinds of address with their parts and strategies."""
        return read_items(self._get("/directory/fa-types"), "fa_types")

    def _get_page(self, member: str, path: str, cursor: str) -> RemotePage:
        query = {"limit": PAGE, "archived": "true"} | (
            {"cursor": cursor} if cursor else {}
        )
        document = self._get(f"{path}?{urlencode(query)}")
        following = read_cursor(document)
        if following and following == cursor:
            raise RemoteAnswerInvalid("next")
        return RemotePage(read_items(document, member), following)

    def _get(self, path: str) -> dict[str, object]:
        self._token = self._token or self._request_token()
        answer = self._request(path)
        if answer.status == 401:
            self._token = self._request_token()
            answer = self._request(path)
        return read_document(answer)

    def _request(self, path: str) -> outgoing.HttpResponse:
        headers = {"Authorization": f"Bearer {self._token}", "Accept-Language": "en"}
        return self._send("GET", path, headers, None)

    def _request_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        headers = {"Content-Type": _FORM}
        body = urlencode(form).encode()
        document = read_document(
            self._send("POST", "/oauth2/client/token", headers, body)
        )
        token = document.get("access_token")
        if not isinstance(token, str) or not token:
            raise RemoteAnswerInvalid("access_token")
        return token

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> outgoing.HttpResponse:
        return self.send(
            method,
            self.url.rstrip("/") + path,
            headers=headers,
            body=body,
            timeout=_TIMEOUT,
            max_bytes=_MAX_BYTES,
            attempts=_ATTEMPTS,
        )


def read_document(answer: outgoing.HttpResponse) -> dict[str, object]:
    """Return the JSON object of an answer; raises RemoteRefused, RemoteAnswerInvalid.

    >>> read_document(outgoing.HttpResponse(200, {}, b'{"a": 1}'))
    {'a': 1}
    """
    if answer.status != 200:
        raise RemoteRefused(answer.status)
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise RemoteAnswerInvalid("the answer") from None
    if not isinstance(document, dict):
        raise RemoteAnswerInvalid("the answer")
    return document


def read_items(document: dict[str, object], member: str) -> list[dict[str, object]]:
    """Return the objects that a member lists; raises RemoteAnswerInvalid.

    >>> read_items({"providers": [{"code": "A"}]}, "providers")
    [{'code': 'A'}]
    """
    items = document.get(member)
    if not isinstance(items, list) or not all(isinstance(i, dict) for i in items):
        raise RemoteAnswerInvalid(member)
    return items


def read_cursor(document: dict[str, object]) -> str:
    """Return the cursor of the next page; the rest of its address is ignored.

    >>> read_cursor({"next": "/any/where?cursor=abc&limit=5"}), read_cursor({})
    ('abc', '')
    """
    following = document.get("next", "")
    if not isinstance(following, str):
        raise RemoteAnswerInvalid("next")
    try:
        cursors = parse_qs(urlsplit(following).query).get("cursor", [""])
    except ValueError:
        raise RemoteAnswerInvalid("next") from None
    if following and not cursors[0]:
        raise RemoteAnswerInvalid("next")
    return cursors[0]


def read_text(item: dict[str, object], member: str) -> str:
    """Return a member that is text or missing; raises RemoteAnswerInvalid.

    >>> read_text({"name": "A"}, "name"), read_text({"bic": None}, "bic")
    ('A', '')
    """
    value = item.get(member)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RemoteAnswerInvalid(member)
    return value
