from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from math import prod

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import escape_psql

from odoo.addons.spar_fa_directory.lib import fa_syntax
from odoo.addons.spar_fa_directory.lib.exceptions import DirectoryError
from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck
from odoo.addons.spar_mapper_connector.lib.keyring import bind
from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_text,
)

from ..fields import BigMany2one
from ..lib.receipt import is_mistyped_receipt, read_receipt_number
from ..lib.spellings import spell_number, squeeze
from ..lib.typed_search import read_reference, split_bank
from ..models.staff.spar_lookup import FoundPlace
from ..redirection import LookupReasonNeeded

#: A provider with more branches than this is searched branch by branch only.
MAX_BRANCHES = 20_000
#: No number of an account is longer, with its gaps.
_MAX_NUMBER = 100
#: So many addresses are written of one number: one for each spelling of it, each branch
#: and each strategy.
_MAX_ADDRESSES = 100_000

#: A criterion: its kind, the typed text, and the function that finds the places.
Finder = tuple[str, str, Callable[[], list[FoundPlace]]]
#: What a text may be, in words; the function that finds the places; and whether it is
#: true now, and not only of the past.
Reading = tuple[str, Callable[[], list[FoundPlace]], bool]


@dataclass
class Notes:
    """What was found as what, by the person's row id."""

    labels: dict[int, list[str]] = field(default_factory=dict)
    current: set[int] = field(default_factory=set)
    is_by_name: bool = False
    is_too_many: bool = False

    def note(self, subject_id: int, label: str, is_current: bool) -> None:
        """Note that a person was found by a reading."""
        self.labels.setdefault(subject_id, []).append(label)
        if is_current:
            self.current.add(subject_id)


