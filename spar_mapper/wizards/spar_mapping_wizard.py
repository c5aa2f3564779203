from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from odoo.addons.spar_fa_directory.lib import fa_syntax
from odoo.addons.spar_fa_directory.lib.exceptions import DirectoryError
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
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.identifier import StoredIdentifier
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..fields import BigMany2one
from ..lib import seals
from ..lib.evidence import build_reference
from ..models.spar_mapper_local import OFFICER
from .spar_sealed_draft import sealed_file, sealed_text

#: Why something is *held* although no rule held it: the ID belongs to several people.
CONTESTED = "contested"


class SparMappingWizard(models.TransientModel):
    """An officer's action for a person: the same call that REST makes.

    A person's document, if a rule for changes requires one, is sealed like everything
    typed here, and stored only with the change.
    """

    _name = "spar.mapping.wizard"
    _description = "Act for a beneficiary"
    _inherit = ["spar.sealed.draft", "spar.sealed.storage"]

    operation = fields.Selection(
        [
            ("link", "Link"),
            ("update", "Change"),
            ("suspend", "Suspend"),
            ("resume", "Resume"),
            ("unlink", "Unlink"),
        ],
        required=True,
        readonly=True,
    )
    mapping_id = BigMany2one("spar.mapping", readonly=True)
    seen_version = fields.Integer(string="Version seen", readonly=True)
    id_masked = fields.Char(related="mapping_id.id_masked", string="Masked ID")
    fa_masked = fields.Char(related="mapping_id.fa_masked", string="Address in force")
    reason = sealed_text(
        "reason",
        help="Kept in the history, unencrypted. It must not contain an ID or an "
        "account number.",
    )
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        domain=[("strategy", "!=", False)],
        default=lambda self: self._default_id_type_id(),
        help="If you enter only a number, the ID is built from it in the format of "
        "this type.",
    )
    has_evidence = fields.Boolean(
        string="I saw the person's document",
        help="Without a document, the change has only the authority of a programme.",
    )
    id_value = sealed_text("id_value", string="Beneficiary ID")
    fa_type_id = fields.Many2one("spar.fa.type", string="Kind of address")
    provider_kind = fields.Selection(related="fa_type_id.provider_kind")
    provider_id = fields.Many2one("spar.fsp")
    branch_id = fields.Many2one("spar.fsp.branch")
    needs_provider = fields.Boolean(string="Needs a provider", compute="_compute_needs")
    needs_branch = fields.Boolean(string="Needs a branch", compute="_compute_needs")
    part_ids = fields.One2many(
        "spar.mapping.wizard.part", "wizard_id", string="Address details"
    )
    fa_text = sealed_text(
        "fa_text",
        string="Full address",
        help="As it is sent in messages, for example account:123456@BR01.DEMO",
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

    @api.depends("fa_type_id", "provider_id")
    def _compute_needs(self):
        """Compute the questions of the kind; a branch only if the provider has one."""
        for wizard in self:
            kinds = wizard.fa_type_id.part_ids.mapped("kind")
            wizard.needs_provider = "provider" in kinds
            wizard.needs_branch = "branch" in kinds and wizard.provider_id.has_branches

    @api.onchange("fa_type_id")
    def _onchange_fa_type_id(self):
        """Show the questions of this kind.

        Values typed for another kind stay if this kind asks for the same.
        """
        self.provider_id = self.branch_id = False
        typed = {line.part_id.key: line.value for line in self.part_ids}
        texts = self.fa_type_id.part_ids.filtered(lambda part: part.kind == "text")
        self.part_ids = [
            Command.clear(),
            *(
                Command.create({"part_id": part.id, "value": typed.get(part.key)})
                for part in texts
            ),
        ]

    @api.onchange("provider_id")
    def _onchange_provider_id(self):
        self.branch_id = False

    # === CONFIRMING === #

    def action_confirm(self):
        """Call the mapper, and report the result to the officer."""
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(OFFICER)
        # A race for the same ID should wait for the lock, not fail and be retried.
        use_read_committed(self.env.cr)
        with self.env["spar.staff.answers"]._raise_user_errors():
            self._check_reason()
            call = mapper._build_staff_call(
                self.reason, self.has_evidence, self._get_evidence_reference()
            )
            request = self._build_request()
            question = self._find_question(call, request)
            if question:
                return question
            result = self._send_request(call, request)
            self._store_evidence(call, request.id_value)
        self._write_sealed(None)
        self.part_ids._write_sealed(None)
        return self._report(result, request.id_value)

    def _send_request(self, call, request) -> Result:
        mapper = self.env["spar.mapper.local"]
        operations = {
            "link": mapper._link_fa,
            "update": mapper._update_fa,
            "suspend": mapper._suspend_fa,
            "resume": mapper._resume_fa,
            "unlink": mapper._unlink_fa,
        }
        return operations[self.operation](call, [request])[0]

    def _build_request(self):
        """Return the request of the contract."""
        common = {"id_value": self._get_id_value()}
        if self.operation == "link":
            return LinkRequest(**common, fa=self._build_address())
        common.update(
            expected_version=self.seen_version, purpose=self.mapping_id.purpose or ""
        )
        builders = {
            "update": lambda: UpdateRequest(**common, fa=self._build_address()),
            "unlink": lambda: UnlinkRequest(**common),
            "suspend": lambda: SuspendRequest(**common),
            "resume": lambda: ResumeRequest(**common),
        }
        return builders[self.operation]()

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
        if not (self.id_value or "").strip():
            raise UserError(self.env._("Enter the beneficiary ID."))
        try:
            return self.id_type_id._write_id((self.id_value or "").strip())
        except InvalidIdentifier:
            return self.id_value

    def _build_address(self) -> str:
        """Return the address as transmitted; raises UserError naming what is wrong."""
        if not self.fa_type_id:
            if not self.fa_text:
                raise UserError(self.env._("Enter the full address."))
            return self.fa_text
        holder = self.provider_id._get_holder(self.branch_id)
        parts, problems = self.fa_type_id._canonicalise_parts(self._get_parts(), holder)
        if problems:
            labels = {part.key: part.label for part in self.fa_type_id.part_ids}
            lines = [
                f"{labels.get(key, key)}: {text}" for key, text in problems.items()
            ]
            raise UserError("\n".join(lines))
        strategy = self.fa_type_id.strategy_ids.filtered("is_default")
        try:
            return fa_syntax.build(fa_syntax.compile_strategy(strategy.template), parts)
        except (DirectoryError, TypeError) as error:
            raise UserError(
                self.env._(
                    "Kind of address: its strategy cannot be used in this form. Leave "
                    "the kind empty and enter the full address."
                )
            ) from error

    def _get_parts(self) -> dict[str, str]:
        codes = {"provider": self.provider_id.code, "branch": self.branch_id.code}
        texts = {line.part_id: line.value for line in self.part_ids}
        return {
            part.key: codes.get(part.kind, texts.get(part)) or ""
            for part in self.fa_type_id.part_ids
        }

    def _check_reason(self) -> None:
        """Raise UserError if the reason is missing, or discloses sealed values."""
        if not (self.reason or "").strip():
            raise UserError(self.env._("Enter a reason."))
        typed = (self.id_value, self.fa_text, *self.part_ids.mapped("value"))
        self.mapping_id._check_reason(self.reason, *filter(None, typed))

    # === REPORTING === #

    def _report(self, result: Result, identifier: str) -> dict:
        """Return a notification; raises UserError for what was not done."""
        is_contested = result.problem == CONTESTED
        if is_contested or result.outcome not in (*DONE, Outcome.HELD, Outcome.RESUMED):
            self._count_lookup(identifier)
            raise UserError(self.env["spar.staff.answers"]._get_refusal(result))
        self.env.invalidate_all()
        changed = self._find_changed(identifier)
        if result.outcome is Outcome.HELD:
            return changed.change_ids.sorted("id")[-1:]._notify_waiting()
        return changed._notify_done(self.operation)

    def _count_lookup(self, identifier: str) -> None:
        """Count an answer that reveals whether an ID exists but changes nothing.

        It counts as a lookup.
        """
        if not self.mapping_id:
            mappings = self.env["spar.mapping"]
            self.env["spar.lookup"]._search_counted(
                "id", identifier, lambda: mappings._find_by_ids([identifier])
            )

    def _find_changed(self, identifier: str):
        """Return the place that the request concerns."""
        if self.mapping_id:
            return self.mapping_id
        mappings = self.env["spar.mapping"]
        places = [place.mapping_id for place in mappings._find_by_ids([identifier])]
        return mappings.search([("id", "in", places), ("purpose", "=", "")])

    # === DOUBT ABOUT AN ID === #

    def _find_question(self, call, request) -> dict:
        """Return the action that asks the officer to confirm a new ID, or nothing.

        If an ID type does not specify the format of its IDs, only the officer can judge
        whether an ID is mistyped: a name in the place of a number, or a digit too many,
        would add another person.
        """
        if self.operation != "link" or self.mapping_id:
            return {}
        return self._open_question() if self._must_ask(call, request) else {}

    def _must_ask(self, call, request) -> bool:
        """Return whether the ID may be mistyped and the officer has not confirmed it.

        The confirmation counts only for the ID that it was given for.
        """
        doubt = self.env["spar.mapper.local"]._find_doubt(call, request.id_value)
        digest = self._digest_doubt(request.id_value)
        if not doubt or (self.is_id_right and self.doubt_digest == digest):
            return False
        self._count_lookup(request.id_value)
        self.write({"id_doubt": doubt, "doubt_digest": digest, "is_id_right": False})
        return True

    def _digest_doubt(self, typed: str) -> str:
        """Return a digest that identifies this ID in this form and reveals nothing."""
        keyring = self.env["spar.keyring"]._open()
        return keyring.digest(seals.DRAFT, f"{self.uuid} {typed}").hex()

    def _open_question(self) -> dict:
        """Return the action that shows the same form again, with the question."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Link a person"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
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
        subject = self._find_changed(identifier)[:1].subject_id
        if text and subject:
            self.env["spar.evidence"]._store(call, self.uuid, text, subject)
