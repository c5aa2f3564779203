from odoo import models
from odoo.tools import SQL
from odoo.tools.sql import column_exists

from ..exceptions import SealBroken
from ..lib.keyring import KEY_ID_BYTES, OpenKeyring


def add_columns(cr, table: str, columns: tuple[str, ...]) -> None:
    """Add the missing ``columns`` of type bytea to ``table``."""
    for column in columns:
        if not column_exists(cr, table, column):
            cr.execute(
                SQL(
                    "ALTER TABLE %s ADD COLUMN %s bytea",
                    SQL.identifier(table),
                    SQL.identifier(column),
                )
            )


class SparSealedStorage(models.AbstractModel):
    """A table with sealed columns.

    They are bytea columns of the table and not fields of the model: no search, export,
    form or RPC ever reaches them. A model declares which it has, and the context in
    which each row was sealed.
    """

    _name = "spar.sealed.storage"
    _description = "Table with sealed columns"

    _sealed_columns: tuple[str, ...] = ("sealed",)
    _digest_columns: tuple[str, ...] = ()

    def init(self):
        result = super().init()
        if not self._abstract:
            columns = (*self._sealed_columns, *self._digest_columns)
            add_columns(self.env.cr, self._table, columns)
        return result

    def _get_seal_contexts(
        self, keyring: OpenKeyring, row_ids: list[int]
    ) -> dict[int, tuple[str, bytes]]:
        """Return the purpose and the context in which each row is sealed.

        A row whose context cannot be determined (it was tampered with) is left out.
        """
        raise NotImplementedError

    def _reseal(
        self, keyring: OpenKeyring, retiring: list[str], after_id: int, limit: int
    ) -> tuple[int, int]:
        """Seal anew the next ``limit`` rows that are sealed with a ``retiring`` key.

        It begins after ``after_id``, and returns the last id processed and the number
        of rows done. Rows that another transaction has locked are skipped: waiting for
        them could deadlock with a batch, and there is another round.
        """
        rows = self._lock_sealed_with(retiring, after_id, limit)
        if not rows:
            return after_id, 0
        contexts = self._get_seal_contexts(keyring, [row["id"] for row in rows])
        for row in rows:
            if row["id"] in contexts:
                self._reseal_row(keyring, row, *contexts[row["id"]])
        return rows[-1]["id"], len(rows)

    def _lock_sealed_with(
        self, key_ids: list[str], after_id: int, limit: int
    ) -> list[dict]:
        columns = SQL(", ").join(SQL.identifier(c) for c in self._sealed_columns)
        return self.env.execute_query_dict(
            SQL(
                """SELECT id, %s FROM %s WHERE id > %s AND %s
                    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED""",
                columns,
                SQL.identifier(self._table),
                after_id,
                self._where_sealed_with(key_ids),
                limit,
            )
        )

    def _reseal_row(
        self, keyring: OpenKeyring, row: dict, purpose: str, context: bytes
    ) -> None:
        try:
            renewed = {
                column: keyring.seal(
                    purpose,
                    keyring.unseal(purpose, bytes(row[column]), context),
                    context,
                )
                for column in self._sealed_columns
                if row[column] is not None
            }
        except SealBroken:
            return
        assignments = SQL(", ").join(
            SQL("%s = %s", SQL.identifier(column), sealed)
            for column, sealed in renewed.items()
        )
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE id = %s",
                SQL.identifier(self._table),
                assignments,
                row["id"],
            )
        )

    def _where_sealed_with(self, key_ids: list[str]) -> SQL:
        prefixes = [bytes.fromhex(key_id) for key_id in key_ids]
        conditions = [
            SQL(
                "substring(%s FROM 2 FOR %s) = ANY(%s)",
                SQL.identifier(column),
                KEY_ID_BYTES,
                prefixes,
            )
            for column in self._sealed_columns
        ]
        return SQL("(%s)", SQL(" OR ").join(conditions))

    def _count_sealed_with(self, key_ids: list[str]) -> int:
        """Return how many rows still have a value sealed with a key of ``key_ids``."""
        query = SQL(
            "SELECT count(*) FROM %s WHERE %s",
            SQL.identifier(self._table),
            self._where_sealed_with(key_ids),
        )
        return self.env.execute_query(query)[0][0]
