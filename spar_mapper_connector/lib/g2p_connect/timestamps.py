"""Points in time on the wire: RFC 3339, always with a zone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

MAX_LENGTH = 64

_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
    r"(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)


@lru_cache(maxsize=4096)
def parse_timestamp(text: str) -> datetime | None:
    """Return the moment that ``text`` names, in UTC; None unless RFC 3339 with a zone.

    Items of a batch mostly carry the same text, hence the cache: long texts of other
    parties must not enter it (MAX_LENGTH).

    >>> parse_timestamp("2022-12-04T17:20:07.5-04:00").isoformat()
    '2022-12-04T21:20:07.500000+00:00'
    >>> parse_timestamp("2022-12-04T17:20:07Z").isoformat()
    '2022-12-04T17:20:07+00:00'
    >>> parse_timestamp("2022-12-04 17:20:07.123") is None
    True
    >>> parse_timestamp("0001-01-01T00:00:00+14:00") is None
    True
    """
    match = _RFC_3339.fullmatch(text)
    if not match:
        return None
    *parts, fraction, sign, hours, minutes = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    microsecond = int((fraction or "").ljust(6, "0")[:6])
    try:
        # RFC 3339 allows leap seconds, Python does not.
        moment = datetime(
            year, month, day, hour, minute, min(second, 59), microsecond, timezone.utc
        )
        moment -= _get_offset(sign, hours, minutes)
    except (ValueError, OverflowError):
        return None
    return moment if second <= 60 else None


def _get_offset(sign: str | None, hours: str, minutes: str) -> timedelta:
    if not sign:
        return timedelta()
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("no zone is that far away")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == "-" else offset


def format_timestamp(moment: datetime) -> str:
    """Return ``moment`` as sent: UTC with its offset, to the millisecond.

    >>> format_timestamp(datetime(2026, 11, 23, 21, 0, 0, 123999, timezone.utc))
    '2026-11-23T21:00:00.123+00:00'
    """
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")


def now() -> datetime:
    """Return the present moment, aware."""
    return datetime.now(timezone.utc)
