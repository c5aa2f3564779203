"""The operations between two SPARs: their names, and what they need and carry.

To add one: its line here, its answer in ``spar_g2p_connect/models/server/``, and its
method in ``spar.mapper.spar``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..contract import Capability
from . import records
from .kinds import Kind

#: Actions of headers begin so: they are not those of G2P Connect.
PREFIX = "spar-"


@dataclass(frozen=True)
class WireOperation:
    """One operation: a path, the capability that it needs, and its two records.

    ``is_change`` is whether it changes something: its messages are stored, and a repeat
    gets the stored answer. ``has_one_item`` is whether a message has one item only.
    """

    name: str
    summary: str
    needs: Capability
    request: Kind[Any]
    answer: Kind[Any]
    is_change: bool = False
    has_one_item: bool = False

    @property
    def action(self) -> str:
        """Return the action of the header.

        >>> OPERATIONS["address-at"].action
        'spar-address-at'
        """
        return f"{PREFIX}{self.name}"


_ALL = (
    WireOperation(
        "capabilities",
        "What the caller may ask of this registry, and how much at once",
        Capability.VERSIONS,
        records.ABILITIES_REQUEST,
        records.ABILITIES,
        has_one_item=True,
    ),
    WireOperation(
        "link",
        "Give IDs their first address, for a purpose",
        Capability.LINK,
        records.LINK,
        records.RESULT,
        is_change=True,
    ),
    WireOperation(
        "update",
        "Change addresses, from the version that the caller saw",
        Capability.UPDATE,
        records.UPDATE,
        records.RESULT,
        is_change=True,
    ),
    WireOperation(
        "unlink",
        "End addresses",
        Capability.UNLINK,
        records.UNLINK,
        records.RESULT,
        is_change=True,
    ),
    WireOperation(
        "suspend",
        "Keep addresses, but suspend payments to them",
        Capability.SUSPEND,
        records.SUSPEND,
        records.RESULT,
        is_change=True,
    ),
    WireOperation(
        "resume",
        "Resume payments to suspended addresses",
        Capability.SUSPEND,
        records.RESUME,
        records.RESULT,
        is_change=True,
    ),
    WireOperation(
        "resolve",
        "Find addresses, with their versions",
        Capability.RESOLVE,
        records.RESOLVE,
        records.RESULT,
    ),
    WireOperation(
        "standing",
        "Whether people would be paid now",
        Capability.STANDING,
        records.STANDING_REQUEST,
        records.STANDING,
    ),
    WireOperation(
        "change-status",
        "What became of changes that waited",
        Capability.CHANGE_STATUS,
        records.CHANGE_REFERENCE,
        records.CHANGE_STATUS,
    ),
    WireOperation(
        "history",
        "Every address that an ID ever had",
        Capability.HISTORY,
        records.ID_REQUEST,
        records.HISTORY,
        has_one_item=True,
    ),
    WireOperation(
        "address-at",
        "The address that was in force at a moment",
        Capability.HISTORY,
        records.MOMENT_REQUEST,
        records.ADDRESS_AT,
        has_one_item=True,
    ),
    WireOperation(
        "waiting-changes",
        "The changes of an ID that wait",
        Capability.WAITING_CHANGES,
        records.ID_REQUEST,
        records.WAITING_CHANGES,
        has_one_item=True,
    ),
    WireOperation(
        "object",
        "Dispute an event: this was not me",
        Capability.OBJECTION,
        records.OBJECTION,
        records.OBJECTION_ANSWER,
        is_change=True,
        has_one_item=True,
    ),
    WireOperation(
        "notice",
        "What the link of a notice shows",
        Capability.OBJECTION,
        records.NOTICE_TOKEN,
        records.NOTICE,
        has_one_item=True,
    ),
    WireOperation(
        "object-to-notice",
        "Dispute the event of a notice",
        Capability.OBJECTION,
        records.NOTICE_TOKEN,
        records.OBJECTION_ANSWER,
        is_change=True,
        has_one_item=True,
    ),
    WireOperation(
        "own-address",
        "The masked address of a person who has logged in at the portal that asks",
        Capability.OWN_ADDRESS,
        records.OWN_REQUEST,
        records.OWN_ADDRESS,
        has_one_item=True,
    ),
    WireOperation(
        "lock",
        "Lock changes for a person who has logged in at the portal that asks",
        Capability.CHANGE_LOCK,
        records.OWN_REQUEST,
        records.RESULT,
        is_change=True,
        has_one_item=True,
    ),
    WireOperation(
        "propose",
        "Propose a change, for its owner to confirm on this registry's own page",
        Capability.CONFIRMATION,
        records.PROPOSAL,
        records.CONFIRMATION_PAGE,
        is_change=True,
        has_one_item=True,
    ),
    WireOperation(
        "confirmation",
        "What became of a proposal of the caller",
        Capability.CONFIRMATION,
        records.CONFIRMATION_REFERENCE,
        records.CONFIRMATION,
        has_one_item=True,
    ),
    WireOperation(
        "end-visit",
        "End a visit, as when the person logs out at the portal",
        Capability.VISIT,
        records.CONFIRMATION_REFERENCE,
        records.CONFIRMATION,
        is_change=True,
        has_one_item=True,
    ),
)

#: Name -> operation.
OPERATIONS: dict[str, WireOperation] = {each.name: each for each in _ALL}
ACTIONS: frozenset[str] = frozenset(each.action for each in _ALL)


def find_by_action(action: str) -> WireOperation:
    """Return the operation with ``action``; raises KeyError.

    >>> find_by_action("spar-history").name
    'history'
    """
    if not action.startswith(PREFIX):
        raise KeyError(action)
    return OPERATIONS[action.removeprefix(PREFIX)]
