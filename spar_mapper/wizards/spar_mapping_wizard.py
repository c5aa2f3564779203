from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from odoo.addons.spar_fa_directory.lib import fa_syntax
from odoo.addons.spar_fa_directory.lib.exceptions import DirectoryError
from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import (
    DONE,
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
from ..models.spar_mapper_local import OFFICER
from .spar_sealed_draft import sealed_text

#: Why something is *held* although no rule held it: the ID belongs to several people.
CONTESTED = "contested"


class SparMappingWizard(models.TransientModel):
    """An officer's action for a person: the same call that REST makes."""

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
    seen_version = fields.Integer(readonly=True)
    id_masked = fields.Char(related="mapping_id.id_masked", string="Masked ID")
    fa_masked = fields.Char(related="mapping_id.fa_masked", string="Address in force")
    reason = sealed_text(
        "reason",
        help="Kept in the history, in clear: once it is seen to name no ID and no "
        "account.",
    )
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="Kind of ID",
        domain=[("strategy", "!=", False)],
        default=lambda self: self._default_id_type_id(),
        help="Around a mere number the ID is built as this kind is written.",
    )
    has_evidence = fields.Boolean(
        string="I saw the person's document",
        help="Without it the change weighs no more than a programme's.",
    )
    id_value = sealed_text("id_value", string="Beneficiary ID")
    fa_type_id = fields.Many2one("spar.fa.type", string="Kind of address")
    provider_kind = fields.Selection(related="fa_type_id.provider_kind")
    provider_id = fields.Many2one("spar.fsp")
    branch_id = fields.Many2one("spar.fsp.branch")
    needs_provider = fields.Boolean(compute="_compute_needs")
    needs_branch = fields.Boolean(compute="_compute_needs")
    part_ids = fields.One2many(
        "spar.mapping.wizard.part", "wizard_id", string="To fill in"
    )
    fa_text = sealed_text(
        "fa_text",
        string="Whole address",
        help="As it travels, for example account:123456@BR01.DEMO",
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
        with self.env["spar.staff.answers"]._say_errors():
            self._check_reason()
            call = mapper._build_staff_call(
                self.reason, self.has_evidence, self._get_evidence_reference()
            )
            ask = getattr(mapper, f"_{self.operation}_fa")
            request = self._build_request()
            question = self._ask_back(call, request)
            if question:
                return question
            result = ask(call, [request])[0]
            self._keep_evidence(call, request.id_value)
        self._write_sealed(None)
        self.part_ids._write_sealed(None)
        return self._tell(result, request.id_value)

    def _ask_back(self, call, request) -> dict:
        """Return a question to ask the officer first; empty if there is none."""
        return {}

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
            raise UserError(self.env._("This address does not open: see the alarms."))
        return StoredIdentifier(shown.canonical, shown.type_id)

    def _get_typed_id(self) -> str:
        if not (self.id_value or "").strip():
            raise UserError(self.env._("Beneficiary ID: fill it in."))
        try:
            return self.id_type_id._write_id((self.id_value or "").strip())
        except InvalidIdentifier:
            return self.id_value

    def _build_address(self) -> str:
        """Return the address as transmitted; raises UserError naming what is wrong."""
        if not self.fa_type_id:
            if not self.fa_text:
                raise UserError(self.env._("Whole address: fill it in."))
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
                    "Kind of address: its strategy cannot be filled in here. Leave the "
                    "kind empty and write the whole address."
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
            raise UserError(self.env._("Reason: say why."))
        typed = (self.id_value, self.fa_text, *self.part_ids.mapped("value"))
        self.mapping_id._check_told(self.reason, *filter(None, typed))

    # === REPORTING === #

    def _tell(self, result: Result, identifier: str) -> dict:
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
            self.env["spar.lookup"]._look(
                "id", identifier, lambda: mappings._find_by_ids([identifier])
            )

    def _find_changed(self, identifier: str):
        """Return the place that the request concerns."""
        if self.mapping_id:
            return self.mapping_id
        mappings = self.env["spar.mapping"]
        places = [place.mapping_id for place in mappings._find_by_ids([identifier])]
        return mappings.search([("id", "in", places), ("purpose", "=", "")])
