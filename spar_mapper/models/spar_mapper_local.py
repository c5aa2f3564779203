import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from itertools import repeat

from odoo import api, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import SQL
from odoo.tools.gc import disabling_gc

from odoo.addons.spar_fa_directory.lib.fa_form import CanonicalAddress, find_own_id
from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    NoSuchEvent,
    NoSuchNotice,
    NotPermitted,
    SealBroken,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    LinkRequest,
    NoticeInfo,
    ObjectionAnswer,
    ObjectionRequest,
    Operation,
    Outcome,
    Period,
    ResolveRequest,
    Result,
    WaitingChange,
)
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck, Identifier
from odoo.addons.spar_mapper_connector.lib.identifier import (
    StoredIdentifier,
    check_characters,
)
from odoo.addons.spar_mapper_connector.transactions import (
    STOPPED,
    use_read_committed,
)

from ..exceptions import ContestedId, IdMoved
from ..lib.assessment import Assess, Proposal, Verdict, assess
from ..lib.operations import refuse_foreign
from ..lib.records import ID_FORM
from ..store.changing import Asked, Read, change
from ..store.deciding import Decider
from ..store.history import Historian, build_answer
from ..store.objecting import Objector
from ..store.resolving import Resolver
from ..store.showing import Shown, record_look, show_heads, show_periods
from ..store.work import Work

_logger = logging.getLogger(__name__)

CHANNEL = "spar_mapper_connector.group_channel"
OFFICER = "spar_fa_directory.group_officer"
AUDITOR = "spar_fa_directory.group_auditor"

MAX_FA_LENGTH = 1000
#: Setting: how long after it an address can be brought back by its owner's word alone.
DAYS_PARAMETER, DEFAULT_DAYS = "spar_mapper.objection_days", 30

_SYSTEM = CallContext("system", "schedule", Authority.STAFF)

#: An ID, why a text is none, or None where there is no text.
Identified = Identifier | InvalidIdentifier | None


