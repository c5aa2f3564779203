"""The change that a request asks for, as its owner confirms it.

Both sides of a confirmation build the change here: the page, from the request that it
will send, and the mapper, from the request that it received.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from .contract import (
    ChangeRequest,
    LinkRequest,
    ObjectionRequest,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
)
from .owner_proof import (
    AddressItem,
    ConfirmedChange,
    ConfirmedItem,
    ConfirmedOperation,
    EventItem,
    OwnerProof,
    PersonItem,
    PortalItem,
)

#: What owners change by a request, by the request's type.
_OPERATIONS: dict[type[object], ConfirmedOperation] = {
    LinkRequest: ConfirmedOperation.LINK,
    UpdateRequest: ConfirmedOperation.UPDATE,
    UnlinkRequest: ConfirmedOperation.UNLINK,
    ObjectionRequest: ConfirmedOperation.UNDO,
    UnlockRequest: ConfirmedOperation.UNLOCK,
}


@dataclass(frozen=True)
class Binding:
    """What a confirmation adds to a request: see :class:`ConfirmedChange`."""

    receiver: str
    draft_id: str
    salt: bytes
    version: int = 1


def get_binding(proof: OwnerProof) -> Binding:
    """Return what ``proof`` adds to the request that it proves."""
    return Binding(proof.receiver, proof.draft_id, proof.salt, proof.version)


def build_change(
    request: ChangeRequest | ObjectionRequest, binding: Binding
) -> ConfirmedChange:
    """Return the change that ``request`` asks for.

    Raises ValueError for a request that owners do not confirm.

    >>> binding = Binding("spar.example", "d1", bytes(32))
    >>> request = UpdateRequest("1", "account:2", expected_version=3)
    >>> change = build_change(request, binding)
    >>> change.operation.value, change.base_version, change.item.fa
    ('update', 3, 'account:2')
    """
    operation = _OPERATIONS.get(type(request))
    if operation is None:
        raise ValueError("owners do not confirm such a request")
    purpose, base_version = _get_place(request)
    return ConfirmedChange(
        receiver=binding.receiver,
        operation=operation,
        item=_build_item(request),
        draft_id=binding.draft_id,
        salt=binding.salt,
        purpose=purpose,
        base_version=base_version,
        version=binding.version,
    )


def build_visit(portal: str, binding: Binding) -> ConfirmedChange:
    """Return what a person confirms who lets ``portal`` show them their address.

    It is no change, so the proof of it makes none.

    >>> visit = build_visit("participant:portal", Binding("spar.example", "d1", b""))
    >>> visit.operation.value, visit.item.portal
    ('visit', 'participant:portal')
    """
    return ConfirmedChange(
        receiver=binding.receiver,
        operation=ConfirmedOperation.VISIT,
        item=PortalItem(portal),
        draft_id=binding.draft_id,
        salt=binding.salt,
        version=binding.version,
    )


def _get_place(request: ChangeRequest | ObjectionRequest) -> tuple[str, int | None]:
    """Return the purpose and the version that the request names."""
    if isinstance(request, ObjectionRequest):
        return "", None
    return request.purpose, request.expected_version


def _build_item(request: ChangeRequest | ObjectionRequest) -> ConfirmedItem:
    if isinstance(request, ObjectionRequest):
        return EventItem(request.id_value, request.period, request.seq)
    if isinstance(request, UnlockRequest):
        return PersonItem(request.id_value)
    if isinstance(request, LinkRequest):
        details = request.details
        return AddressItem(
            request.id_value,
            request.fa,
            details.name,
            details.phone_number,
            details.additional_info,
            _write_time(request.asserted_at),
        )
    asserted_at = _write_time(request.asserted_at)
    return AddressItem(request.id_value, request.fa or "", asserted_at=asserted_at)


def _write_time(moment: datetime | None) -> str:
    """Return an aware time in UTC; a naive one is UTC.

    >>> _write_time(datetime(2026, 3, 1, 12)), _write_time(None)
    ('2026-03-01T12:00:00+00:00', '')
    """
    if moment is None:
        return ""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).isoformat()
