"""Pages of the directory: the request, the response, and the start of the next page."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

MAX_PAGE_SIZE = 1000
MAX_TEXT_LENGTH = 200


@dataclass(frozen=True)
class SearchCriteria:
    """Which providers or branches are requested, and which page of them."""

    text: str = ""
    kind: str = ""
    country: str = ""
    with_archived: bool = False
    limit: int = 50
    cursor: str = ""


@dataclass(frozen=True)
class DirectoryPage:
    """Plain values, and the cursor of the next page ("" on the last one)."""

    items: list[dict[str, object]]
    next: str = ""


def write_cursor(place: str) -> str:
    """Return the cursor of a place, as it is sent to clients.

    >>> write_cursor("BANK/1"), read_cursor(write_cursor("BANK/1"))
    ('QkFOSy8x', 'BANK/1')
    """
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """Return the place that a cursor names.

    :raises ValueError: when the cursor is not one of ours
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded.encode("ascii"), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not a cursor") from error


def read_offset(cursor: str) -> int:
    """Return the number of records before the page of a search.

    :raises ValueError: when the cursor is not one of a search

    >>> read_offset(""), read_offset(write_cursor("50"))
    (0, 50)
    """
    place = read_cursor(cursor) or "0"
    if not (place.isascii() and place.isdigit() and len(place) < 7):
        raise ValueError("not a cursor of a search")
    return int(place)
