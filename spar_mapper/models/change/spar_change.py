from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_datetime

from odoo.addons.spar_fa_directory.lib.fa_mask import mask
from odoo.addons.spar_mapper_connector.exceptions import (
    MapperError,
    ServiceUnavailable,
)

from ...fields import BigMany2one, StoreMany2one
from ...lib import seals
from ...lib.actors import PARTICIPANT, get_doers, get_reason, list_user_ids
from ...lib.evidence import get_number
from ...lib.paper import NEWER_THAN_PAPER
from ...lib.provisional import WHY_PROVISIONAL
from ...lib.records import IN_FORCE

#: The events that end a change without applying it, with the decider's reason.
_ENDING = ("change_refused", "change_cancelled", "withdrawn")
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
    _seal_purpose = seals.CHANGE
    _seal_context_columns = (
        "uuid",
        "mapping_id.subject_id.uuid",
        "mapping_id.uuid",
        *seals.ChangeTerms._fields,
    )

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
            ("unlock", "Lift the lock"),
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
    reason = fields.Char(string="Reason (as recorded)", readonly=True)
    reason_text = fields.Char(string="Reason", compute="_compute_reason_text")
    decided_by = fields.Char(readonly=True, string="Decided by (reference)")
    decided_at = fields.Datetime(string="Decided at", readonly=True)
    purpose = fields.Char(related="mapping_id.purpose", related_sudo=False)

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
    id_masked = fields.Char(
        related="mapping_id.id_masked", related_sudo=False, string="Beneficiary ID"
    )
    current_masked = fields.Char(
        string="Address in force", compute="_compute_current_masked"
    )
    fa_masked = fields.Char(
        string="Proposed address", compute="_compute_proposed_masked"
    )
    current_contact_masked = fields.Char(
        string="Known contact", compute="_compute_current_masked"
    )
    contact_masked = fields.Char(
        string="Proposed contact",
        compute="_compute_proposed_masked",
        help="The phone number that is notified of changes once this one is applied.",
    )
    decider_name = fields.Char(
        string="Decided by",
        compute="_compute_proposer_name",
        search="_search_decider_name",
    )
    why_text = fields.Char(string="Reason for waiting", compute="_compute_why_text")
    decision_reason = fields.Char(
        string="Reason for the decision", compute="_compute_decision_reason"
    )
    evidence_id = StoreMany2one(
        "spar.evidence", string="Document", compute="_compute_evidence_id"
    )
    assignment_ids = fields.One2many(
        "spar.change.assignment", "change_id", readonly=True
    )
    assignee_id = fields.Many2one(
        "res.users", string="Assigned to", compute="_compute_assignee_id"
    )
    is_for_me = fields.Boolean(
        string="Waiting for me",
        compute="_compute_is_for_me",
        search="_search_is_for_me",
        help="It waits for your decision: it is assigned to you, or to nobody yet.",
    )
    is_mine = fields.Boolean(
        string="Mine", compute="_compute_is_mine", search="_search_is_mine"
    )
    age_days = fields.Integer(
        string="Days waiting", compute="_compute_age_days", aggregator=None
    )
    look_ids = fields.One2many("spar.change.look", "change_id", readonly=True)
    is_compared = fields.Boolean(
        string="Compared by you",
        compute="_compute_is_compared",
        help="You opened this change and compared it with the evidence.",
    )

    def _build_seal_context(self, uuid, subject, head, *terms) -> bytes:
        terms = seals.ChangeTerms(*terms)
        return seals.change_context(uuid, subject, head, terms)

    # === DISPLAY === #

    @api.depends("operation", "uuid")
    def _compute_display_name(self):
        """Compute what it does, and its reference: a suspension is no *Change*."""
        for change in self:
            change.display_name = self.env._(
                "%(operation)s %(reference)s",
                operation=change._get_operation_label(),
                reference=(change.uuid or "")[:8],
            )

    def _get_operation_label(self) -> str:
        labels = self._fields["operation"]._description_selection(self.env)
        return dict(labels).get(self.operation) or self.env._("Change")

    @api.depends("proposer", "on_behalf_of", "reason", "decided_by")
    def _compute_proposer_name(self):
        events = self.env["spar.event"]
        rows = [(c.proposer, c.on_behalf_of or "", c.reason or "") for c in self]
        proposers = events._build_actor_names(rows)
        names = events._get_actor_names(self.mapped("decided_by"))
        for change, proposer_name in zip(self, proposers, strict=True):
            change.proposer_name = proposer_name
            change.decider_name = names.get(change.decided_by, change.decided_by)

    @api.depends("reason")
    def _compute_reason_text(self):
        for change in self:
            change.reason_text = get_reason(change.reason or "")

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
            "stopped_by_higher": self.env._(
                "Somebody with a higher authority suspended the payments."
            ),
            "stopped_by_two": self.env._("Two people suspended the payments."),
            "no_rule": self.env._("No rule allows it."),
            NEWER_THAN_PAPER: self.env._(
                "It comes from a paper form, and the account was changed after the "
                "form was filled in."
            ),
            "owner_locked": self.env._("The beneficiary has locked changes."),
            WHY_PROVISIONAL: self.env._(
                "The person has no ID card: a second person always decides."
            ),
            "rule": self.env._("A rule that has been deleted since."),
        }
        for change in self:
            kind, _colon, number = (change.why or "").partition(":")
            rule = self.env["spar.change.rule"].browse(int(number or 0)).exists()
            change.why_text = rule.name or texts.get(kind) or change.why

    @api.depends("uuid")
    @api.depends_context("lang")
    def _compute_proposed_masked(self):
        """Open the proposal for this display only; empty if it has no address.

        The contact is who is notified once it is applied.
        """
        try:
            texts = self._open_texts()
        except ServiceUnavailable:
            away = self.env._("Encryption keys unavailable")
            self.fa_masked = self.contact_masked = away
            return
        nobody = self.env._("Nobody: notices go by letter")
        proposed = {row_id: seals.unpack(text) for row_id, text in texts.items()}
        known = {row_id: fa for row_id, (fa, _details) in proposed.items() if fa}
        words = self.env["spar.masked.words"]._write_addresses(list(known.values()))
        shown = dict(zip(known, words, strict=True))
        for change in self:
            change.fa_masked = shown.get(change.id, "")
            phone = change.id in known and proposed[change.id][1].phone_number
            change.contact_masked = change.id in known and (mask(phone) or nobody)

    @api.depends("mapping_id", "state")
    @api.depends_context("lang")
    def _compute_current_masked(self):
        """Compute what counts now in the place, while the change can still replace it.

        Beside a decided change it would be taken for what the change replaced.
        """
        for change in self:
            place = change.mapping_id.filtered(lambda each: each.state in IN_FORCE)
            is_waiting = change.state == "waiting"
            change.current_masked = is_waiting and place.fa_masked
            change.current_contact_masked = is_waiting and place.contact_masked

    def _open_addresses(self) -> dict[int, str]:
        """Return the proposed addresses, in clear: for masking and logged accesses.

        Raises ServiceUnavailable.
        """
        texts = self._open_texts()
        return {row_id: seals.unpack(text)[0] for row_id, text in texts.items()}

    def _open_texts(self) -> dict[int, str]:
        """Return the addresses with their details; raises ServiceUnavailable."""
        keyring = self.env["spar.keyring"]._open()
        query = SQL("SELECT id, sealed FROM spar_change WHERE id = ANY(%s)", self.ids)
        contexts = self._get_seal_contexts(keyring, self.ids)
        return seals.unseal_all(keyring, self.env.execute_query(query), contexts)

    @api.depends("state")
    def _compute_decision_reason(self):
        """Compute why it was refused or withdrawn, from the event that ended it."""
        ended = self.filtered(lambda change: change.decided_by and change.decided_at)
        (self - ended).decision_reason = False
        for change in ended:
            events = change.mapping_id.event_ids.filtered(
                lambda event, change=change: event.kind in _ENDING
                and event.actor == change.decided_by
                and event.happened_at == change.decided_at
            )
            change.decision_reason = events[-1:].reason

    @api.depends("channel", "message_reference")
    def _compute_evidence_id(self):
        """Compute the document of a change that staff propose.

        Others choose the references of their messages themselves.
        """
        numbers = {
            change: change.channel == "staff"
            and get_number(change.message_reference or "")
            for change in self
        }
        documents = self.env["spar.evidence"]
        if documents.has_access("read"):
            wanted = [("uuid", "in", [each for each in numbers.values() if each])]
            documents = documents.search(wanted)
        found = {document.uuid: document for document in documents}
        for change in self:
            change.evidence_id = found.get(numbers[change])

    @api.depends_context("uid")
    @api.depends("look_ids")
    def _compute_is_compared(self):
        compared = self.env["spar.change.look"]._find_compared(self)
        for change in self:
            change.is_compared = change.id in compared

    # === MY WORK === #

    @api.depends("assignment_ids.user_id")
    def _compute_assignee_id(self):
        for change in self:
            change.assignee_id = change.assignment_ids.user_id[:1]

    @api.depends_context("uid")
    @api.depends("state", "assignment_ids.user_id")
    def _compute_is_for_me(self):
        mine = self.filtered_domain(self._build_for_me())
        for change in self:
            change.is_for_me = change in mine

    @api.model
    def _search_is_for_me(self, operator, values):
        if operator != "in":
            return NotImplemented
        for_me = self._build_for_me()
        return Domain.OR(for_me if value else ~for_me for value in values)

    @api.model
    def _build_for_me(self) -> Domain:
        """Return a domain of what waits for the user's decision."""
        if not self.env.user.has_group(SUPERVISOR):
            return Domain.FALSE
        waiting = Domain("state", "=", "waiting") & Domain("needs_approval", "=", True)
        assigned = Domain("assignment_ids.user_id", "in", [self.env.uid])
        free = Domain("assignment_ids", "=", False) & ~self._build_mine()
        return waiting & (assigned | free)

    @api.depends_context("uid")
    @api.depends("proposer", "on_behalf_of")
    def _compute_is_mine(self):
        own = f"user:{self.env.uid}"
        for change in self:
            change.is_mine = own in change._get_doers()

    def _get_doers(self) -> frozenset[str]:
        """Return who proposed the change, or helped somebody to propose it."""
        return get_doers(self.proposer or "", self.on_behalf_of or "")

    @api.model
    def _search_is_mine(self, operator, values):
        if operator != "in":
            return NotImplemented
        mine = self._build_mine()
        return Domain.OR(mine if value else ~mine for value in values)

    @api.model
    def _build_mine(self) -> Domain:
        """Return a domain of what the user proposed, or helped somebody to propose."""
        own = f"user:{self.env.uid}"
        helped = Domain("on_behalf_of", "=", own)
        # As ``get_doers``: a participant's own staff are nobody here.
        helped &= ~Domain("proposer", "=like", f"{PARTICIPANT}%")
        return Domain("proposer", "=", own) | helped

    @api.depends("proposed_at", "decided_at")
    def _compute_age_days(self):
        now = self.env["spar.mapper.local"]._get_now()
        for change in self:
            change.age_days = ((change.decided_at or now) - change.proposed_at).days

    def action_assign(self):
        """Open the window where waiting changes are assigned to another supervisor."""
        self._check_supervisor()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Assign"),
            "res_model": "spar.change.assign.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_change_ids": self.ids},
        }

    # === DECISIONS === #

    def action_review(self):
        """Record that the user opened the change, then show it beside the present one.

        For supervisors.
        """
        self._check_supervisor()
        self.check_access("read")
        self._get_staff_call()
        self.env["spar.change.look"]._record(self, "opened")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Review the change"),
            "res_model": "spar.change.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_change_id": self.id, "dialog_size": "extra-large"},
        }

    def action_approve(self):
        """Approve changes as a second person; they are applied at once.

        Only those that this user has opened and compared with the evidence are. Raises
        AccessError, and UserError if none of them is approved.
        """
        self._check_supervisor()
        self.check_access("read")
        compared = self.filtered("is_compared")
        if not compared:
            raise UserError(self._get_not_compared_text())
        if len(self) == 1:
            self._approve()
            return self._notify_decision()
        return self._approve_each(compared)

    def _approve(self) -> None:
        if doubt := self._find_dependence():
            raise UserError(
                self.env._(
                    "You cannot approve this change: %(reason)s. Another supervisor "
                    "must decide.",
                    reason=doubt,
                )
            )
        with self.env["spar.staff.answers"]._raise_user_errors():
            mapper = self.env["spar.mapper.local"]
            mapper._approve_change(self._get_staff_call(), self.id)

    def _find_dependence(self) -> str:
        """Return why this user and staff who proposed the change may be one person."""
        self.ensure_one()
        acts_sudo = self.env["spar.account.act"].sudo()
        users = self.env["res.users"].browse(list_user_ids(self._get_doers())).exists()
        doubts = (
            acts_sudo._find_doubt(
                self.env.user, user, self.proposed_at, trusts_factor=True
            )
            for user in users - self.env.user
        )
        return next(filter(None, doubts), "")

    def _approve_each(self, compared) -> dict:
        """Approve those that the user compared; notify how many are left, and why."""
        mapper, done = self.env["spar.mapper.local"], self.browse()
        for change in compared.sorted("id"):
            if change._find_dependence():
                continue
            call = change._get_staff_call()
            try:
                with self.env.cr.savepoint():
                    mapper._approve_change(call, change.id)
            except MapperError:
                continue
            done += change
        self.env.invalidate_all()
        applied = done.filtered(lambda change: change.state == "applied")
        left = len(self) - len(applied)
        text = self.env._("Approved: %(count)s.", count=len(applied))
        if left:
            text = self.env._(
                "Approved: %(count)s. Not approved: %(left)s. Open each of them, "
                "compare it with the evidence and approve it there.",
                count=len(applied),
                left=left,
            )
        return self.env["spar.staff.answers"]._notify(text, is_warning=bool(left))

    def _get_not_compared_text(self) -> str:
        return self.env._(
            "Compare the address first: open Review, and type the 4 characters from "
            "the person's document or press Reveal. If the address has changed since "
            "you compared it, compare it again."
        )

    def action_refuse(self, reason: str = ""):
        """Refuse the change as a second person, with a reason that the proposer sees.

        Raises AccessError, and UserError without a reason or for one that discloses
        sealed values.
        """
        self._check_supervisor()
        self.ensure_one()
        if not (reason or "").strip():
            raise UserError(
                self.env._("Reason: enter why you refuse. The proposer sees it.")
            )
        self._check_reason(reason)
        with self.env["spar.staff.answers"]._raise_user_errors():
            call = self.env["spar.mapper.local"]._build_staff_call(reason.strip())
        self._end(call, "refused")
        return self._notify_decision()

    def _check_reason(self, reason: str) -> None:
        """Refuse a reason that discloses the ID or an address: it is kept in clear."""
        with self.env["spar.staff.answers"]._raise_user_errors():
            proposed = self._open_addresses().get(self.id)
        self.mapping_id._check_reason(reason, *filter(None, [proposed]))

    def action_cancel(self):
        """Withdraw the change, as its proposer; a supervisor refuses it instead."""
        call = self._get_staff_call()
        if self.proposer != call.actor:
            if not self.env.user.has_group(SUPERVISOR):
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
            "unlink": self.env._(
                "The removal waits until a supervisor approves it. Until then, the "
                "address stays as it is."
            ),
            "unlock": self.env._(
                "This waits until a supervisor approves it. Until then, changes stay "
                "locked. The beneficiary is notified."
            ),
        }

    def _notify_applied(self) -> dict:
        """Notify the user what now applies in the place that was changed."""
        return self.mapping_id._notify_done(self.operation)
