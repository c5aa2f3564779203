from dataclasses import dataclass, field

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...lib import bank_registry, fa_checks, fa_phone
from ...lib.bank_registry import HEAD_OFFICE, KnownBank, get_whole_bic
from ...lib.branch_code import fit_branch_code, is_branch_code_form
from ...lib.directory_query import SearchAttempt
from ...lib.exceptions import InvalidParameter, InvalidPart
from ...lib.fa_reader import AddressPlace, Holder, fold_code
from ...lib.fa_text import remove_gaps
from . import holders, search_queries
from .spar_directory_search import MAX_RANKED

KINDS = [
    ("bank", "Bank"),
    ("wallet", "Mobile wallet"),
    ("email_wallet", "E-mail wallet"),
    ("voucher", "Voucher scheme"),
    ("other", "Other"),
]
_OPEN_BRANCH = Domain("active", "=", True) & Domain("is_closed", "=", False)
_NO_WORDS = SearchAttempt([], enough=0)


@dataclass
class BankLoad:
    """The result of loading a country's banks: providers, and pairs (name, reason).

    ``gone`` are those that the registry no longer has, with what identifies them;
    ``keys`` are the codes that it has.
    """

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


class SparFsp(models.Model):
    """A provider of financial services: a bank, a wallet, a voucher scheme.

    It is found by all its names, by code and by BIC; providers with a branch that has
    the rest of the words come after those that have them all, so that a town finds the
    banks that have a branch there. ``bank_id`` is only the bank itself: accounts of
    beneficiaries never go to ``res.partner.bank``, which every employee can read.
    """

    _name = "spar.fsp"
    _description = "Financial Service Provider"
    _inherit = [
        "spar.directory.used",
        "spar.directory.closing",
        "spar.directory.search",
        "spar.directory.sourced",
        "spar.directory.texts",
    ]
    _order = "name, id"
    _rec_names_search = ["name", "code"]
    _searched_text = """
        jsonb_path_query_array(name, '$.*')::text || ' | ' || code
        || ' | ' || coalesce(bic, '')
    """

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        copy=False,
        help="Part of financial addresses, so it cannot be changed once an address "
        "contains it. Upper and lower case are equivalent.",
    )
    kind = fields.Selection(KINDS, required=True, default="bank", index=True)
    country_id = fields.Many2one("res.country", index="btree_not_null")
    bic = fields.Char(
        "BIC",
        help="Spaces and case are ignored. Eight characters name the head office, as "
        "do eleven that end in three X.",
    )
    logo = fields.Image(max_width=256, max_height=256)
    active = fields.Boolean(default=True)
    branch_ids = fields.One2many("spar.fsp.branch", "provider_id", string="Branches")
    branch_code_form = fields.Char(
        "Branch code format",
        help="One symbol for each character of a code: 0 for a digit, A for a letter, "
        "? for either. Any other character stands for itself. With 000000, 30100 and "
        "030100 are the same branch: missing leading zeros are added.",
    )
    successor_id = fields.Many2one(
        "spar.fsp",
        index="btree_not_null",
        ondelete="restrict",
        help="The provider of the same kind that took over the accounts.",
    )
    has_branches = fields.Boolean(
        string="Has branches", compute="_compute_has_branches"
    )
    branch_count = fields.Integer(
        string="Branch count", compute="_compute_branch_count"
    )
    registry_key = fields.Char(
        string="Registry key",
        readonly=True,
        copy=False,
        help="The bank's code in the public registry that it was loaded from.",
    )
    # As last loaded: any difference from it is an edit by staff.
    registry_values = fields.Json(string="Registry values", readonly=True, copy=False)
    account_pattern = fields.Char(
        "Account number pattern",
        help="The format of this provider's account numbers, without spaces, dashes, "
        "dots and slashes, in capitals: [0-9]{10} for ten digits. Leave empty for no "
        "pattern. Numbers that match the pattern are accepted even if they look like a "
        "payment card or are the person's ID.",
    )
    account_shortest = fields.Integer(
        "Minimum length",
        help="The minimum number of characters of an account number, without spaces, "
        "dashes, dots and slashes. 0: no minimum.",
    )
    account_longest = fields.Integer(
        "Maximum length",
        help="The maximum number of characters of an account number. 0: no maximum.",
    )
    account_check = fields.Selection(
        selection=lambda self: self.env["spar.fa.type.part"]._selection_check_code(),
        string="Account number check",
        help="For example, the check digit. Account number of an IBAN country: accepts "
        "the IBAN, the part of the IBAN after its check digits, or the account number "
        "within it.",
    )
    account_check_parameter = fields.Char(
        "Check parameter",
        help="The pattern, for a check by pattern, or the python-stdnum module.",
    )
    phone_prefixes = fields.Char(
        "Additional mobile prefixes",
        help="Prefixes of mobile numbers that are not in the numbering plan of this "
        "version, separated by commas: 0917, +63 999. Needed only if a country has "
        "introduced new numbers.",
    )

    _code_uniq = models.UniqueIndex(
        '(upper(code COLLATE "C"))',
        "Another provider has this code (case is ignored).",
    )
    _bic_idx = models.Index('(upper(bic COLLATE "C")) WHERE bic IS NOT NULL')
    bank_id = fields.Many2one(
        "res.bank",
        string="Odoo bank",
        index="btree_not_null",
        ondelete="set null",
        help="The same bank in Odoo's own list of banks, which suppliers' and "
        "employees' accounts use.",
    )
    _registry_key_uniq = models.UniqueIndex(
        "(registry_key) WHERE registry_key IS NOT NULL",
        "Another provider was loaded from the same bank of the registry.",
    )
    _account_lengths = models.Constraint(
        "CHECK (account_shortest >= 0 AND account_longest >= 0"
        " AND (account_longest = 0 OR account_shortest <= account_longest))",
        "The maximum length cannot be less than the minimum length.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._clean_values(vals) for vals in vals_list])

    def write(self, vals):
        vals = self._clean_values(vals)
        if "code" in vals:
            self.filtered(
                lambda provider: provider.code != vals["code"]
            )._check_unused()
        return super().write(vals)

    @api.model
    def _clean_values(self, vals: dict) -> dict:
        """Return the values as they are stored: clean texts, the BIC as it is searched.

        A BIC is searched in capitals, without gaps.
        """
        vals = self._clean_texts(vals)
        return vals | {"bic": remove_gaps(vals["bic"])} if vals.get("bic") else vals

    @api.constrains("bic")
    def _check_bic(self):
        for provider in self.filtered("bic"):
            try:
                fa_checks.run_check("bic", provider.bic)
            except InvalidPart as error:
                raise ValidationError(
                    provider.env._(
                        "%(bic)s is not a valid BIC (%(provider)s).",
                        bic=provider.bic,
                        provider=provider.name,
                    )
                ) from error

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self._check_unused()
        self.branch_ids._check_unused()

    def _check_unused(self):
        if used := self._is_used():
            raise UserError(
                self.env._(
                    "Financial addresses use %(providers)s: the code cannot be "
                    "changed, and the provider cannot be deleted. Archive it and add a "
                    "new one. %(uses)s",
                    providers=", ".join(used.mapped("display_name")),
                    uses=used._get_uses_text(),
                )
            )

    # === ODOO'S OWN BANK === #

    @api.onchange("bank_id")
    def _onchange_bank_id(self):
        """Suggest the data of Odoo's bank for fields of the provider that are empty."""
        for provider in self.filtered("bank_id"):
            bank = provider.bank_id
            provider.name = provider.name or bank.name
            provider.bic = provider.bic or bank.bic
            provider.country_id = provider.country_id or bank.country

    @api.onchange("bic")
    def _onchange_bic(self):
        """Suggest Odoo's bank that has the BIC."""
        for provider in self.filtered(lambda p: p.bic and not p.bank_id):
            found = self._search_odoo_banks([provider.bic])
            provider.bank_id = found.get(get_whole_bic(provider.bic))

    @api.model
    def _search_odoo_banks(self, bics: list[str]) -> dict[str, int]:
        """Return Odoo's banks by their BICs, where only one bank has the BIC.

        :return: {BIC with its branch: ID}
        """
        wanted = {get_whole_bic(bic) for bic in bics if bic}
        written = wanted | {bic.removesuffix(HEAD_OFFICE) for bic in wanted}
        banks = self.env["res.bank"].search([("bic", "in", sorted(written))])
        by_bic = banks.grouped(lambda bank: get_whole_bic(bank.bic))
        return {bic: bank.id for bic, bank in by_bic.items() if len(bank) == 1}

    # === BRANCH CODES === #

    @api.constrains("branch_code_form")
    def _check_branch_code_form(self):
        """Convert the codes of existing branches to the form, where they fit.

        A code that addresses name stays as it is; it is found in either spelling.
        """
        for provider in self.filtered("branch_code_form"):
            if not is_branch_code_form(provider.branch_code_form):
                raise ValidationError(
                    provider.env._(
                        "Enter the format of a branch code in at most 30 characters, "
                        "without spaces: 0 for a digit, A for a letter, ? for either."
                    )
                )
            provider._fit_branch_codes()

    def _fit_branch_codes(self) -> None:
        branches = self.with_context(active_test=False).branch_ids
        used = branches._is_used()
        for branch in branches - used:
            code = fit_branch_code(branch.code, self.branch_code_form)
            if code and code != branch.code.upper():
                branch.code = code

    # === CLOSING === #

    @api.constrains("successor_id", "kind")
    def _check_successor_kind(self):
        predecessors = self.search([("successor_id", "in", self.ids)])
        for provider in (self | predecessors).filtered("successor_id"):
            if provider.successor_id.kind != provider.kind:
                raise ValidationError(
                    provider.env._(
                        "%(successor)s is of a different kind from %(provider)s, so it "
                        "cannot take over.",
                        successor=provider.successor_id.display_name,
                        provider=provider.display_name,
                    )
                )

    @api.depends("branch_ids.active", "branch_ids.closed_on")
    def _compute_has_branches(self):
        """Compute whether there is a branch that a new address can name."""
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        domain = Domain("provider_id", "in", self.ids) & _OPEN_BRANCH
        groups = branches_sudo._read_group(domain, ["provider_id"])
        with_branches = {provider.id for (provider,) in groups}
        for provider in self:
            provider.has_branches = provider._origin.id in with_branches

    # === BRANCHES === #

    def _compute_branch_count(self):
        groups = self.env["spar.fsp.branch"]._read_group(
            [("provider_id", "in", self.ids)], ["provider_id"], ["__count"]
        )
        counts = {provider.id: count for provider, count in groups}
        for provider in self:
            provider.branch_count = counts.get(provider.id, 0)

    def action_open_branches(self):
        """Open the provider's branches, of which there may be a hundred thousand."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_fa_directory.spar_fsp_branch_action"
        )
        return {
            **action,
            "display_name": self.env._("Branches of %(bank)s", bank=self.display_name),
            "domain": [("provider_id", "=", self.id)],
            "context": {"default_provider_id": self.id, "hide_provider": True},
        }

    # === PLACES IN ADDRESSES === #

    @api.model
    def _search_places(self, places: set[AddressPlace]) -> dict[AddressPlace, Holder]:
        """Return providers and branches of the places in addresses, even archived ones.

        At most one statement for the codes and one for the BICs, and one more for
        branch codes in another spelling than the directory's, at providers that state a
        form. A BIC that several providers have matches none.

        :return: known providers only
        """
        by = {kind: [p for p in places if p.by == kind] for kind in ("code", "bic")}
        self.flush_model(
            [*holders.COLUMNS[1:], "country_id", "closed_on", "successor_id"]
            + ["branch_code_form"]
        )
        self.env["spar.fsp.branch"].flush_model(
            ["code", "provider_id", "active", "closed_on", "successor_id"]
        )
        found = {}
        for kind, requested in by.items():
            if requested:
                found.update(self._search_places_by(kind, requested))
        return found

    @api.model
    def _search_places_by(
        self, kind: str, places: list[AddressPlace]
    ) -> dict[AddressPlace, Holder]:
        spelled = [
            (spelling, place)
            for place in places
            for spelling in holders.SPELLINGS[kind](place.provider)
        ]
        rows = self.env.execute_query(
            SQL(
                holders.QUERY,
                spellings=[spelling for spelling, _place in spelled],
                providers=[place.provider for _spelling, place in spelled],
                branches=[place.branch for _spelling, place in spelled],
                column=SQL.identifier(kind),
                today=fields.Date.today(),
                open=holders.OPEN,
                shut=holders.SHUT,
                values=SQL(", ").join(
                    SQL.identifier("fsp", n) for n in holders.COLUMNS
                ),
            )
        )
        found, unmatched = {}, {}
        for provider, branch, *values in rows:
            place, form = (
                AddressPlace(kind, provider, branch),
                values.pop(holders.FORM_INDEX),
            )
            found[place] = holders.build_holder(*values)
            if form and branch and not found[place].branch_id:
                unmatched[place] = form
        return self._fit_branches(found, unmatched) if unmatched else found

    @api.model
    def _fit_branches(
        self, found: dict[AddressPlace, Holder], forms: dict[AddressPlace, str]
    ) -> dict[AddressPlace, Holder]:
        """Return ``found``, adding branches whose code is spelt differently.

        A code that the directory has in another spelling is found by its equivalent in
        the provider's form.

        :param forms: the form of the provider's branch codes, for places whose branch
            was not found
        """
        branches = self.env["spar.fsp.branch"]
        codes = {
            place: code
            for place, form in forms.items()
            if (code := fit_branch_code(place.branch, form))
        }
        requested = {
            (found[place].provider_id, code): forms[place]
            for place, code in codes.items()
        }
        known = branches._search_fitted(requested)
        fitted = {}
        for place, code in codes.items():
            holder = found[place]
            fitted[place] = holder._replace(branch_code=code)
            if branch := known.get((holder.provider_id, code)):
                fitted[place] = holder._replace(**branch)
        return {**found, **fitted}

    def _get_holder(self, branch=None) -> Holder:
        """Return this provider with one or none of its branches; requires no rights.

        :return: an empty one for no provider
        """
        if not self:
            return Holder()
        provider_sudo = self.sudo()._origin
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        branch_sudo = branch.sudo()._origin if branch else branches_sudo
        return holders.build_holder(
            provider_sudo.country_id.code,
            provider_sudo._get_branch_state(),
            branch_sudo.id or None,
            branch_sudo.code,
            branch_sudo.active,
            branch_sudo.is_closed,
            provider_sudo.is_closed,
            bool(branch_sudo.successor_id),
            bool(provider_sudo.successor_id),
            *(provider_sudo[name] for name in holders.COLUMNS),
        )

    def _get_branch_state(self) -> str:
        """Return whether there are branches to choose, only others, or none at all."""
        if self.has_branches:
            return holders.OPEN
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        every_sudo = branches_sudo.with_context(active_test=False)
        has_any = every_sudo.search_count([("provider_id", "=", self.id)], limit=1)
        return holders.SHUT if has_any else ""

    # === PUBLIC REGISTRY OF BANKS === #

    @api.model
    def _load_banks(self, country: str) -> BankLoad:
        """Load the banks of a country from the registry; repeating it changes nothing.

        What staff have edited stays, archived banks stay archived, and a bank that
        staff entered themselves (same code or BIC) is left alone.

        :param country: ISO 3166 code
        :return: what was done, for each bank by name
        """
        banks, left_out = bank_registry.get_banks(country)
        load = BankLoad(
            refused=[(b.name, self._get_left_out_text(b)) for b in left_out]
        )
        load.keys = {bank.code for bank in banks}
        country_record = self.env["res.country"].search([("code", "=", country)])
        providers = self.with_context(active_test=False, lang=None)
        loaded = providers.search([("registry_key", "in", [b.code for b in banks])])
        by_key = loaded.grouped("registry_key")
        new = [bank for bank in banks if bank.code not in by_key]
        for bank in banks:
            if bank.code in by_key:
                by_key[bank.code]._update_from_registry(bank, load)
        providers._add_banks(new, country_record, load)
        providers._note_gone_banks(country_record, loaded, load)
        return load

    @api.model
    def _note_gone_banks(self, country, still_there, load: BankLoad) -> None:
        """List the banks that came from the registry, but are no longer in it."""
        domain = [("registry_key", "!=", False), ("country_id", "=", country.id)]
        known = self.with_context(active_test=True).search(domain)
        gone = known.filtered(lambda bank: bank.registry_key not in load.keys)
        self._set_gone(gone, still_there)
        load.gone += [(bank.name, bank._get_uses_text()) for bank in gone]

    @api.model
    def _get_left_out_text(self, entry: bank_registry.LeftOut) -> str:
        return {
            "duplicate": self.env._(
                "Another entry with the same bank code was loaded."
            ),
            "nameless": self.env._("The registry has no name or no code for it."),
        }[entry.reason]

    def _update_from_registry(self, bank: KnownBank, load: BankLoad) -> None:
        """Apply the registry's changes, except to values that staff have changed."""
        listed = {"name": bank.name, "bic": bank.bic or False}
        before = self.registry_values or {}
        current = {name: self[name] for name in listed}
        changed = {n for n in listed if listed[n] != before.get(n, False)}
        edited = {n for n in listed if current[n] != before.get(n, False)}
        values = {n: listed[n] for n in changed - edited if listed[n] != current[n]}
        if values:
            self.write(values)
        if changed:
            self._as_code().registry_values = listed
        if edited:
            load.kept.append((self.name, self.env._("Edited by staff.")))
        else:
            (load.updated if values else load.same).append(self.name)

    @api.model
    def _add_banks(self, banks: list[KnownBank], country, load: BankLoad) -> None:
        entered = self._search_entered(banks, country)
        odoo_banks = self._search_odoo_banks([bank.bic for bank in banks])
        new = []
        for bank in banks:
            if provider := entered.get(bank.code) or entered.get(bank.bic or None):
                load.kept.append((bank.name, self._get_entered_text(provider)))
            else:
                bank_id = odoo_banks.get(get_whole_bic(bank.bic))
                new.append(self._prepare_bank(bank, country, bank_id))
        load.added += self._as_code().create(new).mapped("name")

    @api.model
    def _search_entered(self, banks: list[KnownBank], country) -> dict:
        """Return providers that staff entered, by the code or BIC of such a bank."""
        places = {AddressPlace("code", fold_code(bank.code), "") for bank in banks}
        by_place = self._search_places(places)
        by_code = {
            bank.code: self.browse(found.provider_id)
            for bank in banks
            if (found := by_place.get(AddressPlace("code", fold_code(bank.code), "")))
        }
        whole = {get_whole_bic(bank.bic): bank.bic for bank in banks if bank.bic}
        written = set(whole) | {bic.removesuffix(HEAD_OFFICE) for bic in whole}
        providers = self.search(
            [
                ("registry_key", "=", False),
                ("country_id", "=", country.id),
                ("bic", "in", sorted(written)),
            ]
        )
        return {whole[get_whole_bic(p.bic)]: p for p in providers} | by_code

    @api.model
    def _get_entered_text(self, provider) -> str:
        return self.env._(
            "Staff entered this bank as %(provider)s.", provider=provider.display_name
        )

    @api.model
    def _prepare_bank(self, bank: KnownBank, country, bank_id: int | None) -> dict:
        values = {"name": bank.name, "bic": bank.bic or False}
        return {
            **values,
            "code": bank.code,
            "kind": "bank",
            "country_id": country.id,
            "bank_id": bank_id,
            "registry_key": bank.code,
            "registry_values": values,
        }

    # === RULES FOR ACCOUNT NUMBERS === #

    @api.constrains("account_pattern", "account_check", "account_check_parameter")
    def _check_account_rule(self):
        for provider in self:
            pattern, code = provider.account_pattern, provider.account_check
            parameter = provider.account_check_parameter or ""
            try:
                if pattern:
                    fa_checks.run_parameter_check("regex", pattern)
                if code:
                    fa_checks.run_parameter_check(code, parameter)
                elif parameter:
                    raise InvalidParameter("needless", "This check takes no parameter.")
            except InvalidParameter as error:
                provider._refuse_rule(error)

    @api.constrains("phone_prefixes")
    def _check_phone_prefixes(self):
        for provider in self:
            try:
                fa_phone.read_prefixes(provider.phone_prefixes or "")
            except InvalidParameter as error:
                provider._refuse_rule(error)

    def _refuse_rule(self, error: InvalidParameter) -> None:
        text = self.env["spar.fa.type"]._get_error_text(error)
        raise ValidationError(
            self.env._("%(provider)s: %(problem)s", provider=self.name, problem=text)
        ) from error

    # === SEARCH === #

    @api.model
    def _build_found(
        self, attempt: SearchAttempt, domain_ids: SQL | None, most: int | None
    ) -> SQL:
        return SQL(
            """
            SELECT fsp.id, 0 AS tier
              FROM spar_fsp AS fsp
             WHERE fsp.search_words @@ %(all)s::tsquery %(in_domain)s
          ORDER BY fsp.id LIMIT %(most)s
            """,
            all=attempt.all,
            in_domain=SQL("AND fsp.id IN %s", domain_ids) if domain_ids else SQL(),
            most=most,
        )

    @api.model
    def _build_ranked(
        self, attempt: SearchAttempt, text: str, domain_ids: SQL, most: int
    ) -> SQL:
        return SQL(
            """
            SELECT fsp.id
              FROM (%(found)s) AS found
              JOIN spar_fsp AS fsp ON fsp.id = found.id
          ORDER BY upper(fsp.code COLLATE "C") = %(code)s DESC,
                   coalesce(upper(fsp.bic COLLATE "C") = %(code)s, FALSE) DESC,
                   %(nearness)s, %(penalty)s, length(%(name)s), %(name)s, fsp.id
             LIMIT %(most)s
            """,
            found=self._build_found(attempt, domain_ids, MAX_RANKED),
            code=text.upper(),
            nearness=self._build_nearness(attempt, SQL("fsp.search_words")),
            penalty=self._build_penalty(attempt, SQL("fsp.search_words")),
            name=self._field_to_sql("fsp", "name"),
            most=most,
        )

    @api.model
    def _rank(
        self, attempt: SearchAttempt, text: str, domain_ids: SQL, most: int
    ) -> list[int]:
        found = super()._rank(attempt, text, domain_ids, most)
        if len(found) < most and not attempt.may_miss_one:
            query = SQL(
                """
                SELECT fsp.id
                  FROM (%(by_place)s) AS found
                  JOIN spar_fsp AS fsp ON fsp.id = found.id
                 WHERE fsp.id IN %(domain_ids)s AND fsp.id <> ALL(%(found)s)
              ORDER BY %(nearness)s, %(name)s, fsp.id
                 LIMIT %(most)s
                """,
                by_place=self._build_by_place(attempt),
                domain_ids=domain_ids,
                found=found,
                nearness=self._build_nearness(_NO_WORDS),
                name=self._field_to_sql("fsp", "name"),
                most=most - len(found),
            )
            found += [row_id for (row_id,) in self.env.execute_query(query)]
        return found

    @api.model
    def _build_by_place(self, attempt: SearchAttempt) -> SQL:
        branches = self.env["spar.fsp.branch"].with_context(active_test=True)
        return SQL(
            search_queries.PROVIDERS_BY_PLACE,
            rest=branches._build_rest(attempt),
            branch_ids=branches._search(Domain.TRUE).subselect(),
        )

    @api.model
    def _build_listed(self, attempt: SearchAttempt) -> SQL:
        if attempt.may_miss_one:
            return super()._build_listed(attempt)
        return SQL(
            "(%s) UNION (%s)",
            super()._build_listed(attempt),
            self._build_by_place(attempt),
        )

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        if operator != "ilike" or name.strip():
            return super().name_search(name, domain, operator, limit)
        found = self._list_first(Domain(domain or []), limit)
        return [(provider.id, provider.display_name) for provider in found]

    @api.model
    def _list_first(self, domain: Domain, limit: int | None = None):
        """Return the choices before anything is typed, the own country's first."""
        own = Domain("country_id", "=", self._get_own_country().id or -1)
        found = self.search(domain & own, limit=limit)
        if limit is None or len(found) < limit:
            rest = limit and limit - len(found)
            found += self.search(domain & ~own, limit=rest)
        return found

    @api.autovacuum
    def _delete_unused_words(self):
        """Delete suggestions of words that no longer occur."""
        self.env.cr.execute(
            """
            DELETE FROM spar_directory_word AS known
             WHERE NOT EXISTS (SELECT FROM spar_fsp
                                WHERE search_words @@ quote_literal(word)::tsquery)
               AND NOT EXISTS (SELECT FROM spar_fsp_branch
                                WHERE search_words @@ quote_literal(word)::tsquery)
            """
        )