class SparFindWizard(models.TransientModel):
    """Find a person by what they can show: an ID, an account and its bank, a receipt.

    One box takes any of them, and tries each reading of what was typed. One person is
    opened; several are listed with the readings that found them, and the user chooses.
    Addresses are found only by their digest, so an account number is tried in every way
    in which the directory writes addresses of its provider.
    """

    _name = "spar.find.wizard"
    _description = "Find a person"
    _inherit = ["spar.sealed.draft", "spar.sealed.storage", "spar.next.person"]

    typed = sealed_text(
        "typed",
        string="ID, account or reference",
        help="The number on the card, an account number with its bank, or the "
        "reference on a receipt.",
    )
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
    provider_id = fields.Many2one(
        "spar.fsp",
        string="Bank or provider",
        help="For an account. Leave empty for an ID or a reference.",
    )
    branch_id = fields.Many2one(
        "spar.fsp.branch", help="Leave empty to search all branches."
    )
    account = sealed_text(
        "account",
        help="The account or voucher number, the phone number or the e-mail address. "
        "Without a provider, enter the full address as it is sent in messages.",
    )
    asks_reason = fields.Boolean(string="Asks for a reason", readonly=True)
    reason = sealed_text(
        "reason",
        string="Reason for many searches",
        help="Supervisors and auditors see it. It must not contain an ID or an account "
        "number.",
    )
    answer = fields.Selection(
        [
            ("none", "No person was found"),
            ("several", "Several people were found"),
            ("past", "The account is no longer in force"),
            ("named", "People of this name"),
            ("many", "Too many people have this name"),
        ],
        readonly=True,
    )
    answer_text = fields.Char(string="What to do next", compute="_compute_answer_text")
    line_ids = fields.One2many(
        "spar.find.wizard.line", "wizard_id", string="People found", readonly=True
    )

    @api.depends_context("by_name")
    @api.depends("uuid")
    def _compute_display_name(self):
        is_by_name = self.env.context.get("by_name")
        by_name = self.env._("Find by name")
        self.display_name = by_name if is_by_name else self.env._("Find a person")

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse to store a form without a text to search for."""
        texts = self._get_text_fields()
        for vals in vals_list:
            if not any((vals.get(name) or "").strip() for name in texts):
                raise UserError(self._get_empty_text())
        return super().create(vals_list)

    @api.model
    def _get_text_fields(self) -> tuple[str, ...]:
        """Return the fields of which each can be searched for alone."""
        return ("typed", "id_value", "account")

    @api.model
    def _get_empty_text(self) -> str:
        if self.env.context.get("by_name"):
            return self.env._("Enter a name.")
        return self.env._("Enter an ID, an account or a reference.")

    @api.onchange("provider_id")
    def _onchange_provider_id(self):
        self.branch_id = False

    def action_find(self):
        """Open the page of the person who was found, or list several.

        If no one was found, the form says so and keeps what was typed, to be corrected.
        """
        self.ensure_one()
        self._check_kept()
        notes = Notes()
        finders = (
            self._get_typed_finder(notes)
            or self._get_name_finder(notes)
            or [*self._get_id_finder(), *self._get_account_finder()]
        )
        if not finders:
            raise UserError(self._get_empty_text())
        self.env["spar.mapping"].check_access("read")
        try:
            places = self._search_places(finders)
        except LookupReasonNeeded:
            self._as_code().asks_reason = True
            return False
        self._as_code().asks_reason = False
        people = self._get_people(places, notes)
        self.line_ids.unlink()
        self._as_code().answer = self._get_answer(people, notes)
        if self.answer in ("none", "many"):
            return False
        self._write_sealed(None)
        self.invalidate_recordset()
        if not self.answer:
            return people._open_page(people)
        self._list_people(people, notes)
        return False

    def _get_answer(self, people, notes: Notes):
        """Return what prevents the page of one person from being opened, if anything.

        An account that they had is not taken for the one that they have, and somebody's
        name not for that person.
        """
        if notes.is_too_many:
            return "many"
        if not people:
            return "none"
        if notes.is_by_name:
            return "named"
        if len(people) > 1:
            return "several"
        is_past = bool(notes.labels) and people.id not in notes.current
        return "past" if is_past else False

    @api.model
    def _get_people(self, places: list[FoundPlace], notes: Notes):
        """Return those of the people whom the user may see; merged ones as one."""
        found = [place.subject_id for place in places]
        people = self.env["spar.subject"].search([("id", "in", found)])
        for person in people.filtered("merged_into"):
            for label in notes.labels.get(person.id, ()):
                is_current = person.id in notes.current
                notes.note(person.merged_into.id, label, is_current)
        return people.browse(
            dict.fromkeys((person.merged_into or person).id for person in people)
        )

    def _list_people(self, people, notes: Notes) -> None:
        """List ``people`` with what the typed text is for each of them."""
        self.env["spar.find.wizard.line"]._as_code().create(
            [
                {
                    "wizard_id": self.id,
                    "subject_id": person.id,
                    "reading": ", ".join(
                        dict.fromkeys(notes.labels.get(person.id, ()))
                    ),
                }
                for person in people
            ]
        )

    @api.depends("answer", "typed", "provider_id")
    def _compute_answer_text(self):
        for draft in self:
            texts = {
                "none": draft._get_none_text,
                "several": draft._get_several_text,
                "past": draft._get_past_text,
                "named": draft._get_named_text,
                "many": draft._get_many_text,
            }
            draft.answer_text = texts[draft.answer]() if draft.answer else False

    def _get_none_text(self) -> str:
        """Return why nobody may have been found, and what to do next."""
        if self.person_name:
            return self._get_no_name_text()
        texts = [
            self.env._(
                "No person was found. Compare every character with the document, and "
                "enter all of it: part of it finds nothing."
            )
        ]
        typed = self.typed or ""
        if is_mistyped_receipt(typed):
            return self._get_slip_text()
        if typed and not any(character.isdecimal() for character in typed):
            texts.append(self._get_letters_text())
        elif typed and not self.provider_id:
            texts.append(self.env._("For an account, choose its bank as well."))
            texts.append(self._get_card_text(squeeze(typed)))
        return " ".join(filter(None, texts))

    def _get_slip_text(self) -> str:
        return self.env._(
            "No person was found. The reference is mistyped: on a receipt it is R and "
            "digits in groups of four, such as R 1234 5676. Compare every digit."
        )

    def _get_letters_text(self) -> str:
        if self.has_names:
            return self.env._("To search for a name, press Find by name.")
        return self.env._("A name finds nobody here: enter a number.")

    def _get_card_text(self, value: str) -> str:
        """Return how IDs look, if ``value`` cannot be one, by its check digit too."""
        types_sudo = self.id_type_id.sudo() or self.id_type_id.sudo().search(
            [("strategy", "!=", False)]
        )
        looks = []
        for id_type_sudo in types_sudo:
            try:
                id_type_sudo._read_claim(value, CardCheck.PEOPLE)
            except InvalidIdentifier:
                if id_type_sudo.card_look:
                    looks.append(f"{id_type_sudo.name}: {id_type_sudo.card_look}")
            else:
                return ""
        if not looks:
            return ""
        return self.env._(
            "It is not a valid ID: a character may be wrong or missing (%(looks)s).",
            looks="; ".join(looks),
        )

    def _get_several_text(self) -> str:
        return self.env._(
            "What you entered belongs to several people. Compare the document, and "
            "open the right one."
        )

    def _get_past_text(self) -> str:
        return self.env._(
            "This person had the account that you entered, and does not have it now. "
            "Compare the document before you open the page."
        )

    def _search_places(self, finders: list[Finder]) -> list[FoundPlace]:
        """Return the places that all ``finders`` find.

        It is one lookup, however many spellings of an ID or an account it tries.
        """

        def find() -> list[FoundPlace]:
            first, *others = (set(finder()) for _kind, _text, finder in finders)
            return sorted(first.intersection(*others))

        kind = "_".join(kind for kind, _text, _finder in finders)
        text = bind(*(text for _kind, text, _finder in finders)).decode()
        reason = (self.reason or "").strip()
        lookups = self.env["spar.lookup"]
        return lookups._search_counted(kind, text, find, reason=reason)

    # === BY ANYTHING === #

    def _get_typed_finder(self, notes: Notes) -> list[Finder]:
        """Return the criterion of the one box; it notes what was found as what."""
        text = (self.typed or "").strip()
        if not text:
            return []
        readings = self._get_readings(text)

        def find() -> list[FoundPlace]:
            found = []
            for label, search, is_current in readings:
                for place in search():
                    notes.note(place.subject_id, label, is_current)
                    found.append(place)
            return found

        searched = (self.id_type_id.id, self.provider_id.id, self.branch_id.id, text)
        return [("any", " ".join(map(str, searched)), find)]

    def _get_readings(self, text: str) -> list[Reading]:
        """Return all that ``text`` may be; a chosen bank or ID type decides it."""
        if self.provider_id:
            return self._get_account_readings(text)
        if self.id_type_id:
            return self._get_id_readings(text)
        return [
            *self._get_id_readings(text),
            *self._get_account_readings(text),
            *self._get_reference_readings(text),
        ]

    def _get_id_readings(self, text: str) -> list[Reading]:
        mappings = self.env["spar.mapping"]
        forms = self._get_id_forms(text)
        return [(self.env._("ID"), lambda: mappings._find_by_ids(forms), True)]

    def _get_account_readings(self, text: str) -> list[Reading]:
        """Return the ways to read ``text`` as an account, alone or with its bank."""
        if self.provider_id:
            texts = [text, *self._get_addresses(text, self.provider_id)]
            return self._build_account_readings(texts, self.provider_id)
        readings = self._build_account_readings([text]) if ":" in text else []
        for number, provider in self._split_bank(text):
            texts = self._get_addresses(number, provider)
            readings += self._build_account_readings(texts, provider)
        return readings

    def _build_account_readings(self, texts: list[str], provider=None) -> list[Reading]:
        """Return the readings as the account that somebody has, or had."""
        mappings = self.env["spar.mapping"]
        label, past = self.env._("Account"), self.env._("Account of the past")
        if provider:
            name = provider.name
            label = self.env._("Account at %(provider)s", provider=name)
            past = self.env._("Past account at %(provider)s", provider=name)

        @cache
        def find_present() -> list[FoundPlace]:
            return mappings._find_in_force(texts)

        def find_past() -> list[FoundPlace]:
            present = set(find_present())
            return [
                place
                for place in mappings._find_by_accounts(texts)
                if place not in present
            ]

        return [
            (label, find_present, True),
            (past, find_past, False),
        ]

    @api.model
    def _split_bank(self, text: str) -> list[tuple[str, models.Model]]:
        """Return the numbers and providers that ``text`` may consist of.

        A provider is known by its whole name, its code or its BIC.
        """
        splits = list(split_bank(text))
        banks = {bank for _number, bank in splits}
        if not banks:
            return []
        domain = Domain.OR(
            Domain(name, "=ilike", escape_psql(bank))
            for bank in banks
            for name in ("name", "code", "bic")
        )
        # Archived ones too: people may still have accounts there.
        providers = self.env["spar.fsp"].with_context(active_test=False).search(domain)
        return [
            (number, provider)
            for number, bank in splits
            for provider in providers
            if bank.casefold() in _get_names(provider)
        ]

    def _get_reference_readings(self, text: str) -> list[Reading]:
        """Return the readings of ``text`` as a change, a case or a receipt."""
        readings: list[Reading] = []
        reference, event_id = read_reference(text), read_receipt_number(text)
        if reference:
            label = self.env._("Reference")
            readings.append((label, lambda: self._find_by_reference(reference), True))
        if event_id:
            label = self.env._("Receipt")
            readings.append((label, lambda: self._find_by_receipt(event_id), True))
        return readings

    @api.model
    def _find_by_receipt(self, event_id: int) -> list[FoundPlace]:
        """Return the place of the event that a receipt names."""
        event = self.env["spar.event"].search([("id", "=", event_id)])
        place = event.mapping_id
        return [FoundPlace(place.id, place.subject_id.id)] if place else []

    @api.model
    def _find_by_reference(self, reference: str) -> list[FoundPlace]:
        """Return the places of a change or a case whose uuid starts so."""
        # A range, because an index serves it in every collation.
        domain = [("uuid", ">=", reference), ("uuid", "<", f"{reference}g")]
        places = self.env["spar.change"].search(domain).mapping_id
        places |= self.env["spar.objection"].search(domain).mapping_id
        complained = self.env["spar.complaint"].search(domain).subject_id
        places |= complained.mapping_ids
        return [FoundPlace(place.id, place.subject_id.id) for place in places]

    # === BY ID === #

    def _get_id_finder(self) -> list[Finder]:
        text = (self.id_value or "").strip()
        if not text:
            return []
        forms = self._get_id_forms(text)
        mappings = self.env["spar.mapping"]
        searched = f"{self.id_type_id.id} {text}"
        return [("id", searched, lambda: mappings._find_by_ids(forms))]

    def _get_id_forms(self, text: str) -> list[str]:
        return [self._write_id(form) for form in dict.fromkeys((text, squeeze(text)))]

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
        provider = self.provider_id
        texts = [text, *(self._get_addresses(text, provider) if provider else ())]
        mappings = self.env["spar.mapping"]
        searched = f"{self.provider_id.id} {self.branch_id.id} {text}"
        return [("account", searched, lambda: mappings._find_by_accounts(texts))]

    def _get_addresses(self, number: str, provider) -> list[str]:
        """Return every form in which ``number`` may occur in an address there."""
        numbers = spell_number(number)
        # Archived ones too: stored addresses may have been written by them.
        strategies = (
            self.env["spar.fa.strategy"]
            .with_context(active_test=False)
            .search([("type_id.provider_kind", "=", provider.kind)])
        )
        addresses: list[str] = []
        if len(number) > _MAX_NUMBER:
            return addresses
        for strategy in strategies:
            addresses += self._write_addresses(strategy, numbers, provider)
            if len(addresses) > _MAX_ADDRESSES:
                raise UserError(self._get_branch_text())
        return addresses

    def _write_addresses(self, strategy, numbers: list[str], provider) -> list[str]:
        """Return ``numbers`` as one strategy writes them, for each holder code."""
        compiled = fa_syntax.compile_strategy(strategy.template)
        kinds = {part.key: part.kind for part in strategy.type_id.part_ids}
        holders = self._get_holder_codes(provider)
        values = [holders.get(kinds.get(key), numbers) for key in compiled.keys]
        texts = [key for key in compiled.keys if kinds.get(key) == "text"]
        if len(texts) != 1:
            return []
        if prod(map(len, values)) > _MAX_ADDRESSES:
            raise UserError(self._get_branch_text())
        addresses = []
        for parts in product(*values):
            try:
                named = dict(zip(compiled.keys, parts, strict=True))
                addresses.append(fa_syntax.build(compiled, named))
            except DirectoryError:
                continue
        return addresses

    @api.model
    def _get_branch_text(self) -> str:
        return self.env._(
            "Branch: choose one. This provider has too many branches to search them "
            "all."
        )

    def _get_holder_codes(self, provider) -> dict[str, list[str]]:
        """Return the codes of a provider and its branches in addresses."""
        branches = self.branch_id or provider.with_context(active_test=False).branch_ids
        if len(branches) > MAX_BRANCHES:
            raise UserError(self._get_branch_text())
        return {
            "provider": list(filter(None, {provider.code, provider.bic})),
            "branch": branches.mapped("code"),
        }


def _get_names(provider) -> set[str]:
    """Return all by which people may call a provider, in lower case."""
    names = (provider.name, provider.code, provider.bic)
    return {name.casefold() for name in names if name}


class SparFindWizardLine(models.TransientModel):
    """One of several people to whom a typed text may refer."""

    _name = "spar.find.wizard.line"
    _description = "Person found"

    wizard_id = fields.Many2one(
        "spar.find.wizard", required=True, readonly=True, ondelete="cascade"
    )
    subject_id = BigMany2one("spar.subject", string="Person", readonly=True)
    reading = fields.Char(
        string="Found by", readonly=True, help="What the text is, for this person."
    )
    id_masked = fields.Char(related="subject_id.id_masked", related_sudo=False)
    fa_masked = fields.Char(related="subject_id.fa_masked", related_sudo=False)
    pay_state = fields.Selection(related="subject_id.pay_state", related_sudo=False)

    def action_open(self):
        """Open the page of this person."""
        self.ensure_one()
        return self.subject_id._open_page(self.subject_id)
