from odoo import api, models
from odoo.tools import SQL

from ..exceptions import SettingsAltered
from ..lib.settings_seal import SealComparison


class SparSealedSetting(models.AbstractModel):
    """Rows that decide where money goes: sealed when they are written.

    A row that plain SQL changed does not match its seal and is not used. Each write
    through the ORM seals the rows that it writes, and no others.
    """

    _name = "spar.sealed.setting"
    _description = "Setting that is sealed"

    #: Names of fields that are sealed besides the guarded ones.
    _sealed_fields: tuple[str, ...] = ()
    #: Sealed values that are not fields: a name and SQL on ``t``, the table.
    _sealed_beside: dict[str, str] = {}
    #: SQL condition of the rows that count; others are never used.
    _sealed_rows = "true"

    # === SEALED VALUES === #

    @api.model
    def _get_sealed_columns(self) -> tuple[str, ...]:
        """Return the names of the values that a seal covers, in their order."""
        guarded = getattr(self, "_guarded_fields", ())
        names = {*guarded, *self._sealed_fields}
        stored = {name for name in names if self._fields[name].store}
        return tuple(sorted({*stored, *self._sealed_beside}))

    @api.model
    def _read_texts(
        self, columns: tuple[str, ...], ids: list[int] | None = None
    ) -> tuple[int, list[tuple[int, str]]]:
        """Return the number of the newest seal, and the canonical text of each row.

        It is one statement, so that both are of one moment; PostgreSQL writes JSON in
        one form.
        """
        self.env.flush_all()
        values = SQL(", ").join(
            SQL("%s AS %s", self._get_sealed_value(name), SQL.identifier(name))
            for name in columns
        )
        wanted = SQL("true") if ids is None else SQL("t.id = ANY(%s)", list(ids))
        query = SQL(
            """SELECT (SELECT max(number) FROM spar_settings_seal WHERE model = %s),
                      s.row_id, s.row_text
                 FROM (SELECT) AS one
                 LEFT JOIN (
                      SELECT t.id AS row_id,
                             (SELECT to_jsonb(v) FROM (SELECT %s) v)::text AS row_text
                        FROM %s t WHERE %s AND %s) s ON true""",
            self._name,
            values,
            SQL.identifier(self._table),
            SQL(self._sealed_rows),
            wanted,
        )
        rows = self.env.execute_query(query)
        texts = [(row_id, text) for _number, row_id, text in rows if row_id]
        return rows[0][0] or 0, texts

    @api.model
    def _get_sealed_value(self, name: str) -> SQL:
        """Return SQL of one value; NULL for a column that no longer exists."""
        if name in self._sealed_beside:
            return SQL(self._sealed_beside[name])
        field = self._fields.get(name)
        if field is None or not field.store:
            return SQL("NULL")
        if field.type != "many2many":
            return SQL("t.%s", SQL.identifier(name))
        return SQL(
            "(SELECT array_agg(r.%(value)s ORDER BY r.%(value)s)"
            " FROM %(relation)s r WHERE r.%(row)s = t.id)",
            value=SQL.identifier(field.column2),
            relation=SQL.identifier(field.relation),
            row=SQL.identifier(field.column1),
        )

    # === SEALING === #

    @api.model
    def _touches_seal(self, vals: dict) -> bool:
        """Return whether a write of ``vals`` can change a sealed value."""
        return bool(vals)

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        if any(map(self._touches_seal, vals_list)):
            records._seal_again(records.ids)
        return records

    def write(self, vals):
        if not self._touches_seal(vals):
            return super().write(vals)
        good = self._find_good()
        result = super().write(vals)
        self._seal_again(good)
        return result

    def unlink(self):
        self._unlink_sealed_parts()
        ids = self.exists()._filter_sealed().ids
        referring = self._find_referring()
        result = super().unlink()
        for records, good in referring:
            records._seal_again(good)
        if ids and self.env["spar.settings.seal"]._is_needed():
            self.env["spar.settings.seal"].sudo()._seal_rows(self.browse(), ids)
        return result

    def _filter_sealed(self):
        """Return those of these records that a seal may cover."""
        return self

    def _find_referring(self) -> list[tuple[models.BaseModel, list[int]]]:
        """Return settings that choose these records, and which may be resealed.

        The database removes the deleted records from them.
        """
        referring = []
        for settings in self.env["spar.settings.seal"].sudo()._get_sealed_models():
            for name in settings._get_sealed_columns():
                field = settings._fields.get(name)
                if field and (field.type, field.comodel_name) == (
                    "many2many",
                    self._name,
                ):
                    everything = settings.with_context(active_test=False)
                    found = everything.search([(name, "in", self.ids)])
                    referring.append((found, found._find_good()))
        return referring

    def _unlink_sealed_parts(self) -> None:
        """Delete parts through the ORM that the database would cascade to unnoticed."""
        sealed = self.env.registry["spar.sealed.setting"]._inherit_children
        for field in self._fields.values():
            is_theirs = field.type == "one2many" and field.inverse_name
            if is_theirs and field.comodel_name in sealed:
                inverse = self.env[field.comodel_name]._fields[field.inverse_name]
                if inverse.ondelete == "cascade":
                    self.with_context(active_test=False)[field.name].unlink()

    def _find_good(self) -> list[int]:
        """Return which of these records may be sealed anew once they are written."""
        seals_sudo = self.env["spar.settings.seal"].sudo()
        if not self.ids or not seals_sudo._is_needed():
            return []
        good = seals_sudo._judge(self.sudo().browse(), self.ids).good
        _number, counted = self._read_texts((), self.ids)
        uncounted = set(self.ids) - {row_id for row_id, _text in counted}
        return [row_id for row_id in self.ids if row_id in good or row_id in uncounted]

    def _seal_again(self, ids: list[int]) -> None:
        """Seal the rows just written, if there are keys."""
        seals_sudo = self.env["spar.settings.seal"].sudo()
        if not ids or not seals_sudo._is_needed():
            return
        _number, counted = self._read_texts((), ids)
        gone = set(ids) - {row_id for row_id, _text in counted}
        seals_sudo._seal_rows(self.sudo().browse(ids), list(gone))

    @api.model
    def _seal_each(self) -> None:
        """Seal values whose seal is on the row, as they are; for overrides."""

    @api.model
    def _check_each(self) -> list[tuple[str, int, str]]:
        """Return the problems of those seals: table, row id and problem."""
        return []

    # === USE === #

    @api.model
    def _judge_settings(self, ids: list[int] | None = None) -> SealComparison | None:
        """Return which rows are as sealed; None before there are keys.

        The others are named in alarms.
        """
        seals_sudo = self.env["spar.settings.seal"].sudo()
        if not seals_sudo._is_needed():
            return None
        comparison = seals_sudo._judge(self.sudo().browse(), ids)
        problems = [(self._table, *problem) for problem in comparison.problems]
        seals_sudo._raise_alarms(problems)
        return comparison

    @api.model
    def _check_settings(self) -> None:
        """Raise SettingsAltered unless all rows are as sealed, and none is missing.

        Without one rule, the others would decide differently.
        """
        comparison = self._judge_settings()
        if comparison and comparison.problems:
            raise SettingsAltered(f"settings were altered: {self._name}")

    def _filter_true(self):
        """Return those of these records that are as they were sealed."""
        comparison = self._judge_settings(self.ids)
        if comparison is None:
            return self
        return self.filtered(lambda record: record.id in comparison.good)
