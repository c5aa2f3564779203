from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import (
    DONE,
    Authority,
    LinkRequest,
    Outcome,
    Result,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.identifier import StoredIdentifier
from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_file,
    sealed_text,
)
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..fields import BigMany2one
from ..lib.evidence import build_reference
from ..lib.provisional import PROVISIONAL
from ..models.spar_mapper_local import OFFICER
from ..models.staff.spar_lookup import FoundPlace
from ..redirection import Redirection
from .spar_confirm_once import Compared

#: Why something is *held* although no rule held it: the ID belongs to several people.
CONTESTED = "contested"


class SparMappingWizard(models.TransientModel):
    """An officer's action for a person: the same call that REST makes.

    A person's document, if a rule for changes requires one, is sealed like everything
    typed here, and stored only with the change.
    """

    _name = "spar.mapping.wizard"
    _description = "Act for a beneficiary"
    _inherit = [
        "spar.witness.entry",
        "spar.account.entry",
        "spar.stop.reason",
        "spar.change.forecast",
        "spar.paper.entry",
        "spar.confirm.once",
        "spar.next.person",
        "spar.sealed.storage",
    ]

    _spar_given = frozenset({"operation", "seen_version"})

    operation = fields.Selection(
        [
            ("link", "Link"),
            ("update", "Change"),
            ("suspend", "Suspend"),
            ("resume", "Resume"),
            ("unlink", "Unlink"),
            ("unlock", "Lift the lock"),
        ],
        required=True,
        readonly=True,
    )
    mapping_id = BigMany2one("spar.mapping", readonly=True)
    seen_version = fields.Integer(string="Version seen", readonly=True)
    id_masked = fields.Char(
        related="mapping_id.id_masked", related_sudo=False, string="Masked ID"
    )
    fa_masked = fields.Char(
        related="mapping_id.fa_masked", related_sudo=False, string="Address in force"
    )
    reason = sealed_text(
        "reason",
        help="Kept in the history, unencrypted. It must not contain an ID or an "
        "account number.",
    )
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        domain=[("strategy", "!=", False), ("code", "!=", PROVISIONAL)],
        default=lambda self: self._default_id_type_id(),
        help="If you enter only a number, the ID is built from it in the format of "
        "this type.",
    )
    has_evidence = fields.Boolean(
        string="I saw the person's document",
        help="Without a document, the change has only the authority of a programme.",
    )
    id_value = sealed_text("id_value", string="Beneficiary ID")
    part_ids = fields.One2many(
        "spar.mapping.wizard.part", "wizard_id", string="Address details"
    )

    id_look = fields.Char(related="id_type_id.card_look", string="On the card")
    id_doubt = fields.Selection(
        [
            ("letters", "It contains characters other than digits."),
            ("length", "No other ID of this type has this length."),
        ],
        readonly=True,
        string="Why it may be mistyped",
    )
    is_id_right = fields.Boolean(
        string="The ID is correct: I compared it with the document",
        help="The ID is linked only if you confirm this.",
    )
    doubt_digest = fields.Char(string="Digest of the ID in doubt", readonly=True)

    document = sealed_file(
        "document",
        help="A PDF file or a JPEG or PNG image of the document that you saw.",
    )
    asks_evidence = fields.Boolean(
        string="Asks for evidence", compute="_compute_asks_evidence"
    )

    @api.model
    def _default_id_type_id(self):
        return self.env["spar.id.type"].search([("strategy", "!=", False)], limit=1)

    # === CONFIRMING === #

    def action_confirm(self):
        """Call the mapper, and report the result to the officer."""
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(OFFICER)
        # A race for the same ID should wait for the lock, not fail and be retried.
        use_read_committed(self.env.cr)
        if self._is_done():
            self._erase_typed()
            return self._report_saved(self.done_at, self.done_subject_id)
        with self.env["spar.staff.answers"]._raise_user_errors():
            return self._confirm()

    def _confirm(self) -> dict:
        """Return the question to the officer, or what was done."""
        reason = self._explain_reading(self._get_reason())
        self._check_paper()
        self._check_witnessed()
        request = self._build_request()
        with self._count_unless_saved() as compared:
            return self._carry_out(request, reason, compared)

    def _carry_out(self, request, reason: str, compared: Compared) -> dict:
        """Do what ``_confirm`` says, and add each search to ``compared``."""
        self._note_id_search(request.id_value, compared)
        self._check_separate(self._find_done(request.id_value), compared)
        newer = self._find_newer(request)
        call = self.env["spar.mapper.local"]._build_staff_call(
            reason, self.has_evidence, self._get_evidence_reference()
        )
        # The account is compared last: other questions say nothing about it.
        if self._asks_first(call, request, newer):
            return self._open_question()
        places = self._find_sharing(request.fa, request.id_value, compared)
        call = replace(call, reason=self._explain_sharing(reason, places))
        call = self._note_paper(call, newer)
        if self._must_explain_sharing(request.fa, places):
            return self._open_question()
        result = self._send_request(call, request)
        self._store_evidence(call, request.id_value)
        self._store_paper(call, self._find_done(request.id_value), newer)
        self._store_witnesses(call, request.id_value)
        self._erase_typed()
        return self._note_sharing(self._report(call, request, result), places)

    def _send_request(self, call, request) -> Result:
        if self.is_provisional:
            return self._register_without_id(call, request)
        mapper = self.env["spar.mapper.local"]
        operations = {
            "link": mapper._link_fa,
            "update": mapper._update_fa,
            "suspend": mapper._suspend_fa,
            "resume": mapper._resume_fa,
            "unlink": mapper._unlink_fa,
            "unlock": mapper._unlock_changes,
        }
        return operations[self.operation](call, [request])[0]

    def _build_request(self):
        """Return the request of the contract."""
        common = {"id_value": self._get_id_value()}
        if self.operation == "link":
            return LinkRequest(**common, fa=self._build_typed_address())
        common["purpose"] = self.mapping_id.purpose or ""
        if self.operation == "unlock":
            return UnlockRequest(**common)
        common["expected_version"] = self.seen_version
        builders = {
            "update": lambda: UpdateRequest(**common, fa=self._build_typed_address()),
            "unlink": lambda: UnlinkRequest(**common),
            "suspend": lambda: SuspendRequest(**common),
            "resume": lambda: ResumeRequest(**common),
        }
        return builders[self.operation]()

    def _build_typed_address(self) -> str:
        """Return the address; raises UserError if it was not typed twice."""
        address = self._build_address()
        self._check_typed_twice()
        return address

    def _get_id_value(self) -> str:
        """Return the typed ID, or that of the mapping which the officer views."""
        if not self.mapping_id:
            return self._get_typed_id()
        if self.mapping_id.state == "ended":
            answers = self.env["spar.staff.answers"]
            raise UserError(answers._get_refusal(Result(Outcome.CONFLICT)))
        shown = self.mapping_id._show().get(self.mapping_id.id)
        if shown is None:
            raise UserError(
                self.env._("This address cannot be opened. See the alarms.")
            )
        return StoredIdentifier(shown.canonical, shown.type_id)

    def _get_typed_id(self) -> str:
        if self.is_provisional:
            return self.env["spar.mapper.local"]._draw_provisional()
        if not (self.id_value or "").strip():
            raise UserError(self.env._("Enter the beneficiary ID."))
        try:
            return self.id_type_id._write_id((self.id_value or "").strip())
        except InvalidIdentifier:
            return self.id_value

    # === REASON === #

    def _get_reason(self) -> str:
        """Return the reason; raises UserError without one, or for sealed values."""
        details = (self.reason or "").strip()
        reason = self._get_listed_reason(details)
        if not reason:
            raise UserError(self.env._("Enter a reason."))
        self._check_reason(reason)
        return reason

    def _explain_sharing(self, reason: str, places: list[FoundPlace]) -> str:
        """Return ``reason`` with the one for an account that other people have.

        Raises UserError for sealed values.
        """
        explanation = (self.shared_reason or "").strip()
        if not places or not explanation:
            return reason
        text = self.env._(
            "%(reason)s. Others with this account: %(count)s. %(explanation)s",
            reason=reason.rstrip("."),
            count=len({place.subject_id for place in places}),
            explanation=explanation,
        )
        self._check_reason(text)
        return text

    def _check_reason(self, reason: str) -> None:
        numbers = self.witness_ids.mapped("number")
        typed = filter(None, (self.id_value, *numbers, *self._get_typed_texts()))
        self.mapping_id._check_reason(reason, *typed)

    # === REPORTING === #

    def _report(self, call, request, result: Result) -> dict:
        """Return a notification; raises an exception for what was not done."""
        is_contested = result.problem == CONTESTED
        is_done = result.outcome in (*DONE, Outcome.HELD, Outcome.RESUMED)
        changed = self._find_changed(request.id_value)
        if is_contested or not is_done:
            return self._report_refusal(call, request, result, changed)
        self.env.invalidate_all()
        self._note_done(changed.subject_id)
        if result.outcome is Outcome.HELD:
            action = changed.change_ids.sorted("id")[-1:]._notify_waiting()
        else:
            action = changed._notify_done(self.operation)
        return self._go_to_person(action, changed.subject_id)

    def _report_refusal(self, call, request, result: Result, changed) -> dict:
        """Say why it was not done, or that this user has just done it."""
        is_repeated = result.outcome in (Outcome.ALREADY_LINKED, Outcome.CONFLICT)
        if is_repeated and changed:
            saved = self._find_saved(call, self.operation, request.fa, changed)
            if saved:
                return self._report_saved(saved, changed.subject_id)
        text = self.env["spar.staff.answers"]._get_refusal(result)
        if result.outcome is Outcome.ALREADY_LINKED and changed:
            text = self.env._(
                "ID: it already has an address. Open this person and change that "
                "address."
            )
            person = changed.subject_id._open_page(changed.subject_id)
            raise Redirection(text, person, self.env._("Open this person"))
        raise UserError(text)

    def _note_id_search(self, identifier: str, compared: Compared) -> None:
        """Add a typed ID to what is compared: each answer can tell whether it exists.

        Nobody knows a provisional one that was just drawn.
        """
        if not self.mapping_id and not self.is_provisional:
            places = self.env["spar.mapping"]._find_by_ids([identifier])
            compared.append(("id", identifier, places))

    def _find_changed(self, identifier: str):
        """Return the place that the request concerns."""
        if self.mapping_id:
            return self.mapping_id
        mappings = self.env["spar.mapping"]
        places = [place.mapping_id for place in mappings._find_by_ids([identifier])]
        return mappings.search([("id", "in", places), ("purpose", "=", "")])

    def _find_done(self, identifier: str):
        """Return the person for whom the request was carried out."""
        return self._find_changed(identifier)[:1].subject_id

    # === QUESTIONS === #

    def _asks_first(self, call, request, newer) -> bool:
        """Return whether to ask the officer about the ID or about a paper form.

        :param newer: the change of the account since a paper form was filled in
        """
        asks_id = self._is_id_in_doubt(call, request)
        asks_paper = self._must_ask_review(newer)
        return asks_id or asks_paper

    def _is_id_in_doubt(self, call, request) -> bool:
        """Return whether the officer must confirm a new ID.

        If an ID type does not specify the format of its IDs, only the officer can judge
        whether an ID is mistyped: a name in the place of a number, or a digit too many,
        would add another person.
        """
        is_new = self.operation == "link" and not self.mapping_id
        return is_new and self._must_ask(call, request)

    def _must_ask(self, call, request) -> bool:
        """Return whether the ID may be mistyped and the officer has not confirmed it.

        The confirmation counts only for the ID that it was given for.
        """
        doubt = self.env["spar.mapper.local"]._find_doubt(call, request.id_value)
        digest = self._digest_draft(request.id_value)
        if not doubt or (self.is_id_right and self.doubt_digest == digest):
            return False
        asked = {"id_doubt": doubt, "doubt_digest": digest, "is_id_right": False}
        self._as_code().write(asked)
        return True

    def _open_question(self) -> dict:
        """Return the action that shows the same form again, with the question."""
        return {
            "type": "ir.actions.act_window",
            "name": self._get_titles()[self.operation],
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def _get_titles(self) -> dict[str, str]:
        return {
            "link": self.is_provisional
            and self.env._("Register without an ID card")
            or self.env._("Link a person"),
            "update": self.env._("Change the address"),
        }

    # === THE PERSON'S DOCUMENT === #

    @api.depends("operation", "has_evidence")
    def _compute_asks_evidence(self):
        for wizard in self:
            has_seen = wizard.has_evidence
            authority = Authority.STAFF if has_seen else Authority.PROGRAMME
            rules = self.env["spar.change.rule"]
            wizard.asks_evidence = rules._asks_evidence(wizard.operation, authority)

    def _inverse_text(self, name):
        """Refuse a file that cannot be stored before any of it is kept."""
        if name == "document":
            for draft in self:
                if draft.document:
                    self.env["spar.evidence"]._read_file(draft._get_file())
        return super()._inverse_text(name)

    def _get_file(self) -> str:
        document = self.with_context(bin_size=False).document or b""
        return document.decode() if isinstance(document, bytes) else document

    def _get_evidence_reference(self) -> str:
        """Return the event's reference to the document, or "" without a document."""
        return build_reference(self.uuid) if self.document else ""

    def _store_evidence(self, call, identifier: str) -> None:
        """Store the document, if the action was carried out for a person."""
        text = self._get_file()
        subject = self._find_done(identifier)
        if text and subject:
            self.env["spar.evidence"]._store(call, self.uuid, text, subject)
