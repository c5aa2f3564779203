from odoo import api, models
from odoo.tools import SQL

from ..lib.branch_code import list_writings
from ..lib.directory_query import Attempt, Joined, Token
from .spar_directory_search import MAX_RANKED

#: The maximum number of branch code forms whose other spellings are searched.
_MAX_FORMS = 20
# A word may be in the branch or in its provider. The words of the providers are looked
# up first (few rows); then, for each set of words that some provider has, the branches
# with the remaining words are found by the index, so that nothing is stored twice.
#: ``rest``: the words of branches whose provider has the words of ``mask``.
REST = """
    WITH word AS MATERIALIZED (
        SELECT query, 1 << (place - 1)::integer AS bit
          FROM unnest(%(words)s::tsquery[]) WITH ORDINALITY AS asked (query, place)
    ), covered AS MATERIALIZED (
        SELECT fsp.id, bit_or(word.bit) AS mask
          FROM word JOIN spar_fsp AS fsp ON fsp.search_words @@ word.query
      GROUP BY fsp.id
    ), lacked AS MATERIALIZED (
        SELECT 0 AS bit UNION ALL SELECT bit FROM word WHERE %(may_miss_one)s
    ), rest AS MATERIALIZED (
        SELECT DISTINCT mask, lacked.bit AS lacked,
               (SELECT string_agg('(' || query::text || ')', ' & ')::tsquery
                  FROM word WHERE word.bit & (mask | lacked.bit) = 0) AS query
          FROM (SELECT mask FROM covered UNION SELECT 0) AS masks, lacked
         WHERE mask | lacked.bit <> %(all)s
    )
"""

_FOUND = """
    %(rest)s, matched AS MATERIALIZED (
        SELECT branch.id
          FROM rest
          JOIN spar_fsp_branch AS branch ON branch.search_words @@ rest.query
     LEFT JOIN covered ON covered.id = branch.provider_id
         WHERE rest.mask & coalesce(covered.mask, 0) = rest.mask
      GROUP BY branch.id
      ORDER BY branch.id
    ), own AS MATERIALIZED (
        SELECT branch.id FROM matched AS branch WHERE TRUE %(in_domain)s
      ORDER BY branch.id LIMIT %(most)s
    ), whole AS (
        SELECT branch.id
          FROM (SELECT fsp.id
                  FROM covered JOIN spar_fsp AS fsp ON fsp.id = covered.id
                 WHERE EXISTS (SELECT FROM lacked WHERE mask | bit = %(all)s)
              ORDER BY %(nearness)s, %(penalty)s, length(%(name)s), %(name)s, fsp.id
                ) AS fsp
    CROSS JOIN LATERAL (
               SELECT branch.id FROM spar_fsp_branch AS branch
                WHERE branch.provider_id = fsp.id %(in_domain)s
             ORDER BY branch.name, branch.id LIMIT %(most_whole)s) AS branch
         LIMIT %(most_whole)s
    )
    SELECT id, 0 AS tier FROM own
     UNION ALL
    SELECT id, 1 FROM whole WHERE id NOT IN (SELECT id FROM own)
"""

_RANKED = """
    SELECT branch.id
      FROM (%(found)s) AS found
      JOIN spar_fsp_branch AS branch ON branch.id = found.id
      JOIN spar_fsp AS fsp ON fsp.id = branch.provider_id
  ORDER BY upper(branch.code COLLATE "C") = %(code)s DESC, found.tier,
           %(nearness)s, %(penalty)s,
           length(%(name)s)
               + CASE found.tier WHEN 0 THEN length(branch.name) ELSE 0 END,
           %(name)s, fsp.id, branch.name, branch.id
     LIMIT %(most)s
"""


class SparFspBranch(models.Model):
    """Branches are found by name, code and town, and by the words of their provider."""

    _name = "spar.fsp.branch"
    _inherit = ["spar.fsp.branch", "spar.directory.search"]

    _searched_text = "name || ' | ' || code || ' | ' || coalesce(city, '')"

    _listed_idx = models.Index("(provider_id, name, id)")

    @api.model
    def _get_joined(self, tokens: list[Token]) -> list[Joined]:
        """Return the joined words; a code is found in any of its spellings, too."""
        joined = super()._get_joined(tokens)
        names = {place: token.name for place, token in enumerate(tokens)}
        coded = {p: n for p, n in names.items() if any(map(str.isdigit, n))}
        forms = self._get_all_forms() if coded else []
        return joined + [
            Joined(writing.lower(), place, place + 1)
            for place, name in coded.items()
            for writing in sorted({w for f in forms for w in list_writings(name, f)})
        ]

    @api.model
    def _get_all_forms(self) -> list[str]:
        self.env["spar.fsp"].flush_model(["branch_code_form"])
        query = """SELECT DISTINCT branch_code_form FROM spar_fsp
                    WHERE branch_code_form IS NOT NULL ORDER BY 1 LIMIT %s"""
        return [form for (form,) in self.env.execute_query(SQL(query, _MAX_FORMS))]

    @api.model
    def _build_rest(self, attempt: Attempt) -> SQL:
        """Return SQL for the providers' words, and those left for the branches."""
        return SQL(
            REST,
            words=[word.any for word in attempt.words],
            all=2 ** len(attempt.words) - 1,
            may_miss_one=attempt.may_miss_one,
        )

    @api.model
    def _build_found(
        self, attempt: Attempt, domain_ids: SQL | None, most: int | None
    ) -> SQL:
        return SQL(
            _FOUND,
            rest=self._build_rest(attempt),
            all=2 ** len(attempt.words) - 1,
            nearness=self._build_nearness(attempt, SQL("fsp.search_words")),
            penalty=self._build_penalty(attempt, SQL("fsp.search_words")),
            name=self.env["spar.fsp"]._field_to_sql("fsp", "name"),
            in_domain=SQL("AND branch.id IN %s", domain_ids) if domain_ids else SQL(),
            most=most and MAX_RANKED,
            most_whole=most,
        )

    @api.model
    def _build_ranked(
        self, attempt: Attempt, text: str, domain_ids: SQL, most: int
    ) -> SQL:
        vectors = SQL("branch.search_words"), SQL("fsp.search_words")
        return SQL(
            _RANKED,
            found=self._build_found(attempt, domain_ids, most),
            code=text.upper(),
            nearness=self._build_nearness(attempt, *vectors),
            penalty=self._build_penalty(attempt, *vectors),
            name=self.env["spar.fsp"]._field_to_sql("fsp", "name"),
            most=most,
        )
