from odoo import api, fields, models
from odoo.tools import SQL

#: People who are checked in one transaction, with one question to a mapper.
CHUNK_PEOPLE = 2000


class SparReadinessChunk(models.Model):
    """Lines of a run that are checked in one transaction.

    A worker shows by an advisory lock that it works on a chunk. The lock ends with its
    connection, so a chunk whose worker was killed is taken up by another one.
    """

    _name = "spar.readiness.chunk"
    _description = "Part of a readiness run"
    _log_access = False
    _order = "position, id"

    run_id = fields.Many2one(
        "spar.readiness.run", required=True, index=True, ondelete="cascade"
    )
    position = fields.Integer(required=True, aggregator=None)
    first_id = fields.Integer(required=True, aggregator=None)
    last_id = fields.Integer(required=True, aggregator=None)
    people_count = fields.Integer(required=True, string="Number of people")
    attempts = fields.Integer(aggregator=None)
    is_done = fields.Boolean(string="Done")
    next_try_at = fields.Datetime(string="Next try at")

    #: The worker's search: every run gets its turn, however long another one is.
    _open = models.Index("(position, id) WHERE is_done IS NOT TRUE")

    @api.model
    def _split_new(self, run, after_id: int = 0) -> None:
        """Split the lines of a run after the line ``after_id`` into chunks."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_readiness_chunk
                          (run_id, position, first_id, last_id, people_count, attempts)
                   SELECT %(run)s, begun.next + part, min(id), max(id), count(*), 0
                     FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %(size)s
                                  AS part
                             FROM spar_readiness_line
                            WHERE run_id = %(run)s AND id > %(after)s) numbered,
                          (SELECT coalesce(max(position) + 1, 0) AS next
                             FROM spar_readiness_chunk WHERE run_id = %(run)s) begun
                    GROUP BY begun.next, part""",
                run=run.id,
                size=CHUNK_PEOPLE,
                after=after_id,
            )
        )
        self.invalidate_model()
