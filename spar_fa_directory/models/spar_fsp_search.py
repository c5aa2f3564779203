from odoo import api, models
from odoo.tools import SQL

from ..lib.directory_query import Attempt
from .spar_directory_search import MOST_RANKED


class SparFsp(models.Model):
    """Providers are found by all their names, by code and by BIC."""

    _name = "spar.fsp"
    _inherit = ["spar.fsp", "spar.directory.search"]

    _searched_text = """
        jsonb_path_query_array(name, '$.*')::text || ' ' || code
        || ' ' || coalesce(bic, '')
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
                   %(penalty)s, length(%(name)s), %(name)s, fsp.id
             LIMIT %(most)s
            """,
            found=self._build_found(attempt, domain_ids, MOST_RANKED),
            code=text.upper(),
            penalty=self._build_penalty(attempt, SQL("fsp.search_words")),
            name=self._field_to_sql("fsp", "name"),
            most=most,
        )

    @api.autovacuum
    def _forget_words(self):
        """Words that stand nowhere any more are no suggestions."""
        self.env.cr.execute(
            """
            DELETE FROM spar_directory_word AS known
             WHERE NOT EXISTS (SELECT FROM spar_fsp
                                WHERE search_words @@ quote_literal(word)::tsquery)
               AND NOT EXISTS (SELECT FROM spar_fsp_branch
                                WHERE search_words @@ quote_literal(word)::tsquery)
            """
        )
