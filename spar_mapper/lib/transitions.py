"""The events permitted in each state, and where they lead: the one such table."""

from __future__ import annotations

_ANY = frozenset({"proposed", "active", "suspended", "ended"})
_FREE = frozenset({"new", "ended", "proposed"})
_IN_FORCE = frozenset({"active", "suspended"})
_EMPTY = frozenset({"new", "ended"})

#: kind of event -> (states in which it may happen, state after it; None: unchanged).
#: The state of a place before its first event is "new".
PLACE_EVENTS: dict[str, tuple[frozenset[str], str | None]] = {
    "linked": (_FREE, "active"),
    "proposed": (_EMPTY, "proposed"),
    "updated": (frozenset({"active"}), "active"),
    "updated_suspended": (frozenset({"suspended"}), "suspended"),
    # To the successor of a provider or branch that has closed.
    "moved": (frozenset({"active"}), "active"),
    "moved_suspended": (frozenset({"suspended"}), "suspended"),
    "unlinked": (_IN_FORCE, "ended"),
    "withdrawn": (frozenset({"proposed"}), "ended"),
    # Again, where somebody with more authority stops what somebody else had stopped.
    "suspended": (_IN_FORCE, "suspended"),
    "resumed": (frozenset({"suspended"}), "active"),
    "held": (_IN_FORCE, None),
    "change_cancelled": (_IN_FORCE, None),
    "change_refused": (_IN_FORCE, None),
    "change_stale": (frozenset({"active", "suspended", "proposed"}), None),
    "change_expired": (_IN_FORCE, None),
    "change_approved": (frozenset({"active", "suspended", "proposed"}), None),
    "address_rewritten": (frozenset({"proposed", "active", "suspended"}), None),
    "revealed": (_ANY, None),
    "objected": (_ANY, None),
    # By a person who has logged in since they objected by the link of a notice.
    "objection_confirmed": (_ANY, None),
    "reversed": (_IN_FORCE, "ended"),
    "restored": (_FREE | {"active"}, "active"),
    "restored_suspended": (frozenset({"suspended"}), "suspended"),
    "objection_upheld": (_ANY, None),
    "objection_rejected": (_ANY, None),
    # The owner locks changes, and lifts that lock with a proof; staff lift it by two.
    "changes_locked": (_ANY, None),
    "changes_unlocked": (_ANY, None),
    "lock_lifted": (_IN_FORCE, None),
}

#: MOVES: an address changes because its provider or branch has closed. LEAVES: it
#: changes or ends for any other reason.
MOVES = ("moved", "moved_suspended")
LEAVES = (
    "linked",
    "proposed",
    "updated",
    "updated_suspended",
    "unlinked",
    "withdrawn",
    "reversed",
    "restored",
    "restored_suspended",
)

