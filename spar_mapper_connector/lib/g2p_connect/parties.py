"""Who sends a message, and to whom."""

from __future__ import annotations

from dataclasses import dataclass

from .headers import RequestHeader
from .timestamps import format_timestamp, now


@dataclass(frozen=True)
class Parties:
    """The names of both sides in the headers, and where our callbacks arrive."""

    sender_id: str
    receiver_id: str = ""
    sender_uri: str = ""
    #: the marks of the servers that passed the request on: see ``lib/passing.py``
    passed: tuple[str, ...] = ()

    def build_header(self, message_id: str, action: str, count: int) -> RequestHeader:
        """Return the header of a message that is sent now."""
        return RequestHeader(
            message_id=message_id,
            message_ts=format_timestamp(now()),
            action=action,
            sender_id=self.sender_id,
            total_count=count,
            sender_uri=self.sender_uri,
            receiver_id=self.receiver_id,
            passed=self.passed,
        )
