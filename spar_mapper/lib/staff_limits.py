"""How much one member of staff may change in a day, and in whose favour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

#: The limit that is reached, as a result names its problem.
CHANGES, PROVIDER, ACCOUNT = "day_changes", "day_provider", "day_account"
#: All of them.
PROBLEMS = (CHANGES, PROVIDER, ACCOUNT)


class RequestedAct(NamedTuple):
    """A requested change: for whom, and to whom the money would go.

    ``subject_id`` is None for a new person; ``provider_id`` and ``account`` (a
    commitment) are empty if the change contains no address.
    """

    canonical: str
    subject_id: int | None
    provider_id: int | None
    account: bytes


class RecentAct(NamedTuple):
    """A change of the last 24 hours."""

    subject_id: int
    provider_id: int | None
    account: bytes


class StaffLimits(NamedTuple):
    """The most changes in 24 hours, and the most people to one provider or account."""

    changes: int
    to_provider: int
    to_account: int


def find_exceeded(
    requested: Sequence[RequestedAct], done: Sequence[RecentAct], limits: StaffLimits
) -> str:
    """Return the limit that ``requested`` would exceed after ``done``, or "".

    A person who was already moved to the same destination does not count again.

    >>> done = [RecentAct(1, 7, b"a"), RecentAct(2, 7, b"b")]
    >>> new = RequestedAct("x", None, 7, b"c")
    >>> find_exceeded([new], done, StaffLimits(9, 2, 9))
    'day_provider'
    >>> find_exceeded([new._replace(subject_id=2)], done, StaffLimits(9, 2, 9))
    ''
    >>> find_exceeded([new], done, StaffLimits(2, 9, 9))
    'day_changes'
    >>> find_exceeded([new._replace(account=b"a")], done, StaffLimits(9, 9, 1))
    'day_account'
    """
    if len(done) + len(requested) > limits.changes:
        return CHANGES
    for one in requested:
        if one.provider_id:
            with_it = {d.subject_id for d in done if d.provider_id == one.provider_id}
            same = [a for a in requested if a.provider_id == one.provider_id]
            if _count_people(with_it, same) > limits.to_provider:
                return PROVIDER
        if one.account:
            with_it = {d.subject_id for d in done if d.account == one.account}
            same = [a for a in requested if a.account == one.account]
            if _count_people(with_it, same) > limits.to_account:
                return ACCOUNT
    return ""


def _count_people(known: set[int], requested: Sequence[RequestedAct]) -> int:
    """Return how many people there are, including those in the requested changes."""
    known = known | {a.subject_id for a in requested if a.subject_id is not None}
    new = {a.canonical for a in requested if a.subject_id is None}
    return len(known) + len(new)
