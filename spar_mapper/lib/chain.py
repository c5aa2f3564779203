"""History that proves itself: commitments to what was, and a chain of MACs over events.

A commitment tells nothing about an ID or an address without the audit key, but with it
anybody can check that the row in the table is the one the event spoke of. Each event's
MAC covers the MAC of the event before it, so that none can be changed, inserted or cut.
"""

from __future__ import annotations

import json
from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.contract import Details
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from .records import EventRow, MappingRow

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False
).encode


def commit_to(keyring: OpenKeyring, canonical: str, row: MappingRow) -> bytes:
    """The keyed commitment to all that ``row`` says about the ID ``canonical``."""
    return keyring.mac(
        "commitment",
        bind(
            canonical,
            row.uuid,
            row.fa,
            pack_details(row.details),
            row.purpose,
            row.rank,
            row.state,
            row.version,
            row.authority,
            row.channel,
            row.origin,
            row.proof,
            _moment(row.valid_from),
            _moment(row.valid_to),
            _moment(row.asserted_at),
            row.strategy_number or 0,
            row.fa_type_id or 0,
            row.provider_id or 0,
            row.branch_id or 0,
        ),
    )


def mac_event(keyring: OpenKeyring, event: EventRow) -> bytes:
    """The link of the chain: a MAC over the event and the MAC before it."""
    return keyring.mac(
        "event",
        bind(
            event.previous_mac.hex(),
            event.mapping.uuid,
            event.uuid,
            event.seq,
            event.kind,
            event.actor,
            event.on_behalf_of,
            event.channel,
            event.authenticated_by,
            event.message_reference,
            event.reason,
            _moment(event.happened_at),
            event.commitment_before.hex(),
            event.commitment_after.hex(),
        ),
    )


def pack_details(details: Details) -> str:
    """``details`` as one canonical text; empty when there are none."""
    if not details:
        return ""
    return _encode([details.name, details.phone_number, list(details.additional_info)])


def _moment(moment: datetime | None) -> str:
    return moment.isoformat(timespec="microseconds") if moment else ""
