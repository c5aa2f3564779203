from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_datetime


class SparAlarm(models.Model):
    """The basis of an empty list of alarms: the last check, and what it covered."""

    _inherit = "spar.alarm"

    checked_at = fields.Datetime(string="Last check", compute="_compute_standing")
    standing = fields.Selection(
        [
            ("unchecked", "No check has run"),
            ("found", "Found"),
            ("since", "Seen after it"),
            ("gone", "Not found any more"),
        ],
        string="At the last check",
        compute="_compute_standing",
    )

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
            title = self.env._("The last check found nothing")
        else:
            title = self.env._("There is no alarm")
        return Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>') % (
            title,
            self._get_last_check_text(last),
        ) + Markup(help_message or "")

    @api.model
    def _get_last_check_text(self, last) -> str:
        """Return when the last check ran and what it covered, or that none has run."""
        if not last:
            return self.env._(
                "No check has run yet: nothing is known about what is stored."
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
