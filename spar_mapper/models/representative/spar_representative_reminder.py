from contextlib import suppress
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext

from ...lib.assigning import Waiting, choose_decider
from ...lib.representative import REMIND_DAYS

_SYSTEM = CallContext("system", "schedule", Authority.STAFF)


class SparRepresentative(models.Model):
    """Reminders: to a supervisor of what waits, and to the officer before it expires.

    They name nobody.
    """

    _inherit = "spar.representative"

    # No relation: activities exist only where Odoo's addon for mail is installed.
    activity_number = fields.Integer(string="Activity", readonly=True)

    @api.model
    def _cron_remind(self) -> None:
        """Remind staff of what waits for them, and of what expires within a month.

        First find those of people who were merged before the merge took them along.
        """
        with suppress(ServiceUnavailable):
            self._follow_merged(_SYSTEM)
        today = fields.Date.today()
        rows_sudo = self.sudo()
        for row_sudo in rows_sudo.search(
            [("state", "=", "waiting"), ("activity_number", "in", (0, False))]
        ):
            row_sudo._add_activity(row_sudo._choose_decider(), today)
        soon = today + timedelta(days=REMIND_DAYS)
        for row_sudo in rows_sudo.search(
            [
                ("state", "=", "active"),
                ("until", ">=", today),
                ("until", "<=", soon),
                ("activity_number", "in", (0, False)),
            ]
        ):
            row_sudo._add_activity(row_sudo._get_officer(), row_sudo.until)

    def _choose_decider(self) -> int:
        """Return the supervisor who is reminded: any of the person's may decide."""
        office = self.subject_id.office_person_ids.office_id
        waiting = Waiting(self.id, frozenset({self.actor}), office.id or None)
        deciders = self.env["spar.change.assignment"]._get_deciders()
        return choose_decider(waiting, deciders, {}) or 0

    def _get_officer(self) -> int:
        """Return who entered it; without them, a supervisor."""
        number = self.actor.partition(":")[2]
        user = self.env["res.users"].browse(int(number or 0)).exists()
        return user.id if user.active else self._choose_decider()

    def _add_activity(self, user_id: int, deadline) -> None:
        activities_sudo = self.env["spar.change.assignment"]._get_activities_sudo()
        if activities_sudo is None or not user_id:
            return
        user_sudo = self.env["res.users"].sudo().browse(user_id)
        words = self.with_context(lang=user_sudo.lang or self.env.lang)
        summaries = {
            "waiting": words.env._("A guardian or collector waits for your decision"),
            "active": words.env._("A guardian or collector expires soon"),
        }
        activity_sudo = activities_sudo.create(
            {
                "user_id": user_id,
                "summary": summaries[self.state],
                "note": Markup('<a href="/odoo/spar-representatives">%s</a>')
                % words.env._("Guardians and collectors"),
                "date_deadline": deadline,
            }
        )
        self._note_activity(activity_sudo.id)

    def _remove_activities(self) -> None:
        activities_sudo = self.env["spar.change.assignment"]._get_activities_sudo()
        numbers = list(filter(None, self.mapped("activity_number")))
        if activities_sudo is not None and numbers:
            activities_sudo.browse(numbers).exists().unlink()
        self._note_activity(None)

    def _note_activity(self, number: int | None) -> None:
        self.env.cr.execute(
            "UPDATE spar_representative SET activity_number = %s WHERE id = ANY(%s)",
            (number, self.ids),
        )
        self.invalidate_recordset(["activity_number"])
