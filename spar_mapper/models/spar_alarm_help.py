from markupsafe import Markup

from odoo import api, models
from odoo.tools import format_datetime


class SparAlarm(models.Model):
    """What an empty list of alarms rests on: the last check, and what it covered."""

    _inherit = "spar.alarm"

    @api.model
    def get_empty_list_help(self, help_message):
        """Return the help of the empty list: first when the last check ran."""
        runs = self.env["spar.audit.run"]
        if not runs.has_access("read"):
            return super().get_empty_list_help(help_message)
        last = runs.search([("finished_at", "!=", False)], limit=1)
        title = (
            self.env._("The last check found nothing")
            if last and not last.findings
            else self.env._("There is no alarm")
        )
        return Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>') % (
            title,
            self._get_last_check_text(last),
        ) + Markup(help_message or "")

    @api.model
    def _get_last_check_text(self, last) -> str:
        """Say when the last check ran and what it covered, or that none did."""
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