#: Events of an ID, or of the person themselves, which concern no place.
ID_REWRITTEN, ID_OFF = "id_rewritten", "id_switched_off"
ID_GIVEN, ID_TAKEN = "id_given_away", "id_taken_over"
MERGED, MERGED_WITH = "merged", "merged_with"
#: An ID of somebody who had none: it waits for a second person, and is then added, or
#: not. An ID that is a person already ends the waiting by a merge.
ID_PROPOSED, ID_ADDED, ID_NOT_ADDED = "id_proposed", "id_added", "id_not_added"
OFFICE_CHANGED = "office_changed"
#: The owner's proofs of all earlier events are destroyed.
PROOFS_ERASED = "proofs_erased"
#: A complaint changes nothing by itself; what staff do about it has events of its own.
COMPLAINED, COMPLAINT_CLOSED = "complaint_recorded", "complaint_closed"
#: Somebody else answers it from now on: by their own act, or by a supervisor's.
COMPLAINT_TAKEN, COMPLAINT_HANDED = "complaint_taken_over", "complaint_handed_over"
#: Somebody who may act or collect for the person. They change no address.
REPRESENTATIVE_PROPOSED = "representative_proposed"
REPRESENTATIVE_APPROVED = "representative_approved"
REPRESENTATIVE_REFUSED = "representative_refused"
REPRESENTATIVE_ENDED = "representative_ended"
#: The person was recorded twice: who acts for one record acts for the one that stays.
REPRESENTATIVE_TAKEN = "representative_taken_over"
REPRESENTATIVE_EVENTS = (
    REPRESENTATIVE_PROPOSED,
    REPRESENTATIVE_APPROVED,
    REPRESENTATIVE_REFUSED,
    REPRESENTATIVE_ENDED,
    REPRESENTATIVE_TAKEN,
)
#: Those of which the person is notified: who may act for them changes.
NOTIFIED_REPRESENTATIVE_EVENTS = (
    REPRESENTATIVE_APPROVED,
    REPRESENTATIVE_ENDED,
    REPRESENTATIVE_TAKEN,
)
#: Events after which an ID of the person is what the event states.
ID_EVENTS = (ID_REWRITTEN, ID_OFF, ID_TAKEN, ID_ADDED)
SUBJECT_EVENTS = (
    ID_REWRITTEN,
    ID_OFF,
    ID_GIVEN,
    ID_TAKEN,
    ID_PROPOSED,
    ID_ADDED,
    ID_NOT_ADDED,
    MERGED,
    MERGED_WITH,
    OFFICE_CHANGED,
    PROOFS_ERASED,
    COMPLAINED,
    COMPLAINT_CLOSED,
    COMPLAINT_TAKEN,
    COMPLAINT_HANDED,
    *REPRESENTATIVE_EVENTS,
)

#: Events of a place that somebody may be asked to answer for: who sent the money where,
#: who stopped it, and who approved that.
ANSWERED_FOR = frozenset(PLACE_EVENTS) - {
    "revealed",
    "address_rewritten",
    "objected",
    "objection_confirmed",
    "objection_upheld",
    "objection_rejected",
}

#: Events of a person whose makers a complaint may be about as well: who said that an ID
#: is theirs, and who may collect for them.
ANSWERED_FOR_PERSON = (
    ID_PROPOSED,
    ID_ADDED,
    MERGED,
    MERGED_WITH,
    *REPRESENTATIVE_EVENTS,
)

#: Kinds of events that are no longer written; older histories contain them.
OLD_EVENTS = ("replaced",)
#: The event that ties legacy histories to a subject's chain.
MIGRATED = "migrated"

#: No notice is sent for these: they do not affect payment, or they accompany an event
#: that is notified.
ADDRESS_REWRITTEN = "address_rewritten"
SILENT_EVENTS = (
    MIGRATED,
    ADDRESS_REWRITTEN,
    *(kind for kind in SUBJECT_EVENTS if kind not in NOTIFIED_REPRESENTATIVE_EVENTS),
)

#: How a pending change may end; every end is final.
CHANGE_ENDS = ("applied", "cancelled", "refused", "stale", "expired")

#: Events after which a change of a place is pending, and after which none is any more.
WAIT_BEGINS = ("held", "proposed")
WAIT_ENDS = (
    "change_cancelled",
    "change_refused",
    "change_stale",
    "change_expired",
    "linked",
    "updated",
    "updated_suspended",
    "replaced",
    "unlinked",
    "withdrawn",
    "suspended",
    "resumed",
    "reversed",
    "restored",
    "restored_suspended",
    "lock_lifted",
)

#: Events that lift an owner's lock.
UNLOCKED = ("changes_unlocked", "lock_lifted")

#: Events that open the case of an objection, and those that close one.
CASE_BEGINS = ("objected",)
CASE_ENDS = ("objection_upheld", "objection_rejected")


class ForbiddenTransition(ValueError):
    """The code tried a transition that the table forbids: a bug, never an answer."""


def next_state(kind: str, state: str) -> str:
    """Return the state after an event of ``kind`` in ``state``.

    >>> next_state("suspended", "active")
    'suspended'
    >>> next_state("resumed", "ended")
    Traceback (most recent call last):
    ...
    odoo.addons.spar_mapper.lib.transitions.ForbiddenTransition: resumed in ended
    """
    allowed, after = PLACE_EVENTS[kind]
    if state not in allowed:
        raise ForbiddenTransition(f"{kind} in {state}")
    return after or state
