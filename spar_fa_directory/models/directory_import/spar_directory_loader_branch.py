import re

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...lib.bank_registry import HEAD_OFFICE, get_whole_bic
from ...lib.branch_code import fit_branch_code
from ...lib.directory_rows import Column, Row, RowProblem
from ...lib.fa_reader import AddressPlace, fold_code
from .spar_directory_loader import (
    CLOSING_COLUMNS,
    ExistingRecord,
    LoadOutcome,
    PreparedRow,
)

_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{5}")
COLUMNS = (
    Column(
        "code",
        (
            "branch code",
            "branch id",
            "branch no",
            "branch number",
            "office code",
            "ifsc",
            "ifsc code",
            "sort code",
            "routing number",
            "routing code",
            "codigo",
            "codigo sucursal",
            "codigo agencia",
            "code agence",
            "code guichet",
            "رمز الفرع",
            "كود الفرع",
            "शाखा कोड",
        ),
        required=True,
        rule="code",
    ),
    Column(
        "name",
        (
            "branch name",
            "branch",
            "name of branch",
            "office name",
            "nom",
            "nombre",
            "agence",
            "nom agence",
            "sucursal",
            "agencia",
            "اسم الفرع",
            "الفرع",
            "शाखा",
            "शाखा का नाम",
        ),
        required=True,
        rule="name",
    ),
    Column(
        "provider",
        (
            "provider code",
            "provider name",
            "bank",
            "bank code",
            "bank id",
            "bank name",
            "name of bank",
            "fsp",
            "fsp code",
            "institution",
            "institution code",
            "institution name",
            "banque",
            "code banque",
            "nom banque",
            "banco",
            "codigo banco",
            "البنك",
            "اسم البنك",
            "رمز البنك",
            "बैंक",
            "बैंक का नाम",
        ),
        required=True,
    ),
    Column(
        "city",
        (
            "town",
            "place",
            "city1",
            "city name",
            "centre",
            "center",
            "location",
            "municipality",
            "ville",
            "ciudad",
            "localidad",
            "المدينة",
            "शहर",
        ),
        may_lack=True,
    ),
    *CLOSING_COLUMNS,
)


class SparDirectoryLoaderBranch(models.AbstractModel):
    """Files of branches: a branch's code is unique within its provider.

    A provider's code is unique everywhere.
    """

    _name = "spar.directory.loader.branch"
    _description = "Loader of Branches"
    _inherit = "spar.directory.loader"
    _target = "spar.fsp.branch"

    @api.model
    def _get_columns(self) -> tuple[Column, ...]:
        return COLUMNS

    @api.model
    def _prepare(self, job, rows: list[Row], outcome: LoadOutcome) -> list[PreparedRow]:
        providers = self._search_providers({row.values["provider"] for row in rows})
        branches = self.env["spar.fsp.branch"]
        known = {found for found in providers.values() if isinstance(found, int)}
        forms = branches._get_code_forms(known)
        stored = branches._get_other_codes(forms) if forms else {}
        prepared = []
        for row in rows:
            found = providers[row.values["provider"]]
            if isinstance(found, str):
                outcome.refused.append((row, [RowProblem("provider", found)]))
                continue
            form = forms.get(found, "")
            code, problems = fit_branch_code(row.values["code"], form), []
            if not code:
                problems.append(RowProblem("code", "branch_code", {"form": form}))
            values = {"provider_id": found, **self._get_filled(row, ("name", "city"))}
            values |= self._read_closing(row, problems)
            if problems:
                outcome.refused.append((row, problems))
                continue
            values["code"] = code = stored.get((found, code), code)
            prepared.append(PreparedRow(row, (found, fold_code(code)), values))
        return prepared

    @api.model
    def _get_rivals(self, job) -> Domain:
        branches = self.env["spar.fsp.branch"]
        groups = branches._read_group([("import_id", "=", job.id)], ["provider_id"])
        return Domain("provider_id", "in", [provider.id for (provider,) in groups])

    @api.model
    def _get_successor_key(self, each: PreparedRow) -> tuple:
        """Return the key in the form of the provider's branch codes."""
        provider_id, code = super()._get_successor_key(each)
        branches = self.env["spar.fsp.branch"]
        forms = branches._get_code_forms({provider_id})
        if not forms:
            return provider_id, code
        fitted = fit_branch_code(code, forms[provider_id]) or code
        stored = branches._get_other_codes(forms)
        return provider_id, fold_code(stored.get((provider_id, fitted), fitted))

    @api.model
    def _search_providers(self, names: set[str]) -> dict[str, int | str]:
        """Return providers by code, or else by BIC, or else by their whole name.

        :return: for each name an ID, or the code of the problem
        """
        model = self.env["spar.fsp"].with_context(active_test=False)
        places = model._search_places(
            {AddressPlace("code", fold_code(n), "") for n in names}
        )
        by_code = {place.provider: h.provider_id for place, h in places.items()}
        others = [name for name in names if fold_code(name) not in by_code]
        by_bic = self._search_by_bic(model, others)
        by_name = model.search([("name", "in", others)]).grouped("name")
        found = {}
        for name in names:
            provider = model.browse(by_code.get(fold_code(name)))
            provider = provider or by_bic.get(self._get_bic(name), provider)
            found[name] = self._choose(provider or by_name.get(name, provider))
        return found

    @api.model
    def _search_by_bic(self, model, names: list[str]) -> dict:
        """Return providers by their BIC with its branch; both spellings are equal."""
        whole = {bic for name in names if (bic := self._get_bic(name))}
        written = whole | {bic.removesuffix(HEAD_OFFICE) for bic in whole}
        providers = model.search([("bic", "in", sorted(written))]) if whole else model
        return providers.grouped(lambda provider: get_whole_bic(provider.bic))

    @api.model
    def _get_bic(self, name: str) -> str:
        """Return the BIC with its branch that a name is, blanks ignored; else ""."""
        bic = get_whole_bic(name.replace(" ", ""))
        return bic if _BIC.fullmatch(bic) else ""

    @api.model
    def _choose(self, providers) -> int | str:
        if not providers:
            return "provider_unknown"
        if len(providers) > 1:
            return "provider_unclear"
        return providers.id if providers.active else "provider_archived"

    @api.model
    def _get_problem_texts(self) -> dict[str, str]:
        return super()._get_problem_texts() | {
            "provider_unknown": self.env._(
                "The directory has no provider with this code or name: load the "
                "providers first, or correct it."
            ),
            "provider_unclear": self.env._(
                "Several providers have this name: enter the code instead."
            ),
            "provider_archived": self.env._(
                "This provider is archived: restore it first."
            ),
            "branch_code": self.env._(
                "This provider's branch codes have the format %(form)s: correct it."
            ),
        }

    @api.model
    def _search_existing(self, keys: list[tuple]) -> dict[tuple, ExistingRecord]:
        query = SQL(
            """
            SELECT requested.provider_id, requested.code, branch.id,
                   branch.import_id, branch.import_row
              FROM unnest(%s::int[], %s::text[]) AS requested (provider_id, code)
              JOIN spar_fsp_branch AS branch
                ON branch.provider_id = requested.provider_id
               AND upper(branch.code COLLATE "C") = requested.code
            """,
            [provider_id for provider_id, _code in keys],
            [code for _provider_id, code in keys],
        )
        return {
            (provider_id, code): ExistingRecord(*found)
            for provider_id, code, *found in self.env.execute_query(query)
        }
