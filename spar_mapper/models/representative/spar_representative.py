import json
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from odoo.addons.spar_fa_directory.lib.fa_mask import mask
from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import CallContext

from ...fields import CheckedMany2one, StoreMany2one
from ...lib.parties import find_part
from ...lib.records import new_uuid
from ...lib.representative import (
    REPRESENTATIVE,
    STATE_AFTER,
    build_reference,
    commit_to_representative,
    get_standing,
)
from ...lib.transitions import (
    REPRESENTATIVE_APPROVED,
    REPRESENTATIVE_ENDED,
    REPRESENTATIVE_EVENTS,
    REPRESENTATIVE_PROPOSED,
    REPRESENTATIVE_REFUSED,
)
from ..staff.spar_lookup import FoundPlace

OFFICER = "spar_fa_directory.group_officer"
SUPERVISOR = "spar_fa_directory.group_supervisor"
AUDITOR = "spar_fa_directory.group_auditor"
#: What is sealed.
TEXTS = ("name", "identifier", "phone", "proof")
#: The columns to which the events commit, besides the sealed texts.
_COMMITTED = (
    "uuid",
    "kind_id",
    "until",
    "state",
    "actor",
    "made_at",
    "decided_by",
    "decided_at",
    "ended_by",
    "ended_at",
    "reason",
)


