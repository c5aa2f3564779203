from odoo import api, fields, models
from odoo.tools import format_date

from ..fields import BigMany2one


class SparPersonDateWizard(models.TransientModel):
    """Where a person was paid on one day, by addresses that ended since as well."""

    _name = "spar.person.date.wizard"
    _description = "Address on a date"
    _inherit = ["spar.next.person"]

    subject_id = BigMany2one(
        "spar.subject", string="Person", required=True, readonly=True
    )
    day = fields.Date(string="Date")
    answer = fields.Char(compute="_compute_answer")
    is_mistyped = fields.Boolean(
        string="Mistyped",
        compute="_compute_answer",
        help="The person had no address at all by then, or the day has not come.",
    )
    period_ids = fields.Many2many(
        "spar.mapping.period",
        string="In force on that day",
        compute="_compute_answer",
    )

    representative_ids = fields.Many2many(
        "spar.representative",
        string="Guardians and collectors on that day",
        compute="_compute_representative_ids",
    )

    @api.depends("day", "subject_id")
    def _compute_representative_ids(self):
        for wizard in self:
            found = self.env["spar.representative"]
            if wizard.day:
                found = wizard.subject_id._find_representatives(wizard.day)
            wizard.representative_ids = found

    @api.depends("day", "subject_id")
    def _compute_answer(self):
        for wizard in self:
            wizard.period_ids = wizard._find_periods()
            wizard.is_mistyped = False
            wizard.answer = wizard._get_answer() if wizard.day else False

    def _find_periods(self):
        periods = self.env["spar.mapping.period"]
        if not self.day:
            return periods
        return periods.search(
            [("subject_id", "=", self.subject_id.id), ("in_force_on", "=", self.day)],
            order="state_since",
        )

    def _get_answer(self) -> str:
        """Return the answer in a sentence, which points out an impossible day."""
        day = format_date(self.env, self.day)
        first = self._get_first_day()
        if self.day > fields.Date.context_today(self):
            self.is_mistyped = True
            return self.env._("%(day)s is in the future. Check the date.", day=day)
        if not first or self.day < first:
            self.is_mistyped = True
            return self.env._(
                "On %(day)s this person had no address yet: the first one is of "
                "%(first)s. Check the date.",
                day=day,
                first=format_date(self.env, first) if first else "-",
            )
        if not self.period_ids:
            return self.env._(
                "On %(day)s no address was in force, so nothing was paid. The time "
                "line shows why.",
                day=day,
            )
        if len(self.period_ids) == 1:
            return self.env._("On %(day)s this address was in force.", day=day)
        return self.env._("On %(day)s these addresses were in force.", day=day)

    def _get_first_day(self):
        """Return the day of the person's first address, in the user's time zone."""
        first = self.subject_id.period_ids[-1:].state_since
        return fields.Datetime.context_timestamp(self, first).date() if first else False
