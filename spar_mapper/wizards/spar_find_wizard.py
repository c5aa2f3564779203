from collections.abc import Callable
from itertools import product

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_fa_directory.lib import fa_syntax
from odoo.addons.spar_fa_directory.lib.exceptions import DirectoryError
from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.keyring import bind
from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_text,
)

from ..lib.records import IN_FORCE
from ..lib.spellings import spell_number, squeeze
from ..models.staff.spar_lookup import FoundPlace

#: A provider with more branches than this is searched branch by branch only.
MAX_BRANCHES = 20_000

#: A criterion: its kind, the typed text, and the function that finds the places.
Finder = tuple[str, str, Callable[[], list[FoundPlace]]]


class SparFindWizard(models.TransientModel):
    """Find a person by what they can show: an ID, or an account and its bank.

    Addresses are found only by their digest, so an account number is tried in every way
    in which the directory writes addresses of its provider.
    """

    _name = "spar.find.wizard"
    _description = "Find a person"
    _inherit = ["spar.sealed.draft", "spar.sealed.storage"]

    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        domain=[("strategy", "!=", False)],
        help="Leave empty to search all types.",
    )
    id_value = sealed_text(
        "id_value",
        string="Beneficiary ID",
        help="The number on the card, or the full ID as it is sent in messages.",
    )
    provider_id = fields.Many2one("spar.fsp", string="Bank or provider")
    branch_id = fields.Many2one(
        "spar.fsp.branch", help="Leave empty to search all branches."
    )
    account = sealed_text(
        "account",
        help="The account or voucher number, the phone number or the e-mail address. "
        "Without a provider, enter the full address as it is sent in messages.",
    )

    @api.onchange("provider_id")
    def _onchange_provider_id(self):
        self.branch_id = False

    def action_find(self):
        """Open the registry with the people that were found."""
        self.ensure_one()
        finders = [*self._get_id_finder(), *self._get_account_finder()]
        if not finders:
            raise UserError(self.env._("Enter an ID, or an account and its bank."))
        self.env["spar.mapping"].check_access("read")
        places = self._search_places(finders)
        found = self.env["spar.mapping"].search([("id", "in", places)])
        if not found:
            raise UserError(
                self.env._(
                    "No person was found. Compare every character with the document. "
                    "Enter the full ID or account number; part of it finds nothing. "
                    "If an address contains the name of its bank, enter the full "
                    "address."
                )
            )
        self._write_sealed(None)
        return self._open_results(found)

    @api.model
    def _open_results(self, found) -> dict:
        """Return the registry's list of ``found``, by row, never by the typed text."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_mapper.spar_mapping_action"
        )
        in_force = found.filtered(lambda row: row.state in IN_FORCE)
        # A phone shows a title, but not the parts of a search.
        title = self.env._("Find a person")
        return {
            **action,
            "name": title,
            "display_name": title,
            "context": {
                # A visible part of the search, which the user can remove.
                "found_ids": found.ids,
                "search_default_found": True,
                "search_default_in_force": bool(in_force),
                # Otherwise the web client puts the wizard's window into the page's
                # address, and cannot find the page when it is reloaded.
                "active_id": False,
                "active_ids": False,
            },
            "target": "main",
        }

    def _search_places(self, finders: list[Finder]) -> list[int]:
        """Return the places that all ``finders`` find.

        It is one lookup, however many spellings of an ID or an account it tries.
        """

        def find() -> list[FoundPlace]:
            first, *others = (set(finder()) for _kind, _text, finder in finders)
            return sorted(first.intersection(*others))

        kind = "_".join(kind for kind, _text, _finder in finders)
        text = bind(*(text for _kind, text, _finder in finders)).decode()
        places = self.env["spar.lookup"]._search_counted(kind, text, find)
        return [place.mapping_id for place in places]

    # === BY ID === #

    def _get_id_finder(self) -> list[Finder]:
        text = (self.id_value or "").strip()
        if not text:
            return []
        forms = [self._write_id(form) for form in dict.fromkeys((text, squeeze(text)))]
        mappings = self.env["spar.mapping"]
        searched = f"{self.id_type_id.id} {text}"
        return [("id", searched, lambda: mappings._find_by_ids(forms))]

    def _write_id(self, text: str) -> str:
        """Return the ID as its type writes it, if a type was chosen."""
        try:
            return self.id_type_id._write_id(text) if self.id_type_id else text
        except InvalidIdentifier:
            return text

    # === BY ACCOUNT === #

    def _get_account_finder(self) -> list[Finder]:
        text = (self.account or "").strip()
        if not text:
            return []
        if not self.provider_id and ":" not in text:
            raise UserError(
                self.env._(
                    "Bank or provider: choose one, or enter the full address as it is "
                    "sent in messages."
                )
            )
        texts = [text, *(self._get_addresses(text) if self.provider_id else ())]
        mappings = self.env["spar.mapping"]
        searched = f"{self.provider_id.id} {self.branch_id.id} {text}"
        return [("account", searched, lambda: mappings._find_by_accounts(texts))]

    def _get_addresses(self, number: str) -> list[str]:
        """Return every form in which ``number`` may occur in an address here."""
        numbers = spell_number(number)
        # Archived ones too: stored addresses may have been written by them.
        strategies = (
            self.env["spar.fa.strategy"]
            .with_context(active_test=False)
            .search([("type_id.provider_kind", "=", self.provider_id.kind)])
        )
        return [
            address
            for strategy in strategies
            for address in self._write_addresses(strategy, numbers)
        ]

    def _write_addresses(self, strategy, numbers: set[str]) -> list[str]:
        """Return ``numbers`` as one strategy writes them, for each holder code."""
        compiled = fa_syntax.compile_strategy(strategy.template)
        kinds = {part.key: part.kind for part in strategy.type_id.part_ids}
        holders = self._get_holder_codes()
        values = [holders.get(kinds.get(key), numbers) for key in compiled.keys]
        texts = [key for key in compiled.keys if kinds.get(key) == "text"]
        if len(texts) != 1:
            return []
        addresses = []
        for parts in product(*values):
            try:
                named = dict(zip(compiled.keys, parts, strict=True))
                addresses.append(fa_syntax.build(compiled, named))
            except DirectoryError:
                continue
        return addresses

    def _get_holder_codes(self) -> dict[str, list[str]]:
        """Return the codes of the provider and its branches in addresses."""
        provider = self.provider_id
        branches = self.branch_id or provider.with_context(active_test=False).branch_ids
        if len(branches) > MAX_BRANCHES:
            raise UserError(
                self.env._(
                    "Branch: choose one. This provider has too many branches to search "
                    "them all."
                )
            )
        return {
            "provider": list(filter(None, {provider.code, provider.bic})),
            "branch": branches.mapped("code"),
        }
