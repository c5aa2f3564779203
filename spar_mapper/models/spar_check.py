from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import SQL, format_datetime


class SparCheck(models.Model):
    """One run of the integrity check: when it was, and what it covered."""

    _name = "spar.check"
    _description = "Integrity check that ran"
    _inherit = ["spar.store.table"]
    _rec_name = "ran_at"
    _order = "id desc"
    _log_access = False

    ran_at = fields.Datetime(required=True, readonly=True)
    mapping_count = fields.Integer(readonly=True, string="Addresses")
    event_count = fields.Integer(readonly=True, string="Events")
    change_count = fields.Integer(readonly=True, string="Waiting changes")
    problem_count = fields.Integer(readonly=True, string="Problems found")

    @api.model
    def _add_check(self, problem_count: int) -> None:
        """Note that everything was read just now, and how much that was."""
        self.env.execute_query(
            SQL(
                """INSERT INTO spar_check (ran_at, mapping_count, event_count,
                                           change_count, problem_count)
                   SELECT now() AT TIME ZONE 'UTC',
                          (SELECT count(*) FROM spar_mapping),
                          (SELECT count(*) FROM spar_event),
                          (SELECT count(*) FROM spar_change WHERE state = 'waiting'),
                          %s
                   RETURNING id""",
                problem_count,
            )
        )

    @api.model
    def _get_last_text(self) -> str:
        """Say when the last check ran and what it covered, or that none did."""
        last = self.search([], limit=1)
        if not last:
            return self.env._(
                "No check has run yet: nothing is known about what is stored."
            )
        return self.env._(
            "The last check ran on %(time)s. It read %(mappings)s addresses, "
            "%(events)s events and %(changes)s waiting changes, and found %(problems)s "
            "problems.",
            time=format_datetime(self.env, last.ran_at),
            mappings=last.mapping_count,
            events=last.event_count,
            changes=last.change_count,
            problems=last.problem_count,
        )


class SparAlarm(models.Model):
    _inherit = "spar.alarm"

    @api.model
    def get_empty_list_help(self, help_message):
        """Say what the empty list rests on."""
        checks = self.env["spar.check"]
        if not checks.has_access("read"):
            return super().get_empty_list_help(help_message)
        last = checks.search([], limit=1)
        title = (
            self.env._("The last check found nothing")
            if last and not last.problem_count
            else self.env._("There is no alarm")
        )
        return Markup('<p class="o_view_nocontent_smiling_face">%s</p><p>%s</p>') % (
            title,
            checks._get_last_text(),
        ) + Markup(help_message or "")
