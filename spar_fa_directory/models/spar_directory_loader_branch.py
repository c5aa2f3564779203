from odoo import api, models
from odoo.tools import SQL

from ..lib.directory_rows import Column, Problem, Row
from ..lib.fa_reader import Place, fold_code
from .spar_directory_loader import Existing, Outcome, Prepared

COLUMNS = (
    Column(
        "code",
        ("branch code", "ifsc", "ifsc code", "sort code", "codigo"),
        required=True,
        is_code=True,
    ),
    Column("name", ("branch name", "branch", "nom", "nombre"), required=True),
    Column(
        "provider",
        ("provider code", "bank", "bank code", "bank name", "fsp", "banque", "banco"),
        required=True,
    ),
    Column("city", ("town", "place", "city1", "centre", "location", "ville", "ciudad")),
)


class SparDirectoryLoaderBranch(models.AbstractModel):
    """Files of branches: a provider's code is unique, a branch's code in its bank."""

    _name = "spar.directory.loader.branch"
    _description = "Loader of Branches"
    _inherit = "spar.directory.loader"
    _target = "spar.fsp.branch"

    @api.model
    def _get_columns(self) -> tuple[Column, ...]:
        return COLUMNS

    @api.model
    def _prepare(self, job, rows: list[Row], outcome: Outcome) -> list[Prepared]:
        providers = self._search_providers({row.values["provider"] for row in rows})
        prepared = []
        for row in rows:
            found = providers[row.values["provider"]]
            if isinstance(found, str):
                outcome.refused.append((row, [Problem("provider", found)]))
                continue
            code = row.values["code"]
            values = {"name": row.values["name"], "code": code, "provider_id": found}
            if "city" in row.values:
                values["city"] = row.values["city"] or False
            prepared.append(Prepared(row, (found, fold_code(code)), values))
        return prepared

    @api.model
    def _search_providers(self, names: set[str]) -> dict[str, int | str]:
        """Providers by code, or else by their whole name.

        :return: for each name an id, or the code of the problem
        """
        model = self.env["spar.fsp"].with_context(active_test=False)
        places = model._search_places({Place("code", fold_code(n), "") for n in names})
        by_code = {place.provider: h.provider_id for place, h in places.items()}
        others = [name for name in names if fold_code(name) not in by_code]
        by_name = model.search([("name", "in", others)]).grouped("name")
        found = {}
        for name in names:
            provider = model.browse(by_code.get(fold_code(name)))
            found[name] = self._choose(provider or by_name.get(name, provider))
        return found

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
                "Several providers have this name: write the code instead."
            ),
            "provider_archived": self.env._(
                "This provider is archived: restore it first."
            ),
        }

    @api.model
    def _search_existing(self, keys: list[tuple]) -> dict[tuple, Existing]:
        query = SQL(
            """
            SELECT asked.provider_id, asked.code, branch.id,
                   branch.import_id, branch.import_row
              FROM unnest(%s::int[], %s::text[]) AS asked (provider_id, code)
              JOIN spar_fsp_branch AS branch
                ON branch.provider_id = asked.provider_id
               AND upper(branch.code COLLATE "C") = asked.code
            """,
            [provider_id for provider_id, _code in keys],
            [code for _provider_id, code in keys],
        )
        return {
            (provider_id, code): Existing(*found)
            for provider_id, code, *found in self.env.execute_query(query)
        }
