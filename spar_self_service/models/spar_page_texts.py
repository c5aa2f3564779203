from datetime import datetime

import pytz

from odoo import api, models
from odoo.tools.misc import format_date, format_time


class SparPageTexts(models.AbstractModel):
    """What happened and what to do, as plain texts in the reader's language."""

    _name = "spar.page.texts"
    _description = "Texts of the beneficiary's pages"

    # === TIME === #

    @api.model
    def _localise(self, moment: datetime) -> datetime:
        """Return naive UTC as the time on the reader's clock."""
        company_sudo = self.env.company.sudo()
        name = self.env.context.get("tz") or company_sudo.partner_id.tz or "UTC"
        return pytz.utc.localize(moment).astimezone(pytz.timezone(name))

    @api.model
    def _get_day(self, moment: datetime) -> str:
        """Return the day, written out."""
        day = self._localise(moment).date()
        return format_date(self.env, day, date_format="long")

    @api.model
    def _get_moment(self, moment: datetime) -> str:
        """Return the day and the time; UTC is named, as it is not the local time."""
        local = self._localise(moment)
        clock = format_time(self.env, local.time(), time_format="short")
        if local.tzname() == "UTC":
            clock = f"{clock} UTC"
        return self.env._("%(day)s, %(time)s", day=self._get_day(moment), time=clock)

    # === QUESTIONS === #

    @api.model
    def _get_step_text(self, number: int, count: int) -> str:
        """Return the progress; empty while the number of questions is unknown."""
        if count < 2:
            return ""
        return self.env._("Step %(number)s of %(count)s", number=number, count=count)

    @api.model
    def _get_choice_text(self, label: str) -> str:
        """Return the question for a provider or a branch."""
        return self.env._("Choose: %(label)s", label=label)

    @api.model
    def _get_again_text(self, label: str) -> str:
        """Return the label of the field for the repeated entry."""
        return self.env._("%(label)s, once more", label=label)
