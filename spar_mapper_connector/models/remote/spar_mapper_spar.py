import time
from dataclasses import replace
from datetime import datetime

from odoo import api, models

from ...exceptions import (
    OwnerLoginRefused,
    RemoteMapperError,
)
from ...lib.confirmation import ChangeProposal, Confirmation, ConfirmationPage
from ...lib.contract import (
    Authority,
    CallContext,
    Capability,
    ChangeLock,
    ChangeStatus,
    LockRequest,
    MaskedFa,
    NoticeInfo,
    ObjectionAnswer,
    ObjectionRequest,
    Outcome,
    Period,
    ResolveRequest,
    Result,
    Standing,
    WaitingChange,
    in_force_at,
)
from ...lib.g2p_connect.parties import Parties
from ...lib.passing import add_mark
from ...lib.remote.exchange import HttpExchange
from ...lib.remote.spar import RemoteSpar
from ...lib.spar_wire.records import (
    Abilities,
    ConfirmationReference,
    IdRequest,
    MomentRequest,
    NoticeToken,
    OwnAddress,
    OwnRequest,
)
from .spar_mapper_g2p_connect import OFFICER

AUDITOR = "spar_fa_directory.group_auditor"

#: How long what another SPAR can do is not asked again, in seconds: after an answer,
#: and while there is none.
LIFETIME, PAUSE = 300, 20

#: What a portal can offer by reading the address of somebody who has logged in there.
_OF_OWN_ADDRESS = frozenset(
    {
        Capability.RESOLVE,
        Capability.HISTORY,
        Capability.WAITING_CHANGES,
    }
)

#: (database, backend and what of it decides about the answer) -> (until, abilities)
_KNOWN: dict[tuple, tuple[float, Abilities]] = {}
_MAX_KNOWN = 100


