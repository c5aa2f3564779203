"""Who decides about a waiting change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from typing import NamedTuple


class Waiting(NamedTuple):
    """A change that waits for a decision: who asked for it, and whose office it is."""

    change_id: int
    parties: Set[str]
    office_id: int | None


class Supervisor(NamedTuple):
    """A supervisor: their offices (none: everybody's), and who decides for them now.

    ``deputy_id`` is 0 while they are away without a deputy, and None if they are here.
    """

    user_id: int
    office_ids: Set[int]
    deputy_id: int | None = None


def choose_decider(
    waiting: Waiting, deciders: Mapping[int, Supervisor], load: Mapping[int, int]
) -> int | None:
    """Return the user who should decide: the one with the fewest changes, or None.

    Somebody who asked for the change never decides about it, and neither does somebody
    who may not see the person. If nobody of the person's office is here, somebody
    without an office decides.

    >>> boss, other = Supervisor(1, frozenset()), Supervisor(2, frozenset({5}))
    >>> deciders, waiting = {1: boss, 2: other}, Waiting(9, frozenset({"user:1"}), None)
    >>> choose_decider(waiting, deciders, {2: 7})
    2
    >>> choose_decider(waiting, {1: boss}, {}) is None
    True
    """
    found = [
        user_id
        for user_id, decider in deciders.items()
        if decider.deputy_id is None and is_eligible(waiting, decider)
    ]
    own = [each for each in found if waiting.office_id in deciders[each].office_ids]
    return _choose_idle(own or found, load)


def is_eligible(waiting: Waiting, decider: Supervisor) -> bool:
    """Return whether somebody may decide about a change.

    >>> is_eligible(Waiting(9, frozenset(), 5), Supervisor(2, frozenset({6})))
    False
    """
    if f"user:{decider.user_id}" in waiting.parties:
        return False
    offices = decider.office_ids
    return not offices or waiting.office_id is None or waiting.office_id in offices


def find_deputy(
    waiting: Waiting, away: Supervisor | None, deciders: Mapping[int, Supervisor]
) -> int | None:
    """Return who decides about a change in the place of its supervisor, or None.

    Deputies have no deputies, and a deputy may not decide about everything.

    >>> away, deputy = Supervisor(1, frozenset(), 3), Supervisor(3, frozenset({6}))
    >>> deciders = {1: away, 2: Supervisor(2, frozenset()), 3: deputy}
    >>> find_deputy(Waiting(9, frozenset(), 6), away, deciders)
    3
    >>> [find_deputy(Waiting(9, frozenset(), 5), one, deciders) for one in (away, None)]
    [None, None]
    """
    deputy_id = away.deputy_id if away else None
    deputy = deciders.get(deputy_id) if deputy_id else None
    if deputy is None or deputy.deputy_id is not None:
        return None
    return deputy.user_id if is_eligible(waiting, deputy) else None


def _choose_idle(users: Collection[int], load: Mapping[int, int]) -> int | None:
    return min(users, key=lambda each: (load.get(each, 0), each), default=None)
