from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    ObjectionRequest,
    Outcome,
    Remedy,
    Result,
    SuspendRequest,
)
from odoo.addons.spar_mapper_connector.lib.identifier import StoredIdentifier
from odoo.addons.spar_mapper_connector.transactions import count_alone, lock_counters

from ...fields import BigMany2one
from ...lib.actors import get_doers
from ...lib.parties import find_part
from ...lib.records import new_uuid
from ...lib.transitions import (
    ANSWERED_FOR,
    ANSWERED_FOR_PERSON,
    COMPLAINED,
    COMPLAINT_CLOSED,
    COMPLAINT_HANDED,
    COMPLAINT_TAKEN,
)
from .spar_change import SUPERVISOR

OFFICER = "spar_fa_directory.group_officer"
#: A complaint that a change was not the person's doing; it has an objection.
NOT_ME = "not_me"
#: How long ago somebody can have made a change that a complaint may be about.
_CONCERNED_FOR = timedelta(days=365)
#: How the answer has not reached the person yet.
NOT_REACHED = "not_reached"


class SparComplaint(models.Model):
    """What a person complained about, who answers it by when, and the answer.

    A change that was not the person's doing has an objection, which locks changes at
    once; the two are decided together. A complaint by itself stops no payment and moves
    none.
    """

    _name = "spar.complaint"
    _description = "Complaint"
    _inherit = ["spar.subject.row", "spar.by.whom", "spar.channel.name"]
    _rec_name = "reference"
    _order = "deadline, id"
    _log_access = False
    _refuses_delete = "complaints are not deleted"

    uuid = fields.Char(required=True, readonly=True)
    reference = fields.Char(
        compute="_compute_reference", help="The reference that the person was given."
    )
    kind = fields.Selection(
        [
            ("not_me", "This was not me"),
            ("not_paid", "I was not paid"),
            ("stop", "Stop my payments"),
        ],
        string="Complaint",
        required=True,
        readonly=True,
    )
    # No foreign key: the case is locked when its complaint is.
    objection_id = BigMany2one("spar.objection", string="Case", readonly=True)
    # Nor here: events are never deleted.
    event_id = BigMany2one(
        "spar.event",
        string="Event",
        readonly=True,
        help="What the person says was not their doing, if it concerns no address.",
    )
    missed_on = fields.Date(string="Day of the payment", readonly=True)
    statement = fields.Char(string="What the person said", readonly=True)
    is_identified = fields.Boolean(
        string="The person's document was seen",
        readonly=True,
    )
    actor = fields.Char(string="Recorded by (reference)")
    channel = fields.Char(required=True, readonly=True)
    made_at = fields.Datetime(string="Made at", required=True, readonly=True)
    deadline = fields.Date(string="Answer by", required=True, readonly=True)
    owner_id = fields.Many2one(
        "res.users", string="Responsible", readonly=True, ondelete="set null"
    )
    state = fields.Selection(
        [("open", "Open"), ("upheld", "Upheld"), ("rejected", "Rejected")],
        required=True,
        readonly=True,
        help="Upheld: the person was right. Rejected: the person was not.",
    )
    closed_by = fields.Char(string="Closed by (reference)", readonly=True)
    closed_at = fields.Datetime(string="Closed at", readonly=True)
    close_reason = fields.Char(string="Reason", readonly=True)
    answer = fields.Char(string="Answer to the person", readonly=True)
    answered_how = fields.Selection(
        [
            ("present", "In person"),
            ("phone", "By phone"),
            ("message", "By message"),
            ("letter", "By letter"),
            (NOT_REACHED, "Not reached yet"),
        ],
        string="How the person got the answer",
        readonly=True,
    )
    answered_at = fields.Datetime(string="Answered at", readonly=True)

    actor_name = fields.Char(string="Recorded by")
    closer_name = fields.Char(string="Closed by", compute="_compute_closer_name")
    is_overdue = fields.Boolean(
        string="Overdue", compute="_compute_is_overdue", search="_search_is_overdue"
    )
    may_decide = fields.Boolean(
        string="May be closed by this user", compute="_compute_may_decide"
    )
    obstacle = fields.Char(
        string="Why this user may not close it", compute="_compute_may_decide"
    )
    is_mine = fields.Boolean(
        string="This user is responsible", compute="_compute_may_decide"
    )
    disputed = fields.Char(string="Disputed change", compute="_compute_disputed")
    remedy = fields.Selection(related="objection_id.remedy", related_sudo=False)
    paid_to = fields.Char(
        string="Where that payment went",
        compute="_compute_paid_to",
        help="The addresses in force on that day, masked.",
    )

    _uuid_uniq = models.UniqueIndex("(uuid)", "The number of a case must be unique.")
    _event_uniq = models.UniqueIndex(
        "(event_id) WHERE event_id IS NOT NULL",
        "An event can have only one complaint.",
    )
    _objection_uniq = models.UniqueIndex(
        "(objection_id) WHERE objection_id IS NOT NULL",
        "An objection can have only one complaint.",
    )

    # === DISPLAY === #

    @api.depends("uuid")
    def _compute_reference(self):
        for complaint in self:
            complaint.reference = (complaint.uuid or "")[:8].upper()

    @api.depends("closed_by")
    def _compute_closer_name(self):
        names = self.env["spar.event"]._get_actor_names(self.mapped("closed_by"))
        for complaint in self:
            complaint.closer_name = names.get(complaint.closed_by)

    @api.depends("objection_id", "event_id")
    def _compute_disputed(self):
        for complaint in self:
            event = complaint.event_id or complaint.objection_id.event_id
            complaint.disputed = event.display_name

    @api.depends("state", "deadline")
    def _compute_is_overdue(self):
        today = fields.Date.context_today(self)
        for complaint in self:
            is_open = complaint.state == "open"
            complaint.is_overdue = is_open and complaint.deadline < today

    @api.model
    def _search_is_overdue(self, operator, values):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        overdue = Domain("state", "=", "open") & Domain("deadline", "<", today)
        return Domain.OR(overdue if value else ~overdue for value in values)

    @api.depends_context("uid")
    @api.depends("state", "owner_id")
    def _compute_may_decide(self):
        for complaint in self:
            complaint.is_mine = complaint.owner_id == self.env.user
            is_open = complaint.state == "open"
            complaint.obstacle = complaint._get_obstacle() if is_open else ""
            complaint.may_decide = is_open and not complaint.obstacle

    @api.depends("missed_on", "subject_id")
    def _compute_paid_to(self):
        """Compute where the payment of the day went: the address in force then."""
        periods = self.env["spar.mapping.period"]
        for complaint in self:
            day = complaint.missed_on
            found = periods.search(
                [
                    ("subject_id", "=", complaint.subject_id.id),
                    ("in_force_on", "=", day),
                ]
                if day
                else [("id", "=", False)]
            )
            texts = list(dict.fromkeys(found.mapped("fa_masked")))
            nowhere = self.env._("No address was in force on that day.")
            complaint.paid_to = (", ".join(texts) or nowhere) if day else False

    # === RECORDING === #

    @api.model
    def _record(self, subject, kind: str, event, **details):
        """Record a complaint in the name of the officer who is logged in; return it.

        :param event: the disputed event of a change that was not the person's doing
        :param details: ``statement``, ``missed_on`` and ``is_identified``

        Raises AccessError, and UserError for a complaint that is recorded already or a
        request that the registry refuses.
        """
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(OFFICER)
        subject.check_access("read")
        # The same complaint may be recorded at the same moment.
        count_alone(self.env.cr, self._table, subject.id)
        if subject.merged_into:
            raise UserError(
                self.env._(
                    "This record was merged into another one of the same person. Open "
                    "that one, and record the complaint there."
                )
            )
        subject.mapping_ids._check_reason(details.get("statement") or "")
        self._check_new(subject, kind, event, details.get("missed_on"))
        reason = details.get("statement") or self._get_kind_name(kind)
        # A statement made at the counter proves nothing: it locks and undoes nothing.
        call = mapper._build_staff_call(reason, has_evidence=False)
        with self.env["spar.staff.answers"]._raise_user_errors():
            if kind == NOT_ME:
                return self._object(call, event, details)
            complaint = self._insert(call, subject, kind, **details)
            mapper._note_complaint(call, subject.id, COMPLAINED)
        return complaint

    @api.model
    def _get_kind_name(self, kind: str) -> str:
        return dict(self._fields["kind"]._description_selection(self.env))[kind]

    @api.model
    def _check_new(self, subject, kind: str, event, day) -> None:
        """Raise UserError if the same complaint is open already."""
        domain = [
            ("subject_id", "=", subject.id),
            ("kind", "=", kind),
            ("state", "=", "open"),
        ]
        if kind == NOT_ME:
            domain.append(("objection_id.event_id", "=", event.id))
        if kind == "not_paid":
            domain.append(("missed_on", "=", day))
        known = self.search(domain, limit=1)
        if known:
            raise UserError(
                self.env._(
                    "This complaint is already recorded, under reference "
                    "%(reference)s. Nothing was added.",
                    reference=known.reference,
                )
            )

    @api.model
    def _object(self, call: CallContext, event, details: dict):
        """Object to an event for the person: changes are locked, nothing is undone."""
        shown = event.mapping_id._show().get(event.mapping_id.id)
        if shown is None or not event.period_id:
            raise UserError(self.env._("This record cannot be opened. See the alarms."))
        request = ObjectionRequest(
            StoredIdentifier(shown.canonical, shown.type_id),
            event.period_id.address_uuid,
            event.seq,
        )
        exceeded = self.env["spar.staff.act"]._record_objection(call, event.subject_id)
        if exceeded:
            result = Result(Outcome.FORBIDDEN, problem=exceeded)
            raise UserError(self.env["spar.staff.answers"]._get_refusal(result))
        self.env["spar.mapper.local"]._object_to(call, request)
        complaint = self.search([("objection_id.event_id", "=", event.id)], limit=1)
        if complaint.state != "open":
            raise UserError(
                self.env._(
                    "An objection to this change has already been decided. Choose "
                    "another change."
                )
            )
        complaint._set_columns(
            statement=details.get("statement") or None,
            is_identified=bool(details.get("is_identified")),
        )
        return complaint

    @api.model
    def _report(self, call: CallContext, event):
        """Record that an event which concerns no address was not the person's doing.

        It is called as superuser, for the holder of a notice's link. Return the
        complaint, which is the same at each call for the event.
        """
        subject = event.subject_id
        while subject.merged_into:
            subject = subject.merged_into
        lock_counters(self.env.cr, self._table, subject.id)
        known = self.search([("event_id", "=", event.id)])
        if known:
            return known
        complaint = self._insert(call, subject, NOT_ME, event_id=event.id)
        self.env["spar.mapper.local"]._note_complaint(call, subject.id, COMPLAINED)
        return complaint

    @api.model
    def _register_case(self, call: CallContext, uuid: str) -> None:
        """Add the complaint of a case that was just opened, by whatever channel."""
        if not uuid:
            return
        query = SQL(
            """SELECT o.id, m.subject_id
                 FROM spar_objection o JOIN spar_mapping m ON m.id = o.mapping_id
                WHERE o.uuid = %s""",
            uuid,
        )
        ((objection_id, subject_id),) = self.env.execute_query(query)
        subject = self.env["spar.subject"].browse(subject_id)
        self._insert(call, subject, NOT_ME, objection_id=objection_id, uuid=uuid)

    @api.model
    def _register_open_cases(self) -> None:
        """Add the complaints of open cases that have none, for the migration."""
        rows = self.env.execute_query(
            SQL(
                """SELECT o.uuid, o.actor, o.channel FROM spar_objection o
                    WHERE o.state = 'open' AND NOT EXISTS (
                          SELECT FROM spar_complaint c WHERE c.objection_id = o.id)
                    ORDER BY o.id"""
            )
        )
        for uuid, actor, channel in rows:
            call = CallContext(actor, channel, Authority.PROGRAMME)
            self._register_case(call, uuid)

    @api.model
    def _insert(self, call: CallContext, subject, kind: str, **values):
        """Add a complaint; return it."""
        now = self.env["spar.mapper.local"]._get_now()
        days = self.env["spar.limit"]._get_number("complaint_days")
        concerned = self._find_concerned(subject.id, now)
        row = {
            "uuid": new_uuid(),
            "is_identified": False,
            **{name: value for name, value in values.items() if value},
            "subject_id": subject.id,
            "kind": kind,
            "actor": call.actor,
            "channel": call.channel,
            "made_at": now,
            "deadline": now.date() + timedelta(days=days),
            "owner_id": self._choose_owner(call, subject, kind, concerned) or None,
            "state": "open",
        }
        columns = SQL(", ").join(map(SQL.identifier, row))
        query = SQL(
            "INSERT INTO spar_complaint (%s) VALUES %s RETURNING id",
            columns,
            tuple(row.values()),
        )
        ((row_id,),) = self.env.execute_query(query)
        return self.browse(row_id)

    # === WHO ANSWERS === #

    @api.model
    def _find_concerned(self, subject_id: int, before) -> set[str]:
        """Return who made or approved a change for this person in the year before.

        Records that were merged into this one are the same person. Whoever filled in a
        paper form made its change, too.
        """
        since = before - _CONCERNED_FOR
        query = SQL(
            """WITH person AS (
                    SELECT id FROM spar_subject WHERE id = %s OR merged_into = %s)
               SELECT DISTINCT actor, coalesce(on_behalf_of, '') FROM spar_event
                WHERE subject_id IN (SELECT id FROM person) AND kind = ANY(%s)
                  AND happened_at < %s AND happened_at > %s
                UNION
               SELECT filler, '' FROM spar_paper_form
                WHERE subject_id IN (SELECT id FROM person)
                  AND entered_at < %s AND entered_at > %s""",
            subject_id,
            subject_id,
            sorted(ANSWERED_FOR.union(ANSWERED_FOR_PERSON)),
            before,
            since,
            before,
            since,
        )
        rows = self.env.execute_query(query)
        return set().union(*(get_doers(actor, behalf) for actor, behalf in rows))

    @api.model
    def _choose_owner(
        self, call: CallContext, subject, kind: str, concerned: set[str]
    ) -> int:
        """Return the user who has to answer a new complaint; 0 if there is none.

        It is the officer who recorded it, if that officer may close it; otherwise the
        supervisor who sees the person and has the fewest open complaints.
        """
        reference, _colon, user_id = call.actor.partition(":")
        is_officer = call.channel == "staff" and reference == "user"
        if kind != NOT_ME and is_officer and call.actor not in concerned:
            return int(user_id)
        supervisors_sudo = self.env.ref(SUPERVISOR).sudo().all_user_ids
        open_sudo = self.sudo()._read_group(
            [("state", "=", "open"), ("owner_id", "in", supervisors_sudo.ids)],
            ["owner_id"],
            ["__count"],
        )
        counts = {owner.id: count for owner, count in open_sudo}
        excluded = {*concerned, call.actor}
        for user in supervisors_sudo.sorted(lambda u: (counts.get(u.id, 0), u.id)):
            is_free = f"user:{user.id}" not in excluded
            if is_free and subject.with_user(user).has_access("read"):
                return user.id
        return 0

    def _is_concerned(self) -> bool:
        """Return whether the complaint may be about what this user did."""
        self.ensure_one()
        actor = f"user:{self.env.uid}"
        return actor in self._find_concerned(self.subject_id.id, self.made_at)

    def _get_obstacle(self) -> str:
        """Return why this user may not close the complaint, or ""."""
        self.ensure_one()
        user = self.env.user
        if not user.has_group(SUPERVISOR) and (
            self.kind == NOT_ME or not user.has_group(OFFICER)
        ):
            return self.env._("A supervisor must close this complaint.")
        if self._is_concerned():
            return self.env._(
                "You made or decided a change for this person. Another person must "
                "close this complaint."
            )
        if self.kind == NOT_ME and f"user:{user.id}" == self.actor:
            return self.env._(
                "You recorded this complaint. Another supervisor must decide it."
            )
        parties = self.env["spar.case.parties"]
        known = parties._list_ever(self.subject_id)
        part = find_part(parties._get_party(user), known)
        return (
            self.env["spar.staff.answers"]
            ._get_part_texts()
            .get(f"takes_part_{part}", "")
        )

    def _check_decider(self) -> None:
        """Raise UserError unless this user may close the complaint, which is open."""
        self.check_access("read")
        if self.state != "open":
            raise UserError(self.env._("This complaint is already closed."))
        obstacle = self._get_obstacle()
        if obstacle:
            raise UserError(obstacle)

    def action_take(self):
        """Make this user responsible for the complaint."""
        self.ensure_one()
        self.env["spar.mapper.local"]._build_staff_call()
        self._lock()
        self._check_decider()
        self._make_responsible(self.env.user, COMPLAINT_TAKEN)
        text = self.env._("You are responsible for this complaint.")
        return self.env["spar.staff.answers"]._notify(text)

    def action_assign(self):
        """Open the window where a supervisor makes somebody else responsible."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Make somebody responsible"),
            "res_model": "spar.complaint.assign.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_complaint_id": self.id},
        }

    def _hand_to(self, user) -> None:
        """Make another user responsible, as a supervisor.

        Raises AccessError, and UserError for a complaint that is closed or somebody who
        may not close it.
        """
        self.ensure_one()
        self.env["spar.mapper.local"]._check_member(SUPERVISOR)
        self.check_access("read")
        self._lock()
        if self.state != "open":
            raise UserError(self.env._("This complaint is already closed."))
        theirs = self.with_user(user)
        if not theirs.has_access("read") or theirs._get_obstacle():
            raise UserError(
                self.env._(
                    "%(name)s may not close this complaint: choose somebody who sees "
                    "the person and made no change for the person within a year. For "
                    "This was not me, choose a supervisor who did not record it.",
                    name=user.name,
                )
            )
        self._make_responsible(user, COMPLAINT_HANDED)

    def _make_responsible(self, user, kind: str) -> None:
        """Make a user responsible; the history says who did so, and for whom."""
        if self.owner_id == user:
            return
        mapper = self.env["spar.mapper.local"]
        reason = self.env._(
            "Complaint %(reference)s: %(name)s answers it",
            reference=self.reference,
            name=user.name,
        )
        self._set_columns(owner_id=user.id)
        with self.env["spar.staff.answers"]._raise_user_errors():
            call = mapper._build_staff_call(reason, has_evidence=False)
            mapper._note_complaint(call, self.subject_id.id, kind)

    def _lock(self) -> None:
        """Let no other transaction decide these complaints meanwhile."""
        self.env.cr.execute(
            "SELECT id FROM spar_complaint WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            (self.ids,),
        )
        self.invalidate_recordset()

    # === STOPPING === #

    def _request_stop(self) -> str:
        """Request that payments to the person are suspended; return what happens next.

        The same rules decide as for any suspension by staff. While an objection locks
        the person, whoever decides that case decides this as well: nothing is changed
        meanwhile. Raises UserError if it is refused.
        """
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        places = self.subject_id.mapping_ids.filtered(lambda one: one.state == "active")
        if not places:
            raise UserError(
                self.env._("Nothing is paid to this person now: nothing to stop.")
            )
        if self.subject_id.change_lock == "objection":
            return self._leave_to_case()
        call = mapper._build_staff_call(
            self.statement or self._get_kind_name(self.kind), self.is_identified
        )
        shown = places._show()
        requests = [
            SuspendRequest(
                StoredIdentifier(shown[place.id].canonical, shown[place.id].type_id),
                purpose=place.purpose or "",
            )
            for place in places
            if place.id in shown
        ]
        with self.env["spar.staff.answers"]._raise_user_errors():
            results = mapper._suspend_fa(call, requests)
        return self._describe_stop(results)

    def _leave_to_case(self) -> str:
        """Make the supervisor of the case responsible; return what happens next."""
        case = self.search(
            [
                ("subject_id", "=", self.subject_id.id),
                ("kind", "=", NOT_ME),
                ("state", "=", "open"),
            ],
            limit=1,
        )
        if case.owner_id:
            self._make_responsible(case.owner_id, COMPLAINT_HANDED)
        return self.env._(
            "An objection locks this person, so nothing is suspended now. The "
            "supervisor who decides the case decides this as well. Until then, "
            "payments continue unless the case has stopped them."
        )

    @api.model
    def _describe_stop(self, results) -> str:
        """Return what became of a request to stop; raises UserError if refused."""
        refused = [
            result
            for result in results
            if result.outcome not in (Outcome.SUSPENDED, Outcome.HELD)
        ]
        if refused or not results:
            answers = self.env["spar.staff.answers"]
            raise UserError(
                answers._get_refusal(refused[0])
                if refused
                else self.env._("This record cannot be opened. See the alarms.")
            )
        if any(result.outcome is Outcome.HELD for result in results):
            return self.env._(
                "A supervisor must approve the suspension. Until then, payments "
                "continue."
            )
        return self.env._("Nothing is paid to this person from now on.")

    # === DECIDING === #

    def action_undo(self):
        """Undo at once what the case has only frozen; supervisors only."""
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(SUPERVISOR)
        self._lock()
        self._check_decider()
        if self.remedy != Remedy.FROZEN.value:
            raise UserError(self.env._("There is nothing to undo any more."))
        call = mapper._build_staff_call(self._get_kind_name(self.kind))
        with self.env["spar.staff.answers"]._raise_user_errors():
            answer = mapper._confirm_objection(call, self.objection_id.id)
        remedies = dict(
            self.env["spar.objection"]
            ._fields["remedy"]
            ._description_selection(self.env)
        )
        text = remedies[answer.remedy.value]
        return self.env["spar.staff.answers"]._notify(text)

    def action_answer(self):
        """Open the window where the complaint is closed, or its answer recorded."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Answer the complaint"),
            "res_model": "spar.complaint.answer",
            "view_mode": "form",
            "target": "new",
            "context": {"default_complaint_id": self.id},
        }

    def _close(
        self, is_upheld: bool, reason: str, answer: str, answered_how: str
    ) -> None:
        """Close the complaint, with its case if it has one.

        Raises AccessError, and UserError if this user may not, if it is closed already,
        or if a text discloses sealed values.
        """
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        self._lock()
        self._check_decider()
        self.subject_id.mapping_ids._check_reason(f"{reason} {answer}")
        call = mapper._build_staff_call(reason)
        if self.objection_id:
            self.objection_id._close(is_upheld, reason)
        else:
            with self.env["spar.staff.answers"]._raise_user_errors():
                self._note_closed(call, is_upheld)
                mapper._note_complaint(call, self.subject_id.id, COMPLAINT_CLOSED)
        self._note_answer(answer, answered_how)

    @api.model
    def _note_decision(
        self, call: CallContext, objection_id: int, is_upheld: bool
    ) -> None:
        """Close the complaint of a case that was just decided."""
        query = SQL(
            "SELECT id FROM spar_complaint WHERE objection_id = %s", objection_id
        )
        for (row_id,) in self.env.execute_query(query):
            self.browse(row_id)._note_closed(call, is_upheld)

    def _note_closed(self, call: CallContext, is_upheld: bool) -> None:
        self._set_columns(
            state="upheld" if is_upheld else "rejected",
            closed_by=call.actor,
            closed_at=self.env["spar.mapper.local"]._get_now(),
            close_reason=call.reason,
        )

    def _note_answer(self, answer: str, answered_how: str) -> None:
        """Record the answer to the person, and how they got it.

        Raises AccessError, and UserError if it was recorded already.
        """
        self.ensure_one()
        self.check_access("read")
        user = self.env.user
        if not (user.has_group(OFFICER) or user.has_group(SUPERVISOR)):
            raise AccessError(self.env._("Only officers and supervisors may do this."))
        if self.state == "open" or self.answered_at:
            raise UserError(self.env._("This complaint was already answered."))
        if self._is_concerned():
            raise UserError(
                self.env._(
                    "You made or decided a change for this person. Another person "
                    "must give the answer."
                )
            )
        is_reached = answered_how != NOT_REACHED
        now = self.env["spar.mapper.local"]._get_now()
        self._set_columns(
            answer=answer,
            answered_how=answered_how,
            answered_at=now if is_reached else None,
        )
