from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_datetime

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable

from ...fields import BigMany2one
from ...lib import seals

#: The group that may decide, which the backend checks.
SUPERVISOR = "spar_fa_directory.group_supervisor"
OFFICER = "spar_fa_directory.group_officer"


class SparChange(models.Model):
    """A change that waits for its time or for a second person."""

    _name = "spar.change"
    _description = "Waiting change"
    _inherit = ["spar.store.table", "spar.channel.name", "spar.sealed.storage"]
    _rec_name = "uuid"
    _order = "id desc"
    _log_access = False

    uuid = fields.Char(required=True, readonly=True, string="Reference")
    mapping_id = BigMany2one(
        "spar.mapping", required=True, readonly=True, index=True, ondelete="restrict"
    )
    operation = fields.Selection(
        [
            ("link", "Link"),
            ("update", "Change"),
            ("unlink", "Unlink"),
            ("suspend", "Suspend"),
            ("resume", "Resume"),
        ],
        required=True,
        readonly=True,
    )
    base_version = fields.Integer(string="Base version", readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("applied", "Applied"),
            ("cancelled", "Withdrawn"),
            ("refused", "Refused"),
            ("stale", "Overtaken"),
            ("expired", "Expired"),
        ],
        required=True,
        readonly=True,
    )
    needs_approval = fields.Boolean(string="Needs approval", readonly=True)
    why = fields.Char(
        readonly=True, string="Rule", help="The rule that made the change wait."
    )
    proposed_at = fields.Datetime(string="Proposed at", required=True, readonly=True)
    effective_at = fields.Datetime(string="Effective at", readonly=True)
    expires_at = fields.Datetime(string="Expires at", readonly=True)
    asserted_at = fields.Datetime(string="Asserted at", readonly=True)
    proposer = fields.Char(required=True, readonly=True)
    on_behalf_of = fields.Char(string="On behalf of", readonly=True)
    channel = fields.Char(required=True, readonly=True)
    authority = fields.Integer(readonly=True)
    authenticated_by = fields.Char(string="Authenticated by", readonly=True)
    message_reference = fields.Char(string="Message reference", readonly=True)
    reason = fields.Char(readonly=True)
    decided_by = fields.Char(readonly=True, string="Decided by (reference)")
    decided_at = fields.Datetime(string="Decided at", readonly=True)
    purpose = fields.Char(related="mapping_id.purpose")

    _waiting_uniq = models.UniqueIndex(
        "(mapping_id) WHERE state = 'waiting'",
        "An address can have only one waiting change.",
    )
    _message_reference = models.Index("(message_reference)")
    #: The mapper's ``_change_status``.
    _uuid = models.Index("(uuid)")

    proposer_name = fields.Char(
        string="Proposed by",
        compute="_compute_proposer_name",
        search="_search_proposer_name",
    )
    id_masked = fields.Char(related="mapping_id.id_masked", string="Beneficiary ID")
    current_masked = fields.Char(
        related="mapping_id.fa_masked", string="Address in force"
    )
    fa_masked = fields.Char(string="Proposed address", compute="_compute_fa_masked")
    decider_name = fields.Char(
        string="Decided by",
        compute="_compute_proposer_name",
        search="_search_decider_name",
    )
    why_text = fields.Char(string="Reason for waiting", compute="_compute_why_text")

    def _get_seal_contexts(self, keyring, row_ids):
        rows = self.env.execute_query(
            SQL(
                """SELECT c.id, c.uuid, s.uuid, m.uuid, %s
                     FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id
                     JOIN spar_subject s ON s.id = m.subject_id
                    WHERE c.id = ANY(%s)""",
                SQL(", ").join(
                    SQL.identifier("c", name) for name in seals.ChangeTerms._fields
                ),
                list(row_ids),
            )
        )
        return {
            row_id: (
                seals.CHANGE,
                seals.change_context(uuid, subject, head, seals.ChangeTerms(*terms)),
            )
            for row_id, uuid, subject, head, *terms in rows
        }

    # === DISPLAY === #

    @api.depends("uuid")
    def _compute_display_name(self):
        for change in self:
            change.display_name = self.env._(
                "Change %(reference)s", reference=(change.uuid or "")[:8]
            )

    @api.depends("proposer", "decided_by")
    def _compute_proposer_name(self):
        actors = [*self.mapped("proposer"), *self.mapped("decided_by")]
        names = self.env["spar.event"]._get_actor_names(actors)
        for change in self:
            change.proposer_name = names.get(change.proposer, change.proposer)
            change.decider_name = names.get(change.decided_by, change.decided_by)

    @api.model
    def _search_proposer_name(self, operator, values):
        return self.env["spar.event"]._build_actor_domain("proposer", operator, values)

    @api.model
    def _search_decider_name(self, operator, values):
        events = self.env["spar.event"]
        return events._build_actor_domain("decided_by", operator, values)

    @api.depends("why")
    def _compute_why_text(self):
        """Compute the law or rule that made the change wait, in words."""
        texts = {
            "lower_authority": self.env._(
                "The current address has a higher authority."
            ),
            "other_provider": self.env._(
                "The current address is with another provider."
            ),
            "no_rule": self.env._("No rule allows it."),
        }
        for change in self:
            kind, _colon, number = (change.why or "").partition(":")
            rule = self.env["spar.change.rule"].browse(int(number or 0)).exists()
            change.why_text = texts.get(kind) or rule.name or change.why

    @api.depends("uuid")
    def _compute_fa_masked(self):
        """Open the address for this display only; empty if the change has none."""
        try:
            keyring = self.env["spar.keyring"]._open()
        except ServiceUnavailable:
            self.fa_masked = self.env._("Encryption keys unavailable")
            return
        query = SQL("SELECT id, sealed FROM spar_change WHERE id = ANY(%s)", self.ids)
        contexts = self._get_seal_contexts(keyring, self.ids)
        texts = seals.unseal_all(keyring, self.env.execute_query(query), contexts)
        for change in self:
            fa, _details = seals.unpack(texts.get(change.id, ""))
            masks = self.env["spar.fa.strategy"]._mask_addresses([fa] if fa else [])
            change.fa_masked = "".join(masks)

    # === DECISIONS === #

    def action_approve(self):
        """Approve the change as a second person; it is applied at once."""
        self._check_supervisor()
        with self.env["spar.staff.answers"]._raise_user_errors():
            mapper = self.env["spar.mapper.local"]
            mapper._approve_change(self._get_staff_call(), self.id)
        return self._notify_decision()

    def action_refuse(self):
        """Refuse the change as a second person."""
        self._check_supervisor()
        self._end(self._get_staff_call(), "refused")
        return self._notify_decision()

    def action_cancel(self):
        """Cancel the change, as its proposer or as a supervisor."""
        call = self._get_staff_call()
        if self.proposer != call.actor and not self.env.user.has_group(SUPERVISOR):
            self.env["spar.mapper.local"]._check_member(OFFICER)
            self._refuse_withdrawal()
        self._end(call, "cancelled")
        return self._notify_decision()

    def _refuse_withdrawal(self):
        """Raise UserError, naming whose change it is and who can end it."""
        raise UserError(
            self.env._(
                "%(proposer)s proposed this change, so you cannot withdraw it. Ask "
                "them to withdraw it, or ask a supervisor to refuse it.",
                proposer=self.proposer_name,
            )
        )

    def _end(self, call, end: str) -> None:
        with self.env["spar.staff.answers"]._raise_user_errors():
            self.env["spar.mapper.local"]._end_change(call, self.id, end)

    def _check_supervisor(self):
        self.env["spar.mapper.local"]._check_member(SUPERVISOR)

    def _get_staff_call(self):
        self.ensure_one()
        with self.env["spar.staff.answers"]._raise_user_errors():
            return self.env["spar.mapper.local"]._build_staff_call()

    def _notify_decision(self) -> dict:
        """Notify the user of the change's new state, as the database has it now."""
        self.env.invalidate_all()
        texts = {
            "refused": self.env._("Refused. Nothing was changed."),
            "cancelled": self.env._("Withdrawn. Nothing was changed."),
        }
        if self.state == "applied":
            return self._notify_applied()
        answers = self.env["spar.staff.answers"]
        if self.state in texts:
            return answers._notify(texts[self.state])
        text = self.env._(
            "Nothing was changed: the address has changed since this was proposed."
        )
        return answers._notify(text, is_warning=True)

    def _notify_waiting(self) -> dict:
        """Notify the user what this change waits for: a second person, or its time."""
        if self.needs_approval:
            text = self._get_approval_texts().get(self.operation) or self.env._(
                "The change waits until a supervisor approves it."
            )
        elif self.effective_at:
            text = self.env._(
                "The change waits until %(time)s.",
                time=format_datetime(self.env, self.effective_at),
            )
        else:
            text = self.env._("The change waits.")
        return self.env["spar.staff.answers"]._notify(text, is_warning=True)

    @api.model
    def _get_approval_texts(self) -> dict[str, str]:
        """Return what becomes of payments until a supervisor decides, by operation."""
        return {
            "suspend": self.env._(
                "The suspension waits until a supervisor approves it. Until then, "
                "payments continue."
            ),
            "resume": self.env._(
                "This waits until a supervisor approves it. Until then, nothing is "
                "paid to this address."
            ),
        }

    def _notify_applied(self) -> dict:
        """Notify the user what now applies in the place that was changed."""
        return self.mapping_id._notify_done(self.operation)
