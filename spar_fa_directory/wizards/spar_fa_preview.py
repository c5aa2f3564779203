from odoo import api, fields, models
from odoo.fields import Command

from ..lib import fa_syntax
from ..lib.fa_reader import NO_HOLDER, Address, AddressPlace, Holder, fold_code


class SparFaPreview(models.TransientModel):
    """An address of a kind, written and read back while somebody types its parts.

    No value has a column: nothing that is typed here is stored.
    """

    _name = "spar.fa.preview"
    _description = "Preview of a Financial Address"

    type_id = fields.Many2one("spar.fa.type", "Kind", required=True)
    strategy_id = fields.Many2one("spar.fa.strategy", store=False)
    provider_kind = fields.Selection(related="type_id.provider_kind")
    has_provider = fields.Boolean(string="Has a provider", store=False)
    has_branch = fields.Boolean(string="Has a branch", store=False)
    provider_id = fields.Many2one("spar.fsp", store=False)
    branch_id = fields.Many2one("spar.fsp.branch", store=False)
    line_ids = fields.One2many("spar.fa.preview.part", "preview_id", "Parts")
    text = fields.Char("Written", store=False)
    mask = fields.Char("As staff see it", store=False)
    note = fields.Char(store=False)

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        fa_type = self.env["spar.fa.type"].browse(values.get("type_id"))
        strategies = fa_type.strategy_ids
        chosen = strategies.filtered("is_default") or strategies
        kinds = fa_type.part_ids.mapped("kind")
        values["strategy_id"] = values.get("strategy_id") or chosen[:1].id
        values["has_provider"] = "provider" in kinds
        values["has_branch"] = False
        values["line_ids"] = [
            Command.create({"part_id": part.id}) for part in fa_type.part_ids
        ]
        return values

    @api.onchange("provider_id")
    def _onchange_provider_id(self):
        """Ask for a branch if the provider has any."""
        kinds = self.type_id.part_ids.mapped("kind")
        self.has_branch = "branch" in kinds and self.provider_id.has_branches
        if self.branch_id.provider_id != self.provider_id:
            self.branch_id = False
        self._fill("provider", self.provider_id.code)

    @api.onchange("branch_id")
    def _onchange_branch_id(self):
        self._fill("branch", self.branch_id.code)

    def _fill(self, kind: str, code: str | bool) -> None:
        for line in self.line_ids.filtered(lambda line: line.kind == kind):
            line.value = code

    @api.onchange("strategy_id", "provider_id", "branch_id", "line_ids")
    def _onchange_parts(self):
        """Write the address, read it back, and show what is wrong with each part."""
        address, problems = self._build_address()
        self.text = self.mask = self.note = False
        read = {}
        if not self.strategy_id:
            self.note = self.env._(
                "Add a strategy to this kind: it defines how addresses are written."
            )
        else:
            read = self._write(address)
        for line in self.line_ids:
            key = line.part_id.key
            line.problem = problems.get(key) if line.value else False
            line.read_back = read.get(key, False)

    def _build_address(self) -> tuple[Address, dict[str, str]]:
        """Return the address in its canonical form, and the problem of each part."""
        parts = {line.part_id.key: line.value or "" for line in self.line_ids}
        by_kind = {line.kind: line.value or "" for line in self.line_ids}
        provider, branch = by_kind.get("provider", ""), by_kind.get("branch", "")
        place = AddressPlace("code", fold_code(provider), fold_code(branch))
        holder = self.env["spar.fsp"]._search_places({place}).get(place, NO_HOLDER)
        fa_type = self.type_id
        formed, problems = fa_type._canonicalise_parts(parts, holder)
        address = Address(
            text="",
            type_code=fa_type.code,
            type_id=fa_type.id,
            provider_id=holder.provider_id,
            branch_id=holder.branch_id,
            parts=formed,
        )
        places = {"provider": self._find_provider_problem(holder)}
        places["branch"] = self._find_branch_problem(holder)
        of_places = {
            line.part_id.key: places[line.kind]
            for line in self.line_ids
            if places.get(line.kind)
        }
        return address, of_places | problems

    def _find_provider_problem(self, holder: Holder) -> str:
        if not holder.provider_id:
            return self.env._("No provider has this code.")
        if not holder.provider_is_active:
            return self.env._("This provider is archived.")
        if holder.provider_is_closed:
            return self.env["spar.fsp"].browse(holder.provider_id)._get_closed_text()
        if self.type_id.provider_kind not in (False, holder.kind):
            return self.env._("This provider is of another kind.")
        return ""

    def _find_branch_problem(self, holder: Holder) -> str:
        if not holder.branch_id:
            return self.env._("The provider has no branch with this code.")
        if not holder.branch_is_active:
            return self.env._("This branch is archived.")
        branch = self.env["spar.fsp.branch"].browse(holder.branch_id)
        return branch._get_closed_text()

    def _write(self, address: Address) -> dict[str, str]:
        """Show the address in the strategy; return the parts as read back from it."""
        strategies = self.env["spar.fa.strategy"]
        number = self.strategy_id.number
        text = strategies._write_addresses([address], number)[0]
        if text is None:
            self.note = self.env._(
                "This strategy also writes %(keys)s: choose a provider and branch that "
                "have it.",
                keys=", ".join(self._get_missing_keys(address)),
            )
            return {}
        self.text = text
        self.mask = self.env["spar.masked.words"]._write_addresses([text])[0]
        reader = strategies._read_addresses([text])[0].strategy_number
        if reader != number:
            self.note = self._get_reader_text(reader)
        return fa_syntax.parse(self._get_syntax(), text) or {}

    def _get_syntax(self) -> fa_syntax.Strategy:
        return fa_syntax.compile_strategy(self.strategy_id.template)

    def _get_missing_keys(self, address: Address) -> list[str]:
        known = self.strategy_id._get_directory_parts([address])[0] | address.parts
        return sorted(set(self._get_syntax().keys) - known.keys())

    def _get_reader_text(self, reader: int | None) -> str:
        return self.env._(
            "Strategy %(number)s also reads this text, and is tried first for "
            "addresses that are received: begin the template with another word.",
            number=reader,
        )


class SparFaPreviewPart(models.TransientModel):
    _name = "spar.fa.preview.part"
    _description = "Part of a Previewed Address"
    _order = "part_id"

    preview_id = fields.Many2one("spar.fa.preview", required=True, ondelete="cascade")
    part_id = fields.Many2one(
        "spar.fa.type.part", "Described", required=True, ondelete="cascade"
    )
    label = fields.Char(related="part_id.label", string="Part")
    help = fields.Char(related="part_id.help")
    kind = fields.Selection(related="part_id.kind")
    value = fields.Char("Type here", store=False)
    read_back = fields.Char(string="Read back", store=False)
    problem = fields.Char("Message", store=False)
