"""One request on its way through an operation, and the address it would store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Generic, TypeVar

from odoo.addons.spar_fa_directory.lib.fa_reader import Address
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    ChangeRequest,
    LinkRequest,
)

from .assessment import Assess
from .ledger import Ledger
from .records import Head, Holding, StoredAddress, new_uuid

#: The kind of request of a case: a case of an update is also a case of a change.
R_co = TypeVar("R_co", bound=ChangeRequest, covariant=True)


@dataclass(slots=True)
class Case(Generic[R_co]):
    """One request, everything known about it, and who makes it.

    ``address`` is the request's address as the directory reads it, in its one form
    (None if the request has none); ``key`` identifies that address. ``is_decided``
    states that the change was assessed earlier and has waited since, ``is_approved``
    that a second person has approved it, ``is_provisional`` that the person has only a
    reference that the registry issued.
    """

    request: R_co
    holding: Holding
    ledger: Ledger
    call: CallContext
    assess: Assess
    address: Address | None = None
    key: str = ""
    is_decided: bool = False
    is_approved: bool = False
    is_provisional: bool = False

    @property
    def in_force(self) -> Head | None:
        """Return the place of the request's purpose, if its address is in force."""
        return self.holding.in_force(self.request.purpose)


def build_address(case: Case[LinkRequest]) -> StoredAddress:
    """Return the address that the request would put into its place.

    Raises ValueError for a case without the directory's reading of its address.
    """
    request, address, now = case.request, case.address, case.ledger.now
    if address is None:
        raise ValueError("the address was not read")
    call = case.call
    # By position, in the order of the fields: by name it costs twice as much.
    return StoredAddress(
        new_uuid(),
        0,  # its version, until it is in its place
        address.text,
        int(call.authority),
        call.channel,
        call.actor,
        call.authenticated_by,
        now,
        _get_asserted_at(request.asserted_at, now),
        address.strategy_number,
        address.type_id,
        address.provider_id,
        address.branch_id,
        request.details,
        case.key,
        request.fa if request.fa != address.text else "",
        case.ledger.address_form,
    )


@lru_cache(maxsize=1024)
def _get_asserted_at(asserted: datetime | None, now: datetime) -> datetime:
    """Return when the sender states it was true; cached, as items share their time.

    It is never in the future, which would block others. Without a claim it is now,
    rounded down to the second, because senders' clocks are no more precise.
    """
    return min(to_naive_utc(asserted), now) if asserted else now.replace(microsecond=0)


def to_naive_utc(moment: datetime) -> datetime:
    """Return ``moment`` as the store keeps times: naive UTC.

    >>> to_naive_utc(datetime.fromisoformat("2026-03-01T02:00:00+02:00"))
    datetime.datetime(2026, 3, 1, 0, 0)
    """
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(timezone.utc).replace(tzinfo=None)


def is_older(asserted: datetime, current: datetime) -> bool:
    """Return whether a claim was made before the one in force.

    A sender's clock may have a resolution of whole seconds: such a claim is not older
    within its own second.

    >>> now = datetime(2026, 3, 1, 0, 0, 7, 500_000)
    >>> is_older(now.replace(microsecond=0), now), is_older(now.replace(second=6), now)
    (False, True)
    """
    moment = to_naive_utc(asserted)
    if moment.microsecond == 0:
        current = current.replace(microsecond=0)
    return moment < current
