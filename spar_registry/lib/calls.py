"""The calls that the programme side makes to a mapper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext

_CALL = CallContext(
    actor="registry",
    channel="registry",
    authority=Authority.PROGRAMME,
    authenticated_by="registry",
)


def build_call(user_id: int, **changed: Any) -> CallContext:
    """Return the call of the programme side on behalf of one of its users.

    :param changed: other values than the usual ones

    >>> call = build_call(7, reason="Asked at the counter")
    >>> call.actor, call.authority.name, call.on_behalf_of, call.reason
    ('registry', 'PROGRAMME', 'user:7', 'Asked at the counter')
    """
    return replace(_CALL, on_behalf_of=f"user:{user_id}", **changed)
