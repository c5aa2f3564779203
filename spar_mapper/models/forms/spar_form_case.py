from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ...exceptions import RowBroken
from ...fields import BigMany2one
from ...lib import integrity, seals
from ...lib.records import new_uuid
from ...store.auditing_forms import CASE
from ...store.sealing import CASES
from ..change.spar_change import SUPERVISOR
from .spar_id_form import ALIVE

#: The possible decisions on a line, by kind of case.
DECISIONS = {"ids": ("keep", "merge", "off"), "accounts": ("keep", "merge", "apart")}


class SparFormCase(models.Model):
    """IDs of several people that are identical when written in one form.

    While the case is open, each of the IDs is found only by exactly its own spelling,
    and a request with any other spelling is answered with *pending*. Two people decide:
    a person was recorded twice, or an ID was mistyped.
    """

    _name = "spar.form.case"
    _description = "IDs that coincide"
    _inherit = ["spar.store.table", "spar.sealed.storage", "spar.sealed.rows"]
    _rec_name = "reference"
    _order = "id desc"
    _log_access = False
    _sealed_table = CASES
    _digest_columns = ("digest_a", "digest_b")
    _seal_purpose = seals.ID
    _seal_prefix = (CASE,)
    _seal_context_columns = ("uuid",)

    uuid = fields.Char(required=True, readonly=True)
    kind = fields.Selection(
        [
            ("ids", "The same person twice"),
            ("accounts", "One account, several people"),
        ],
        required=True,
        readonly=True,
    )
    reference = fields.Char(compute="_compute_reference")
    number = fields.Integer(readonly=True, string="Form")
    state = fields.Selection(
        [
            ("open", "Open"),
            ("proposed", "Waiting for a second person"),
            ("closed", "Closed"),
        ],
        required=True,
        readonly=True,
    )
    made_at = fields.Datetime(required=True, readonly=True, string="Opened")
    line_ids = fields.One2many("spar.form.case.line", "case_id", readonly=True)
    people = fields.Integer(compute="_compute_people")
    reason = fields.Char(readonly=True)
    proposed_by = fields.Char(string="Proposed by (reference)", readonly=True)
    decided_by = fields.Char(string="Decided by (reference)", readonly=True)
    proposer_name = fields.Char(compute="_compute_names", string="Proposed by")
    decider_name = fields.Char(compute="_compute_names", string="Approved by")
    decided_at = fields.Datetime(readonly=True, string="Decided")
    is_mine = fields.Boolean(string="Mine", compute="_compute_names")

    def init(self):
        result = super().init()
        for statement in integrity.build_case_guard():
            self.env.cr.execute(statement)
        for column in self._digest_columns:
            self.env.cr.execute(
                SQL(
                    """CREATE UNIQUE INDEX IF NOT EXISTS %(index)s
                           ON spar_form_case (%(digest)s)
                        WHERE %(digest)s IS NOT NULL AND state <> 'closed'""",
                    index=SQL.identifier(f"spar_form_case_{column}_once"),
                    digest=SQL.identifier(column),
                )
            )
        return result

    @api.depends("uuid")
    def _compute_reference(self):
        for case in self:
            case.reference = (case.uuid or "")[:8].upper()

    @api.depends("line_ids")
    def _compute_people(self):
        for case in self:
            case.people = len(case.line_ids.subject_id)

    @api.depends("proposed_by", "decided_by")
    @api.depends_context("uid")
    def _compute_names(self):
        actors = [*self.mapped("proposed_by"), *self.mapped("decided_by")]
        names = self.env["spar.event"]._get_actor_names(actors)
        for case in self:
            case.proposer_name = names.get(case.proposed_by, "")
            case.decider_name = names.get(case.decided_by, "")
            case.is_mine = case.proposed_by == f"user:{self.env.uid}"

    # === CONTESTED IDS === #

    @api.model
    def _open_cases(
        self, keyring: OpenKeyring, number: int, contested: dict[str, list[int]]
    ) -> None:
        """Open a case for each ID that several rows would share, or add rows to it."""
        for canonical, row_ids in contested.items():
            case = self._open_case(keyring, number, canonical)
            case._check_signed()
            self.env.cr.execute(
                """INSERT INTO spar_form_case_line (case_id, identifier_id)
                   SELECT %s, i.id FROM spar_subject_id i
                    WHERE i.id = ANY(%s) AND i.active
                       ON CONFLICT DO NOTHING""",
                (case.id, row_ids),
            )
            case._sign()
        if contested:
            self._set_contested()
            self.invalidate_model()

    @api.model
    def _open_case(self, keyring: OpenKeyring, number: int, canonical: str):
        digests = keyring.digests(seals.ID, canonical)
        column = SQL.identifier(f"digest_{keyring.roles.read_column}")
        found = self.env.execute_query(
            SQL(
                "SELECT id FROM spar_form_case WHERE state <> 'closed' AND %s = %s",
                column,
                digests[keyring.roles.read_column],
            )
        )
        if found:
            return self.browse(found[0][0])
        uuid = new_uuid()
        rows = self.env.execute_query(
            SQL(
                """INSERT INTO spar_form_case
                          (uuid, kind, number, state, made_at, digest_a, digest_b,
                           sealed)
                   VALUES (%s, 'ids', %s, 'open', now() AT TIME ZONE 'UTC', %s, %s, %s)
                   RETURNING id""",
                uuid,
                number,
                digests.get("a"),
                digests.get("b"),
                keyring.seal(seals.ID, canonical, bind(CASE, uuid)),
            )
        )
        case = self.browse(rows[0][0])
        case._sign(added=1)
        return case

    @api.model
    def _set_contested(self) -> None:
        """Notify every host whether cases are open."""
        query = SQL(
            """SELECT EXISTS (SELECT FROM spar_form_case
                               WHERE kind = 'ids' AND state <> 'closed')"""
        )
        ((is_contested,),) = self.env.execute_query(query)
        forms_sudo = self.env["spar.id.form"].sudo()
        alive = [("state", "in", ALIVE), ("is_contested", "!=", is_contested)]
        if other_sudo := forms_sudo.search(alive):
            other_sudo.is_contested = is_contested

    # === DECIDING === #

    def action_propose(self):
        """Open the window in which a supervisor proposes a decision."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Decide on IDs that coincide"),
            "res_model": "spar.form.case.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_case_id": self.id},
        }

    def _propose(self, decisions: dict[int, str], reason: str) -> None:
        """Propose a decision for each line, by its id: ``keep``, ``merge`` or ``off``.

        Raises AccessError, and UserError for an invalid decision.
        """
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(SUPERVISOR)
        self._lock("open")
        if not (reason or "").strip():
            raise UserError(self.env._("Enter a reason."))
        for mapping in self.line_ids.subject_id.mapping_ids:
            mapping._check_reason(reason)
        self._check_decisions(decisions)
        for line_id, decision in decisions.items():
            self.env.cr.execute(
                "UPDATE spar_form_case_line SET decision = %s WHERE id = %s",
                (decision, line_id),
            )
        self._set(state="proposed", proposed_by=f"user:{self.env.uid}", reason=reason)

    def _check_decisions(self, decisions: dict[int, str]) -> None:
        """Raise UserError unless the decisions fit the lines and the kind of case."""
        if set(decisions) != set(self.line_ids.ids) or not all(decisions.values()):
            raise UserError(self.env._("Choose a decision for each ID."))
        words = list(decisions.values())
        if set(words) - set(DECISIONS[self.kind]):
            raise UserError(self.env._("This decision does not fit this kind of case."))
        # Several people may share an account.
        kept = 0 if self.kind == "accounts" and "merge" not in words else 1
        if words.count("keep") != kept and (kept or "keep" in words):
            raise UserError(self.env._("Keep exactly one of the records."))

    def action_approve(self) -> dict:
        """Carry out what another person has proposed."""
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(SUPERVISOR)
        self._lock("proposed")
        if self.is_mine:
            raise UserError(
                self.env._("You proposed this. Another person must approve it.")
            )
        with self.env["spar.staff.answers"]._raise_user_errors():
            self._check_proposal()
            mapper._decide_case(mapper._build_staff_call(self.reason), self)
        self._set(
            state="closed",
            decided_by=f"user:{self.env.uid}",
            decided_at=fields.Datetime.now(),
        )
        self._set_contested()
        self.env["spar.form.run"].sudo()._trigger()
        self.env.invalidate_all()
        return self.env["spar.staff.answers"]._notify(self.env._("The case is closed."))

    def _check_proposal(self) -> None:
        """Raise RowBroken unless it is the newest proposal.

        An older proposal that was restored is detected by the seal over all cases.
        """
        problems = self._get_row_seals().find_altered_set(CASES)
        if problems:
            self.env["spar.alarm"]._raise_alarms(problems)
            raise RowBroken(*problems[0])

    def action_refuse(self) -> dict:
        """Leave the case open: the proposal is wrong, or no longer wanted."""
        self.ensure_one()
        self.env["spar.mapper.local"]._check_member(SUPERVISOR)
        self._lock("proposed")
        self.env.cr.execute(
            "UPDATE spar_form_case_line SET decision = NULL WHERE case_id = %s",
            (self.id,),
        )
        self._set(state="open", proposed_by=None, reason=None)
        return self.env["spar.staff.answers"]._notify(
            self.env._("The case stays open. Nothing was changed.")
        )

    def _lock(self, state: str) -> None:
        """Lock the case until it is changed; raise unless it is in ``state``.

        Raises RowBroken if it is not as it was left.
        """
        self.check_access("read")
        self.env.cr.execute(
            "SELECT state FROM spar_form_case WHERE id = %s FOR UPDATE", (self.id,)
        )
        if self.env.cr.fetchone() != (state,):
            raise UserError(self.env._("Someone else has already decided this case."))
        self.invalidate_recordset()
        with self.env["spar.staff.answers"]._raise_user_errors():
            self._check_signed()

    def _set(self, **values) -> None:
        """Write and sign the case, which the caller has locked and verified."""
        self._set_columns(**values)
        self._sign()
        self.env.invalidate_all()


class SparFormCaseLine(models.Model):
    """One of the IDs that coincide, and what two people decide about it."""

    _name = "spar.form.case.line"
    _description = "ID that coincides with others"
    _inherit = ["spar.store.table"]
    _log_access = False

    case_id = BigMany2one(
        "spar.form.case", required=True, readonly=True, ondelete="restrict"
    )
    identifier_id = BigMany2one("spar.subject.id", readonly=True, ondelete="restrict")
    mapping_id = BigMany2one("spar.mapping", readonly=True, ondelete="restrict")
    decision = fields.Selection(
        selection=lambda self: self._selection_decision(), readonly=True
    )
    subject_id = BigMany2one("spar.subject", compute="_compute_subject_id")
    since = fields.Datetime(compute="_compute_shown", string="Recorded since")
    id_masked = fields.Char(compute="_compute_shown", string="ID as written")
    fa_masked = fields.Char(compute="_compute_shown", string="Financial address")
    pay_state = fields.Char(compute="_compute_shown", string="State")

    _once = models.UniqueIndex(
        "(case_id, coalesce(identifier_id, 0), coalesce(mapping_id, 0))",
        "A record is listed once.",
    )

    @api.model
    def _selection_decision(self):
        return [
            ("keep", self.env._("Keep this record, with its address")),
            (
                "merge",
                self.env._("The same person: merge into the record that is kept"),
            ),
            ("off", self.env._("Somebody else, mistyped: switch the ID off")),
            ("apart", self.env._("Somebody else, who also has this account")),
        ]

    @api.depends("identifier_id", "mapping_id")
    def _compute_subject_id(self):
        for line in self:
            subject = line.identifier_id.subject_id or line.mapping_id.subject_id
            line.subject_id = subject

    @api.depends("identifier_id")
    @api.depends_context("lang")
    def _compute_shown(self):
        """Open the ID for this display only; the result is not stored."""
        try:
            shown = self._show()
        except ServiceUnavailable:
            self.id_masked = self.fa_masked = self.env._("Encryption keys unavailable")
            self.pay_state, self.since = "", False
            return
        broken = self.env._("Cannot be opened: see the alarms")
        words = self.env["spar.masked.words"]._write_ids(list(shown.values()))
        ids = dict(zip(shown, words, strict=True))
        for line in self:
            line.since = line.subject_id.since
            line.id_masked = ids.get(line._get_identifier().id, broken)
            places = line.subject_id.mapping_ids
            line.fa_masked = ", ".join(places.mapped("fa_masked"))
            states = dict(places._fields["state"]._description_selection(self.env))
            line.pay_state = ", ".join(states.get(p.state, "") for p in places)

    def _get_identifier(self):
        """Return the ID in question, or one that its person has."""
        ids = self.subject_id.with_context(active_test=False).identifier_ids
        chosen = ids.sorted(lambda row: (not row.active, row.id))[:1]
        return self.identifier_id or chosen

    def _show(self) -> dict[int, str]:
        """Return the spelling of each ID, in clear, by its row; for masking only."""
        self.check_access("read")
        mapper = self.env["spar.mapper.local"]
        ids = [line._get_identifier().id for line in self]
        return mapper._show_ids(mapper._build_staff_call(), ids)
