"""History that proves itself: commitments to what was, and a chain of MACs over events.

A commitment tells nothing about an ID or an address without the audit key, but with it
anybody can check that the row in the table is the one the event spoke of. Each event's
MAC covers the MAC of the event before it, so that none can be changed, inserted or cut.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from .records import EventRow, MappingRow


def commit_to(keyring: OpenKeyring, canonical: str, row: MappingRow) -> bytes:
    """Return the keyed commitment to all that ``row`` says about ``canonical``.

    The bytes are those of ``bind`` over all values in this order. What many rows have
    in common is bound once for all of them.
    """
    uuid, fa, details = row.uuid, row.fa, row.packed_details
    manner = _bind_shared(
        row.purpose,
        row.rank,
        row.state,
        row.version,
        row.authority,
        row.channel,
        row.origin,
        row.proof,
    )
    place = _bind_shared(
        row.strategy_number or 0,
        row.fa_type_id or 0,
        row.provider_id or 0,
        row.branch_id or 0,
    )
    return keyring.mac(
        "commitment",
        f"{len(canonical)}:{canonical}{len(uuid)}:{uuid}{len(fa)}:{fa}"
        f"{len(details)}:{details}{manner}{_bind_moment(row.valid_from)}"
        f"{_bind_moment(row.valid_to)}{_bind_moment(row.asserted_at)}{place}".encode(),
    )


def mac_event(keyring: OpenKeyring, event: EventRow) -> bytes:
    """Return the link of the chain: a MAC over the event and the MAC before it.

    The bytes are those of ``bind`` over all values in this order.
    """
    previous, mapping, uuid = event.previous_mac.hex(), event.mapping.uuid, event.uuid
    before, after = event.commitment_before.hex(), event.commitment_after.hex()
    manner = _bind_shared(
        event.seq,
        event.kind,
        event.actor,
        event.on_behalf_of,
        event.channel,
        event.authenticated_by,
        event.message_reference,
        event.reason,
    )
    return keyring.mac(
        "event",
        f"{len(previous)}:{previous}{len(mapping)}:{mapping}{len(uuid)}:{uuid}{manner}"
        f"{_bind_moment(event.happened_at)}{len(before)}:{before}"
        f"{len(after)}:{after}".encode(),
    )


@lru_cache(maxsize=1024)
def _bind_shared(*values: str | int) -> str:
    """``bind`` of values that the rows of a batch have in common."""
    return bind(*values).decode()


@lru_cache(maxsize=1024)
def _bind_moment(moment: datetime | None) -> str:
    return bind(moment.isoformat(timespec="microseconds") if moment else "").decode()
