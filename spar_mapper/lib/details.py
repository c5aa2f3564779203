"""The details that accompany an address, as one canonical text."""

from __future__ import annotations

import json

from odoo.addons.spar_mapper_connector.lib.contract import Details

_quote = json.encoder.encode_basestring
_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False
).encode


def pack_details(details: Details) -> str:
    """Return ``details`` as one text; empty if there are none.

    >>> pack_details(Details(name="Ada"))
    '["Ada","",[]]'
    """
    if not details:
        return ""
    if not details.additional_info:
        # The same text, without creating an encoder for it.
        return f"[{_quote(details.name)},{_quote(details.phone_number)},[]]"
    return _encode([details.name, details.phone_number, list(details.additional_info)])
