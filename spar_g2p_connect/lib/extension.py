"""Messages of another SPAR: how they are read, and what their answers may disclose."""

from __future__ import annotations

from dataclasses import dataclass, replace

from odoo.addons.spar_mapper.lib.secrets_in_text import extract_secrets, mentions
from odoo.addons.spar_mapper_connector.lib.contract import (
    DONE,
    Authority,
    CallContext,
    Operation,
    Outcome,
    Period,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import (
    MalformedMessage,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import Item
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import STRICT
from odoo.addons.spar_mapper_connector.lib.spar_wire.calls import RemoteCall
from odoo.addons.spar_mapper_connector.lib.spar_wire.messages import ExtensionMessage
from odoo.addons.spar_mapper_connector.lib.spar_wire.operations import (
    WireOperation,
    find_by_action,
)

from .caller import Caller
from .disclosure import Rights, disclose
from .exchange import Exchange
from .parts import BackendPart

#: What the history keeps of texts that other callers wrote: nothing is shown of them.
_HIDDEN = ""


@dataclass(frozen=True)
class ExtensionExchange(Exchange):
    """A message of another SPAR, from an authenticated sender."""

    @property
    def wire_operation(self) -> WireOperation:
        return find_by_action(self.action)

    @property
    def operation(self) -> Operation | None:
        """Return None: it is no operation of G2P Connect."""
        return None

    @property
    def _changes(self) -> bool:
        return self.wire_operation.is_change

    @property
    def wires(self) -> list[object]:
        wires = self._message.get("requests")
        return wires if isinstance(wires, list) else []


@dataclass(frozen=True)
class ExtensionBatch:
    """The items of a message of another SPAR: all are answered here."""

    exchange: ExtensionExchange
    message: ExtensionMessage
    elsewhere: tuple[BackendPart, ...] = ()


def speak_strictly(caller: Caller) -> Caller:
    """Return ``caller`` without what its profile relaxes in the syntax of messages.

    Whether its addresses are checked is no syntax: that stays as it is.
    """
    checks = caller.profile.checks_addresses
    return replace(caller, profile=replace(STRICT, checks_addresses=checks))


def build_call(exchange: Exchange, remote: RemoteCall) -> CallContext:
    """Return the context in which the mapper is called for another SPAR.

    What it says about itself never gives it more than its record: its authority is at
    most the participant's, and however it authenticated a person counts for nothing
    here. Its own checks apply as well as ours.
    """
    call = exchange.caller.build_call(exchange.header)
    return replace(
        call,
        authority=Authority(min(call.authority, remote.authority)),
        on_behalf_of=remote.reference,
        reason=remote.reason,
        checks_addresses=call.checks_addresses or remote.checks_addresses,
        checks_cards=remote.checks_cards,
    )


# === REFUSALS === #


def check_reason(message: ExtensionMessage) -> None:
    """Raise MalformedMessage for a reason that mentions an ID or address of an item.

    The history keeps reasons in clear.

    >>> from odoo.addons.spar_mapper_connector.lib.contract import UnlinkRequest
    >>> from odoo.addons.spar_mapper_connector.lib.spar_wire.messages import RequestItem
    >>> item = RequestItem("0", UnlinkRequest("token:2007816053@nationalId"))
    >>> check_reason(ExtensionMessage("t", RemoteCall(reason="Moved"), (item,)))
    >>> call = RemoteCall(reason="lost card 2007-816-053")
    >>> check_reason(ExtensionMessage("t", call, (item,)))
    Traceback (most recent call last):
    ...
    odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions.MalformedMessage: \
message.call.reason: mentions an ID or address
    """
    reason = message.call.reason
    if not reason:
        return
    texts = [
        getattr(each.request, name, None)
        for each in message.items
        for name in ("id_value", "fa")
    ]
    if mentions(reason, extract_secrets(*texts)):
        raise MalformedMessage("mentions an ID or address", "message.call.reason")


#: The member that cannot be read -> the outcome of its item.
_UNREADABLE = {"id": Outcome.INVALID_ID, "fa": Outcome.INVALID_FA}


def refuse_unreadable(member: str) -> Result:
    """Return the result of an item with a member that cannot be read.

    >>> refuse_unreadable("id").outcome.name, refuse_unreadable("details.name").problem
    ('INVALID_ID', 'details.name')
    """
    if member in _UNREADABLE:
        return Result(_UNREADABLE[member], problem="unread")
    return Result(Outcome.FORBIDDEN, problem=member)


# === DISCLOSURE === #


def disclose_result(rights: Rights, item: Item, result: Result) -> Result:
    """Return ``result``, reduced to what may be disclosed; see ``disclose``.

    The version is that of the address in force: a caller that may not see details
    learns it of its own changes alone.

    >>> item = Item(Operation.UPDATE, id_value="token:1@id", fa="account:1@bank")
    >>> held = Result(Outcome.HELD, "token:1@id", "account:1@bank", version=3)
    >>> disclosed = disclose_result(Rights(), item, held)
    >>> disclosed.fa, disclosed.version, disclosed.outcome.name
    (None, None, 'HELD')
    """
    version, is_change = result.version, item.operation is not Operation.RESOLVE
    shown = disclose(rights, item, result)
    if is_change:
        shown = replace(shown, fa=None, provider=None, id_value=None)
    if not (rights.sees_details or shown.is_origin):
        shown = replace(shown, same_fa=None)
    is_own = is_change and shown.outcome in DONE
    knows = is_own or (rights.sees_details and shown.outcome is not Outcome.FORBIDDEN)
    return replace(shown, version=version if knows else None)


def disclose_periods(sender_id: str, periods: list[Period]) -> tuple[Period, ...]:
    """Return ``periods`` without what people or other callers wrote as reasons.

    Who acted is shown, as the opaque reference that the history keeps.
    """
    own = f"participant:{sender_id}"

    def show(period: Period) -> Period:
        events = tuple(
            event
            if event.actor == own
            else replace(event, reason=_HIDDEN, message_reference=_HIDDEN)
            for event in period.events
        )
        return replace(period, events=events)

    return tuple(map(show, periods))
