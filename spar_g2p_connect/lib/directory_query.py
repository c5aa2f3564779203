"""The query string of a directory call."""

from __future__ import annotations

from urllib.parse import parse_qsl

from odoo.addons.spar_fa_directory.lib.directory_page import (
    MAX_PAGE_SIZE,
    MAX_TEXT_LENGTH,
    SearchCriteria,
)

from ..exceptions import RequestRefused

BRANCH_MEMBERS = frozenset({"q", "limit", "cursor", "archived"})
PROVIDER_MEMBERS = BRANCH_MEMBERS | {"type", "kind", "country"}

_BAD = "err.request.bad"
_MAX_MEMBERS = 20


def refuse(member: str, problem: str) -> RequestRefused:
    """Return the error for a parameter of the query string."""
    return RequestRefused(_BAD, f"{member}: {problem}")


def read_members(raw: bytes, allowed: frozenset[str]) -> dict[str, str]:
    """Return the parameters of a query string, each given once.

    Raises RequestRefused.

    >>> read_members(b"q=h%C3%A4r&limit=", BRANCH_MEMBERS)
    {'q': 'här'}
    """
    members: dict[str, str] = {}
    for name, value in _parse(raw):
        if name not in allowed:
            # The name is the caller's own text: it goes into the message shortened.
            shown = "".join(sign for sign in name[:40] if sign.isprintable())
            raise refuse(shown or "query", "is not a parameter of this path")
        if name in members:
            raise refuse(name, "may be sent only once")
        members[name] = value
    return {name: value for name, value in members.items() if value}


def _parse(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_MEMBERS,
        )
    except ValueError as error:
        raise refuse(
            "query", f"must be at most {_MAX_MEMBERS} parameters in UTF-8"
        ) from error


def read_criteria(members: dict[str, str]) -> SearchCriteria:
    """Return the requested criteria; raises RequestRefused naming the parameter.

    >>> read_criteria({"q": "bank", "country": "in"}).country
    'IN'
    """
    return SearchCriteria(
        text=_read_text(members.get("q", "")),
        kind=members.get("kind", ""),
        country=members.get("country", "").upper(),
        with_archived=_read_yes_no(members.get("archived", "false")),
        limit=_read_limit(members.get("limit", "50")),
        cursor=members.get("cursor", ""),
    )


def _read_text(text: str) -> str:
    if len(text) > MAX_TEXT_LENGTH:
        raise refuse("q", f"must have at most {MAX_TEXT_LENGTH} characters")
    if "\0" in text:
        raise refuse("q", "must be text")
    return text.strip()


def _read_limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 6:
        if 1 <= int(text) <= MAX_PAGE_SIZE:
            return int(text)
    raise refuse("limit", f"must be a number from 1 to {MAX_PAGE_SIZE}")


def _read_yes_no(text: str) -> bool:
    if text not in ("true", "false"):
        raise refuse("archived", "must be true or false")
    return text == "true"
