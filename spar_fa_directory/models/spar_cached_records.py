from odoo import api, models


class SparCachedRecords(models.AbstractModel):
    """Base of models whose rows are the source of values cached in the process.

    Other transactions detect a changed record by the versions of the rows (see
    ``spar.row.versions``); the transaction that changes it is notified here.
    """

    _name = "spar.cached.records"
    _description = "Cached Records"

    #: Whether each call reads the version of all rows together; for small tables.
    _is_whole = True
    #: An SQL condition for the rows that cached values are made of, if not all are.
    _kept_rows = "true"

    @api.model
    def _mark_rows(self, condition: str = "") -> str:
        """Return SQL for the version of the rows that match ``condition``.

        By default, these are the cached rows. Both conditions are literals in the code,
        never input.
        """
        condition = condition or self._kept_rows
        marks = "string_agg(xmin::text || ctid::text, '')"
        return f"(SELECT {marks} FROM {self._table} WHERE {condition})"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._forget_versions()
        return records

    def write(self, vals):
        result = super().write(vals)
        self._forget_versions()
        return result

    def unlink(self):
        result = super().unlink()
        self._forget_versions()
        return result

    @api.model
    def _forget_versions(self) -> None:
        self.flush_model()
        self.env["spar.row.versions"]._forget()
