from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.expressions import refuse_expressions

from ..exceptions import DirectWriteRefused
from ..lib import integrity


class SparStoreTable(models.AbstractModel):
    """A table of the store: read through the ORM, written only by the mapper.

    There is only one interface for writing. Not even the superuser can bypass it
    through the ORM. The database refuses what plain SQL must not do either: a model
    declares the references of its columns and whether its rows may be deleted, and
    ``lib/integrity.py`` writes the triggers that enforce it.
    """

    _name = "spar.store.table"
    _description = "Table of the store"

    #: Column -> the table to which it refers; normally each is a CheckedMany2one.
    _references: dict[str, str] = {}
    #: The columns among those for which both rows must agree in others, too: the owner.
    _owned: dict[str, tuple[str, ...]] = {}
    #: The database's error for a deletion; empty if rows may be deleted.
    _refuses_delete = ""

    def init(self):
        result = super().init()
        if not self._abstract:
            self._widen_ids()
        if not self._abstract and self._references:
            self._check_references()
        if not self._abstract and self._refuses_delete:
            self.env.cr.execute(
                integrity.build_delete_guard(self._table, self._refuses_delete)
            )
        return result

    @api.model
    def _widen_ids(self):
        """Make the table's ids ``bigint``, because Odoo makes them ``int4``."""
        self.env.cr.execute(
            SQL(
                """SELECT data_type FROM information_schema.columns
                    WHERE table_schema = current_schema
                      AND table_name = %s AND column_name = 'id'""",
                self._table,
            )
        )
        if self.env.cr.fetchone()[0] == "bigint":
            return
        self.env.cr.execute(
            SQL(
                """ALTER TABLE %s ALTER COLUMN id TYPE bigint;
                   ALTER SEQUENCE %s AS bigint""",
                SQL.identifier(self._table),
                SQL.identifier(f"{self._table}_id_seq"),
            )
        )

    @api.model
    def _check_references(self):
        """Create the triggers of this table that replace foreign keys."""
        self.env.cr.execute(
            SQL(
                """SELECT conname FROM pg_constraint
                    WHERE contype = 'f' AND conrelid = %s::regclass
                      AND conkey <@ (SELECT array_agg(attnum) FROM pg_attribute
                                      WHERE attrelid = conrelid
                                        AND attname = ANY(%s))""",
                self._table,
                list(self._references),
            )
        )
        for (name,) in self.env.cr.fetchall():
            self.env.cr.execute(
                SQL(
                    "ALTER TABLE %s DROP CONSTRAINT %s",
                    SQL.identifier(self._table),
                    SQL.identifier(name),
                )
            )
        statements = integrity.build_references(
            self._table, self._references, self._owned
        )
        for statement in (*integrity.build_use_table(), *statements):
            self.env.cr.execute(statement)

    def _set_columns(self, **values) -> None:
        """Set columns of one row, for the mapper and methods that have checked it."""
        refuse_expressions()
        self.ensure_one()
        changes = SQL(", ").join(
            SQL("%s = %s", SQL.identifier(name), value)
            for name, value in values.items()
        )
        table = SQL.identifier(self._table)
        self.env.cr.execute(
            SQL("UPDATE %s SET %s WHERE id = %s", table, changes, self.id)
        )
        self.invalidate_recordset()

    @api.model_create_multi
    # pylint: disable-next=method-required-super
    def create(self, vals_list):
        raise DirectWriteRefused(self._name)

    # pylint: disable-next=method-required-super
    def write(self, vals):
        raise DirectWriteRefused(self._name)

    @api.ondelete(at_uninstall=True)
    def _unlink_if_never(self):
        raise DirectWriteRefused(self._name)
