"""Who has suspended payments to an address, and who may let them go on.

A suspension keeps the address and what it rests on, so the authority of the address
does not say who stopped the payments: the events do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext

from .transitions import PLACE_EVENTS

#: The event by which payments are suspended, and the state after it.
SUSPENDED = "suspended"
#: Events after which payments are not suspended: what stopped them before has ended.
ENDS_STOP = tuple(
    kind
    for kind, (_states, after) in PLACE_EVENTS.items()
    if after not in (None, SUSPENDED)
)
#: The authority behind an act: by how its actor was authenticated, or by its channel.
_PROVED = {"login": Authority.OWNER, "document": Authority.STAFF}
_CHANNELS = {
    "portal": Authority.OWNER,
    "agent": Authority.OWNER,
    "notice": Authority.OWNER,
    "rest": Authority.PROGRAMME,
    "registry": Authority.PROGRAMME,
    "mapper": Authority.PROGRAMME,
}


class Stop(NamedTuple):
    """Who has suspended payments to an address.

    ``authority`` is the highest of those who did, ``actor`` the only one ("" for
    several). ``is_by_two`` states that a second person approved it.
    """

    authority: int
    actor: str = ""
    is_by_two: bool = False

    def get_needed_authority(self, call: CallContext) -> int:
        """Return the authority that ``call`` needs to let payments go on.

        An institution may take back what it did itself, whatever a participant's
        authority can be at most; and staff what staff did, with or without a document.

        >>> call = CallContext("participant:a", "rest", Authority.INSTITUTION)
        >>> stop = Stop(Authority.PROGRAMME, "participant:a")
        >>> [int(s.get_needed_authority(call)) for s in (stop, Stop(20, "x"))]
        [10, 20]
        >>> staff = CallContext("user:7", "staff", Authority.PROGRAMME)
        >>> [int(Stop(each).get_needed_authority(staff)) for each in (30, 40)]
        [20, 40]
        """
        is_staff = call.channel == "staff" and call.actor.startswith("user:")
        is_own = self.actor == call.actor and self.authority <= Authority.PROGRAMME
        if is_own or (is_staff and self.authority <= Authority.STAFF):
            return min(self.authority, call.authority)
        return self.authority


#: A stop of which no event is found: as if one member of staff had done it.
UNKNOWN_STOP = Stop(int(Authority.STAFF))


def build_stop(channel: str, actor: str, proof: str | None, is_approved: bool) -> Stop:
    """Return what the event of a suspension says about who suspended.

    What staff do weighs as staff's, whether or not they saw a document. A participant's
    event does not name its authority: the highest that it can have counts.

    >>> build_stop("staff", "user:7", "", True)
    Stop(authority=30, actor='user:7', is_by_two=True)
    >>> build_stop("portal", "subject:1", "login", False).authority
    40
    >>> build_stop("rest", "participant:a", "bearer", False).authority
    20
    """
    by_channel = _CHANNELS.get(channel, Authority.STAFF)
    by_proof = _PROVED.get(proof or "", Authority.INSTITUTION)
    return Stop(int(max(by_channel, by_proof)), actor, is_approved)


def join_stops(stops: Iterable[Stop]) -> Stop:
    """Return what several suspensions of one address demand together.

    >>> join_stops([Stop(20, "registry"), Stop(30, "user:7", True)])
    Stop(authority=30, actor='', is_by_two=True)
    >>> join_stops([]) == UNKNOWN_STOP
    True
    """
    known = list(stops) or [UNKNOWN_STOP]
    actors = {stop.actor for stop in known}
    return Stop(
        max(stop.authority for stop in known),
        actors.pop() if len(actors) == 1 else "",
        any(stop.is_by_two for stop in known),
    )
