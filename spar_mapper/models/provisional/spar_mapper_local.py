from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    LinkRequest,
    Operation,
    Outcome,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck, Identifier

from ...exceptions import NotDecidable, SamePerson
from ...lib import seals
from ...lib.evidence import EVIDENCE, get_number, is_evidence
from ...lib.offices import OTHER_OFFICE
from ...lib.parties import build_witness_party, find_part
from ...lib.provisional import (
    draw_number,
    read_provisional_number,
    write_provisional_value,
)
from ...lib.witnesses import VOUCHED, Witness, find_repeated
from ...store.changing import NOT_ISSUED
from ...store.contesting import KEEP, MERGE, Judge
from ...store.joining import (
    add_id,
    check_proposed,
    drop_id,
    fetch_unjoined,
    propose_id,
)
from ..change.spar_change import OFFICER, SUPERVISOR
from ..staff.spar_lookup import FoundPlace

_SYSTEM = CallContext("system", "schedule", Authority.STAFF)


class SparMapperLocal(models.AbstractModel):
    """The store's part for people without an ID card: registering and joining."""

    _inherit = "spar.mapper.local"

    # === REGISTERING === #

    @api.model
    def _draw_provisional(self) -> str:
        """Return a new provisional reference, as an ID that travels.

        Raises UserError if no provisional references are issued here.
        """
        types = self.env["spar.id.type"]
        type_sudo = types.sudo().browse(types._get_provisional_type_id())
        if not type_sudo.active or not type_sudo.strategy:
            raise UserError(
                self.env._(
                    "No provisional references are issued here. Ask an administrator "
                    "to activate their ID type."
                )
            )
        return type_sudo._write_id(write_provisional_value(draw_number()))

    @api.model
    def _register_provisional(
        self,
        call: CallContext,
        request: LinkRequest,
        why: str,
        witnesses: list[Witness],
    ) -> Result:
        """Register somebody without an ID card, for a supervisor to approve.

        :param request: links an ID of ``_draw_provisional``

        This is the only way in which a provisional reference becomes a person's. Raises
        AccessError, and UserError without a document or enough witnesses.
        """
        self._check_member(OFFICER)
        self._check_vouched(call, witnesses)
        if why not in dict(self.env["spar.provisional"]._selection_why()):
            raise UserError(self.env._("Choose why there is no ID card."))
        (found,) = self._identify([request.id_value])
        type_id = self.env["spar.id.type"]._get_provisional_type_id()
        if not isinstance(found, Identifier) or found.type_id != type_id:
            return Result(Outcome.INVALID_ID, request.id_value, problem=NOT_ISSUED)
        if self._fetch_subjects([found.canonical]):
            return Result(Outcome.ALREADY_LINKED, request.id_value)
        (result,) = self._change(call, Operation.LINK, [request], issues=True)
        if result.outcome is not Outcome.HELD:
            return result
        subject_id = self._fetch_subjects([found.canonical])[found.canonical]
        subject = self.env["spar.subject"].browse(subject_id)
        number = read_provisional_number(found.canonical)
        self.env["spar.provisional"]._insert(call, subject, number, why)
        evidence = get_number(call.message_reference)
        self.env["spar.witness"]._store(call, subject, VOUCHED, evidence, witnesses)
        return result

    @api.model
    def _check_vouched(self, call: CallContext, witnesses: list[Witness]) -> None:
        """Raise UserError without a document, or without enough different witnesses."""
        least = self.env["spar.limit"]._get_number("provisional_witnesses")
        if not is_evidence(call.message_reference):
            raise UserError(
                self.env._(
                    "Document: attach a photo of the person, or the form that the "
                    "witnesses signed."
                )
            )
        if len(witnesses) < least:
            raise UserError(
                self.env._(
                    "Witnesses: enter at least %(count)s people who know the person.",
                    count=least,
                )
            )
        self._check_witnesses(witnesses)

    @api.model
    def _check_witnesses(self, witnesses: list[Witness]) -> None:
        """Raise UserError for a witness without a name, entered twice, or the user."""
        for witness in witnesses:
            if not witness.name or not witness.contact:
                raise UserError(
                    self.env._(
                        "Witnesses: enter the name of each, and how they can be found."
                    )
                )
        user = self.env["spar.case.parties"]._get_party(self.env.user)
        if find_part(user, map(build_witness_party, witnesses)):
            raise UserError(
                self.env._(
                    "Witnesses: you cannot be a witness of what you enter yourself. If "
                    "somebody else has your name, ask a colleague to enter this."
                )
            )
        if find_repeated(witnesses):
            raise UserError(
                self.env._(
                    "Witnesses: two of them are the same person. Enter different "
                    "people."
                )
            )

    # === JOINING === #

    @api.model
    def _propose_joining(
        self, call: CallContext, subject, text: str, document: str
    ) -> None:
        """Enter the ID card of somebody who had none, for a supervisor to approve.

        Raises AccessError, TakesPart, and UserError for a card that cannot be entered,
        or without its picture.
        """
        self._check_member(OFFICER)
        subject.check_access("read")
        evidence = get_number(call.message_reference)
        if not evidence or not document:
            raise UserError(
                self.env._("Document: attach a picture or a scan of the ID card.")
            )
        self._check_joinable(subject)
        parties = self.env["spar.case.parties"]
        parties._check(call.actor, parties._list_of_person(subject))
        identifier = self._read_card(text)
        target = self._find_target(identifier, text)
        joinings = self.env["spar.joining"]
        joining = joinings._insert(
            call, subject, target, identifier.canonical, evidence
        )
        work = self._begin_work(call)
        try:
            propose_id(work, subject.id, joining.uuid)
        finally:
            self._finish_work(work)
        self.env["spar.evidence"]._store(call, evidence, document, subject)
        joinings.invalidate_model()
        # Supervisors are reminded now, and not only tomorrow.
        self.env.ref("spar_mapper.ir_cron_provisional").sudo()._trigger()

    @api.model
    def _check_joinable(self, subject) -> None:
        """Raise UserError unless the person is provisional and no ID card waits."""
        type_id = self.env["spar.id.type"]._get_provisional_type_id()
        unjoined = fetch_unjoined(self.env.cr, subject.ids, type_id)
        if subject.id not in unjoined or subject.merged_into:
            raise UserError(
                self.env._(
                    "This person has an ID already. To enter another one, ask a "
                    "supervisor."
                )
            )
        if subject.waiting_joining_id:
            raise UserError(
                self.env._(
                    "An ID card of this person waits already. A supervisor has to "
                    "decide on it first."
                )
            )

    @api.model
    def _read_card(self, text: str) -> Identifier:
        """Return the ID on a card; raises UserError for one that is none."""
        (found,) = self._identify([text], [CardCheck.PEOPLE])
        types = self.env["spar.id.type"]
        if not isinstance(found, Identifier):
            error = found or InvalidIdentifier("empty")
            raise UserError(self.env["spar.id.entry"]._explain_id(error))
        if found.type_id == types._get_provisional_type_id():
            raise UserError(
                self.env._(
                    "ID: this is a provisional reference. Enter the number on the ID "
                    "card."
                )
            )
        return found

    @api.model
    def _find_target(self, identifier: Identifier, text: str):
        """Return who has an ID already, or nobody; it is counted as a search.

        Raises UserError for a person of another office.
        """
        found = self._fetch_subjects([identifier.canonical])
        people = self.env["spar.subject"].browse(found.values())
        places = [FoundPlace(0, person.id) for person in people]
        self.env["spar.lookup"]._search_counted("id", text, lambda: places)
        self._check_reach(people)
        return people

    @api.model
    def _check_reach(self, people) -> None:
        try:
            people.check_access("read")
        except AccessError as error:
            text = self.env["spar.staff.answers"]._get_forbidden_texts()[OTHER_OFFICE]
            raise UserError(text) from error

    @api.model
    def _approve_joining(self, call: CallContext, joining, text: str) -> str:
        """Approve an ID card as a second person; return the state that it has now.

        :param text: the ID as the supervisor typed it from the document

        Raises AccessError, UserError for one that differs or can no longer be added,
        SamePerson, TakesPart, NotDecidable and SealBroken.
        """
        self._check_member(SUPERVISOR)
        joining.check_access("read")
        joining._lock_waiting()
        if joining.proposer == call.actor:
            raise SamePerson(joining.id)
        parties = self.env["spar.case.parties"]
        people = joining.subject_id | joining.target_id
        parties._check(call.actor, parties._list_of_person(people))
        if joining._is_expired():
            raise UserError(
                self.env._(
                    "This ID card waited too long. Refuse it, and ask the officer to "
                    "enter it again."
                )
            )
        self._check_card_seen(joining)
        identifier = self._read_card(text)
        if not self._is_card_of(joining, identifier, text):
            raise UserError(
                self.env._(
                    "ID: this is not what the officer entered. Compare the document "
                    "again; if the officer mistyped it, refuse."
                )
            )
        self._check_reach(joining.target_id)
        self._check_joining(joining, identifier)
        state = self._carry_out(call, joining, identifier)
        joining._end(call, state)
        return state

    @api.model
    def _check_card_seen(self, joining) -> None:
        """Raise UserError unless this user opened the picture of the ID card."""
        lookups_sudo = self.env["spar.lookup"].sudo()
        since = joining.proposed_at
        if not lookups_sudo._has_searched(
            self.env.uid, EVIDENCE, joining.evidence, since
        ):
            raise UserError(
                self.env._(
                    "Press Show the document first, and type the number from the "
                    "picture of the ID card."
                )
            )

    @api.model
    def _is_card_of(self, joining, identifier: Identifier, text: str) -> bool:
        """Return whether a supervisor typed the ID that waits; it counts as a search.

        Otherwise the number could be guessed, instead of read in the picture.
        """
        is_same = identifier.canonical == joining._open_id()
        found = [FoundPlace(0, joining.subject_id.id)] if is_same else []
        lookups = self.env["spar.lookup"]
        lookups._search_counted("id", f"{joining.uuid} {text}", lambda: found)
        return is_same

    @api.model
    def _check_joining(self, joining, identifier: Identifier) -> None:
        """Raise unless everything is still as it was when the ID card was entered."""
        found = self._fetch_subjects([identifier.canonical])
        if set(found.values()) != set(joining.target_id.ids):
            raise UserError(
                self.env._(
                    "Since this ID card was entered, somebody else got its ID, or lost "
                    "it. Refuse it, and ask the officer to enter it again."
                )
            )

    @api.model
    def _carry_out(self, call: CallContext, joining, identifier: Identifier) -> str:
        work = self._begin_work(call)
        try:
            check_proposed(work, joining.subject_id.id, joining.uuid)
            if not joining.target_id:
                add_id(work, joining.subject_id.id, identifier)
                return "added"
            run = self.env["spar.form.run"].sudo()._build_current()
            Judge(work, run).join(self._build_decisions(joining, identifier))
        finally:
            self._finish_work(work)
        self.env["spar.representative"]._follow_merged(call)
        return "merged"

    @api.model
    def _build_decisions(self, joining, identifier: Identifier) -> dict[int, str]:
        """Return the row of the ID that is kept, and those that are handed over."""
        keyring = self.env["spar.keyring"]._open()
        column = SQL.identifier(f"digest_{keyring.roles.read_column}")
        query = SQL(
            """SELECT id, subject_id = %s FROM spar_subject_id
                WHERE %s = %s OR (subject_id = %s AND active)""",
            joining.subject_id.id,
            column,
            keyring.digest(seals.ID, identifier.canonical),
            joining.subject_id.id,
        )
        rows = self.env.execute_query(query)
        decisions = {row_id: MERGE if is_own else KEEP for row_id, is_own in rows}
        if sorted(set(decisions.values())) != sorted((KEEP, MERGE)):
            raise NotDecidable("gone")
        return decisions

    @api.model
    def _drop_joining(self, call: CallContext, joining, state: str) -> None:
        """End an ID card that waits without adding it: ``refused`` or ``withdrawn``.

        Raises AccessError, UserError if it no longer waits, and SealBroken.
        """
        if state != "withdrawn" or joining.proposer != call.actor:
            self._check_member(SUPERVISOR)
        joining.check_access("read")
        joining._lock_waiting()
        self._save_dropped(call, joining, state)

    @api.model
    def _expire_joining(self, joining) -> None:
        """End an ID card that nobody decided on in time; for the scheduled job."""
        joining._lock_waiting()
        self._save_dropped(_SYSTEM, joining, "expired")

    @api.model
    def _save_dropped(self, call: CallContext, joining, state: str) -> None:
        work = self._begin_work(call)
        try:
            drop_id(work, joining.subject_id.id, joining.uuid)
        finally:
            self._finish_work(work)
        joining._end(call, state)
