import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from typing import NoReturn

from odoo import api, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import SQL
from odoo.tools.gc import disabling_gc

from odoo.addons.spar_mapper_connector.exceptions import (
    AccountAltered,
    NoSuchEvent,
    NoSuchNotice,
    NotPermitted,
    OtherOffice,
    OwnerProofRefused,
    SealBroken,
)
from odoo.addons.spar_mapper_connector.expressions import check_person
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    ChangeLock,
    ChangeState,
    ChangeStatus,
    LinkRequest,
    NoticeInfo,
    ObjectionAnswer,
    ObjectionRequest,
    Operation,
    Outcome,
    Period,
    Remedy,
    ResolveRequest,
    Result,
    Standing,
    WaitingChange,
)
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck, Identifier
from odoo.addons.spar_mapper_connector.lib.identifier import StoredIdentifier
from odoo.addons.spar_mapper_connector.transactions import (
    STOPPED,
    use_read_committed,
)

from ..exceptions import BrokenId, IdMoved, RowBroken
from ..lib import seals
from ..lib.assessment import Assessment, Proposal, assess, assess_once
from ..lib.objection import proves_person
from ..lib.records import ID_FORM, KEY_FORM, ProofRow
from ..lib.staff_limits import RequestedAct
from ..store.changing import DirectoryReading, change
from ..store.complaining import note_complaint
from ..store.contesting import Judge
from ..store.deciding import Decider
from ..store.erasing import erase_proofs
from ..store.forming import FORMS
from ..store.history import Historian, build_answer
from ..store.identifying import FormReader, IdReading, read_ids
from ..store.lengths import find_doubt
from ..store.locking import read_lock
from ..store.noticing import NoticeLink, find_link
from ..store.objecting import Objector
from ..store.placing import assign_office
from ..store.reading import (
    RequestDirectory,
    RequestReader,
    read_addresses,
    read_requested,
)
from ..store.representing import Commit, note_representative
from ..store.resolving import OlderForms, PlaceCallback, RequestedId, Resolver
from ..store.showing import (
    ShownPlace,
    record_reveal,
    show_heads,
    show_ids,
    show_periods,
)
from ..store.standing import StandingReader
from ..store.work import Work
from .staff.spar_staff_act import CHANNEL as STAFF_CHANNEL

_logger = logging.getLogger(__name__)

ROLES = tuple(
    f"spar_fa_directory.group_{role}"
    for role in ("viewer", "officer", "supervisor", "auditor", "administrator")
)
OFFICER = "spar_fa_directory.group_officer"
SUPERVISOR = "spar_fa_directory.group_supervisor"
AUDITOR = "spar_fa_directory.group_auditor"

_SYSTEM = CallContext("system", "schedule", Authority.STAFF)


