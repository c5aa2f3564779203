from odoo import models
from odoo.tools import SQL
from odoo.tools.sql import column_exists

from ..exceptions import SealBroken
from ..expressions import refuse_expressions
from ..lib.keyring import KEY_ID_BYTES, OpenKeyring, bind


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
    form or RPC ever reaches them. A model declares which it has, their purpose, and the
    context in which each row is sealed: a value that was moved to another row, or whose
    row was altered, does not open.
    """

    _name = "spar.sealed.storage"
    _description = "Table with sealed columns"

    _sealed_columns: tuple[str, ...] = ("sealed",)
    _digest_columns: tuple[str, ...] = ()
    #: The purpose of the seals. Like the context, it must never change: rows that were
    #: sealed before would not open.
    _seal_purpose = ""
    #: The context: these words, and after them the row's values of these columns, or of
    #: a column of another table that a link leads to: ``subject_id.uuid``.
    _seal_prefix: tuple[str, ...] = ()
    _seal_context_columns: tuple[str, ...] = ()

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
        columns, joins = self._join_seal_columns()
        table = SQL.identifier(self._table)
        query = SQL(
            "SELECT %s.id, %s FROM %s %s WHERE %s.id = ANY(%s)",
            table,
            SQL(", ").join(columns),
            table,
            SQL(" ").join(joins),
            table,
            list(row_ids),
        )
        return {
            row_id: (self._seal_purpose, self._build_seal_context(*values))
            for row_id, *values in self.env.execute_query(query)
        }

    def _join_seal_columns(self) -> tuple[list[SQL], list[SQL]]:
        """Return ``_seal_context_columns``, and the joins to other tables for them."""
        columns, joins = [], {}
        for path in self._seal_context_columns:
            *links, column = path.split(".")
            model, alias = self, self._table
            for link in links:
                field, target = model._fields[link], f"{alias}__{link}"
                model = self.env[field.comodel_name]
                joins[target] = SQL(
                    "%s %s AS %s ON %s = %s",
                    SQL("JOIN" if field.required else "LEFT JOIN"),
                    SQL.identifier(model._table),
                    SQL.identifier(target),
                    SQL.identifier(target, "id"),
                    SQL.identifier(alias, link),
                )
                alias = target
            columns.append(SQL.identifier(alias, column))
        return columns, [*joins.values()]

    def _build_seal_context(self, *values) -> bytes:
        """Return the context of a row with these values of ``_seal_context_columns``.

        Overridden where a value is written in another form.
        """
        return bind(*self._seal_prefix, *values)

    # === SEALED VALUES OF STORED ROWS === #

    def _write_sealed(self, text: str | None) -> None:
        """Seal ``text`` for each of these rows and store it; None erases the value.

        Raises KeyringUnavailable or KeyringMismatch.
        """
        if text is None:
            self._store_sealed(None)
            return
        self._flush_seal_context()
        keyring = self.env["spar.keyring"]._open(for_write=True)
        contexts = self._get_seal_contexts(keyring, self.ids)
        for record in self:
            purpose, context = contexts[record.id]
            record._store_sealed(keyring.seal(purpose, text, context))

    def _read_sealed(self) -> str | None:
        """Return the sealed text of this row, None if it has none.

        Raises CalledFromExpression, KeyringUnavailable, KeyringMismatch, and SealBroken
        if the value was moved or altered.
        """
        self.ensure_one()
        refuse_expressions()
        sealed = self._fetch_sealed().get(self.id)
        if sealed is None:
            return None
        keyring = self.env["spar.keyring"]._open()
        self._flush_seal_context()
        contexts = self._get_seal_contexts(keyring, self.ids)
        if self.id not in contexts:
            raise SealBroken("the context of the sealed value no longer exists")
        purpose, context = contexts[self.id]
        return keyring.unseal(purpose, sealed, context)

    def _read_sealed_rows(self) -> dict[int, str]:
        """Return the sealed texts by row id, without those that do not open.

        Raises CalledFromExpression, KeyringUnavailable or KeyringMismatch.
        """
        keyring = self.env["spar.keyring"]._open()
        rows = self._fetch_sealed()
        contexts = self._get_seal_contexts(keyring, list(rows))
        texts = {}
        for row_id in rows.keys() & contexts.keys():
            purpose, context = contexts[row_id]
            try:
                texts[row_id] = keyring.unseal(purpose, rows[row_id], context)
            except SealBroken:
                continue
        return texts

    def _get_sealed_ids(self) -> set[int]:
        """Return the ids of those of these rows that have a sealed value."""
        query = SQL(
            "SELECT id FROM %s WHERE id = ANY(%s) AND %s IS NOT NULL",
            SQL.identifier(self._table),
            list(self.ids),
            SQL.identifier(self._sealed_columns[0]),
        )
        return {row_id for (row_id,) in self.env.execute_query(query)}

    def _fetch_sealed(self) -> dict[int, bytes]:
        query = SQL(
            "SELECT id, %(column)s FROM %(table)s"
            " WHERE id = ANY(%(ids)s) AND %(column)s IS NOT NULL",
            column=SQL.identifier(self._sealed_columns[0]),
            table=SQL.identifier(self._table),
            ids=list(self.ids),
        )
        rows = self.env.execute_query(query)
        return {row_id: bytes(sealed) for row_id, sealed in rows}

    def _store_sealed(self, sealed: bytes | None) -> None:
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s = %s WHERE id = ANY(%s)",
                SQL.identifier(self._table),
                SQL.identifier(self._sealed_columns[0]),
                sealed,
                list(self.ids),
            )
        )

    def _flush_seal_context(self) -> None:
        """Write what the context is made of to the database, where it is read."""
        names = [path.split(".")[0] for path in self._seal_context_columns]
        self.flush_recordset([name for name in names if name in self._fields])

    # === SEALED VALUES OF ROWS THAT ARE WRITTEN BY SQL === #

    def _seal_value(self, text: str, *values) -> bytes:
        """Return ``text`` sealed for a row with these context values.

        Raises KeyringUnavailable or KeyringMismatch.
        """
        keyring = self.env["spar.keyring"]._open(for_write=True)
        context = self._build_seal_context(*values)
        return keyring.seal(self._seal_purpose, text, context)

    def _unseal_value(self, sealed: bytes, *values) -> str:
        """Return the text in ``sealed``, of a row with these context values.

        Raises CalledFromExpression, KeyringUnavailable, KeyringMismatch, and SealBroken
        if the value was moved or altered.
        """
        keyring = self.env["spar.keyring"]._open()
        context = self._build_seal_context(*values)
        return keyring.unseal(self._seal_purpose, bytes(sealed), context)

    # === SEALING ANEW === #

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
