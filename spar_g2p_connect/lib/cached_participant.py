"""A participant built once from its rows, and reused while they are unchanged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.jose.keys import PublicKey

from .caller import Caller


@dataclass(frozen=True)
class CachedKey:
    """A participant's key; ``problem`` is why it is never used, "" where it may be."""

    key: PublicKey
    problem: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def get_problem(self, now: datetime) -> str:
        """Return why the key may not be used at ``now`` (naive UTC), or "".

        >>> key = CachedKey(None, valid_to=datetime(2026, 3, 1))
        >>> key.get_problem(datetime(2026, 2, 1)), key.get_problem(datetime(2026, 3, 1))
        ('', 'has expired')
        """
        if self.problem:
            return self.problem
        if self.valid_from and self.valid_from > now:
            return "is not valid yet"
        return "has expired" if self.valid_to and self.valid_to <= now else ""


@dataclass(frozen=True)
class CachedParticipant:
    """A participant as authentication sees it; its ID is 0 for no participant.

    ``caller`` is what the participant is and may do when it calls with its full proof.
    """

    participant_id: int = 0
    caller: Caller | None = field(default=None, repr=False)
    may_call: bool = False
    jwks_url: str = ""
    keys: dict[str, CachedKey] = field(default_factory=dict, repr=False)
