import re
from collections.abc import Iterator
from hashlib import sha256

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, file_open
from odoo.tools.sql import column_exists

from ...lib.directory_query import (
    MAX_WORDS,
    JoinedWords,
    SearchAttempt,
    SearchToken,
    SearchWord,
    build_word,
    drop_and,
    join_neighbours,
)

SCRIPT = "spar_fa_directory/data/directory_search.sql"
#: Calls of the script's functions, as opposed to their definitions.
_CALLED = re.compile(r"(?<!FUNCTION )\b(spar_directory_(?!word\b)\w+)\(")
#: The maximum number of ranked results; beyond it, a query must be more specific.
MAX_RESULTS = 1000
#: If more records than this have the words, only the first ones are ranked.
MAX_RANKED = 2000
#: Similar words are tried if fewer records than this are found.
FALLBACK_THRESHOLD = 5
#: The number of words from which a query counts as specific.
SPECIFIC_WORD_COUNT = 4
#: The penalty for a word that a record does not have at all.
MISSING_WORD_PENALTY = 9

_CLOSE_WORDS = """
    SELECT requested.place, close.is_near, array_agg(close.word)
      FROM unnest(%(words)s) WITH ORDINALITY AS requested (word, place),
           LATERAL (
               (SELECT known.word, TRUE
                  FROM spar_directory_word AS known
                 WHERE requested.word ~ '^[^0-9]{4,}$'
                   AND known.forms && spar_directory_forms(requested.word)
                   AND known.word <> requested.word
              ORDER BY similarity(known.word, requested.word) DESC, known.word
                 LIMIT 20)
                UNION ALL
               (SELECT known.word, FALSE
                  FROM spar_directory_word AS known
                 WHERE requested.word ~ '^[^0-9]{6,}$'
                   AND known.word %% requested.word
                   AND similarity(known.word, requested.word) >= 0.35
                   AND known.word <> requested.word
              ORDER BY similarity(known.word, requested.word) DESC, known.word
                 LIMIT 10)
           ) AS close (word, is_near)
  GROUP BY requested.place, close.is_near
"""


