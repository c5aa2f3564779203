import logging

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..fields import BigInteger

_logger = logging.getLogger(__name__)


class SparAlarm(models.Model):
    """Something in the store that is not as the mapper left it."""

    _name = "spar.alarm"
    _description = "Integrity alarm"
    _order = "last_seen desc, id desc"
    _log_access = False

    problem = fields.Char(required=True, readonly=True)
    table_name = fields.Char(required=True, readonly=True, string="Table")
    row_id = BigInteger(required=True, readonly=True, string="Row")
    first_seen = fields.Datetime(required=True, readonly=True)
    last_seen = fields.Datetime(required=True, readonly=True)

    _problem_uniq = models.UniqueIndex(
        "(table_name, row_id, problem)", "A problem of a row is known once."
    )

    @api.model
    def _raise_alarms(self, problems: list[tuple[str, int, str]]) -> None:
        """Record ``(table, row, problem)`` in a separate transaction, and in the log.

        What the caller does afterwards, or fails to do, cannot undo it.
        """
        if not problems:
            return
        for table, row_id, problem in problems:
            _logger.error("integrity alarm: %s, row %s: %s", table, row_id, problem)
        with self.env.registry.cursor() as cr:
            # Many workers may detect the same problem at the same moment.
            use_read_committed(cr)
            cr.execute_values(
                """INSERT INTO spar_alarm
                          (table_name, row_id, problem, first_seen, last_seen)
                   VALUES %s
                   ON CONFLICT (table_name, row_id, problem)
                   DO UPDATE SET last_seen = excluded.last_seen""",
                sorted(set(problems)),
                template="""(%s, %s, %s, now() AT TIME ZONE 'UTC',
                                         now() AT TIME ZONE 'UTC')""",
                page_size=len(problems),
            )
