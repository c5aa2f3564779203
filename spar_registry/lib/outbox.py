"""What the outbox sends for an account, and what an answer means for it.

Nothing here knows a database. An account is sent in steps that are committed one by
one, so that a worker may be killed at any moment:

1. The entry is claimed.
2. The mapper is asked what is in force; that is recorded, with what is sent.
3. The change is sent.
4. The answer is recorded.

An entry that was sent and has no answer is asked about before it is sent again: see
:func:`plan`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from odoo.addons.spar_mapper_connector.lib.contract import (
    ChangeState,
    Operation,
    Outcome,
    Result,
)

from .identity import RegistryIdentity


class EntryState(str, Enum):
    """The state of an entry of the outbox."""

    WAITING = "waiting"
    SENDING = "sending"
    PARKED = "parked"  # the change waits at the mapper
    DONE = "done"
    SUPERSEDED = "superseded"  # a newer address counts
    CONFLICT = "conflict"  # another address is in force, and stands
    FAILED = "failed"  # staff decide: try again, or give up
    GIVEN_UP = "given_up"


#: States in which later entries of the same ID have to wait.
OPEN = (
    EntryState.WAITING,
    EntryState.SENDING,
    EntryState.PARKED,
    EntryState.FAILED,
)


@dataclass(frozen=True)
class NewEntry:
    """An account to send, with its address, for an ID.

    :param base: the digest of the address that must be in force, None for any
    """

    account_id: int
    partner_id: int
    programme_id: int | bool
    purpose: str
    fa: str
    identity: RegistryIdentity
    base: bytes | None = None


@dataclass(frozen=True)
class Wanted:
    """What an entry wants to be in force.

    :param key: the digest of the address, b"" to remove the one in force
    :param base: the digest of the address in force when the entry was sent, b"" for
        none; None if it was never sent
    """

    key: bytes
    base: bytes | None = None


@dataclass(frozen=True)
class Seen:
    """What is in force for the ID, according to the mapper.

    :param key: the digest of the address, b"" for none; None if the mapper does not
        disclose it (payments are suspended, for example)
    :param version: its version, None without versions
    """

    outcome: Outcome
    key: bytes | None = None
    version: int | None = None


@dataclass(frozen=True)
class NextStep:
    """What happens to an entry: an operation is sent, or it gets a state.

    :param reason: a stable word for why, "" if all is well
    :param pauses: whether the entry waits before the next attempt
    """

    operation: Operation | None = None
    state: EntryState | None = None
    reason: str = ""
    pauses: bool = True


#: What is resolved, although it is not disclosed.
_IN_FORCE = (Outcome.FOUND, Outcome.SUSPENDED)


def plan(wanted: Wanted, seen: Seen) -> NextStep:
    """Return the next step of an entry whose worker has asked what is in force.

    What was sent without an answer is sent again only if the mapper shows what was in
    force before: another address was chosen by somebody else, and stands.

    >>> none, found = Seen(Outcome.NOT_LINKED, b""), Seen(Outcome.FOUND, b"new", 2)
    >>> plan(Wanted(b"new"), none).operation.value
    'link'
    >>> plan(Wanted(b"new"), found).state.value
    'done'
    >>> plan(Wanted(b"newer"), found).operation.value
    'update'
    >>> plan(Wanted(b"newer", base=b"old"), found).state.value
    'conflict'
    >>> plan(Wanted(b""), found).operation.value, plan(Wanted(b""), none).state.value
    ('unlink', 'done')
    """
    if seen.outcome is Outcome.NOT_LINKED:
        return _plan_first(wanted)
    if seen.outcome not in _IN_FORCE:
        return read_refusal(seen.outcome, "")
    if seen.key is not None and seen.key == wanted.key:
        return NextStep(state=EntryState.DONE)
    if wanted.base is not None and seen.key is not None and seen.key != wanted.base:
        return NextStep(state=EntryState.CONFLICT, reason="another_address")
    return NextStep(Operation.UPDATE if wanted.key else Operation.UNLINK)


def _plan_first(wanted: Wanted) -> NextStep:
    """Return the next step where no address is in force."""
    if not wanted.key:
        return NextStep(state=EntryState.DONE)
    if wanted.base:
        # It had an address when this was sent, and somebody has removed it since.
        return NextStep(state=EntryState.CONFLICT, reason="removed")
    return NextStep(Operation.LINK)


_DONE = (Outcome.LINKED, Outcome.UPDATED, Outcome.UNLINKED)
#: The address in force changed between the question and the change.
_OVERTAKEN = (Outcome.ALREADY_LINKED, Outcome.NOT_LINKED, Outcome.FA_MISMATCH)


def read_result(result: Result) -> NextStep:
    """Return what the mapper's answer to a change means for its entry.

    >>> read_result(Result(Outcome.LINKED)).state.value
    'done'
    >>> read_result(Result(Outcome.CONFLICT, problem="older_than_current")).state.value
    'superseded'
    >>> read_result(Result(Outcome.HELD, reference="c1")).state.value
    'parked'
    >>> step = read_result(Result(Outcome.INVALID_FA, problem="provider_closed"))
    >>> step.state.value, step.reason
    ('failed', 'invalid_fa.provider_closed')
    """
    outcome, problem = result.outcome, result.problem
    if outcome in _DONE:
        return NextStep(state=EntryState.DONE)
    if outcome in _OVERTAKEN:
        return NextStep(state=EntryState.WAITING, reason="overtaken", pauses=False)
    if outcome is Outcome.HELD and problem != "contested":
        return NextStep(state=EntryState.PARKED, reason="held")
    if outcome is Outcome.CONFLICT:
        return _read_conflict(problem)
    return read_refusal(outcome, problem)


def _read_conflict(problem: str) -> NextStep:
    if problem == "older_than_current":
        return NextStep(state=EntryState.SUPERSEDED, reason=problem)
    if problem == "version":
        return NextStep(state=EntryState.WAITING, reason="overtaken", pauses=False)
    return NextStep(state=EntryState.WAITING, reason=problem or "conflict")


def read_refusal(outcome: Outcome, problem: str) -> NextStep:
    """Return the step for a change that the mapper did not make."""
    if outcome is Outcome.RETRY:
        return NextStep(state=EntryState.WAITING, reason="unavailable")
    reason = f"{outcome.value}.{problem}" if problem else outcome.value
    return NextStep(state=EntryState.FAILED, reason=reason)


_CHANGE_STEPS = {
    ChangeState.WAITING: NextStep(state=EntryState.PARKED, reason="held"),
    ChangeState.APPLIED: NextStep(state=EntryState.DONE),
    ChangeState.STALE: NextStep(
        state=EntryState.WAITING, reason="overtaken", pauses=False
    ),
    ChangeState.CANCELLED: NextStep(state=EntryState.CONFLICT, reason="cancelled"),
    ChangeState.REFUSED: NextStep(state=EntryState.CONFLICT, reason="refused"),
    ChangeState.EXPIRED: NextStep(state=EntryState.CONFLICT, reason="expired"),
    ChangeState.UNKNOWN: NextStep(state=EntryState.WAITING, reason="unknown_change"),
}


def read_change(state: ChangeState) -> NextStep:
    """Return what became of an entry whose change waited at the mapper.

    >>> read_change(ChangeState.REFUSED).state.value
    'conflict'
    """
    return _CHANGE_STEPS[state]


#: The pause after the first failed attempt, and the longest one.
FIRST_PAUSE, MAX_PAUSE = timedelta(seconds=10), timedelta(hours=1)


def get_pause(attempts: int, draw: float | None = None) -> timedelta:
    """Return how long an entry waits after its ``attempts``-th failed attempt.

    Each pause is twice as long as the one before, up to :data:`MAX_PAUSE`; a random
    part of up to a quarter keeps entries from returning together.

    :param draw: the random part, from 0 to 1

    >>> [get_pause(n, 0).total_seconds() for n in (1, 2, 3, 50)]
    [10.0, 20.0, 40.0, 3600.0]
    >>> get_pause(1, 1).total_seconds()
    12.5
    """
    drawn = random.random() if draw is None else draw  # noqa: S311
    plain: timedelta = min(FIRST_PAUSE * 2 ** min(max(attempts, 1) - 1, 20), MAX_PAUSE)
    return plain + plain * (drawn / 4)
