"""How many IDs one user may look up in 24 hours, and how many accounts may be tried.

A clerk with a card in hand seldom looks for somebody who is not there, whereas a guess
nearly always misses. Hence a miss costs more than a hit.
"""

from __future__ import annotations

from datetime import timedelta

#: How long a lookup counts, and the same ID is free.
DAY = timedelta(days=1)
#: What is deducted from the budget of a user who opens people one by one.
HIT_COST, MISS_COST = 1, 5
#: In files, so many known IDs allow one unknown ID more.
KNOWN_PER_UNKNOWN = 5
#: So many accounts of one person a user loads from files in 24 hours: each tells
#: whether it is the one that was collected last.
ACCOUNTS_OF_PERSON = 5


def is_spent(hits: int, misses: int, budget: int) -> bool:
    """Return whether a user who opens people one by one has used up the budget.

    >>> is_spent(hits=1999, misses=0, budget=2000)
    False
    >>> is_spent(hits=0, misses=400, budget=2000)
    True
    """
    return HIT_COST * hits + MISS_COST * misses >= budget


def has_too_many_unknown(hits: int, misses: int, limit: int) -> bool:
    """Return whether the files of a user had too many IDs of nobody.

    Large files of people who are known may contain more of them.

    >>> has_too_many_unknown(hits=0, misses=499, limit=500)
    False
    >>> has_too_many_unknown(hits=10_000, misses=1_500, limit=500)
    False
    >>> has_too_many_unknown(hits=100, misses=520, limit=500)
    True
    """
    return misses >= limit + hits // KNOWN_PER_UNKNOWN