class SparMapperSpar(models.AbstractModel):
    """Another SPAR, with what G2P Connect has no words for.

    What it can do is what it says that we may ask; its answer is kept for some minutes.
    Our users have at most the authority that it granted to this registry, and are
    opaque references to it.
    """

    _name = "spar.mapper.spar"
    _description = "Another SPAR"
    _inherit = ["spar.mapper.g2p_connect"]

    def _capabilities(self):
        able = self._get_abilities().capabilities
        if Capability.OWN_ADDRESS in able:
            able |= _OF_OWN_ADDRESS
        else:
            # Whose lock it is takes the person's own login, too.
            able -= {Capability.CHANGE_LOCK}
        return able | super()._capabilities() & {Capability.TRANSACTION_STATUS}

    # === CHANGES AND RESOLVING === #

    def _link_fa(self, call, requests):
        return self._request(call, "link", requests)

    def _update_fa(self, call, requests):
        return self._request(call, "update", requests)

    def _unlink_fa(self, call, requests):
        return self._request(call, "unlink", requests)

    def _resolve_fa(self, call, requests):
        if self._reads_own():
            self._check_channel(OFFICER)
            return [self._resolve_own(call, request) for request in requests]
        return self._request(call, "resolve", requests)

    def _suspend_fa(self, call, requests):
        return self._request(call, "suspend", requests)

    def _resume_fa(self, call, requests):
        return self._request(call, "resume", requests)

    def _request(self, call: CallContext, name: str, requests: list) -> list:
        self._check_channel(OFFICER)
        return self._open_spar(call).request(name, requests) if requests else []

    # === PORTALS === #

    def _reads_own(self) -> bool:
        """Return whether we are a portal: reading takes the person's own login."""
        return Capability.OWN_ADDRESS in self._get_abilities().capabilities

    def _resolve_own(self, call: CallContext, request: ResolveRequest) -> Result:
        """Return the masked address of the person whose login the call has."""
        if request.id_value is None or request.fa is not None or call.login is None:
            return Result(
                Outcome.FORBIDDEN, request.id_value, problem=OwnerLoginRefused.code
            )
        found = self._read_own(call, request.id_value, request.purpose).result
        fa = found.fa and MaskedFa(found.fa)
        return replace(found, id_value=request.id_value, fa=fa)

    def _read_own(
        self, call: CallContext, id_value: str, purpose: str = ""
    ) -> OwnAddress:
        """Return a person's own address; raises OwnerLoginRefused.

        Or one of its kinds: OwnerLoginExpired, VisitNeeded.
        """
        request = self._build_own_request(call, id_value, purpose)
        found: OwnAddress = self._ask_one(call, "own-address", request)
        return found

    @api.model
    def _build_own_request(
        self, call: CallContext, id_value: str, purpose: str = ""
    ) -> OwnRequest:
        """Return a request with the person's login; raises OwnerLoginRefused."""
        if call.login is None:
            raise OwnerLoginRefused("the call has no login")
        login = call.login
        return OwnRequest(
            id_value,
            login.issuer,
            login.id_token,
            login.userinfo,
            purpose,
            login.visit,
        )

    # === THE OWNER'S LOCK === #

    def _get_change_lock(self, call: CallContext, id_value: str) -> ChangeLock:
        self._check_channel(OFFICER)
        self._check_capability(Capability.OWN_ADDRESS)
        return self._read_own(call, id_value).lock

    def _lock_changes(
        self, call: CallContext, requests: list[LockRequest]
    ) -> list[Result]:
        """Lock changes; the other side asks for the person's own login."""
        self._check_channel(OFFICER)
        self._check_capability(Capability.CHANGE_LOCK)
        return [self._lock_own(call, each) for each in requests]

    def _lock_own(self, call: CallContext, request: LockRequest) -> Result:
        own = self._build_own_request(call, request.id_value, request.purpose)
        found = self._ask_one(call, "lock", own)
        return replace(found, id_value=request.id_value)

    # === STANDING, CHANGES THAT WAIT === #

    def _standing(
        self, call: CallContext, ids: list[str], purpose: str = ""
    ) -> list[Standing]:
        """Implement the contract; without that right it follows from resolving."""
        self._check_channel(OFFICER)
        if Capability.STANDING not in self._capabilities():
            return super()._standing(call, ids, purpose)
        return self._open_spar(call).get_standings(ids, purpose) if ids else []

    def _change_status(
        self, call: CallContext, references: list[str]
    ) -> list[ChangeStatus]:
        self._check_channel(OFFICER)
        return self._open_spar(call).get_change_states(references)

    # === THE PAST === #

    def _history(self, call: CallContext, id_value: str) -> list[Period]:
        self._check_channel(AUDITOR)
        if self._reads_own():
            periods = self._read_own(call, id_value).periods
            return [replace(each, fa=MaskedFa(each.fa)) for each in periods]
        self._check_capability(Capability.HISTORY)
        return list(self._ask_one(call, "history", IdRequest(id_value)).periods)

    def _address_at(
        self, call: CallContext, id_value: str, moment: datetime, purpose: str = ""
    ) -> Period | None:
        if self._reads_own():
            return in_force_at(self._history(call, id_value), moment, purpose)
        self._check_channel(AUDITOR)
        self._check_capability(Capability.HISTORY)
        asked = MomentRequest(id_value, moment, purpose)
        return self._ask_one(call, "address-at", asked).period

    def _waiting_changes(self, call: CallContext, id_value: str) -> list[WaitingChange]:
        self._check_channel(AUDITOR)
        if self._reads_own():
            changes = self._read_own(call, id_value).changes
            return [replace(each, fa=MaskedFa(each.fa)) for each in changes]
        self._check_capability(Capability.WAITING_CHANGES)
        found = self._ask_one(call, "waiting-changes", IdRequest(id_value))
        return list(found.changes)

    # === OBJECTION === #

    def _object_to(
        self, call: CallContext, request: ObjectionRequest
    ) -> ObjectionAnswer:
        self._check_channel(OFFICER)
        self._check_capability(Capability.OBJECTION)
        return self._ask_one(call, "object", request)

    def _read_notice(self, token: str) -> NoticeInfo:
        self._check_channel(OFFICER)
        self._check_capability(Capability.OBJECTION)
        return self._ask_one(self._build_own_call(), "notice", NoticeToken(token))

    def _object_to_notice(self, call: CallContext, token: str) -> ObjectionAnswer:
        self._check_channel(OFFICER)
        self._check_capability(Capability.OBJECTION)
        return self._ask_one(call, "object-to-notice", NoticeToken(token))

    # === CONFIRMATION === #

    def _propose(self, call: CallContext, proposal: ChangeProposal) -> ConfirmationPage:
        self._check_channel(OFFICER)
        self._check_capability(Capability.CONFIRMATION)
        return self._ask_one(call, "propose", proposal)

    def _get_confirmation(self, call: CallContext, reference: str) -> Confirmation:
        self._check_channel(OFFICER)
        self._check_capability(Capability.CONFIRMATION)
        return self._ask_one(call, "confirmation", ConfirmationReference(reference))

    def _end_visit(self, call: CallContext, reference: str) -> None:
        self._check_channel(OFFICER)
        self._check_capability(Capability.VISIT)
        self._ask_one(call, "end-visit", ConfirmationReference(reference))

    # === WHAT THE OTHER SIDE CAN DO === #

    def _get_abilities(self) -> Abilities:
        """Return what we may ask, as the other side said within the last minutes.

        While it does not answer, what it said before still holds. Raises
        RemoteMapperError where it never did.
        """
        key = self._get_abilities_key()
        until, known = _KNOWN.get(key, (0.0, None))
        if known and time.monotonic() < until:
            return known
        try:
            return self._fetch_abilities(self._open_exchange())
        except RemoteMapperError:
            if known is None:
                raise
            _KNOWN[key] = time.monotonic() + PAUSE, known
            return known

    def _fetch_abilities(self, exchange: HttpExchange) -> Abilities:
        """Ask what we may ask, and keep the answer; raises RemoteMapperError."""
        call = self._build_own_call()
        found = self._open_spar(call, exchange, most=1).get_abilities()
        if len(_KNOWN) >= _MAX_KNOWN:
            _KNOWN.clear()
        _KNOWN[self._get_abilities_key()] = time.monotonic() + LIFETIME, found
        return found

    def _try_exchange(self, exchange: HttpExchange) -> None:
        """Ask what we may ask: that takes every proof and the right of a SPAR."""
        self._fetch_abilities(exchange)

    def _get_abilities_key(self) -> tuple:
        backend_sudo = self._get_backend().sudo()
        names = ("url", "sender_id", "receiver_id", "authentication", "client_id")
        settings = (backend_sudo[name] or "" for name in names)
        return (self.env.cr.dbname, backend_sudo.id, *settings)

    # === CALLS === #

    def _ask_one(self, call: CallContext, name: str, request):
        return self._open_spar(call).ask_one(name, request)

    def _open_spar(
        self, call: CallContext, exchange: HttpExchange | None = None, most: int = 0
    ) -> RemoteSpar:
        """Return the client of this mapper, for one call.

        :param most: how many items a message may have; by default what the other side
            says
        """
        backend_sudo = self._get_backend().sudo()
        mark = backend_sudo._get_own_mark()
        most = most or self._get_abilities().max_items
        exchange = exchange or self._open_exchange()
        return RemoteSpar(
            parties=Parties(
                backend_sudo.sender_id or "",
                backend_sudo.receiver_id or "",
                passed=add_mark(call.passed, mark),
            ),
            call=call,
            send=exchange.post,
            chunk_size=max(1, min(backend_sudo.chunk_size, most)),
            timeout=float(backend_sudo.timeout),
        )

    @api.model
    def _build_own_call(self) -> CallContext:
        """Return the call of this registry itself."""
        return CallContext("mapper", "mapper", Authority.INSTITUTION)
