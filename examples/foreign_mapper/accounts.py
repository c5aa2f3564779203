"""The accounts of the foreign mapper, and the changes that it has accepted."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from itertools import count

#: Why there is no account, and why a change is not accepted.
KNOWN, UNKNOWN, NO_ACCOUNT, NO_PERSON, BUSY, OTHER_ACCOUNT = 31, 32, 33, 34, 35, 36
#: What became of an accepted change.
ACCEPTED, MADE, DROPPED, NO_TICKET = 10, 20, 40, 41

ADD, REPLACE, REMOVE = "add", "replace", "remove"
MAX_LENGTH = 200


@dataclass
class AcceptedChange:
    """An accepted change of one person's account."""

    person: str
    account: str
    accepted_at: float
    state: int = ACCEPTED


@dataclass
class Accounts:
    """Who is paid where; a change becomes visible ``delay`` seconds after it came.

    An account in ``closed`` passes the checks when its change is accepted, and is found
    to be closed when the change would be made.
    """

    delay: float = 2.0
    accounts: dict[str, str] = field(default_factory=dict)
    changes: dict[str, AcceptedChange] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    _numbers: count = field(default_factory=lambda: count(1))
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def find(self, person: str) -> str | int:
        """Return a person's account that is visible now, or the code for none.

        >>> Accounts().find("p1"), Accounts().find("")
        (32, 34)
        """
        with self._lock:
            self._make_due()
            if not _is_person(person):
                return NO_PERSON
            return self.accounts.get(person, UNKNOWN)

    def accept(self, act: str, person: str, account: str | None) -> str | int:
        """Return the ticket of a change, or the code of a refusal.

        >>> accounts = Accounts(delay=0)
        >>> accounts.accept("replace", "p1", "a1"), accounts.accept("add", "p1", "")
        (32, 33)
        >>> ticket = accounts.accept("add", "p1", "a1")
        >>> accounts.find("p1"), accounts.get_state(ticket)
        ('a1', 20)
        """
        with self._lock:
            self._make_due()
            code = self._refuse(act, person, account)
            if code:
                return code
            ticket = f"T{next(self._numbers)}"
            text = "" if act == REMOVE else account or ""
            self.changes[ticket] = AcceptedChange(person, text, time.monotonic())
            return ticket

    def get_state(self, ticket: str) -> int:
        """Return what became of a change."""
        with self._lock:
            self._make_due()
            change = self.changes.get(ticket)
            return change.state if change else NO_TICKET

    def _refuse(self, act: str, person: str, account: str | None) -> int:
        known = self.accounts.get(person)
        if not _is_person(person):
            return NO_PERSON
        if act != REMOVE and not 0 < len(account or "") <= MAX_LENGTH:
            return NO_ACCOUNT
        if any(one.person == person for one in self._list_waiting()):
            return BUSY
        if (act == ADD) == (known is not None):
            return KNOWN if known else UNKNOWN
        if act == REMOVE and account and account != known:
            return OTHER_ACCOUNT
        return 0

    def _list_waiting(self) -> list[AcceptedChange]:
        return [one for one in self.changes.values() if one.state == ACCEPTED]

    def _make_due(self) -> None:
        """Make the changes whose time has come."""
        for change in self._list_waiting():
            if time.monotonic() - change.accepted_at < self.delay:
                continue
            change.state = DROPPED if change.account in self.closed else MADE
            if change.state == DROPPED:
                continue
            if change.account:
                self.accounts[change.person] = change.account
            else:
                self.accounts.pop(change.person, None)


def _is_person(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= MAX_LENGTH
