from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ...exceptions import RowBroken
from ...lib import integrity
from ...store.sealing import SEAL_TABLE, RowSeals, SealedTable


class SparSealedRows(models.AbstractModel):
    """Rows that govern how IDs are read: see ``store/sealing.py``.

    Rows that the ORM writes are signed, if their previous content was signed. SQL that
    writes such rows has to sign them itself.
    """

    _name = "spar.sealed.rows"
    _description = "Rows under a MAC"

    #: The columns that the signature covers.
    _sealed_table: SealedTable

    revision = fields.Integer(readonly=True, help="Grows whenever it is signed.")

    def init(self):
        result = super().init()
        if not self._abstract:
            add_columns(self.env.cr, self._table, ("mac",))
            self.env.cr.execute(SEAL_TABLE)
            for statement in integrity.build_revision_guard(self._table):
                self.env.cr.execute(statement)
        return result

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._sign(added=len(records))
        return records

    def write(self, vals):
        if vals.keys().isdisjoint(self._sealed_table.columns):
            return super().write(vals)
        self._check_signed()
        result = super().write(vals)
        self._sign()
        return result

    @api.model
    def _get_row_seals(self) -> RowSeals:
        return RowSeals(self.env.cr, self.env["spar.keyring"]._open())

    def _sign(self, added: int = 0) -> None:
        """Sign the records with their MACs as they stand.

        :param added: how many are new; the others were verified before they changed
        """
        self.flush_model()
        self._get_row_seals().sign(self._sealed_table, self.ids, added)
        self.invalidate_recordset(["revision"])

    def _find_altered(self) -> list[tuple[str, int, str]]:
        """Return the records that are not as they were signed."""
        self.flush_model()
        condition = "t.id = ANY(%s)"
        row_seals = self._get_row_seals()
        return row_seals.find_altered(self._sealed_table, condition, self.ids)

    def _check_signed(self) -> None:
        """Raise RowBroken, and an alarm, if a record is not as it was signed."""
        problems = self._find_altered()
        if problems:
            self.env["spar.alarm"]._raise_alarms(problems)
            raise RowBroken(*problems[0])
