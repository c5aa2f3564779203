from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from odoo.addons.spar_fa_directory.lib import fa_syntax
from odoo.addons.spar_fa_directory.lib.exceptions import DirectoryError

from .spar_sealed_draft import sealed_text


class SparAddressEntry(models.AbstractModel):
    """The part of a form in which staff enter an address by its parts.

    A form inherits this model, ``spar.sealed.storage``, and has ``part_ids``: lines of
    a model that inherits ``spar.address.entry.part``.
    """

    _name = "spar.address.entry"
    _description = "Address entered by its parts"
    _inherit = ["spar.sealed.draft"]

    fa_type_id = fields.Many2one("spar.fa.type", string="Kind of address")
    provider_kind = fields.Selection(related="fa_type_id.provider_kind")
    provider_id = fields.Many2one("spar.fsp")
    branch_id = fields.Many2one("spar.fsp.branch")
    needs_provider = fields.Boolean(string="Needs a provider", compute="_compute_needs")
    has_branch_part = fields.Boolean(
        string="Can need a branch", compute="_compute_needs"
    )
    needs_branch = fields.Boolean(string="Needs a branch", compute="_compute_needs")
    fa_text = sealed_text(
        "fa_text",
        string="Full address",
        help="As it is sent in messages, for example account:123456@BR01.DEMO",
    )

    @api.depends("fa_type_id", "provider_id")
    def _compute_needs(self):
        """Compute the questions of the kind; a branch only if the provider has one."""
        for entry in self:
            kinds = entry.fa_type_id.part_ids.mapped("kind")
            entry.needs_provider = "provider" in kinds
            entry.has_branch_part = "branch" in kinds
            entry.needs_branch = (
                entry.has_branch_part and entry.provider_id.has_branches
            )

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

    def _build_address(self) -> str:
        """Return the address as transmitted; raises UserError naming what is wrong."""
        if not self.fa_type_id:
            if not self.fa_text:
                raise UserError(self.env._("Enter the full address."))
            return self.fa_text
        holder = self.provider_id._get_holder(self.branch_id)
        parts, problems = self.fa_type_id._canonicalise_parts(self._get_parts(), holder)
        if problems:
            raise UserError("\n".join(self._explain_problems(problems)))
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

    def _explain_problems(self, problems: dict[str, str]) -> list[str]:
        """Return for each part what is wrong with it, and how to write it."""
        parts = {part.key: part for part in self.fa_type_id.part_ids}
        lines = []
        for key, text in problems.items():
            part = parts.get(key, self.env["spar.fa.type.part"])
            hints = (self._get_examples().get(part.check_code), part.help)
            words = " ".join(filter(None, (text, *hints)))
            lines.append(f"{part.label or key}: {words}")
        return lines

    @api.model
    def _get_examples(self) -> dict[str, str]:
        """Return an example of what each check accepts, by its code."""
        return {
            "iban": self.env._("For example: GB82 WEST 1234 5698 7654 32."),
            "bic": self.env._("8 or 11 letters and digits, for example: DEUTDEFF."),
            "phone": self.env._("For example: +44 7911 123456."),
            "email": self.env._("For example: ana@example.org."),
        }

    def _get_parts(self) -> dict[str, str]:
        codes = {"provider": self.provider_id.code, "branch": self.branch_id.code}
        texts = {line.part_id: line.value for line in self.part_ids}
        return {
            part.key: codes.get(part.kind, texts.get(part)) or ""
            for part in self.fa_type_id.part_ids
        }

    def _get_typed_texts(self) -> list[str]:
        """Return every text that was typed into the entry."""
        return [text for text in (self.fa_text, *self.part_ids.mapped("value")) if text]

    def _erase_typed(self) -> None:
        """Erase what was typed, once the form has done its work."""
        self._write_sealed(None)
        self.part_ids._write_sealed(None)


class SparAddressEntryPart(models.AbstractModel):
    """One text of an address that staff fill in: a number, a code, an e-mail."""

    _name = "spar.address.entry.part"
    _description = "Part of an address"
    _inherit = ["spar.sealed.draft"]
    _order = "id"

    part_id = fields.Many2one(
        "spar.fa.type.part", required=True, readonly=True, ondelete="cascade"
    )
    label = fields.Char(related="part_id.label", string="Name")
    help = fields.Char(related="part_id.help", string="Where to find it")
    value = sealed_text("value")