class SparRepresentative(models.Model):
    """Somebody who may act or collect for a person, until a day.

    It moves no money: payments go to the account, whoever collects. But staff hand over
    by it what belongs to the person. So a second person decides, and each step has an
    event that commits to all of the row: one that was altered, or set back, is not
    shown.
    """

    _name = "spar.representative"
    _description = "Guardian or collector"
    _inherit = [
        "spar.subject.row",
        "spar.by.whom",
        "spar.sealed.storage",
        "spar.representative.following",
    ]
    _rec_name = "kind_id"
    _order = "id desc"
    _log_access = False
    _seal_purpose = REPRESENTATIVE
    _seal_prefix = (REPRESENTATIVE,)
    _seal_context_columns = ("uuid", "subject_id.uuid", "kind_id", "until")
    _references = {
        "subject_id": "spar_subject",
        "kind_id": "spar_representative_kind",
    }
    _refuses_delete = "guardians and collectors are ended, not deleted"

    uuid = fields.Char(required=True, readonly=True)
    reference = fields.Char(compute="_compute_reference")
    kind_id = CheckedMany2one(
        "spar.representative.kind",
        string="Kind",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    until = fields.Date(string="Last day", required=True, readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waits for a supervisor"),
            ("active", "Approved"),
            ("refused", "Refused or withdrawn"),
            ("ended", "Ended"),
        ],
        string="Stored state",
        required=True,
        readonly=True,
    )
    actor = fields.Char(string="Entered by (reference)")
    made_at = fields.Datetime(string="Entered at", required=True, readonly=True)
    decided_by = fields.Char(string="Decided by (reference)", readonly=True)
    decided_at = fields.Datetime(string="Decided at", readonly=True)
    ended_by = fields.Char(string="Ended by (reference)", readonly=True)
    ended_at = fields.Datetime(string="Ended at", readonly=True)
    reason = fields.Char(readonly=True, help="Why it was refused or ended.")

    actor_name = fields.Char(string="Entered by")
    decider_name = fields.Char(string="Decided by", compute="_compute_names")
    ender_name = fields.Char(string="Ended by", compute="_compute_names")
    name_masked = fields.Char(string="Name", compute="_compute_masked")
    identifier_masked = fields.Char(string="Their ID", compute="_compute_masked")
    phone_masked = fields.Char(string="Phone", compute="_compute_masked")
    standing = fields.Selection(
        selection="_selection_standing", compute="_compute_masked", string="State"
    )
    standing_text = fields.Char(string="What it means", compute="_compute_masked")
    others_text = fields.Char(
        string="Others who act for the person", compute="_compute_others_text"
    )
    evidence_id = StoreMany2one(
        "spar.evidence", string="Stored document", compute="_compute_evidence_id"
    )
    may_decide = fields.Boolean(
        string="May be decided by this user", compute="_compute_may"
    )
    may_end = fields.Boolean(string="May be ended by this user", compute="_compute_may")
    is_over = fields.Boolean(
        string="Expired", compute="_compute_is_over", search="_search_is_over"
    )

    _uuid_uniq = models.UniqueIndex("(uuid)", "The number of a row must be unique.")

    # === DISPLAY === #

    @api.model
    def _selection_standing(self):
        states = self._fields["state"]._description_selection(self.env)
        return [
            *states,
            ("expired", self.env._("Expired")),
            ("unreadable", self.env._("Cannot be verified")),
        ]

    @api.depends("uuid")
    def _compute_reference(self):
        for row in self:
            row.reference = (row.uuid or "")[:8].upper()

    @api.depends("kind_id", "until")
    def _compute_display_name(self):
        for row in self:
            row.display_name = self.env._(
                "%(kind)s until %(day)s",
                kind=row.kind_id.name,
                day=format_date(self.env, row.until),
            )

    @api.depends("decided_by", "ended_by")
    def _compute_names(self):
        actors = [*self.mapped("decided_by"), *self.mapped("ended_by")]
        names = self.env["spar.event"]._get_actor_names(actors)
        for row in self:
            row.decider_name = names.get(row.decided_by)
            row.ender_name = names.get(row.ended_by)

    @api.depends("state", "until")
    def _compute_masked(self):
        """Compute what is shown of rows that are as their last event says."""
        today = fields.Date.context_today(self)
        try:
            opened = self._open_verified()
        except ServiceUnavailable:
            opened = {}
        for row in self:
            texts = opened.get(row.id)
            row.name_masked = texts and mask(texts["name"])
            row.identifier_masked = texts and mask(texts["identifier"])
            row.phone_masked = texts and mask(texts["phone"])
            row.standing = (
                "unreadable"
                if texts is None
                else get_standing(row.state, row.until, today)
            )
            row.standing_text = row._get_standing_text()

    def _get_standing_text(self) -> str:
        """Return what the state means, and what staff do next."""
        day = format_date(self.env, self.until)
        texts = {
            "waiting": self.env._("Does not count until a supervisor approves it."),
            "active": self.env._("Until %(day)s.", day=day),
            "expired": self.env._(
                "Expired on %(day)s. Ask for a new document and enter it again. "
                "Payments go on to the account.",
                day=day,
            ),
            "refused": self.env._("Refused or withdrawn: %(why)s", why=self.reason),
            "ended": self.env._(
                "Ended on %(day)s: %(why)s",
                day=format_date(self.env, self.ended_at) if self.ended_at else "",
                why=self.reason,
            ),
            "unreadable": self.env._(
                "This record was altered, or its keys are away. Hand nothing over by "
                "it, and see the alarms."
            ),
        }
        return texts[self.standing]

    @api.depends("subject_id.representative_ids.state")
    def _compute_others_text(self):
        """Compute who acts for the person beside this one: they stay."""
        for row in self:
            others = row.subject_id.representative_ids - row
            row.others_text = others._describe() or self.env._("Nobody.")

    @api.depends("uuid")
    def _compute_evidence_id(self):
        documents = self.env["spar.evidence"]
        if documents.has_access("read"):
            documents = documents.search([("uuid", "in", self.mapped("uuid"))])
        found = {document.uuid: document for document in documents}
        for row in self:
            document = found.get(row.uuid, documents.browse())
            # It stays with the record that was merged, and the row moves on.
            person_sudo = document.sudo().subject_id
            owners_sudo = person_sudo | person_sudo.merged_into
            row.evidence_id = row.subject_id in owners_sudo and document

    @api.depends_context("uid")
    @api.depends("state")
    def _compute_may(self):
        user = self.env.user
        is_supervisor = user.has_group(SUPERVISOR)
        may_end = is_supervisor or user.has_group(OFFICER)
        for row in self:
            is_waiting = row.state == "waiting"
            row.may_decide = is_waiting and is_supervisor and not row.is_own
            row.may_end = row.state == "active" and may_end

    @api.depends("state", "until")
    def _compute_is_over(self):
        today = fields.Date.context_today(self)
        for row in self:
            row.is_over = get_standing(row.state, row.until, today) == "expired"

    @api.model
    def _search_is_over(self, operator, values):
        if operator != "in":
            return NotImplemented
        over = Domain("state", "=", "active")
        over &= Domain("until", "<", fields.Date.context_today(self))
        return Domain.OR(over if value else ~over for value in values)

    # === WHAT IS SEALED, AND WHAT THE HISTORY SAYS === #

    def _open_verified(self) -> dict[int, dict[str, str]]:
        """Return the texts of the rows that are as their last event says.

        The others raise an alarm. Raises ServiceUnavailable without keys.
        """
        if not self.ids:
            return {}
        keyring = self.env["spar.keyring"]._open()
        sealed = self._read_sealed_rows()
        rows = self._fetch_committed()
        good = {}
        for row_id, subject, commitment, *values in rows:
            text = sealed.get(row_id)
            if text is None or commitment is None:
                continue
            present = commit_to_representative(keyring, subject, [text, *values])
            if present == bytes(commitment):
                good[row_id] = json.loads(text)
        altered = [row[0] for row in rows if row[0] not in good]
        problem = "a guardian or collector differs from the history"
        self.env["spar.alarm"]._raise_alarms(
            [(self._table, row_id, problem) for row_id in altered]
        )
        return good

    def _fetch_committed(self) -> list[tuple]:
        """Return rows: id, the person's UUID, the last commitment, and the columns."""
        columns = SQL(", ").join(
            SQL("coalesce(r.%s::text, '')", SQL.identifier(name)) for name in _COMMITTED
        )
        return self.env.execute_query(
            SQL(
                """SELECT r.id, s.uuid, e.commitment_after, %s
                     FROM spar_representative r
                     JOIN spar_subject s ON s.id = r.subject_id
                     LEFT JOIN LATERAL (
                          SELECT commitment_after FROM spar_event
                           WHERE subject_id = r.subject_id AND format > 1
                             AND kind = ANY(%s)
                             AND message_reference = %s || r.uuid
                           ORDER BY seq DESC LIMIT 1) e ON true
                    WHERE r.id = ANY(%s)""",
                columns,
                list(REPRESENTATIVE_EVENTS),
                build_reference(""),
                list(self.ids),
            )
        )

    # === STEPS === #

    @api.model
    def _propose(self, subject, kind, until, texts: dict[str, str], uuid: str = ""):
        """Record somebody who may act for a person, for a second person; return it.

        Raises AccessError, and UserError for a record that does not open.
        """
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(OFFICER)
        subject.check_access("read")
        self._check_other(texts)
        uuid = uuid or new_uuid()
        call = self._build_call(uuid, kind, until)
        text = json.dumps({name: texts.get(name) or "" for name in TEXTS})
        query = SQL(
            """INSERT INTO spar_representative
                      (uuid, subject_id, kind_id, until, state, actor, made_at, sealed)
               VALUES (%s, %s, %s, %s, 'waiting', %s, %s, %s) RETURNING id""",
            uuid,
            subject.id,
            kind.id,
            until,
            call.actor,
            mapper._get_now(),
            self._seal_value(text, uuid, subject.uuid, kind.id, until.isoformat()),
        )
        ((row_id,),) = self.env.execute_query(query)
        row = self.browse(row_id)
        row._note(call, REPRESENTATIVE_PROPOSED)
        return row

    @api.model
    def _check_other(self, texts: dict[str, str]) -> None:
        """Raise UserError if the user may be the one who would act."""
        parties = self.env["spar.case.parties"]
        user = parties._get_party(self.env.user)
        if find_part(user, [parties._build_collector(texts)]):
            raise UserError(
                self.env._(
                    "You cannot act or collect for somebody by your own entry or "
                    "approval. If somebody else has your name, ask a colleague to do "
                    "this."
                )
            )

    @api.model
    def _build_call(self, uuid: str, kind, until, reason: str = "") -> CallContext:
        """Return the call of this user, whose event says who may act until when."""
        text = self.env._(
            "%(kind)s until %(day)s",
            kind=kind.name,
            day=format_date(self.env, until),
        )
        text = f"{text}: {reason}" if reason else text
        mapper = self.env["spar.mapper.local"]
        with self.env["spar.staff.answers"]._raise_user_errors():
            return mapper._build_staff_call(
                text, message_reference=build_reference(uuid)
            )

    def _note(self, call: CallContext, kind: str, **values) -> None:
        """Set columns, and record the event that commits to all of the row."""
        values["state"] = STATE_AFTER.get(kind, self.state)
        self._set_columns(**values)
        text = self._read_sealed()
        ((_id, _subject, _commitment, *columns),) = self._fetch_committed()
        commit = partial(_commit, values=[text, *columns])
        with self.env["spar.staff.answers"]._raise_user_errors():
            self.env["spar.mapper.local"]._note_representative(
                call, self.subject_id.id, kind, commit
            )
        self.invalidate_recordset()

    def _begin_step(self, state: str) -> None:
        """Lock the row; raise UserError unless it is in ``state``, and genuine."""
        self.ensure_one()
        self.check_access("read")
        self.env.cr.execute(
            "SELECT id FROM spar_representative WHERE id = %s FOR UPDATE", (self.id,)
        )
        self.invalidate_recordset()
        if self.state != state:
            raise UserError(
                self.env._("This was decided in the meantime. Reload the page.")
            )
        with self.env["spar.staff.answers"]._raise_user_errors():
            if self.id not in self._open_verified():
                raise UserError(
                    self.env._("This record cannot be opened. See the alarms.")
                )

    def action_approve(self):
        """Approve, as a second person who has seen whom they approve."""
        self._begin_step("waiting")
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(SUPERVISOR)
        call = self._build_call(self.uuid, self.kind_id, self.until)
        if call.actor == self.actor:
            raise UserError(
                self.env._("You entered this. Another supervisor must approve it.")
            )
        self._check_other(self._open_verified()[self.id])
        if self.until < fields.Date.context_today(self):
            raise UserError(
                self.env._("The last day has passed. Refuse this and enter it again.")
            )
        if not self._has_revealed(self.made_at):
            raise UserError(
                self.env._(
                    "Reveal the name and the ID first, and compare them with the "
                    "document."
                )
            )
        self._note(
            call,
            REPRESENTATIVE_APPROVED,
            decided_by=call.actor,
            decided_at=mapper._get_now(),
        )
        self._remove_activities()
        text = self.env._("Approved. It counts until its last day.")
        return self.env["spar.staff.answers"]._notify(text)

    def _refuse(self, reason: str) -> None:
        """Refuse, as a supervisor, or withdraw what this user entered."""
        self._begin_step("waiting")
        mapper = self.env["spar.mapper.local"]
        if not self.is_own:
            mapper._check_member(SUPERVISOR)
        self.subject_id.mapping_ids[:1]._check_reason(reason)
        call = self._build_call(self.uuid, self.kind_id, self.until, reason)
        self._note(
            call,
            REPRESENTATIVE_REFUSED,
            decided_by=call.actor,
            decided_at=mapper._get_now(),
            reason=reason,
        )
        self._remove_activities()

    def _end(self, reason: str) -> None:
        """End before the last day, as an officer or a supervisor: a doubt suffices."""
        self._begin_step("active")
        mapper = self.env["spar.mapper.local"]
        if not self.env.user.has_group(SUPERVISOR):
            mapper._check_member(OFFICER)
        self.subject_id.mapping_ids[:1]._check_reason(reason)
        call = self._build_call(self.uuid, self.kind_id, self.until, reason)
        self._note(
            call,
            REPRESENTATIVE_ENDED,
            ended_by=call.actor,
            ended_at=mapper._get_now(),
            reason=reason,
        )
        self._remove_activities()

    # === ACTIONS === #

    def action_reveal(self):
        """Record the access, then show who it is, to staff who deal with people."""
        self.ensure_one()
        self.check_access("read")
        user = self.env.user
        if not any(map(user.has_group, (OFFICER, SUPERVISOR, AUDITOR))):
            self.env["spar.mapper.local"]._refuse_person()
        with self.env["spar.staff.answers"]._raise_user_errors():
            self.env["spar.mapper.local"]._build_staff_call()
        place = FoundPlace(0, self.subject_id.id)
        lookups = self.env["spar.lookup"]
        lookups._search_counted(REPRESENTATIVE, self.uuid, lambda: [place])
        return self._open_window("spar.representative.reveal", self.env._("Reveal"))

    def _has_revealed(self, since) -> bool:
        """Return whether this user saw in clear who it is, since then."""
        lookups_sudo = self.env["spar.lookup"].sudo()
        return lookups_sudo._has_searched(
            self.env.uid, REPRESENTATIVE, self.uuid, since
        )

    def action_show_document(self):
        """Record the access, then show what proves it, to supervisors and auditors."""
        self.ensure_one()
        self.check_access("read")
        if not self.evidence_id:
            self.env["spar.mapper.local"]._refuse_person()
        return self.evidence_id.action_view()

    def action_refuse(self):
        """Ask why it is refused or withdrawn."""
        title = self.env._("Withdraw") if self.is_own else self.env._("Refuse")
        return self._open_window("spar.representative.answer", title)

    def action_end(self):
        """Ask why it ends before its last day."""
        return self._open_window("spar.representative.answer", self.env._("End"))

    def action_open_person(self):
        """Open the page of the person."""
        self.ensure_one()
        return self.subject_id._open_page(self.subject_id)

    def _open_window(self, model: str, title: str) -> dict:
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {"default_representative_id": self.id},
        }


def _commit(keyring, subject: str, values: list[str]) -> bytes:
    return commit_to_representative(keyring, subject, values)
