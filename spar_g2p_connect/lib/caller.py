"""The caller: what a participant's record says at the moment of the call."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    Operation,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import RequestHeader
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import (
    UNNAMED_SENDERS,
    Profile,
)

from ..exceptions import ForeignReceiver, ForeignSender, OperationNotGranted
from . import proofs
from .disclosure import Rights
from .proofs import RequestEvidence

CHANNEL = "rest"

#: How the history records that a participant was authenticated, by its proof.
_AUTHENTICATED_BY = {
    proofs.TOKEN: "bearer",
    proofs.TOKEN_AS_BEFORE: "bearer",
    proofs.SIGNATURE: "signature",
    proofs.BOTH: "bearer+signature",
}


@dataclass(frozen=True, kw_only=True)
class CallerSettings:
    """What a participant's record says about its calls; a limit of 0 means no limit."""

    participant_id: int
    sender_id: str
    #: what the record grants; a call may be limited further
    rights: Rights
    authority: Authority
    profile: Profile
    max_items: int
    daily_limit: int
    calls_per_minute: int
    items_per_minute: int
    #: the providers it may link to; None for all
    provider_ids: frozenset[int] | None
    #: the types of ID that it may name; None for all
    id_type_ids: frozenset[int] | None
    #: the strategy in which addresses are written for it; 0 to write them as stored
    strategy_number: int
    callback: str
    #: the name by which it has to address us; "" where that is not checked
    receiver_id: str
    #: how it proves who it is, and whether it works only in a demo
    proof: str
    demo_only: bool
    #: the networks from which it calls; "" for any
    origin_networks: str
    #: where signatures stand ("" for nowhere), and the algorithm of ours
    signature_place: str
    answer_algorithm: str


@dataclass(frozen=True, kw_only=True)
class Caller(CallerSettings):
    """A participant that was authenticated, and what it may do in this call."""

    #: how it is authenticated once everything is proved
    authenticated_by: str
    needs_signature: bool
    needs_origin: bool
    #: whether a message that changes something is processed only once, whatever the
    #: profile says: an intercepted message then has no effect when it is replayed
    must_not_repeat: bool
    #: what came with the request to prove who sent it
    evidence: RequestEvidence = RequestEvidence()
    #: its message, where it had to be read to authenticate the caller
    document: object = field(default=None, repr=False, compare=False)

    def limit(
        self,
        operations: frozenset[Operation],
        extension: frozenset[Capability] = frozenset(),
    ) -> Caller:
        """Return this caller, limited to ``operations`` and ``extension``."""
        return replace(self, rights=self.rights.limit(operations, extension))

    def check_operation(self, operation: Operation) -> None:
        """Raise OperationNotGranted unless this caller may call ``operation``."""
        if operation not in self.rights.operations:
            raise OperationNotGranted()

    def check_capability(self, capability: Capability) -> None:
        """Raise OperationNotGranted unless another SPAR may ask for ``capability``."""
        if capability not in self.rights.get_capabilities():
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
            passed=header.passed,
        )


def build_caller(settings: CallerSettings) -> Caller:
    """Return the caller with these ``settings``.

    This is where the proof limits what a participant may do: one that does not sign
    calls from listed networks and only resolves. Demo participants are exempt; they
    work nowhere else.
    """
    signs = settings.proof not in proofs.UNSIGNED
    needs_origin = settings.proof == proofs.TOKEN and not settings.demo_only
    called_before = settings.proof == proofs.TOKEN_AS_BEFORE
    rights = settings.rights
    if needs_origin:
        rights = rights.limit(frozenset({Operation.RESOLVE}))
    values: dict[str, Any] = {
        each.name: getattr(settings, each.name) for each in fields(CallerSettings)
    }
    return Caller(
        **values
        | {
            "rights": rights,
            "signature_place": settings.signature_place if signs else "",
        },
        authenticated_by=_AUTHENTICATED_BY[settings.proof],
        needs_signature=signs,
        needs_origin=needs_origin,
        must_not_repeat=not (settings.demo_only or called_before),
    )
