"""The seals of rows that govern how IDs are read: a MAC for each row, and for the set.

Otherwise anyone who controls the database could make a spelling reach another person's
address. Each row has a number that only grows, its revision, and a MAC over that number
and its content. The one row of ``spar_form_seal`` states, under a MAC of its own, how
many rows each table has and the sum of their revisions: a missing row, and an older one
that was restored, are detected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ..exceptions import RowBroken
from ..lib.audit import Finding
from .database import Row, StoreCursor, build_array, build_bytes_array, fetch

ROW_ALTERED = "the row was altered or inserted outside SPAR"
SET_ALTERED = "rows were removed, or an earlier state was restored"

_ROWS = """
    SELECT t.id, coalesce(t.revision, 0), t.mac, ARRAY[{content}]
      FROM {table} t WHERE {condition} ORDER BY t.id
"""
_RAISE = """
    UPDATE {table} SET revision = coalesce(revision, 0) + 1
     WHERE id = ANY(%s::bigint[])
"""
_SIGN = """
    UPDATE {table} t SET mac = v.mac
      FROM unnest(%s::bigint[], %s::bytea[]) AS v (id, mac) WHERE t.id = v.id
"""
#: Rows and set in one statement, because a concurrent write changes both.
_SET = """
    SELECT count(*), coalesce(sum(revision), 0), (SELECT said FROM spar_form_seal),
           (SELECT mac FROM spar_form_seal)
      FROM {table}
"""
SEAL_TABLE = """
    CREATE TABLE IF NOT EXISTS spar_form_seal (
        id int PRIMARY KEY CHECK (id = 1), said varchar NOT NULL, mac bytea NOT NULL)
"""


@dataclass(frozen=True)
class SealedTable:
    """A table, the sealed columns of its rows ``t``, and SQL for related rows."""

    name: str
    columns: tuple[str, ...]
    more: str = ""


FORMS = SealedTable(
    "spar_id_form",
    ("number", "algorithm", "data", "state", "is_contested", "is_foreseen"),
)
RUNS = SealedTable(
    "spar_form_run",
    (
        "kind",
        "number",
        "data",
        "state",
        "is_wanted",
        "after",
        "changing",
        "refused",
        "unknown",
        "has_moved",
    ),
)
CASES = SealedTable(
    "spar_form_case",
    ("uuid", "kind", "number", "state", "proposed_by", "reason", "decided_by"),
    """(SELECT jsonb_agg(jsonb_build_array(
                   l.id, l.identifier_id, l.mapping_id, l.decision) ORDER BY l.id)
          FROM spar_form_case_line l WHERE l.case_id = t.id)""",
)


class RowSeals:
    """Signs and verifies rows of sealed tables."""

    def __init__(self, cr: StoreCursor, keyring: OpenKeyring):
        self.cr = cr
        self.keyring = keyring

    # === SIGNING === #

    def sign(self, table: SealedTable, row_ids: Iterable[int], added: int = 0) -> None:
        """Sign rows with their MACs as they stand now.

        :param added: how many of them are new; the others were verified before they
            were changed
        """
        ids = list(row_ids)
        if not ids:
            return
        array = build_array(ids)
        self.cr.execute(_RAISE.format(table=table.name), (array,))
        rows = self._fetch(table, "t.id = ANY(%s::bigint[])", array)
        macs = build_bytes_array([self._build_mac(table, row) for row in rows])
        values = (build_array([row[0] for row in rows]), macs)
        self.cr.execute(_SIGN.format(table=table.name), values)
        self._update_set(table, added, len(ids))

    def _update_set(self, table: SealedTable, added: int, raised: int) -> None:
        """Record in the set that rows were added, and that revisions were raised."""
        query = "SELECT said, mac FROM spar_form_seal FOR UPDATE"
        sets = {}
        for content, mac in fetch(self.cr, query):
            if not self._is_true(content, mac):
                raise RowBroken("spar_form_seal", 1, SET_ALTERED)
            sets = json.loads(content)
        rows, revisions = sets.get(table.name, (0, 0))
        sets[table.name] = (rows + added, revisions + raised)
        content = json.dumps(sets, sort_keys=True)
        self.cr.execute(
            """INSERT INTO spar_form_seal (id, said, mac) VALUES (1, %s, %s)
                   ON CONFLICT (id) DO UPDATE
                  SET said = excluded.said, mac = excluded.mac""",
            (content, self.keyring.mac("form set", content.encode())),
        )

    # === VERIFYING === #

    def find_altered(
        self, table: SealedTable, condition: str = "true", *values: object
    ) -> list[Finding]:
        """Return the rows that match ``condition`` and are not as they were signed."""
        return [
            (table.name, row[0], ROW_ALTERED)
            for row in self._fetch(table, condition, *values)
            if bytes(row[2] or b"") != self._build_mac(table, row)
        ]

    def find_altered_set(self, table: SealedTable) -> list[Finding]:
        """Return a problem unless a table has all its rows in their last state."""
        query = _SET.format(table=table.name)
        ((*found, content, mac),) = fetch(self.cr, query)
        known = [0, 0] if content is None else None
        if content is not None and self._is_true(content, mac):
            known = json.loads(content).get(table.name, [0, 0])
        return [] if found == known else [(table.name, 0, SET_ALTERED)]

    def _fetch(self, table: SealedTable, condition: str, *values: object) -> list[Row]:
        parts = [f"t.{column}" for column in table.columns]
        parts += [table.more] if table.more else []
        content = ", ".join(f"{part}::text" for part in parts)
        query = _ROWS.format(content=content, table=table.name, condition=condition)
        return fetch(self.cr, query, *values)

    def _build_mac(self, table: SealedTable, row: Row) -> bytes:
        row_id, revision, _mac, content = row
        texts = ["" if text is None else f"={text}" for text in content]
        return self.keyring.mac("form row", bind(table.name, row_id, revision, *texts))

    def _is_true(self, content: str, mac: bytes) -> bool:
        return bytes(mac) == self.keyring.mac("form set", content.encode())


def mac_forecast(
    keyring: OpenKeyring, run_id: int, row_id: int, digest: bytes | None, verdict: str
) -> bytes:
    """Return the MAC of what a dry run has recorded about a row."""
    values = (run_id, row_id, digest.hex() if digest else "", verdict)
    return keyring.mac("forecast", bind(*values))
