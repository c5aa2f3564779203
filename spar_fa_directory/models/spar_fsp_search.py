from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..lib.directory_query import Attempt
from .spar_directory_search import MAX_RANKED

_NO_WORDS = Attempt([], enough=0)


# Providers with a branch that has the words that the provider itself lacks.
_BY_PLACE = """
    %(rest)s
    SELECT DISTINCT branch.provider_id AS id, 1 AS tier
      FROM rest
      JOIN spar_fsp_branch AS branch ON branch.search_words @@ rest.query
 LEFT JOIN covered ON covered.id = branch.provider_id
     WHERE rest.mask & coalesce(covered.mask, 0) = rest.mask
       AND branch.id IN %(branch_ids)s
"""


class SparFsp(models.Model):
    """Providers are found by all their names, by code and by BIC.

    Providers that have all the words come first, followed by those with a branch that
    has the rest: a town finds the banks that have a branch there.
    """

    _name = "spar.fsp"
    _inherit = ["spar.fsp", "spar.directory.search"]

    _searched_text = """
        jsonb_path_query_array(name, '$.*')::text || ' | ' || code
        || ' | ' || coalesce(bic, '')
    """

    @api.model
    def _build_found(
        self, attempt: Attempt, domain_ids: SQL | None, most: int | None
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
        self, attempt: Attempt, text: str, domain_ids: SQL, most: int
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
        self, attempt: Attempt, text: str, domain_ids: SQL, most: int
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
    def _build_by_place(self, attempt: Attempt) -> SQL:
        branches = self.env["spar.fsp.branch"].with_context(active_test=True)
        return SQL(
            _BY_PLACE,
            rest=branches._build_rest(attempt),
            branch_ids=branches._search(Domain.TRUE).subselect(),
        )

    @api.model
    def _build_listed(self, attempt: Attempt) -> SQL:
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
    def _forget_words(self):
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
