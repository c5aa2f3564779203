from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import (
    SealBroken,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import bind

from ...fields import StoreMany2one
from ...lib.seals import APPROVAL_TIME
from ..change.spar_change import OFFICER, SUPERVISOR

#: The purpose of the seals. It must never change.
JOINING = "joining"


class SparJoining(models.Model):
    """An ID card of somebody who had none, until a second person approves it.

    The ID is sealed under the terms of the request. If it is a person already, that
    person is named, and the two are merged.
    """

    _name = "spar.joining"
    _description = "ID card that waits"
    _inherit = ["spar.subject.row", "spar.sealed.storage"]
    _rec_name = "reference"
    _order = "id desc"
    _log_access = False
    _seal_purpose = JOINING
    _seal_context_columns = (
        "uuid",
        "subject_id.uuid",
        "target_id.uuid",
        "proposer",
        "proposed_at",
        "evidence",
    )
    _references = {"subject_id": "spar_subject", "target_id": "spar_subject"}
    _refuses_delete = "ID cards that waited are not deleted"

    uuid = fields.Char(required=True, readonly=True)
    reference = fields.Char(compute="_compute_reference")
    subject_id = StoreMany2one(string="Provisional person")
    target_id = StoreMany2one(
        "spar.subject",
        string="Person with this ID",
        readonly=True,
        ondelete="restrict",
        help="Who had the ID when it was entered. If nobody, it is added.",
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("added", "Added"),
            ("merged", "Merged"),
            ("refused", "Refused"),
            ("withdrawn", "Withdrawn"),
            ("expired", "Expired"),
        ],
        required=True,
        readonly=True,
    )
    proposer = fields.Char(
        string="Entered by (reference)", required=True, readonly=True
    )
    proposed_at = fields.Datetime(string="Entered at", required=True, readonly=True)
    reason = fields.Char(readonly=True)
    evidence = fields.Char(string="Number of the document", readonly=True)
    decided_by = fields.Char(string="Decided by (reference)", readonly=True)
    decided_at = fields.Datetime(string="Decided at", readonly=True)
    decision_reason = fields.Char(string="Reason for the decision", readonly=True)

    proposer_name = fields.Char(string="Entered by", compute="_compute_names")
    decider_name = fields.Char(string="Decided by", compute="_compute_names")
    id_masked = fields.Char(string="ID on the card", compute="_compute_id_masked")
    provisional_reference = fields.Char(
        related="subject_id.provisional_reference", related_sudo=False
    )
    effect = fields.Char(string="What happens", compute="_compute_effect")
    is_mine = fields.Boolean(string="Entered by you", compute="_compute_is_mine")
    evidence_id = StoreMany2one(
        "spar.evidence", string="Document", compute="_compute_evidence_id"
    )

    _waiting_uniq = models.UniqueIndex(
        "(subject_id) WHERE state = 'waiting'",
        "An ID card of this person waits already.",
    )

    def _build_seal_context(
        self, uuid, subject, target, proposer, proposed_at, evidence
    ) -> bytes:
        """Return the context of the ID: who asked for what, for whom and when."""
        moment = proposed_at.isoformat()
        return bind(JOINING, uuid, subject, target or "", proposer, moment, evidence)

    # === DISPLAY === #

    @api.depends("uuid")
    def _compute_reference(self):
        for joining in self:
            joining.reference = (joining.uuid or "")[:8].upper()

    @api.depends("proposer", "decided_by")
    def _compute_names(self):
        actors = [*self.mapped("proposer"), *self.mapped("decided_by")]
        names = self.env["spar.event"]._get_actor_names(actors)
        for joining in self:
            joining.proposer_name = names.get(joining.proposer, joining.proposer)
            joining.decider_name = names.get(joining.decided_by)

    @api.depends("uuid")
    @api.depends_context("lang")
    def _compute_id_masked(self):
        """Open the ID for this display only; it is erased once it is decided on."""
        try:
            texts = self._read_sealed_rows()
        except ServiceUnavailable:
            self.id_masked = self.env._("Encryption keys unavailable")
            return
        words = self.env["spar.masked.words"]._write_ids(list(texts.values()))
        shown = dict(zip(texts, words, strict=True))
        for joining in self:
            joining.id_masked = shown.get(joining.id)

    @api.depends_context("uid")
    @api.depends("proposer")
    def _compute_is_mine(self):
        for joining in self:
            joining.is_mine = joining.proposer == f"user:{self.env.uid}"

    @api.depends("evidence")
    def _compute_evidence_id(self):
        documents = self.env["spar.evidence"]
        if documents.has_access("read"):
            numbers = [number for number in self.mapped("evidence") if number]
            documents = documents.search([("uuid", "in", numbers)])
        found = {document.uuid: document for document in documents}
        for joining in self:
            joining.evidence_id = found.get(joining.evidence)

    @api.depends("target_id")
    def _compute_effect(self):
        for joining in self:
            texts = (joining._get_effect(), joining._get_representatives_text())
            joining.effect = " ".join(filter(None, texts))

    def _get_representatives_text(self) -> str:
        """Return who acts for either record, if the two are merged, or ""."""
        who = self.subject_id.representative_ids._describe()
        if not self.target_id or not who:
            return ""
        texts = [
            self.env._(
                "Who may act or collect for the provisional record does so for that "
                "person as well: %(who)s",
                who=who,
            )
        ]
        theirs = self.target_id.representative_ids._describe()
        if theirs:
            texts.append(self.env._("That person has already: %(who)s", who=theirs))
        return " ".join(texts)

    def _get_effect(self) -> str:
        target = self.target_id
        if not target:
            return self.env._(
                "Nobody has this ID: it is added. The address and the provisional "
                "reference stay valid."
            )
        if target.place_state in ("active", "suspended"):
            return self.env._(
                "This ID is a person already: the two records are merged. Payments go "
                "to the address of that person, %(address)s; the provisional address "
                "ends. What stops or locks either of them stays.",
                address=target.fa_masked or "",
            )
        return self.env._(
            "This ID is a person already, who has no address now: the two records are "
            "merged, the provisional address ends, and nothing is paid until an "
            "officer links the person again."
        )

    # === PROPOSING === #

    @api.model
    def _insert(
        self, call: CallContext, subject, target, canonical: str, evidence: str
    ):
        """Add an ID that waits; return it. The caller records the event."""
        uuid = evidence
        now = self.env["spar.mapper.local"]._get_now()
        terms = (uuid, subject.uuid, target.uuid or "", call.actor, now, evidence)
        row = {
            "uuid": uuid,
            "subject_id": subject.id,
            "target_id": target.id or None,
            "state": "waiting",
            "proposer": call.actor,
            "proposed_at": now,
            "reason": call.reason,
            "evidence": evidence,
            "sealed": self._seal_value(canonical, *terms),
        }
        columns = SQL(", ").join(map(SQL.identifier, row))
        query = SQL(
            "INSERT INTO spar_joining (%s) VALUES %s RETURNING id",
            columns,
            tuple(row.values()),
        )
        ((row_id,),) = self.env.execute_query(query)
        self.invalidate_model()
        return self.browse(row_id)

    # === DECIDING === #

    def action_review(self):
        """Open the window where a supervisor compares the ID card and decides."""
        self.ensure_one()
        self.env["spar.mapper.local"]._check_member(SUPERVISOR)
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Review the ID card"),
            "res_model": "spar.joining.review",
            "view_mode": "form",
            "target": "new",
            "context": {"default_joining_id": self.id},
        }

    def action_withdraw(self):
        """Withdraw the ID card, as whoever entered it."""
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(OFFICER)
        self.check_access("read")
        if not self.is_mine:
            raise UserError(
                self.env._(
                    "%(name)s entered this ID card, so you cannot withdraw it. Ask "
                    "them, or ask a supervisor to refuse it.",
                    name=self.proposer_name,
                )
            )
        with self.env["spar.staff.answers"]._raise_user_errors():
            mapper._drop_joining(mapper._build_staff_call(), self, "withdrawn")
        text = self.env._("Withdrawn. Nothing was changed.")
        return self.env["spar.staff.answers"]._notify(text)

    def _lock_waiting(self) -> None:
        """Lock the ID card until it is decided on; raise unless it waits."""
        self.ensure_one()
        self.env.cr.execute(
            "SELECT state FROM spar_joining WHERE id = %s FOR UPDATE", (self.id,)
        )
        if self.env.cr.fetchone() != ("waiting",):
            raise UserError(self.env._("This ID card was decided on already."))
        self.invalidate_recordset()

    def _open_id(self) -> str:
        """Return the ID in clear, to compare it and to add it; raises SealBroken."""
        text = self._read_sealed()
        if text is None:
            raise SealBroken("the ID of a card that waits is gone")
        return text

    def _end(self, call: CallContext, state: str) -> None:
        """End the waiting, and erase the ID from this table."""
        self.env.cr.execute(
            """UPDATE spar_joining
                  SET state = %s, decided_by = %s, decided_at = %s,
                      decision_reason = %s, sealed = NULL
                WHERE id = %s""",
            (
                state,
                call.actor,
                self.env["spar.mapper.local"]._get_now(),
                call.reason or None,
                self.id,
            ),
        )
        self.invalidate_model()

    def _is_expired(self) -> bool:
        now = self.env["spar.mapper.local"]._get_now()
        return self.proposed_at + APPROVAL_TIME <= now

    @api.model
    def _expire(self) -> None:
        """End the waiting of ID cards that nobody decided on in time."""
        mapper = self.env["spar.mapper.local"]
        for joining in self.sudo().search([("state", "=", "waiting")]):
            if joining._is_expired():
                mapper._expire_joining(joining)