class SparDirectorySearch(models.AbstractModel):
    """Search by any words, in any order, ignoring accents and typing errors.

    Forms, lists, the portal and programs share one method: ``_find``. The words of a
    record are a generated column, so they follow every change from any source. A
    branch only has its own words: renaming a provider of 100,000 branches updates one
    row.
    """

    _name = "spar.directory.search"
    _description = "Directory Search"

    #: SQL for the text whose words a record is found by.
    _searched_text = ""

    found_by = fields.Char(
        string="Search",
        compute="_compute_found_by",
        search="_search_found_by",
        help="Any words of the name, the code or the town.",
    )

    # === THE DATABASE === #

    def init(self):
        result = super().init()
        if not self._abstract:
            self._make_extension()
            script = self._read_script()
            self.env.cr.execute(script)
            self._make_searchable(script.code)
        return result

    @api.model
    def _read_script(self) -> SQL:
        """Return the script with its function calls qualified by the current schema.

        Columns and indexes depend on these functions, and ``pg_restore`` only finds
        functions that are qualified: a backup could be made, but not restored.
        """
        self.env.cr.execute("SELECT quote_ident(current_schema)")
        (schema,) = self.env.cr.fetchone()
        with file_open(SCRIPT) as script:
            text = _CALLED.sub(rf"{schema}.\1(", script.read())
        return SQL(text.replace("%", "%%"))

    @api.model
    def _make_extension(self):
        """Create the extension ``pg_trgm`` unless it exists.

        :raises UserError: stating what to do, if it is missing and cannot be created
        """
        try:
            with self.env.cr.savepoint(flush=False):
                self.env.cr.execute(
                    "CREATE EXTENSION IF NOT EXISTS pg_trgm", log_exceptions=False
                )
        except psycopg2.Error as error:
            raise UserError(
                self.env._(
                    "The directory is searched with the PostgreSQL extension pg_trgm, "
                    "which cannot be created here (%(reason)s). Ask the database "
                    "administrator to install the PostgreSQL contrib package and to "
                    "run in the database %(database)s: CREATE EXTENSION pg_trgm;",
                    reason=(error.pgerror or str(error)).strip().splitlines()[0],
                    database=self.env.cr.dbname,
                )
            ) from error

    @api.model
    def _make_searchable(self, script: str):
        """Add the table's words, their index, and the triggers that collect the words.

        Words that another version of the script made are rebuilt: the column records
        which version made them.
        """
        made_by = sha256(f"{script}{self._searched_text}".encode()).hexdigest()
        is_new = self._get_script_version() != made_by
        names = {
            "table": SQL.identifier(self._table),
            "index": SQL.identifier(f"{self._table}_search_words"),
            "text": SQL(self._searched_text),  # pylint: disable=sql-injection
            "table_name": self._table,
            "made_by": made_by,
        }
        if is_new:
            self._execute(
                """ALTER TABLE %(table)s DROP COLUMN IF EXISTS search_words;
                   ALTER TABLE %(table)s ADD COLUMN search_words tsvector
                   GENERATED ALWAYS AS (spar_directory_words(%(text)s)) STORED;
                   COMMENT ON COLUMN %(table)s.search_words IS %(made_by)s""",
                names,
            )
        self._execute(
            """CREATE INDEX IF NOT EXISTS %(index)s
                   ON %(table)s USING gin (search_words)""",
            names,
        )
        for event in ("INSERT", "UPDATE"):
            self._make_trigger(names | {"event": SQL(event)})
        if is_new:
            self._execute("SELECT spar_directory_learn(%(table_name)s)", names)

    def _get_script_version(self) -> str:
        """Return the version that made the words of the table; "" if it has none."""
        if not column_exists(self.env.cr, self._table, "search_words"):
            return ""
        query = SQL(
            """SELECT col_description(attrelid, attnum) FROM pg_attribute
                WHERE attrelid = %s::regclass AND attname = 'search_words'""",
            self._table,
        )
        return self.env.execute_query(query)[0][0] or ""

    def _make_trigger(self, names: dict) -> None:
        self._execute(
            """DROP TRIGGER IF EXISTS spar_directory_learn_%(event)s ON %(table)s;
               CREATE TRIGGER spar_directory_learn_%(event)s
               AFTER %(event)s ON %(table)s
               REFERENCING NEW TABLE AS written FOR EACH STATEMENT
               EXECUTE FUNCTION spar_directory_learn_words()""",
            names,
        )

    def _execute(self, statement: str, names: dict) -> None:
        self.env.cr.execute(SQL(statement, **names))  # pylint: disable=sql-injection

    # === QUERIES === #

    def _compute_found_by(self):
        self.found_by = False

    @api.model
    def _search_found_by(self, operator, value):
        if operator != "ilike" or not isinstance(value, str):
            return NotImplemented
        return self._get_found_domain(value)

    @api.model
    def _search_display_name(self, operator, value):
        if operator == "ilike" and isinstance(value, str) and value.strip():
            return self._get_found_domain(value)
        if operator == "not ilike" and isinstance(value, str) and value.strip():
            return ~self._get_found_domain(value)
        return super()._search_display_name(operator, value)

    @api.model
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        if operator != "ilike" or not name.strip():
            return super().name_search(name, domain, operator, limit)
        self.browse().check_access("read")
        found = self.browse(self._find(name, Domain(domain or []), limit=limit))
        return [(record.id, record.display_name) for record in found.sudo()]

    @api.model
    def _get_found_domain(self, text: str) -> Domain:
        """Return a domain of all records that ``_find`` finds, without a limit."""
        found = SQL("SELECT NULL::integer AS id, 0 AS tier WHERE FALSE")
        for attempt in self._get_attempts(text.replace("\0", " ")):
            found = self._build_listed(attempt)
            few = SQL("SELECT FROM (%s) AS found LIMIT %s", found, attempt.enough)
            if len(self.env.execute_query(few)) >= attempt.enough:
                break
        return Domain.custom(
            to_sql=lambda _model, alias, _query: SQL(
                "%s IN (SELECT id FROM (%s) AS found)",
                SQL.identifier(alias, "id"),
                found,
            )
        )

    @api.model
    def _find(
        self, text: str, domain: Domain, limit: int | None = None, offset: int = 0
    ) -> list[int]:
        """Return the IDs of the records that a text finds, best first.

        First those whose code is the text, then those that have all its words, then
        similar ones if these are fewer than ``FALLBACK_THRESHOLD``. At most
        ``MAX_RESULTS`` are returned.

        :param domain: further conditions; access rights are those of the user
        """
        text = text.replace("\0", " ").strip()
        end = min(MAX_RESULTS, offset + limit if limit else MAX_RESULTS)
        domain_ids = self._search(domain).subselect()
        found = []
        for attempt in self._get_attempts(text):
            most = max(end, attempt.enough)
            found = self._rank(attempt, text, domain_ids, most)
            if len(found) >= attempt.enough:
                break
        return found[offset:end]

    @api.model
    def _rank(
        self, attempt: SearchAttempt, text: str, domain_ids: SQL, most: int
    ) -> list[int]:
        """Return the IDs of the records that an attempt finds, best first."""
        query = self._build_ranked(attempt, text, domain_ids, most)
        return [row_id for (row_id,) in self.env.execute_query(query)]

    @api.model
    def _get_attempts(self, text: str) -> Iterator[SearchAttempt]:
        """Yield what to search for: as typed, then similar, then without one word."""
        self.env["spar.fsp"].flush_model(["name", "code", "bic", "active"])
        self.env["spar.fsp.branch"].flush_model(["name", "code", "city", "active"])
        tokens = self._read_tokens(text)
        if not tokens:
            return
        # A match of a specific query makes further attempts unnecessary.
        enough = FALLBACK_THRESHOLD if len(tokens) < SPECIFIC_WORD_COUNT else 1
        joined = self._get_joined(tokens)
        yield SearchAttempt(self._build_words(tokens, joined), enough)
        words = self._build_words(tokens, joined, self._get_close_words(tokens))
        yield SearchAttempt(words, enough=1)
        if len(words) > 1:
            yield SearchAttempt(words, may_miss_one=True, enough=0)

    @api.model
    def _read_tokens(self, text: str) -> list[SearchToken]:
        """Return the typed words, without an "and" between two of them."""
        rows = self.env.execute_query(
            SQL(
                """SELECT token, EXISTS (SELECT FROM spar_directory_word
                                          WHERE word = token[1]),
                          token[1] = ANY (spar_directory_and())
                     FROM spar_directory_tokens(%s) AS token LIMIT %s""",
                text,
                MAX_WORDS,
            )
        )
        return drop_and([SearchToken(*row) for row in rows])

    @api.model
    def _get_joined(self, tokens: list[SearchToken]) -> list[JoinedWords]:
        """Return the neighbouring words written as one, if the directory has them.

        With the last word, which may be half typed, these include beginnings of words.
        Short words and those with digits are not stored individually, so all of them
        are included.
        """
        joined = join_neighbours([token.name for token in tokens])
        if not joined:
            return []
        rows = self.env.execute_query(
            SQL(
                """SELECT word, start FROM unnest(%s, %s, %s)
                                   AS requested (word, start, is_half)
                    WHERE word !~ '^[^0-9]{4,}$'
                       OR EXISTS (SELECT FROM spar_directory_word AS known
                                   WHERE known.word = requested.word)
                       OR is_half AND EXISTS (
                              SELECT FROM spar_directory_word AS known
                               WHERE known.word LIKE requested.word || '%%')""",
                [each.word for each in joined],
                [each.start for each in joined],
                [each.end == len(tokens) for each in joined],
            )
        )
        return [each for each in joined if (each.word, each.start) in rows]

    @api.model
    def _get_close_words(self, tokens: list) -> dict[tuple[int, bool], list[str]]:
        """Return words of the directory that the typed ones may be misspellings of.

        :return: {(position of the typed word, whether by one typing error): words}
        """
        words = [token.name for token in tokens]
        rows = self.env.execute_query(SQL(_CLOSE_WORDS, words=words))
        return {(place - 1, is_near): words for place, is_near, words in rows}

    @api.model
    def _build_words(
        self,
        tokens: list[SearchToken],
        joined: list[JoinedWords],
        close: dict | None = None,
    ) -> list[SearchWord]:
        """Return the words to search for.

        Beginnings are only searched if the word is unknown or may be half typed,
        because they take the index far longer than whole words.
        """
        last = len(tokens) - 1
        close_or_single = close is not None or not last
        return [
            build_word(
                token.words,
                (close or {}).get((place, True), ()),
                (close or {}).get((place, False), ()),
                is_beginning=not token.is_known or (place == last and close_or_single),
                joined=[j.word for j in joined if j.start <= place < j.end <= last],
                half_joined=[j.word for j in joined if j.start <= place < j.end > last],
                run=f"~{token.name}",
            )
            for place, token in enumerate(tokens)
        ]

    # === SQL === #

    @api.model
    def _build_found(
        self, attempt: SearchAttempt, domain_ids: SQL | None, most: int | None
    ) -> SQL:
        """Return a query for ``id`` and ``tier`` (0 before 1) of the matching records.

        :param domain_ids: a sub-query that they must be in
        :param most: the maximum number
        """
        raise NotImplementedError

    @api.model
    def _build_listed(self, attempt: SearchAttempt) -> SQL:
        """Return a query for ``id`` and ``tier`` of all the records in a list."""
        return self._build_found(attempt, None, None)

    @api.model
    def _build_ranked(
        self, attempt: SearchAttempt, text: str, domain_ids: SQL, most: int
    ) -> SQL:
        """Return a query for the IDs of the matching records, best first."""
        raise NotImplementedError

    @api.model
    def _build_nearness(self, attempt: SearchAttempt, *vectors: SQL) -> SQL:
        """Return the ORDER BY expression for the best of the matching records.

        Records with the words as typed come first, then those with similar words; among
        either, those of the user's country come before all others.

        :param vectors: the words of a record, and those that count as its own
        """
        strays = [
            SQL("NOT (%s)", _build_match(word.levels[1], vectors))
            for word in attempt.words
            if attempt.may_miss_one or word.is_close
        ]
        is_own = SQL(
            "(fsp.country_id IS NOT DISTINCT FROM %s) DESC",
            self._get_own_country().id or -1,
        )
        if not strays:
            return is_own
        return SQL("(%s), %s", SQL(" OR ").join(strays), is_own)

    @api.model
    def _get_own_country(self):
        """Return the user's country: that of the company they act for."""
        return self.env.company.country_id

    @api.model
    def _build_penalty(self, attempt: SearchAttempt, *vectors: SQL) -> SQL:
        """Return how far all the words together are from those of a record.

        :param vectors: its words, and those that count as its own
        """
        return SQL(" + ").join(
            SQL(
                "CASE %s ELSE %s END",
                SQL(" ").join(
                    SQL("WHEN %s THEN %s", _build_match(level, vectors), place)
                    for place, level in enumerate(word.levels)
                ),
                MISSING_WORD_PENALTY,
            )
            for word in attempt.words
        )


def _build_match(query: str, vectors: tuple[SQL, ...]) -> SQL:
    return SQL(" OR ").join(SQL("%s @@ %s::tsquery", v, query) for v in vectors)
