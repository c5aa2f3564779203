"""Who calls: what a participant's record says at the moment of the call."""

from __future__ import annotations

from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Operation,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import RequestHeader
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import NOBODY, Profile

from ..exceptions import ForeignReceiver, ForeignSender, OperationNotGranted
from .disclosure import Rights
from .evidence import Evidence

CHANNEL = "rest"


@dataclass(frozen=True)
class Caller:
    """A participant whose token was accepted; a limit of 0 is no limit.

    ``provider_ids`` are the providers it may link to, None for all; ``receiver_id`` is
    what it has to call us, "" where that is not looked at; ``strategy_number`` is the
    one in which addresses are written to it, 0 for as they are stored.
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
    #: how it is known once everything is proved, and what came with the request
    authenticated_by: str = "bearer"
    evidence: Evidence = Evidence()
    needs_signature: bool = False
    needs_origin: bool = False
    #: whether a message that changes something is done once, whatever the profile says
    must_not_repeat: bool = True
    origin_networks: str = ""
    #: where our signatures stand, "" for nowhere, and of which kind they are
    signature_place: str = ""
    answer_algorithm: str = ""
    #: its message, where reading it was needed to know it
    document: object = field(default=None, repr=False, compare=False)

    def check_operation(self, operation: Operation) -> None:
        """Raise OperationNotGranted unless this caller may call ``operation``."""
        if operation not in self.rights.operations:
            raise OperationNotGranted()

    def check_sender(self, header: RequestHeader) -> None:
        """Raise ForeignSender when ``header`` speaks for somebody else, or for nobody
        where the profile does not allow it."""
        if header.sender_id == self.sender_id:
            return
        if self.profile.names_sender or header.sender_id not in NOBODY:
            raise ForeignSender()

    def check_receiver(self, header: RequestHeader) -> None:
        """Raise ForeignReceiver when ``header`` is addressed to somebody else."""
        if self.profile.checks_parties and self.receiver_id:
            if header.receiver_id not in ("", self.receiver_id):
                raise ForeignReceiver()

    def build_call(self, header: RequestHeader) -> CallContext:
        """The context in which the mapper is asked for this message."""
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