class SparMapperLocal(models.AbstractModel):
    """The store of this database: the one way in.

    Here it is decided who may ask and what a request says; what is done stands in
    ``store/``, where every piece of work takes the call first: nothing is opened,
    signed or changed without one. A batch costs a constant number of statements.
    """

    _name = "spar.mapper.local"
    _description = "The store of this database"
    _inherit = ["spar.mapper"]

    def _capabilities(self):
        return frozenset(Capability) - {Capability.TRANSACTION_STATUS}

    # === CHANGING === #

    def _link_fa(self, call, requests):
        return self._change(call, Operation.LINK, requests)

    def _update_fa(self, call, requests):
        return self._change(call, Operation.UPDATE, requests)

    def _unlink_fa(self, call, requests):
        return self._change(call, Operation.UNLINK, requests)

    def _suspend_fa(self, call, requests):
        return self._change(call, Operation.SUSPEND, requests)

    def _resume_fa(self, call, requests):
        return self._change(call, Operation.RESUME, requests)

    @api.model
    def _change(
        self, call: CallContext, code: Operation, requests: list
    ) -> list[Result]:
        """Do ``code`` for each request; results in the same order."""
        self._check_channel(OFFICER)
        work = self._begin_work(call)
        # A batch allocates many objects but no cycles: a full collection in the middle
        # of it would only scan all of Odoo's.
        with disabling_gc():
            addresses = self._read_addresses(call, requests)
            read = self._read_requests(call, requests, addresses)
            assess_once = self._build_assess()
            with _asking_again():
                results = change(work, code, requests, read, addresses, assess_once)
            self._finish_work(work)
        return results

    @api.model
    def _build_assess(self) -> Assess:
        """``_assess`` for one batch: each kind of proposal is looked at once."""
        verdicts: dict[Proposal, Verdict] = {}

        def assess_once(proposal: Proposal) -> Verdict:
            verdict = verdicts.get(proposal)
            if verdict is None:
                verdict = verdicts[proposal] = self._assess(proposal)
            return verdict

        return assess_once

    @api.model
    def _assess(self, proposal: Proposal) -> Verdict:
        """Whether a proposed change is applied, held, looked at or refused."""
        return assess(self.env["spar.change.rule"]._get_rules(), proposal)

    # === CHANGES THAT WAIT === #

    @api.model
    def _approve_change(self, call: CallContext, change_id: int) -> Result:
        """Let a change happen, as a second person; see ``Decider.approve``."""
        work = self._begin_work(call)
        try:
            return self._build_decider(work).approve(change_id)
        finally:
            self._finish_work(work)

    @api.model
    def _end_change(self, call: CallContext, change_id: int, end: str) -> None:
        """End a change without doing it; see ``Decider.drop``."""
        work = self._begin_work(call)
        try:
            self._build_decider(work).drop(change_id, end)
        finally:
            self._finish_work(work)

    @api.model
    def _cron_decide_due(self) -> None:
        """Apply what was held long enough, expire what nobody approved in time.

        Each change in a transaction of its own: what stops one does not stop the
        others, and no two IDs are locked at once, which could deadlock with a batch.
        """
        due = self._build_decider(self._begin_work(_SYSTEM)).search_due()
        for left, change_id in zip(reversed(range(len(due))), due, strict=True):
            use_read_committed(self.env.cr)
            self._try_to_decide_due(change_id)
            if not self.env["ir.cron"]._commit_progress(1, remaining=left):
                return

    @api.model
    def _try_to_decide_due(self, change_id: int) -> None:
        """Decide a change; one of an ID that somebody else has locked stays due."""
        try:
            with self.env.cr.savepoint():
                self._decide_due(change_id)
        except STOPPED as error:
            _logger.info("change %s stays due: %s", change_id, type(error).__name__)

    @api.model
    def _decide_due(self, change_id: int) -> None:
        work = self._begin_work(_SYSTEM)
        self._build_decider(work).decide_due(change_id)
        self._finish_work(work)

    @api.model
    def _build_decider(self, work: Work) -> Decider:
        return Decider(work, self._assess, self._read_address)

    @api.model
    def _read_address(self, call: CallContext, request) -> Asked | None:
        """What the directory makes of the address of one request, if it has one."""
        return self._read_addresses(call, [request]).get(request.fa)

    # === RESOLVING === #

    @api.model
    def _resolve_fa(
        self, call: CallContext, requests: list[ResolveRequest]
    ) -> list[Result]:
        """See the contract; at most four statements, however many requests."""
        self._check_channel(OFFICER)
        keyring = self.env["spar.keyring"]._open()
        found = self._identify([asked.id_value for asked in requests])
        identifiers = [one for one in found if isinstance(one, Identifier)]
        stored = {one.canonical for one in identifiers if one.is_stored}
        identified = [
            one.canonical if isinstance(one, Identifier) else one for one in found
        ]
        self.env["spar.fsp"].flush_model(["name", "code", "closed_on"])
        self.env["spar.fsp.branch"].flush_model(["code", "closed_on"])
        resolver = Resolver(
            call, self.env.cr, keyring, self._get_address_problem, self._build_keys
        )
        with disabling_gc(), _asking_again():
            results = resolver.resolve(requests, identified, stored)
        self.env["spar.alarm"]._raise_alarms(resolver.problems)
        return results

    # === HISTORY === #

    @api.model
    def _history(self, call: CallContext, id_value: str) -> list[Period]:
        """Every address that was ever in force, newest first; times are naive UTC.

        One that does not open is left out and raises an alarm. An ID that is not known,
        or is none, has no history.
        """
        self._check_channel(AUDITOR)
        work = self._begin_work(call, for_write=False)
        canonical = self._get_canonical(id_value)
        periods = Historian(work).read_periods(canonical) if canonical else []
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return periods

    @api.model
    def _waiting_changes(self, call: CallContext, id_value: str) -> list[WaitingChange]:
        """See the contract; raises SealBroken where one was tampered with."""
        self._check_channel(AUDITOR)
        work = self._begin_work(call, for_write=False)
        canonical = self._get_canonical(id_value)
        return Historian(work).read_waiting(canonical) if canonical else []

    @api.model
    def _get_canonical(self, id_value: str) -> str:
        (found,) = self._identify([id_value])
        return found.canonical if isinstance(found, Identifier) else ""

    # === OBJECTIONS === #

    @api.model
    def _object_to(
        self, call: CallContext, request: ObjectionRequest
    ) -> ObjectionAnswer:
        """See the contract. Raises NoSuchEvent, and SealBroken for what does not open.

        The ID stays locked meanwhile, so two objections to one event open one case.
        """
        self._check_channel(OFFICER)
        work = self._begin_work(call)
        canonical = self._get_canonical(request.id_value)
        if not canonical:
            raise NoSuchEvent("this is no ID")
        try:
            objector = Objector(work, self._get_objection_days())
            return objector.object_to(canonical, request.period, request.seq)
        finally:
            self._finish_work(work)

    @api.model
    def _close_objection(
        self, call: CallContext, objection_id: int, is_upheld: bool
    ) -> None:
        """Staff have looked: end the case; see ``Objector.close``."""
        work = self._begin_work(call)
        try:
            objector = Objector(work, self._get_objection_days())
            objector.close(objection_id, is_upheld)
        finally:
            self._finish_work(work)
        self.env["spar.objection"].invalidate_model()

    @api.model
    def _get_objection_days(self) -> int:
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        days = parameters_sudo.get_param(DAYS_PARAMETER) or ""
        return int(days) if days.isdecimal() else DEFAULT_DAYS

    # === LINKS OF NOTICES === #

    @api.model
    def _read_notice(self, token: str) -> NoticeInfo:
        row = self._fetch_notice(token)
        return NoticeInfo(
            row["kind"],
            row["happened_at"],
            row["link_expires_at"],
            build_answer(row["reference"], row["remedy"], row["state"]),
        )

    @api.model
    def _object_to_notice(self, call: CallContext, token: str) -> ObjectionAnswer:
        """The event is objected to once, so the link does once what it can do."""
        row = self._fetch_notice(token)
        work = self._begin_work(call)
        try:
            shown = show_heads(work, [row["mapping_id"]])
            if row["mapping_id"] not in shown:
                raise NoSuchNotice("its ID does not open")
        finally:
            self._finish_work(work)
        found = shown[row["mapping_id"]]
        id_value = StoredIdentifier(found.canonical, found.type_id)
        request = ObjectionRequest(id_value, row["period"], row["seq"])
        return self._object_to(call, request)

    @api.model
    def _fetch_notice(self, token: str) -> dict:
        """The event behind a link; raises NoSuchNotice for any that is not good."""
        self._check_channel()
        keyring = self.env["spar.keyring"]._open()
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT n.link_expires_at, e.kind, e.happened_at, e.seq, e.mapping_id,
                          p.address_uuid AS period, o.uuid AS reference, o.remedy,
                          o.state
                     FROM spar_notice n
                     JOIN spar_event e ON e.id = n.event_id
                     JOIN spar_mapping_period p ON p.id = e.period_id
                     LEFT JOIN spar_objection o ON o.event_id = e.id
                    WHERE n.link_digest = %s AND n.link_expires_at > %s""",
                keyring.link_digest(token),
                self._get_now(),
            )
        )
        if not rows:
            raise NoSuchNotice("unknown or over")
        return rows[0]

    # === SHOWING === #

    @api.model
    def _show_heads(self, call: CallContext, row_ids: list[int]) -> dict[int, Shown]:
        """What is behind heads, in clear: for masking, and for what was logged before.

        What does not open is left out and raises an alarm.
        """
        work = self._begin_work(call, for_write=False)
        shown = show_heads(work, row_ids)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return shown

    @api.model
    def _show_periods(self, call: CallContext, row_ids: list[int]) -> dict[int, str]:
        """The addresses of periods, in clear; see ``_show_heads``."""
        work = self._begin_work(call, for_write=False)
        shown = show_periods(work, row_ids)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return shown

    @api.model
    def _log_reveal(
        self, call: CallContext, mapping_id: int, period_id: int | None = None
    ) -> int:
        """Record that somebody looks, in a transaction of its own; the event's id.

        The trace is there before anything is shown, and stays whatever comes after.
        Refuses everybody but auditors, and a mapping that does not open.
        """
        self._check_member(AUDITOR)
        with self.env.registry.cursor() as cr:
            mapper = self.with_env(self.env(cr=cr))
            return mapper._save_reveal(call, mapping_id, period_id)

    @api.model
    def _save_reveal(
        self, call: CallContext, mapping_id: int, period_id: int | None
    ) -> int:
        work = self._begin_work(call)
        try:
            return record_look(work, mapping_id, period_id)
        except SealBroken as error:
            raise UserError(
                self.env._("This address does not open: see the alarms.")
            ) from error
        finally:
            self._finish_work(work)

    # === WHO MAY === #

    @api.model
    def _check_channel(self, *groups: str) -> None:
        """Refuse a user who is neither a channel's service user nor in ``groups``.

        Raises NotPermitted. A channel knows its callers' rights and checks them itself.
        """
        if self.env.su or any(self.env.user.has_group(g) for g in (CHANNEL, *groups)):
            return
        raise NotPermitted(self.env.user.id)

    @api.model
    def _check_member(self, group: str) -> None:
        """Refuse a person of the backend who is not in ``group``."""
        if not self.env.user.has_group(group):
            raise AccessError(
                self.env._("You may not do this: ask an administrator for the right.")
            )

    @api.model
    def _build_staff_call(self, reason: str = "", has_evidence: bool = True):
        """The call of the person who is logged in to the backend.

        Without evidence (the person's document was not seen) the word of staff weighs
        no more than a programme's.
        """
        return CallContext(
            actor=f"user:{self.env.uid}",
            channel="staff",
            authority=Authority.STAFF if has_evidence else Authority.PROGRAMME,
            authenticated_by="document" if has_evidence else "",
            reason=reason,
            checks_addresses=True,
        )

    # === READING IDS === #

    @api.model
    def _identify(
        self, texts: list[str | None], bounds: list[CardCheck] | None = None
    ) -> list[Identified]:
        """What each text is as an ID, in the form in which the store has it.

        :param bounds: which of them have to look as on the card; none
        """
        types = self.env["spar.id.type"]
        read = types._build_reader()
        found = [
            None if text is None else _read_id(read, text, bound)
            for text, bound in zip(
                texts, bounds or repeat(CardCheck.NOBODY), strict=False
            )
        ]
        state = self.env["spar.id.form"]._get_state()
        if not state.older and not state.contested:
            return found
        return self._prefer_stored(texts, found, state)

    # === READING REQUESTS === #

    @api.model
    def _read_requests(
        self, call: CallContext, requests: list, addresses: dict
    ) -> list[Read]:
        """What each request's ID is, or the answer to one that cannot be used."""
        bound = CardCheck.PEOPLE if call.checks_cards else CardCheck.PROGRAMS
        identified = self._identify(
            [r.id_value for r in requests],
            # What is there can be stopped and ended, however it looks.
            [
                isinstance(r, LinkRequest) and bound or CardCheck.NOBODY
                for r in requests
            ],
        )
        read = [
            self._read_request(request, found, addresses)
            for request, found in zip(requests, identified, strict=True)
        ]
        if call.provider_ids is None or not addresses:
            return read
        return [
            (identifier, refusal)
            if refusal
            else self._refuse_foreign(call, request, identifier, addresses)
            for request, (identifier, refusal) in zip(requests, read, strict=True)
        ]

    @api.model
    def _read_request(self, request, found: Identified, addresses: dict) -> Read:
        if not isinstance(found, Identifier):
            return None, self._refuse_id(request, found or InvalidIdentifier("empty"))
        refusal = self._refuse_address(request, found, addresses)
        return (None, refusal) if refusal else (found, None)

    @api.model
    def _refuse_id(self, request, error: InvalidIdentifier) -> Result:
        """The answer to a text that is no ID, with what says how one looks."""
        types = self.env["spar.id.type"]
        look = types._get_card_look(error.type_id) if error.type_id else ""
        return Result(
            _get_outcome(error),
            request.id_value,
            problem=error.code,
            problem_values={"look": look} if look else None,
        )

    @api.model
    def _refuse_foreign(self, call, request, identifier, addresses: dict) -> Read:
        if not isinstance(request, LinkRequest):
            return identifier, None
        asked = addresses[request.fa]
        refusal = refuse_foreign(call, request, asked.address)
        return (None, refusal) if refusal else (identifier, None)

    @api.model
    def _refuse_address(
        self, request, identifier: Identifier, addresses: dict
    ) -> Result | None:
        """The answer to an address that cannot be used, or None."""
        fa, values = request.fa, None
        problem = self._get_address_problem(fa)
        if not problem and isinstance(request, LinkRequest):
            asked = addresses[fa]
            ids = (request.id_value, identifier.canonical)
            found = asked.problem or find_own_id(asked.canonical, ids)
            if found:
                problem = found.code
                strategies = self.env["spar.fa.strategy"]
                values = strategies._get_problem_values(asked.address, found)
        if not problem:
            return None
        return Result(
            Outcome.INVALID_FA,
            request.id_value,
            problem=problem,
            problem_values=values,
        )

    @api.model
    def _get_address_problem(self, fa: str | None) -> str:
        """Why ``fa`` cannot be an address: ``empty``, ``too_long``, ``characters``."""
        if fa is None:
            return ""
        if not fa.strip():
            return "empty"
        if len(fa) > MAX_FA_LENGTH:
            return "too_long"
        if not (fa.isascii() and fa.isprintable()):
            try:
                check_characters(fa)
            except InvalidIdentifier as error:
                return error.code
        return ""

    @api.model
    def _read_addresses(self, call: CallContext, requests: list) -> dict[str, Asked]:
        """What the directory makes of each address that is named."""
        texts = list({r.fa for r in requests if r.fa is not None})
        if not texts:
            return {}
        strategies = self.env["spar.fa.strategy"]
        read = strategies._canonicalise_addresses(texts)
        written = strategies._write_canonical(read, texts)
        return {
            text: self._build_asked(call, text, canonical, in_one_form)
            for text, canonical, in_one_form in zip(texts, read, written, strict=True)
        }

    @api.model
    def _build_asked(
        self, call: CallContext, text: str, canonical: CanonicalAddress, written: str
    ) -> Asked:
        """An address that is in order is ``written`` in its one form; any other stays
        as it was sent.

        That is for lenient participants: they may name who the directory does not know
        and write as no strategy does, but nobody's number may be wrong.
        """
        problem = canonical.problem
        address = canonical.to_address(text if problem else written)
        is_wrong = canonical.is_nothing or (problem and problem.code == "part")
        is_refused = call.checks_addresses or is_wrong
        return Asked(address, canonical, problem if is_refused else None)

    @api.model
    def _build_keys(self, texts: list[str]) -> list[str]:
        """What addresses are, however they are written; in the same order."""
        read = self.env["spar.fa.strategy"]._canonicalise_addresses(texts)
        return [canonical.key for canonical in read]

    # === WORK === #

    @api.model
    def _begin_work(self, call: CallContext, for_write: bool = True) -> Work:
        """The tools of ``store/`` for one call.

        Raises ServiceUnavailable where the keys are not there.
        """
        keyring = self.env["spar.keyring"]._open(for_write=for_write)
        return Work(
            call,
            self.env.cr,
            keyring,
            self._get_now,
            self._call_change_listeners,
            self._build_keys,
            self.env["spar.id.form"]._get_number() if for_write else ID_FORM,
        )

    @api.model
    def _finish_work(self, work: Work) -> None:
        """Raise alarms for what cannot be believed; let the ORM read anew."""
        self.env["spar.alarm"]._raise_alarms(work.problems)
        for name in (
            "spar.subject",
            "spar.subject.id",
            "spar.mapping",
            "spar.mapping.period",
            "spar.event",
            "spar.change",
        ):
            self.env[name].invalidate_model()

    @api.model
    def _call_change_listeners(self, change_ids: list[int]) -> None:
        """Let every listener know which changes have ended."""
        for name in sorted(self.env.registry["spar.change.listener"]._inherit_children):
            self.env[name]._on_changes_ended(change_ids)

    @api.model
    def _get_now(self) -> datetime:
        """The present, in naive UTC."""
        return datetime.now(timezone.utc).replace(tzinfo=None)


@contextmanager
def _asking_again() -> Iterator[None]:
    """Let Odoo run the request again where an ID got another form meanwhile."""
    try:
        yield
    except IdMoved as error:
        raise ConcurrencyError("an ID got another form meanwhile") from error


def _read_id(read: Callable, text: str, bound: CardCheck) -> Identified:
    try:
        return read(text, bound)
    except InvalidIdentifier as error:
        return error


def _get_outcome(error: InvalidIdentifier) -> Outcome:
    """A text that is no ID is refused; one that is of several people has to wait."""
    is_contested = isinstance(error, ContestedId)
    return Outcome.HELD if is_contested else Outcome.INVALID_ID
