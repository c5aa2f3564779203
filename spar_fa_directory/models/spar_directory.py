from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..lib.directory_page import (
    DirectoryPage,
    SearchCriteria,
    read_cursor,
    read_offset,
    write_cursor,
)
from ..lib.fa_reader import AddressPlace, fold_code
from ..lib.json_schema import build_schema


class SparDirectory(models.AbstractModel):
    """What programs and the portal may read of the directory, as plain values.

    It requires no access rights: who holds money is not a secret. Names and labels are
    in the language of the environment. Its methods cannot be called remotely.
    """

    _name = "spar.directory"
    _description = "Directory of Providers"

    @api.model
    def _find_providers(self, criteria: SearchCriteria) -> DirectoryPage:
        """Return the providers that match, best first; without a text, by code.

        :raises ValueError: when the cursor is not one of this list
        """
        domain = Domain.TRUE
        if criteria.kind:
            domain &= Domain("kind", "=", criteria.kind)
        if criteria.country:
            domain &= Domain("country_id.code", "=", criteria.country)
        providers_sudo, after = self._find_page("spar.fsp", domain, criteria)
        counts = self._count_branches(providers_sudo)
        items = [self._build_provider(p, counts.get(p.id, 0)) for p in providers_sudo]
        return DirectoryPage(items, after)

    @api.model
    def _find_branches(
        self, code: str, criteria: SearchCriteria
    ) -> DirectoryPage | None:
        """Return a provider's branches, best first; without a text, by code.

        :return: None when no such provider is in use
        :raises ValueError: when the cursor is not one of this list
        """
        place = AddressPlace("code", fold_code(code), "")
        found = self.env["spar.fsp"]._search_places({place}).get(place)
        if not found or not (found.provider_is_active or criteria.with_archived):
            return None
        domain = Domain("provider_id", "=", found.provider_id)
        branches_sudo, after = self._find_page("spar.fsp.branch", domain, criteria)
        return DirectoryPage(
            [self._build_branch(branch) for branch in branches_sudo], after
        )

    @api.model
    def _list_fa_types(self) -> list[dict]:
        """Return the kinds of address with their parts, checks and strategies."""
        types_sudo = self.env["spar.fa.type"].sudo().search([("active", "=", True)])
        return [self._build_fa_type(fa_type) for fa_type in types_sudo]

    @api.model
    def _get_kind(self, fa_type_code: str) -> str | None:
        """Return the provider kind of a kind of address; None if it does not exist."""
        types_sudo = self.env["spar.fa.type"].sudo()
        fa_type_sudo = types_sudo.search([("code", "=", fa_type_code)])
        return (fa_type_sudo.provider_kind or "") if fa_type_sudo else None

    @api.model
    def _has_country(self, code: str) -> bool:
        countries_sudo = self.env["res.country"].sudo()
        # The field would silently truncate a longer code.
        return len(code) == 2 and bool(
            countries_sudo.search_count([("code", "=", code)], limit=1)
        )

    # === PAGES === #

    @api.model
    def _find_page(self, model: str, domain: Domain, criteria: SearchCriteria) -> tuple:
        """Return the records of a page, and the cursor of the next."""
        records_sudo = self.env[model].sudo()
        if criteria.with_archived:
            records_sudo = records_sudo.with_context(active_test=False)
        find = self._search_page if criteria.text else self._list_page
        ids, after = find(records_sudo, domain, criteria)
        return records_sudo.browse(ids), after

    @api.model
    def _search_page(
        self, records_sudo, domain: Domain, criteria: SearchCriteria
    ) -> tuple:
        start, size = read_offset(criteria.cursor), criteria.limit
        ids = records_sudo._find(criteria.text, domain, limit=size + 1, offset=start)
        more = len(ids) > size
        return ids[:size], write_cursor(str(start + size)) if more else ""

    @api.model
    def _list_page(
        self, records_sudo, domain: Domain, criteria: SearchCriteria
    ) -> tuple:
        # By code, starting from a code: a page stays valid when records are added or
        # removed.
        query = SQL(
            """
            SELECT id, upper(code COLLATE "C") FROM %s
             WHERE id IN %s AND upper(code COLLATE "C") > %s
          ORDER BY upper(code COLLATE "C") LIMIT %s
            """,
            SQL.identifier(records_sudo._table),
            records_sudo._search(domain).subselect(),
            read_cursor(criteria.cursor),
            criteria.limit + 1,
        )
        rows = self.env.execute_query(query)
        page = rows[: criteria.limit]
        more = len(rows) > len(page)
        return [row_id for row_id, _code in page], (
            write_cursor(page[-1][1]) if more else ""
        )

    # === VALUES === #

    @api.model
    def _count_branches(self, providers_sudo) -> dict[int, int]:
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        groups = branches_sudo._read_group(
            [("provider_id", "in", providers_sudo.ids)], ["provider_id"], ["__count"]
        )
        return {provider.id: count for provider, count in groups}

    @api.model
    def _build_provider(self, provider_sudo, branches: int) -> dict:
        return {
            "code": provider_sudo.code,
            "name": provider_sudo.name,
            "kind": provider_sudo.kind,
            "country": provider_sudo.country_id.code or None,
            "bic": provider_sudo.bic or None,
            "branches": branches,
            "archived": not provider_sudo.active,
            **self._build_closing(provider_sudo),
        }

    @api.model
    def _build_branch(self, branch_sudo) -> dict:
        return {
            "code": branch_sudo.code,
            "name": branch_sudo.name,
            "city": branch_sudo.city or None,
            "archived": not branch_sudo.active,
            **self._build_closing(branch_sudo),
            **self._drop_empty(
                {"successor_provider": branch_sudo.successor_id.provider_id.code}
            ),
        }

    @api.model
    def _build_closing(self, record_sudo) -> dict:
        """Return when and why it closed and what took over; empty while it is open."""
        return self._drop_empty(
            {
                "closed_on": fields.Date.to_string(record_sudo.closed_on),
                "close_reason": record_sudo.close_reason,
                "successor": record_sudo.successor_id.code,
            }
        )

    @api.model
    def _drop_empty(self, members: dict) -> dict:
        return {name: value for name, value in members.items() if value}

    @api.model
    def _build_fa_type(self, type_sudo) -> dict:
        return {
            "code": type_sudo.code,
            "name": type_sudo.name,
            "provider_kind": type_sudo.provider_kind or None,
            "parts": [self._build_part(part) for part in type_sudo.part_ids],
            "strategies": [
                {
                    "number": strategy.number,
                    "name": strategy.name,
                    "template": strategy.template,
                    "default": strategy.is_default,
                }
                for strategy in type_sudo.strategy_ids
            ],
        }

    @api.model
    def _build_part(self, part_sudo) -> dict:
        check, parameter = part_sudo.check_code or "", part_sudo.check_parameter or ""
        return {
            "key": part_sudo.key,
            "kind": part_sudo.kind,
            "label": part_sudo.label,
            "help": part_sudo.help or None,
            "check": {"code": check, "parameter": parameter or None} if check else None,
            "gaps_do_not_count": part_sudo.gaps_do_not_count,
            "is_account_number": part_sudo.is_account_number,
            # The schema applies to the canonical form of a value.
            "schema": build_schema(check, parameter),
        }
