"""The legacy chains: one for each address, in events of format 1.

The check and the migration read them; nothing writes them any more. Their bytes never
change, and a subject's event ``migrated`` ties their ends to its own chain.
"""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from .chain import bind_moment, bind_shared
from .records import EventRow

FORMAT = 1


def mac_old_event(keyring: OpenKeyring, event: EventRow) -> bytes:
    """Return the MAC of an event of format 1 in the chain of its address.

    The bytes are those of ``bind`` over all values in this order.
    """
    previous, mapping, uuid = event.previous_mac.hex(), event.address_uuid, event.uuid
    before, after = event.commitment_before.hex(), event.commitment_after.hex()
    manner = bind_shared(
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
        f"{bind_moment(event.happened_at)}{len(before)}:{before}"
        f"{len(after)}:{after}".encode(),
    )
