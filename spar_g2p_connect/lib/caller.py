"""The caller: what a participant's record says at the moment of the call."""

from __future__ import annotations

from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Operation,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import RequestHeader
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import (
    UNNAMED_SENDERS,
    Profile,
)

from ..exceptions import ForeignReceiver, ForeignSender, OperationNotGranted
from .disclosure import Rights
from .evidence import Evidence

CHANNEL = "rest"


@dataclass(frozen=True)
class Caller:
    """A participant whose token was accepted; a limit of 0 means no limit.

    ``provider_ids`` are the providers it may link to, None for all; ``receiver_id`` is
    the name by which it has to address us, "" where that is not checked;
    ``strategy_number`` is the strategy in which addresses are written for it, 0 to
    write them as stored.
    """

    participant_id: int
    sender_id: str
    rights: Rights
    authority: Authority
    profile: Profile
    max_items: int
    daily_limit: int
    calls_per_minute: int = 0
    items_per_minute: int = 0
    provider_ids: frozenset[int] | None = None
    callback: str = ""
    receiver_id: str = ""
    strategy_number: int = 0
    #: the types of ID that it may name; None for all
    id_type_ids: frozenset[int] | None = None
    #: how it is authenticated once everything is proved, and what came with the request
    authenticated_by: str = "bearer"
    evidence: Evidence = Evidence()
    needs_signature: bool = False
    needs_origin: bool = False
    #: whether a message that changes something is done once, whatever the profile says
    must_not_repeat: bool = True
    origin_networks: str = ""
    #: where our signatures stand ("" for nowhere), and their algorithm
    signature_place: str = ""
    answer_algorithm: str = ""
    #: its message, where it had to be read to authenticate the caller
    document: object = field(default=None, repr=False, compare=False)

    def check_operation(self, operation: Operation) -> None:
        """Raise OperationNotGranted unless this caller may call ``operation``."""
        if operation not in self.rights.operations:
            raise OperationNotGranted()

    def check_sender(self, header: RequestHeader) -> None:
        """Raise ForeignSender when ``header`` names another sender.

        A header that names no sender is accepted only where the profile allows it.
        """
        if header.sender_id == self.sender_id:
            return
        if self.profile.names_sender or header.sender_id not in UNNAMED_SENDERS:
            raise ForeignSender()

    def check_receiver(self, header: RequestHeader) -> None:
        """Raise ForeignReceiver when ``header`` is addressed to another receiver."""
        if self.profile.checks_parties and self.receiver_id:
            if header.receiver_id not in ("", self.receiver_id):
                raise ForeignReceiver()

    def build_call(self, header: RequestHeader) -> CallContext:
        """Return the context in which the mapper is called for this message."""
        return CallContext(
            actor=f"participant:{self.sender_id}",
            channel=CHANNEL,
            authority=self.authority,
            authenticated_by=self.authenticated_by,
            message_reference=header.message_id,
            provider_ids=self.provider_ids,
            id_type_ids=self.id_type_ids,
            checks_addresses=self.profile.checks_addresses,
            checks_cards=False,
        )
