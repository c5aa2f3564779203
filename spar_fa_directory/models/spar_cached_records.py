from odoo import api, models


class SparCachedRecords(models.AbstractModel):
    """For models whose rows something kept in the process is made of.

    Other transactions see by the rows' versions that a record was changed (see
    ``spar.row.versions``); the one that changes it is told here.
    """

    _name = "spar.cached.records"
    _description = "Records that are kept in a cache"

    #: Whether the version of all rows together is read in each call: of few rows.
    _is_whole = True
    #: SQL of which rows these are, where what is kept is not made of all.
    _kept_rows = "true"

    @api.model
    def _mark_rows(self, condition: str = "") -> str:
        """SQL of the version of the rows that are kept, or fulfil ``condition``; both
        are written in the code."""
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
