"""The lock of a person's changes: whom it stops, and from what."""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    ChangeLock,
    Operation,
)

OWNER_LOCK = ChangeLock.OWNER.value
#: Change lock of a subject -> the authority that a call needs to override it, from the
#: weakest to the strongest. No authority overrides an objection's: closing the case
#: lifts it.
LOCK_AUTHORITY: dict[str, int] = {
    "none": 0,
    "staff": Authority.STAFF,
    OWNER_LOCK: Authority.OWNER,
    "objection": Authority.OWNER + 1,
}
#: What an owner's lock does not stop: whoever stops payments, or lets them go on, sends
#: no money elsewhere. The lock itself has rules of its own.
_FREE = frozenset(
    {Operation.SUSPEND, Operation.RESUME, Operation.LOCK, Operation.UNLOCK}
)
_STAFF_CHANNEL = "staff"
#: Why somebody may neither set nor lift an owner's lock.
NOT_OWNER = "not_owner"


def passes(
    lock: str,
    code: Operation,
    call: CallContext,
    has_waited: bool = False,
    is_approved: bool = False,
) -> bool:
    """Return whether a person's lock lets ``call`` make the change ``code``.

    An owner's lock demands the owner's proof even where the store does not demand one
    otherwise. Staff who have seen the person's document may propose; that waits.

    :param has_waited: whether the change was proposed earlier, and is to be made now
    :param is_approved: whether a second person has approved it

    >>> owner = CallContext("person:1", "portal", Authority.OWNER, "login")
    >>> [passes(lock, Operation.UPDATE, owner) for lock in ("none", "owner")]
    [True, False]
    >>> programme = CallContext("participant:p", "rest", Authority.PROGRAMME)
    >>> codes = Operation.LINK, Operation.SUSPEND
    >>> [passes("owner", code, programme) for code in codes]
    [False, True]

    A change of staff that began to wait before the lock is not made by time alone:

    >>> staff = CallContext("user:7", "staff", Authority.STAFF)
    >>> passes("owner", Operation.UPDATE, staff)
    True
    >>> passes("owner", Operation.UPDATE, staff, has_waited=True)
    False
    >>> passes("owner", Operation.UPDATE, staff, has_waited=True, is_approved=True)
    True
    """
    if lock != OWNER_LOCK:
        return call.authority >= LOCK_AUTHORITY[lock]
    if code in _FREE:
        return True
    if call.authority >= Authority.OWNER:
        return has_waited or call.owner_proof is not None
    return is_staff(call) and (is_approved or not has_waited)


def is_staff(call: CallContext) -> bool:
    """Return whether staff of this store act, who have seen the person's document."""
    return call.channel == _STAFF_CHANNEL and call.authority >= Authority.STAFF
