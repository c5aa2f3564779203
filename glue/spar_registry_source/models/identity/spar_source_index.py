from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.expressions import is_called_from_expression

_ADDON = "spar_registry_source"
#: Rows of another registry that are compared in one transaction.
BATCH = 2000


class SparSourceIndex(models.Model):
    """The state of the index of one table of IDs, and the job that rebuilds it.

    Code that writes the table by SQL does not index what it writes: every night each
    row is compared with the index. The job goes on where it ended, after a kill, too.
    """

    _name = "spar.source.index"
    _description = "Index of the IDs of another registry"
    _rec_name = "source"

    source = fields.Char(string="Table of IDs", required=True, readonly=True)
    position = fields.Integer(readonly=True)
    started_at = fields.Datetime(readonly=True)
    finished_at = fields.Datetime(readonly=True)
    compared = fields.Integer(readonly=True, string="Rows compared")
    corrected = fields.Integer(
        readonly=True, help="Rows that had been written without their index."
    )
    is_running = fields.Boolean(readonly=True)

    _source_uniq = models.UniqueIndex("(source)", "This table is known.")

    @api.model
    def _get_sources(self) -> list[models.BaseModel]:
        """Return the models of other registries that hold IDs."""
        names = self.env.registry["spar.id.source"]._inherit_children
        return [
            self.env[name] for name in sorted(names) if not self.env[name]._abstract
        ]

    @api.model
    def _request(self, source) -> None:
        """Rebuild the index of a source soon, in the background.

        Also for an expression, which may not write our models: it writes the ID.
        """
        self.flush_model()
        self.env.cr.execute(
            """INSERT INTO spar_source_index (source, is_running, position)
               VALUES (%s, true, 0)
               ON CONFLICT (source) DO UPDATE SET is_running = true, position = 0""",
            (source._name,),
        )
        self.invalidate_model()
        if not is_called_from_expression():
            cron_sudo = self.env.ref(f"{_ADDON}.ir_cron_rebuild_index").sudo()
            cron_sudo._trigger()

    @api.model
    def _cron_start(self) -> None:
        """Begin to compare every row with the index."""
        for source in self._get_sources():
            self._request(source)

    @api.model
    def _cron_rebuild(self) -> None:
        """Continue what has begun, until it is done or the time is over."""
        for index in self.sudo().search([("is_running", "=", True)]):
            while index.is_running:
                try:
                    done = index._rebuild_next()
                except ServiceUnavailable:
                    return
                left = int(index.is_running)
                if not self.env["ir.cron"]._commit_progress(done, remaining=left):
                    return

    def _rebuild_next(self) -> int:
        """Compare the next rows with the index; return how many there were."""
        self.ensure_one()
        source = self.env[self.source]
        if not self.position:
            self.write(
                {"started_at": fields.Datetime.now(), "compared": 0, "corrected": 0}
            )
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM %s WHERE id > %s ORDER BY id LIMIT %s",
                SQL.identifier(source._table),
                self.position,
                BATCH,
            )
        )
        row_ids = [row_id for (row_id,) in rows]
        identities = self.env["spar.source.identity"]
        corrected = identities._update(source, row_ids)
        is_last = len(row_ids) < BATCH
        last = 0 if is_last else row_ids[-1]
        corrected += identities._drop_missing(source, row_ids, self.position, last)
        self.write(
            {
                "position": last,
                "compared": self.compared + len(row_ids),
                "corrected": self.corrected + corrected,
            }
        )
        if is_last:
            self._finish(source)
        return len(row_ids)

    def _finish(self, source) -> None:
        self.write({"is_running": False, "finished_at": fields.Datetime.now()})
        source._spar_get_types()._spar_set_indexed()
