from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...lib.bank_registry import get_whole_bic
from ...lib.directory_rows import Column, Row, RowProblem
from ...lib.exceptions import InvalidPart
from ...lib.fa_checks import run_check
from ...lib.fa_reader import fold_code
from .spar_directory_loader import (
    CLOSING_COLUMNS,
    ExistingRecord,
    LoadOutcome,
    PreparedRow,
)

COLUMNS = (
    Column(
        "code",
        (
            "provider code",
            "bank code",
            "bank id",
            "fsp code",
            "institution code",
            "codigo",
            "codigo banco",
            "code banque",
            "رمز البنك",
            "बैंक कोड",
        ),
        required=True,
        rule="code",
    ),
    Column(
        "name",
        (
            "provider",
            "provider name",
            "bank",
            "bank name",
            "name of bank",
            "institution",
            "institution name",
            "nom",
            "nombre",
            "banque",
            "nom banque",
            "banco",
            "البنك",
            "اسم البنك",
            "बैंक",
            "बैंक का नाम",
        ),
        required=True,
        rule="name",
    ),
    Column("kind", ("type", "kind of provider", "provider type")),
    Column(
        "country", ("country code", "country name", "pays", "pais", "البلد", "الدولة")
    ),
    Column(
        "bic",
        (
            "swift",
            "swift code",
            "bic code",
            "swift bic",
            "bic swift",
            "swift bic code",
            "bic swift code",
            "code swift",
            "codigo swift",
        ),
        may_lack=True,
    ),
    *CLOSING_COLUMNS,
)


class SparDirectoryLoaderProvider(models.AbstractModel):
    """Files of providers."""

    _name = "spar.directory.loader.provider"
    _description = "Loader of Providers"
    _inherit = "spar.directory.loader"
    _target = "spar.fsp"

    @api.model
    def _get_columns(self) -> tuple[Column, ...]:
        return COLUMNS

    @api.model
    def _prepare(self, job, rows: list[Row], outcome: LoadOutcome) -> list[PreparedRow]:
        countries = self._get_countries()
        kinds = self._get_kinds()
        banks = self.env["spar.fsp"]._search_odoo_banks(
            [row.values.get("bic", "").replace(" ", "") for row in rows]
        )
        prepared = []
        for row in rows:
            values, problems = self._prepare_row(row, countries, kinds)
            if problems:
                outcome.refused.append((row, problems))
                continue
            if bank_id := banks.get(get_whole_bic(values.get("bic") or "")):
                values["bank_id"] = bank_id
            prepared.append(PreparedRow(row, (fold_code(values["code"]),), values))
        return prepared

    @api.model
    def _prepare_row(self, row: Row, countries: dict, kinds: dict) -> tuple:
        """Return the values of a row's record, and what is wrong with its cells."""
        problems: list[RowProblem] = []
        values = {"code": row.values["code"], **self._get_filled(row, ("name",))}
        values |= self._read_closing(row, problems)
        given = self._get_filled(row, ("kind", "country", "bic"))
        if kind := given.get("kind"):
            values["kind"] = kinds.get(kind.lower())
            if not values["kind"]:
                known = {"kinds": ", ".join(sorted(set(kinds.values())))}
                problems.append(RowProblem("kind", "kind_unknown", known))
        if "country" in given:
            country = given["country"]
            values["country_id"] = country and countries.get(country.lower())
            if values["country_id"] is None:
                problems.append(RowProblem("country", "country_unknown"))
        if "bic" in given:
            values["bic"] = given["bic"] and given["bic"].replace(" ", "").upper()
            if values["bic"] and not self._is_bic(values["bic"]):
                problems.append(RowProblem("bic", "bic"))
        return values, problems

    @api.model
    def _get_rivals(self, job) -> Domain:
        return Domain.TRUE

    @api.model
    def _is_bic(self, bic: str) -> bool:
        try:
            run_check("bic", bic)
        except InvalidPart:
            return False
        return True

    @api.model
    def _get_kinds(self) -> dict[str, str]:
        """Return the kinds of provider by code and by label, in lower case."""
        field = self.env["spar.fsp"]._fields["kind"]
        options = field._description_selection(self.env)
        by_label = {label.lower(): code for code, label in options}
        return by_label | {code: code for code, _label in options}

    @api.model
    def _get_countries(self) -> dict[str, int]:
        """Return countries by code and by name, in lower case."""
        countries = self.env["res.country"].search_fetch([], ["code", "name"])
        return {c.name.lower(): c.id for c in countries} | {
            c.code.lower(): c.id for c in countries
        }

    @api.model
    def _get_problem_texts(self) -> dict[str, str]:
        return super()._get_problem_texts() | {
            "kind_unknown": self.env._(
                "There is no such kind of provider. Choose from: %(kinds)s."
            ),
            "country_unknown": self.env._(
                "There is no such country: enter its two-letter code."
            ),
            "bic": self.env._("This is not a valid BIC: correct it or leave it empty."),
        }

    @api.model
    def _search_existing(self, keys: list[tuple]) -> dict[tuple, ExistingRecord]:
        query = SQL(
            """
            SELECT upper(code COLLATE "C"), id, import_id, import_row
              FROM spar_fsp
             WHERE upper(code COLLATE "C") = ANY(%s)
            """,
            [code for (code,) in keys],
        )
        return {
            (code,): ExistingRecord(*found)
            for code, *found in self.env.execute_query(query)
        }