class SparMapperLocal(models.AbstractModel):
    """The store of this database, and its only interface.

    This model decides who may make a request, and reads it; the work itself is in
    ``store/``, where every piece of work takes the call first: nothing is opened,
    signed or changed without one. A batch costs a constant number of statements.
    """

    _name = "spar.mapper.local"
    _description = "The store of this database"
    _inherit = ["spar.mapper"]
    _shares_transaction = True

    def _capabilities(self):
        return frozenset(Capability) - {
            Capability.TRANSACTION_STATUS,
            Capability.CONFIRMATION,
            Capability.CHANGE_LOCK,
            Capability.OWN_ADDRESS,
            Capability.VISIT,
        }

    @api.model
    def _is_active_caller(self, actor: str) -> bool:
        """Return whether somebody who proposed a change earlier may still call.

        Overridden by addons whose callers can be disabled.
        """
        return True

    @api.model
    def _is_visited(self, call: CallContext, reference: str, id_value: str) -> bool:
        """Return whether the owner of an ID allows the caller to show it to them now.

        Overridden by the addon with the page on which they do: without it nobody can.
        """
        return False

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

    def _lock_changes(self, call, requests):
        return self._change(call, Operation.LOCK, requests)

    def _unlock_changes(self, call, requests):
        return self._change(call, Operation.UNLOCK, requests)

    @api.model
    def _get_change_lock(self, call: CallContext, id_value: str) -> ChangeLock:
        """Return who may change where somebody is paid; NONE for an unknown ID.

        Raises SealBroken if the record cannot be verified.
        """
        self._check_channel(OFFICER)
        canonical = self._get_canonical(id_value)
        if not canonical:
            return ChangeLock.NONE
        work = self._begin_work(call, for_write=False)
        try:
            return read_lock(work, canonical)
        finally:
            self.env["spar.alarm"]._raise_alarms(work.problems)

    @api.model
    def _change(
        self, call: CallContext, code: Operation, requests: list, issues: bool = False
    ) -> list[Result]:
        """Run ``code`` for each request; return the results in the same order.

        :param issues: whether provisional references are issued: see
            ``_register_provisional``
        """
        self._check_channel(OFFICER)
        try:
            proof = self.env["spar.owner.proof"]._verify(call, requests)
        except OwnerProofRefused as error:
            return [
                Result(Outcome.FORBIDDEN, request.id_value, problem=error.code)
                for request in requests
            ]
        work = self._begin_work(call, proof=proof)
        # A batch allocates many objects but no cycles: a full collection in the middle
        # of it would only scan all of Odoo's.
        with disabling_gc():
            directory = self._get_directory()
            addresses = read_requested(directory, call, requests)
            reader = RequestReader(call, directory, addresses)
            read = reader.read_all(requests, self._identify)
            once = assess_once(self._assess)
            counted = self._count_as_act(call, code)
            acts = self._read_acts(work, counted, requests, read, addresses)
            exceeded = self.env["spar.staff.act"]._find_exceeded(
                counted, code, acts, self._get_now()
            )
            if exceeded:
                return [
                    Result(Outcome.FORBIDDEN, request.id_value, problem=exceeded)
                    for request in requests
                ]
            with _retry_if_id_moved():
                results = change(work, code, requests, read, addresses, once, issues)
            self._finish_work(work)
            self._record_acts(counted, code, acts, results)
        return results

    @api.model
    def _count_as_act(self, call: CallContext, code: Operation) -> CallContext:
        """Return ``call`` as it counts for the daily limits of one person.

        What a programme's user does by hand, to suspend or resume payments, counts as
        if an officer had done it; accounts, which come in files, do not.
        """
        is_by_hand = code in (Operation.SUSPEND, Operation.RESUME)
        if is_by_hand and call.actor == "registry" and call.on_behalf_of:
            return replace(call, actor=call.on_behalf_of, channel=STAFF_CHANNEL)
        return call

    @api.model
    def _read_acts(
        self, work: Work, counted: CallContext, requests, read, addresses
    ) -> list[RequestedAct]:
        """Return whom each staff request is about, and to whom the money would go."""
        if counted.channel != STAFF_CHANNEL:
            return []
        canonicals = [one.canonical if one else "" for one, _refusal in read]
        subjects = self._fetch_subjects(canonicals)
        commit = self.env["spar.staff.act"]._commit_account
        acts = []
        for request, canonical in zip(requests, canonicals, strict=True):
            gives = isinstance(request, LinkRequest)
            requested = addresses.get(request.fa) if gives else None
            provider_id = requested.address.provider_id if requested else None
            account = commit(work.keyring, requested.key) if requested else b""
            subject_id = subjects.get(canonical)
            acts.append(RequestedAct(canonical, subject_id, provider_id, account))
        return acts

    @api.model
    def _record_acts(self, call: CallContext, code: Operation, acts, results) -> None:
        if acts:
            subjects = self._fetch_subjects([one.canonical for one in acts])
            now = self._get_now()
            acted = self.env["spar.staff.act"]
            acted._record_changes(call, code, acts, results, subjects, now)
            if code is Operation.LINK:
                new = [one.canonical for one in acts if one.subject_id is None]
                found = [subjects[each] for each in new if each in subjects]
                self._assign_to_own_office(call, found)

    @api.model
    def _fetch_subjects(self, canonicals: list[str]) -> dict[str, int]:
        """Return subjects by canonical ID; IDs that are not stored are omitted."""
        keyring = self.env["spar.keyring"]._open()
        by_digest = {
            bytes(keyring.digest(seals.ID, canonical)): canonical
            for canonical in canonicals
            if canonical
        }
        column = SQL.identifier(f"digest_{keyring.roles.read_column}")
        rows = self.env.execute_query(
            SQL(
                "SELECT %s, subject_id FROM spar_subject_id WHERE %s = ANY(%s)",
                column,
                column,
                list(by_digest),
            )
        )
        return {by_digest[bytes(digest)]: subject for digest, subject in rows}

    @api.model
    def _assess(self, proposal: Proposal) -> Assessment:
        """Return whether a proposed change is applied, held, reviewed or refused."""
        return assess(self.env["spar.change.rule"]._get_rules(), proposal)

    # === PENDING CHANGES === #

    @api.model
    def _approve_change(self, call: CallContext, change_id: int) -> Result:
        """Approve a change as a second person; see ``Decider.approve``.

        Raises TakesPart as well, if the approver takes part in the change.
        """
        parties = self.env["spar.case.parties"]
        change = self.env["spar.change"].browse(change_id).exists()
        if change:
            parties._check(call.actor, parties._list_of_change(change))
        work = self._begin_work(call)
        try:
            return self._build_decider(work).approve(change_id)
        finally:
            self._finish_work(work)

    @api.model
    def _end_change(self, call: CallContext, change_id: int, end: str) -> None:
        """End a change without applying it; see ``Decider.drop``."""
        work = self._begin_work(call)
        try:
            self._build_decider(work).drop(change_id, end)
        finally:
            self._finish_work(work)

    @api.model
    def _cron_decide_due(self) -> None:
        """Apply changes whose holding time is over; expire those not approved in time.

        Each change has a transaction of its own: a failure of one does not stop the
        others, and two IDs are never locked at once, which could deadlock with a batch.
        """
        due = self._build_decider(self._begin_work(_SYSTEM)).search_due()
        for left, change_id in zip(reversed(range(len(due))), due, strict=True):
            use_read_committed(self.env.cr)
            self._try_to_decide_due(change_id)
            if not self.env["ir.cron"]._commit_progress(1, remaining=left):
                return

    @api.model
    def _try_to_decide_due(self, change_id: int) -> None:
        """Decide a change; it stays due if another transaction has locked its ID."""
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
    def _read_address(self, call: CallContext, request) -> DirectoryReading | None:
        """Return the directory's reading of a request's address, if it has one."""
        return read_requested(self._get_directory(), call, [request]).get(request.fa)

    # === RESOLVING === #

    @api.model
    def _resolve_fa(
        self, call: CallContext, requests: list[ResolveRequest]
    ) -> list[Result]:
        """Resolve requests as the contract specifies.

        It takes at most four statements, however many requests there are, and two more
        for requested addresses that no one has.
        """
        self._check_channel(OFFICER)
        return self._resolve(call, requests)

    @api.model
    def _look_up(self, call: CallContext, request: ResolveRequest) -> Result:
        """Resolve one ID for a user who is shown it, and record that they looked.

        Raises OtherOffice for people of offices to which the user does not belong.
        """
        if not self.env["spar.lookup"]._record_look(request.id_value):
            raise OtherOffice()
        return super()._look_up(call, request)

    @api.model
    def _standing(
        self, call: CallContext, ids: list[str], purpose: str = ""
    ) -> list[Standing]:
        """Return the standing of each ID; it takes two statements more than resolving.

        Everything is disclosed that the store knows: channels check who may ask.
        """
        self._check_channel()
        requests = [ResolveRequest(id_value, purpose=purpose) for id_value in ids]
        column = self.env["spar.keyring"]._open().roles.read_column
        reader = StandingReader(self.env.cr, column)
        results = self._resolve(call, requests, reader.note_place)
        return reader.build_all(requests, results)

    @api.model
    def _resolve(
        self,
        call: CallContext,
        requests: list[ResolveRequest],
        on_place: PlaceCallback | None = None,
    ) -> list[Result]:
        keyring = self.env["spar.keyring"]._open()
        found = self._identify([requested.id_value for requested in requests])
        identified: list[RequestedId] = []
        stored = set()
        for one in found:
            if isinstance(one, Identifier):
                identified.append(one.canonical)
                if one.is_stored:
                    stored.add(one.canonical)
            else:
                identified.append(one)
        self.env["spar.fsp"].flush_model(["name", "code", "closed_on"])
        self.env["spar.fsp.branch"].flush_model(["code", "closed_on"])
        older = self._get_older_forms()
        resolver = Resolver(
            call, self.env.cr, keyring, self._build_keys, older, on_place
        )
        with disabling_gc(), _retry_if_id_moved():
            results = resolver.resolve(requests, identified, stored)
        self.env["spar.alarm"]._raise_alarms(resolver.problems)
        return results

    # === HISTORY === #

    @api.model
    def _history(self, call: CallContext, id_value: str) -> list[Period]:
        """Return every address that was ever in force, newest first, in naive UTC.

        One that does not open is omitted and raises an alarm. An ID that is unknown or
        invalid has no history.
        """
        self._check_channel(AUDITOR)
        work = self._begin_work(call, for_write=False)
        canonical = self._get_canonical(id_value)
        periods = Historian(work).read_periods(canonical) if canonical else []
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return periods

    @api.model
    def _waiting_changes(self, call: CallContext, id_value: str) -> list[WaitingChange]:
        """Return pending changes; raises SealBroken if one was tampered with."""
        self._check_channel(AUDITOR)
        work = self._begin_work(call, for_write=False)
        canonical = self._get_canonical(id_value)
        return Historian(work).read_waiting(canonical) if canonical else []

    @api.model
    def _change_status(
        self, call: CallContext, references: list[str]
    ) -> list[ChangeStatus]:
        """Return what became of changes, in the same order.

        A reference is random, and only whoever proposed the change has it.
        """
        self._check_channel(OFFICER)
        query = SQL(
            "SELECT uuid, state FROM spar_change WHERE uuid = ANY(%s)", list(references)
        )
        states = dict(self.env.execute_query(query))
        return [
            ChangeStatus(reference, ChangeState(states.get(reference, "unknown")))
            for reference in references
        ]

    @api.model
    def _get_canonical(self, id_value: str) -> str:
        """Return the stored form of an ID, empty for an invalid one.

        Raises SealBroken if its owner cannot be determined.
        """
        (found,) = self._identify([id_value])
        if isinstance(found, BrokenId):
            raise SealBroken("the owner of the ID cannot be verified")
        return found.canonical if isinstance(found, Identifier) else ""

    # === OBJECTIONS === #

    @api.model
    def _object_to(
        self, call: CallContext, request: ObjectionRequest
    ) -> ObjectionAnswer:
        """Object to an event as the contract specifies.

        Raises NoSuchEvent, and SealBroken for what does not open. The ID stays locked
        meanwhile, so that two objections to one event open one case.
        """
        self._check_channel(OFFICER)
        proof = None
        if proves_person(call) or call.owner_proof is not None:
            # Without a login nothing is undone, so that there is nothing to prove.
            proof = self.env["spar.owner.proof"]._verify(call, [request])
        work = self._begin_work(call, proof=proof)
        canonical = self._get_canonical(request.id_value)
        if not canonical:
            raise NoSuchEvent("not an ID")
        try:
            objector = self._build_objector(work)
            answer = objector.object_to(canonical, request.period, request.seq)
            self.env["spar.complaint"]._register_case(call, objector.opened)
        finally:
            self._finish_work(work)
        return answer

    @api.model
    def _close_objection(
        self, call: CallContext, objection_id: int, is_upheld: bool
    ) -> None:
        """End a case that staff have reviewed; see ``Objector.close``."""
        work = self._begin_work(call)
        try:
            self._build_objector(work).close(objection_id, is_upheld)
            self.env["spar.complaint"]._note_decision(call, objection_id, is_upheld)
        finally:
            self._finish_work(work)
        self.env["spar.objection"].invalidate_model()

    @api.model
    def _confirm_objection(
        self, call: CallContext, objection_id: int
    ) -> ObjectionAnswer:
        """Undo what a case has only frozen, as a second person; supervisors only.

        Raises AccessError; see ``Objector.confirm``.
        """
        self._check_member(SUPERVISOR)
        self.env["spar.objection"].browse(objection_id).check_access("read")
        work = self._begin_work(call)
        try:
            return self._build_objector(work).confirm(objection_id)
        finally:
            self._finish_work(work)
            self.env["spar.objection"].invalidate_model()

    @api.model
    def _note_complaint(self, call: CallContext, subject_id: int, kind: str) -> None:
        """Record in a person's history what became of a complaint.

        A complaint is accepted even from a person whose record does not open.
        """
        work = self._begin_work(call)
        try:
            note_complaint(work, subject_id, kind)
        finally:
            self._finish_work(work)

    @api.model
    def _note_representative(
        self, call: CallContext, subject_id: int, kind: str, commit: Commit
    ) -> None:
        """Record in a person's history who may act for them.

        Raises RowBroken for a person whose record does not open.
        """
        work = self._begin_work(call)
        try:
            note_representative(work, subject_id, kind, commit)
        finally:
            self._finish_work(work)

    @api.model
    def _build_objector(self, work: Work) -> Objector:
        # What staff learn at the counter never stops a payment by itself.
        is_stopping = work.call.channel != STAFF_CHANNEL and self.env[
            "spar.limit"
        ]._is_yes("objection_link_stops_payments")
        return Objector(work, self._get_objection_days(), is_stopping)

    @api.model
    def _get_objection_days(self) -> int:
        return self.env["spar.limit"]._get_number("objection_days")

    # === OWNERS' PROOFS === #

    @api.model
    def _erase_proofs(self, call: CallContext, subject_ids: list[int]) -> int:
        """Destroy the owner's proofs of people who are erased; return how many.

        For supervisors. Raises AccessError, and SealBroken for what does not open.
        """
        self._check_member(SUPERVISOR)
        self.env["spar.subject"].browse(subject_ids).check_access("read")
        work = self._begin_work(call)
        try:
            return sum(erase_proofs(work, subject_id) for subject_id in subject_ids)
        finally:
            self._finish_work(work)
            self.env["spar.owner.proof"].invalidate_model()

    # === OFFICES === #

    @api.model
    def _move_to_office(self, call: CallContext, subject_ids: list[int], office) -> int:
        """Move people to ``office``, or to none; return how many were moved.

        For supervisors. Raises AccessError, SettingsAltered and RowBroken.
        """
        self._check_member(SUPERVISOR)
        self.env["spar.subject"].browse(subject_ids).check_access("read")
        return self._assign_office(call, subject_ids, office)

    @api.model
    def _assign_to_own_office(self, call: CallContext, subject_ids: list[int]) -> None:
        """Assign people whom a clerk of exactly one office has linked to the office."""
        user_id = call.actor.partition(":")[2]
        user = self.env["res.users"].browse(int(user_id or 0))
        office = self.env["spar.office"]._find_for_user(user).filtered("active")
        if len(office) == 1 and subject_ids:
            self._assign_office(call, subject_ids, office)

    @api.model
    def _assign_office(self, call: CallContext, subject_ids: list[int], office) -> int:
        self.env["spar.office"]._check_settings()
        work = self._begin_work(call)
        try:
            where = (office.id, office.sudo().uuid) if office else None
            return assign_office(work, subject_ids, where)
        finally:
            self._finish_work(work)
            self.env["spar.office.person"].invalidate_model()

    # === LINKS OF NOTICES === #

    @api.model
    def _read_notice(self, token: str) -> NoticeInfo:
        link = self._find_link(token)
        answer = build_answer(link.reference, link.remedy, link.state)
        return NoticeInfo(link.kind, link.happened_at, link.expires_at, answer)

    @api.model
    def _object_to_notice(self, call: CallContext, token: str) -> ObjectionAnswer:
        """Freeze by a notice's link, once; anything is undone only after a login.

        What concerns no address becomes a complaint.
        """
        link = self._find_link(token)
        if link.head_id is None or link.address_uuid is None:
            event = self.env["spar.event"].browse(link.event_id)
            complaint = self.env["spar.complaint"]._report(call, event)
            return ObjectionAnswer(
                Remedy.NOTED, complaint.reference, complaint.state != "open"
            )
        work = self._begin_work(call)
        try:
            shown = show_heads(work, [link.head_id])
            if link.head_id not in shown:
                raise NoSuchNotice("its ID does not open")
        finally:
            self._finish_work(work)
        found = shown[link.head_id]
        id_value = StoredIdentifier(found.canonical, found.type_id)
        request = ObjectionRequest(id_value, link.address_uuid, link.seq)
        return self._object_to(call, request)

    @api.model
    def _find_link(self, token: str) -> NoticeLink:
        """Return the event behind a link; raises NoSuchNotice for an invalid one."""
        self._check_channel()
        keyring = self.env["spar.keyring"]._open()
        try:
            return find_link(self.env.cr, keyring, token, self._get_now())
        except RowBroken as error:
            self.env["spar.alarm"]._raise_alarms([error.problem])
            raise NoSuchNotice("its link was altered") from error

    # === SHOWING === #

    @api.model
    def _show_heads(
        self, call: CallContext, row_ids: list[int]
    ) -> dict[int, ShownPlace]:
        """Return the content of heads in clear, for masking and for logged accesses.

        What does not open is omitted and raises an alarm.
        """
        work = self._begin_work(call, for_write=False)
        shown = show_heads(work, row_ids)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return shown

    @api.model
    def _show_periods(self, call: CallContext, row_ids: list[int]) -> dict[int, str]:
        """Return the addresses of periods, in clear; see ``_show_heads``."""
        work = self._begin_work(call, for_write=False)
        shown = show_periods(work, row_ids)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return shown

    @api.model
    def _log_reveal(
        self, call: CallContext, mapping_id: int, period_id: int | None = None
    ) -> int:
        """Record an access in a transaction of its own; return the event's id.

        The trace exists before anything is shown, and stays whatever happens
        afterwards. Only auditors are accepted, and only a mapping that opens.
        """
        self._check_member(AUDITOR)
        self.env["spar.mapping"].browse(mapping_id).check_access("read")
        with self.env.registry.cursor() as cr:
            mapper = self.with_env(self.env(cr=cr))
            return mapper._save_reveal(call, mapping_id, period_id)

    @api.model
    def _log_review(self, call: CallContext, change_id: int) -> int:
        """Record a supervisor's access to a change and its place; see ``_log_reveal``.

        Raises AccessError, and UserError for a place that does not open.
        """
        self._check_member(SUPERVISOR)
        change = self.env["spar.change"].browse(change_id)
        change.check_access("read")
        with self.env.registry.cursor() as cr:
            mapper = self.with_env(self.env(cr=cr))
            return mapper._save_reveal(call, change.mapping_id.id, None)

    @api.model
    def _save_reveal(
        self, call: CallContext, mapping_id: int, period_id: int | None
    ) -> int:
        work = self._begin_work(call)
        try:
            return record_reveal(work, mapping_id, period_id)
        except SealBroken as error:
            raise UserError(
                self.env._("This address cannot be opened. See the alarms.")
            ) from error
        finally:
            self._finish_work(work)

    # === PERMISSIONS === #

    @api.model
    def _check_member(self, group: str) -> None:
        """Refuse a backend user who is not in ``group``."""
        if not self.env.user.has_group(group):
            self._refuse_person()

    @api.model
    def _refuse_person(self) -> NoReturn:
        raise AccessError(
            self.env._("You do not have permission to do this. Ask an administrator.")
        )

    @api.model
    def _build_staff_call(
        self,
        reason: str = "",
        has_evidence: bool = True,
        message_reference: str = "",
    ) -> CallContext:
        """Return the call of the user who is logged in to the backend.

        Without evidence (the person's document was not seen), staff have no more
        authority than a programme. Raises AccessError for a user without a role here,
        even as superuser, and for any user other than the one who is logged in.
        """
        try:
            check_person(self.env)
        except AccountAltered as error:
            text = self.env["spar.staff.answers"]._get_error_text(error)
            raise AccessError(text) from error
        except NotPermitted:
            self._refuse_person()
        user = self.env.user
        if not (user._is_superuser() or any(map(user.has_group, ROLES))):
            self._refuse_person()
        return CallContext(
            actor=f"user:{self.env.uid}",
            channel="staff",
            authority=Authority.STAFF if has_evidence else Authority.PROGRAMME,
            authenticated_by="document" if has_evidence else "",
            reason=reason,
            message_reference=message_reference,
            checks_addresses=True,
        )

    # === IDS === #

    @api.model
    def _identify(
        self, texts: list[str | None], bounds: list[CardCheck] | None = None
    ) -> list[IdReading]:
        """Return each text as an ID, in the form in which the store has it.

        :param bounds: which of them must match the format on the card; none by default
        """
        found = read_ids(self.env["spar.id.type"]._build_reader(), texts, bounds)
        state = self.env["spar.id.form"]._get_state()
        if state.is_plain:
            return found
        work = self._begin_work(FORMS, for_write=False)
        chosen = FormReader(work, state).prefer_stored(texts, found)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return chosen

    @api.model
    def _find_doubt(self, call: CallContext, id_value: str) -> str:
        """Return why a new ID may be mistyped: ``letters``, ``length``, or "".

        There is no doubt about an ID that is already stored, about one whose type
        specifies the format of its IDs, or about a text that the mapper refuses anyway.
        """
        types = self.env["spar.id.type"]
        (identifier,) = self._identify([id_value])
        if not isinstance(identifier, Identifier):
            return ""
        if types._has_card_rule(identifier.type_id):
            return ""
        work = self._begin_work(call, for_write=False)
        doubt = find_doubt(work, identifier, id_value, types._get_clean_value)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return doubt

    @api.model
    def _show_ids(self, call: CallContext, row_ids: list[int]) -> dict[int, str]:
        """Return the spelling of IDs, in clear; see ``_show_heads``."""
        work = self._begin_work(call, for_write=False)
        shown = show_ids(work, row_ids)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        return shown

    @api.model
    def _decide_case(self, call: CallContext, case) -> None:
        """Carry out two people's decision on IDs that coincide; see ``Judge``."""
        work = self._begin_work(call)
        run = self.env["spar.form.run"].sudo()._build_current()
        decisions = {line._get_identifier().id: line.decision for line in case.line_ids}
        judge = Judge(work, run)
        decide = judge.decide if case.kind == "ids" else judge.decide_account
        try:
            decide(decisions)
        finally:
            self._finish_work(work)
        self.env["spar.representative"]._follow_merged(call)

    # === ADDRESSES === #

    @api.model
    def _get_directory(self) -> RequestDirectory:
        strategies = self.env["spar.fa.strategy"]
        return RequestDirectory(
            strategies._canonicalise_addresses,
            strategies._write_canonical,
            strategies._get_problem_values,
            self.env["spar.id.type"]._get_card_look,
        )

    @api.model
    def _read_stored(self, texts: list[str]) -> list[DirectoryReading]:
        """Return the directory's reading of addresses; see ``read_addresses``."""
        return read_addresses(self._get_directory(), texts)

    @api.model
    def _build_keys(self, texts: list[str]) -> list[str]:
        """Return the keys of addresses, however they are written, in the same order."""
        read = self.env["spar.fa.strategy"]._canonicalise_addresses(texts)
        return [canonical.key for canonical in read]

    @api.model
    def _get_older_forms(self) -> OlderForms:
        """Return the older forms, as long as addresses may be in them."""
        state = self.env["spar.address.form"]._get_state()
        strategies = self.env["spar.fa.strategy"]

        def build_keys(texts: list[str]) -> list[list[str]]:
            return [
                [one.key for one in strategies._canonicalise_addresses(texts, kinds)]
                for kinds in state.older
            ]

        return OlderForms(state.below, build_keys)

    # === WORK === #

    @api.model
    def _begin_work(
        self,
        call: CallContext,
        for_write: bool = True,
        proof: ProofRow | None = None,
    ) -> Work:
        """Return the tools of ``store/`` for one call.

        :param proof: the owner's proof of the call's one change, verified

        Raises ServiceUnavailable if the keys are unavailable.
        """
        keyring = self.env["spar.keyring"]._open(for_write=for_write)
        forms = self.env["spar.id.form"]
        # If the forms cannot be trusted, no ID is written, so no form is read.
        is_new = for_write and not forms._get_state().problem
        return Work(
            call,
            self.env.cr,
            keyring,
            self._get_now,
            self._call_change_listeners,
            self._call_notice_channels,
            self._build_keys,
            forms._get_number() if is_new else ID_FORM,
            self.env["spar.address.form"]._get_number() if for_write else KEY_FORM,
            self.env["spar.address.form"]._get_state().below,
            proof,
            self.env["spar.id.type"]._get_provisional_type_id(),
        )

    @api.model
    def _finish_work(self, work: Work) -> None:
        """Raise alarms for untrusted rows; invalidate the ORM's cache."""
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
        """Notify every listener which changes have ended."""
        for name in sorted(self.env.registry["spar.change.listener"]._inherit_children):
            self.env[name]._on_changes_ended(change_ids)

    @api.model
    def _call_notice_channels(self, contacts: dict[int, str]) -> None:
        """Give every new notice to every channel: see ``spar.notice.channel``.

        :param contacts: the contact of each notice, by event
        """
        channels = self.env["spar.notice.channel"]._get_channels()
        if not channels:
            return
        domain = [("event_id", "in", list(contacts))]
        for notice_sudo in self.env["spar.notice"].sudo().search(domain, order="id"):
            for channel in channels:
                channel._queue_notice(notice_sudo, contacts[notice_sudo.event_id.id])

    @api.model
    def _get_now(self) -> datetime:
        """Return the present time, in naive UTC."""
        return datetime.now(timezone.utc).replace(tzinfo=None)


@contextmanager
def _retry_if_id_moved() -> Iterator[None]:
    """Make Odoo retry the request if an ID was rewritten in another form meanwhile."""
    try:
        yield
    except IdMoved as error:
        raise ConcurrencyError("an ID got another form meanwhile") from error
