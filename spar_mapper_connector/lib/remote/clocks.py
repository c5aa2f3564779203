"""Whether a refusal comes from clocks that differ."""

from __future__ import annotations

from datetime import timezone
from email.utils import parsedate_to_datetime

from ..g2p_connect.timestamps import now

#: Seconds by which clocks may differ (messages from the future, assertions).
MAX_SKEW = 60

#: Refusals that a wrong clock causes, besides other things.
_SUSPECTS = (
    "token_http_400",
    "token_http_401",
    "err.request.unauthorized",
    "err.signature.invalid",
    "http_401",
    "bad_signature",
)
_CERTAIN = "rjct.message_ts.invalid"


def is_clock_wrong(reason: str, answered_at: str) -> bool:
    """Return whether the clocks explain the refusal for ``reason``.

    :param answered_at: the header Date of the answer

    >>> is_clock_wrong("rjct.message_ts.invalid", "")
    True
    >>> is_clock_wrong("token_http_401", "Thu, 01 Jan 1970 00:00:00 GMT")
    True
    >>> is_clock_wrong("token_http_401", ""), is_clock_wrong("http_404", "x")
    (False, False)
    >>> is_clock_wrong("http_401", "Thu, 01 Jan 999999999999 00:00:00 GMT")
    False
    """
    if reason == _CERTAIN:
        return True
    if reason not in _SUSPECTS or not answered_at:
        return False
    try:
        moment = parsedate_to_datetime(answered_at)
    except (ValueError, OverflowError):
        return False
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return abs((now() - moment).total_seconds()) > MAX_SKEW
