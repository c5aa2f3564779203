"""From which state which event leads where: the one table of the store's life."""

from __future__ import annotations

#: kind of event -> (states it may happen in, state after it; None: as before).
#: The state before the first event of a mapping is "new".
MAPPING_EVENTS: dict[str, tuple[frozenset[str], str | None]] = {
    "linked": (frozenset({"new"}), "active"),
    "proposed": (frozenset({"new"}), "proposed"),
    "updated": (frozenset({"new"}), "active"),
    "updated_suspended": (frozenset({"new"}), "suspended"),
    "replaced": (frozenset({"active", "suspended"}), "ended"),
    "unlinked": (frozenset({"active", "suspended"}), "ended"),
    "withdrawn": (frozenset({"proposed"}), "ended"),
    "suspended": (frozenset({"active"}), "suspended"),
    "resumed": (frozenset({"suspended"}), "active"),
    "held": (frozenset({"active", "suspended"}), None),
    "change_cancelled": (frozenset({"active", "suspended"}), None),
    "change_refused": (frozenset({"active", "suspended"}), None),
    "change_stale": (frozenset({"active", "suspended", "proposed"}), None),
    "change_expired": (frozenset({"active", "suspended"}), None),
    "change_approved": (frozenset({"active", "suspended", "proposed"}), None),
    "revealed": (frozenset({"active", "suspended", "ended", "proposed"}), None),
    "objected": (frozenset({"active", "suspended", "ended", "proposed"}), None),
    "reversed": (frozenset({"active", "suspended"}), "ended"),
    "restored": (frozenset({"new"}), "active"),
    "restored_suspended": (frozenset({"new"}), "suspended"),
    "objection_upheld": (frozenset({"active", "suspended", "ended"}), None),
    "objection_rejected": (frozenset({"active", "suspended", "ended"}), None),
}

#: How a waiting change may end; nothing leads out of an end.
CHANGE_ENDS = ("applied", "cancelled", "refused", "stale", "expired")

#: Events after which a change of a mapping waits, and after which none does any more.
WAIT_BEGINS = ("held", "proposed")
WAIT_ENDS = (
    *("change_cancelled", "change_refused", "change_stale", "change_expired"),
    *("replaced", "unlinked", "withdrawn", "resumed", "reversed"),
)


class ForbiddenTransition(ValueError):
    """A programme tried what the table does not allow: a fault, never an answer."""


def next_state(kind: str, state: str) -> str:
    """The state after an event of ``kind`` in ``state``.

    >>> next_state("suspended", "active")
    'suspended'
    >>> next_state("resumed", "ended")
    Traceback (most recent call last):
    ...
    odoo.addons.spar_mapper.lib.transitions.ForbiddenTransition: resumed in ended
    """
    allowed, after = MAPPING_EVENTS[kind]
    if state not in allowed:
        raise ForbiddenTransition(f"{kind} in {state}")
    return after or state
