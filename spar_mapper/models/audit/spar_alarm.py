import logging

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_datetime

from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ...fields import BigInteger

_logger = logging.getLogger(__name__)


class SparAlarm(models.Model):
    """Something in the store that is not as the mapper left it.

    An empty list of alarms means little without the last check and what it covered, so
    the list shows both.
    """

    _name = "spar.alarm"
    _description = "Integrity alarm"
    _order = "last_seen desc, id desc"
    _log_access = False

    problem = fields.Char(required=True, readonly=True)
    table_name = fields.Char(required=True, readonly=True, string="Table")
    row_id = BigInteger(required=True, readonly=True, string="Row")
    first_seen = fields.Datetime(string="First seen", required=True, readonly=True)
    last_seen = fields.Datetime(string="Last seen", required=True, readonly=True)

    _problem_uniq = models.UniqueIndex(
        "(table_name, row_id, problem)", "Each problem of a row is recorded once."
    )

    checked_at = fields.Datetime(string="Last check", compute="_compute_standing")
    standing = fields.Selection(
        [
            ("unchecked", "No check has run"),
            ("found", "Found"),
            ("since", "Seen after the last check"),
            ("gone", "No longer found"),
        ],
        string="At the last check",
        compute="_compute_standing",
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

    # === THE LAST CHECK === #

    @api.depends("last_seen")
    def _compute_standing(self):
        last = self._get_last_check()
        for alarm in self:
            alarm.checked_at = last.finished_at
            alarm.standing = alarm._get_standing(last)

    def _get_standing(self, last) -> str:
        """Return whether the check ``last``, which may be empty, found the alarm."""
        if not last:
            return "unchecked"
        if self.last_seen > last.finished_at:
            return "since"
        return "found" if self.last_seen >= last.started_at else "gone"

    @api.model
    def _get_last_check(self):
        """Return the check that ended last, for any user; empty if none has ended."""
        runs_sudo = self.env["spar.audit.run"].sudo()
        return runs_sudo.search(
            [("finished_at", "!=", False)], order="finished_at desc", limit=1
        )

    @api.model
    def get_empty_list_help(self, help_message):
        """Return the help of the empty list, led by the time of the last check."""
        runs = self.env["spar.audit.run"]
        if not runs.has_access("read"):
            return super().get_empty_list_help(help_message)
        last = self._get_last_check()
        if self.search_count([], limit=1):
            title = self.env._("No alarm matches the search")
        elif last and not last.findings:
            title = self.env._("The last check found no problems")
        else:
            title = self.env._("No alarms")
        return Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>') % (
            title,
            self._get_last_check_text(last),
        ) + Markup(help_message or "")

    @api.model
    def _get_last_check_text(self, last) -> str:
        """Return when the last check ran and what it covered, or that none has run."""
        if not last:
            return self.env._(
                "No check has run yet, so the state of the stored data is unknown."
            )
        return self.env._(
            "The last check ended on %(time)s. It covered %(checked)s of %(total)s "
            "people, with their addresses and history, and found %(problems)s "
            "problems.",
            time=format_datetime(self.env, last.finished_at),
            checked=last.subjects_checked,
            total=last.subjects_total,
            problems=last.findings,
        )
