"""Who calls: what a participant's record says at the moment of the call."""

from __future__ import annotations

from dataclasses import dataclass

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Operation,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import RequestHeader
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import Profile

from ..exceptions import ForeignSender, OperationNotGranted
from .disclosure import Rights

CHANNEL = "rest"


@dataclass(frozen=True)
class Caller:
    """A participant whose token was accepted; ``daily_limit`` 0 is no limit."""

    participant_id: int
    sender_id: str
    rights: Rights
    authority: Authority
    profile: Profile
    max_items: int
    daily_limit: int

    def check_operation(self, operation: Operation) -> None:
        """Raise OperationNotGranted unless this caller may call ``operation``."""
        if operation not in self.rights.operations:
            raise OperationNotGranted()

    def check_sender(self, header: RequestHeader) -> None:
        """Raise ForeignSender when ``header`` speaks for somebody else.

        The codec has refused an empty sender where the profile does not allow it.
        """
        if header.sender_id and header.sender_id != self.sender_id:
            raise ForeignSender()

    def build_call(self, header: RequestHeader) -> CallContext:
        """The context in which the mapper is asked for this message."""
        return CallContext(
            actor=f"participant:{self.sender_id}",
            channel=CHANNEL,
            authority=self.authority,
            authenticated_by="bearer",
            message_reference=header.message_id,
            checks_addresses=self.profile.checks_addresses,
        )
