from dataclasses import replace
from datetime import datetime, time

import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, format_datetime

from odoo.addons.spar_mapper_connector.lib.contract import CallContext

from ..fields import BigInteger
from ..lib.paper import NEWER_THAN_PAPER, get_date_problem, get_number_problem
from ..lib.records import IN_FORCE
from ..lib.secrets_in_text import extract_secrets, mentions
from ..lib.transitions import ANSWERED_FOR
from ..models.spar_mapper_local import ROLES


class SparPaperEntry(models.AbstractModel):
    """The part of a form about a paper form that is entered after an outage.

    It says when, by whom and under which number the paper was filled in. If the account
    was changed since, nobody at the desk knows which of the two the person wants now: a
    second person decides.
    """

    _name = "spar.paper.entry"
    _description = "Paper form entered late"

    is_on_paper = fields.Boolean(
        string="Filled on paper",
        help="The form was filled in on paper while the registry could not be reached.",
    )
    paper_date = fields.Date(string="Date on the form")
    paper_number = fields.Char(
        string="Form number", help="As printed on the form. Each number counts once."
    )
    paper_by_id = fields.Many2one(
        "res.users",
        string="Filled in by",
        domain=[("share", "=", False)],
        help="The member of staff who filled in the form with the person.",
    )
    newer_text = fields.Char(string="Newer change", readonly=True)
    newer_seq = BigInteger(string="Number of the newer event", readonly=True)
    is_review_wanted = fields.Boolean(
        string="Send it to a supervisor, who decides whether the form still counts"
    )

    # === WHAT WAS ENTERED === #

    def _check_paper(self) -> None:
        """Raise UserError unless the paper form can be entered, once and in time."""
        if not self.is_on_paper:
            return
        days = self.env["spar.limit"]._get_number("paper_form_days")
        today = fields.Date.context_today(self)
        problem = get_date_problem(self.paper_date or None, today, days)
        if problem:
            raise UserError(self._get_date_texts(days)[problem])
        number = self._get_paper_number()
        problem = get_number_problem(number)
        if not problem and mentions(number, self._get_paper_secrets()):
            problem = "digits"
        if problem:
            raise UserError(self._get_number_texts()[problem])
        filler = self.paper_by_id
        if not filler or not any(map(filler.has_group, ROLES)):
            raise UserError(
                self.env._("Filled in by: choose the member of staff who filled it in.")
            )
        self.env["spar.paper.form"]._check_new(number)

    def _get_paper_number(self) -> str:
        return (self.paper_number or "").strip()

    def _get_paper_secrets(self) -> set[str]:
        return extract_secrets(*filter(None, (self.id_value, *self._get_typed_texts())))

    def _get_date_texts(self, days: int) -> dict[str, str]:
        return {
            "missing": self.env._("Date on the form: enter it."),
            "future": self.env._(
                "Date on the form: this day is in the future. Check the date."
            ),
            "old": self.env._(
                "Date on the form: it is more than %(days)s days ago. Fill in a new "
                "form with the person.",
                days=days,
            ),
        }

    @api.model
    def _get_number_texts(self) -> dict[str, str]:
        return {
            "missing": self.env._("Form number: enter it as printed on the form."),
            "format": self.env._(
                "Form number: enter at most 20 letters, digits and separators."
            ),
            "digits": self.env._(
                "Form number: enter at most 7 digits, and neither an ID nor an account "
                "number. It is stored unencrypted."
            ),
        }

    # === WHAT WAS CHANGED SINCE === #

    def _find_newer(self, request):
        """Return the last change of the account since the day of the form, if any.

        Of two changes on one day nobody knows which came first. A new link of somebody
        who is linked is refused anyway.
        """
        events = self.env["spar.event"]
        place = self._find_changed(request.id_value)
        is_linked = self.operation == "link" and place.state in IN_FORCE
        if not self.is_on_paper or not place or is_linked:
            return events
        zone = pytz.timezone(self.env.user.tz or "UTC")
        begin = zone.localize(datetime.combine(self.paper_date, time.min))
        return events.search(
            [
                ("mapping_id", "in", place.ids),
                ("kind", "in", sorted(ANSWERED_FOR)),
                ("happened_at", ">=", begin.astimezone(pytz.utc).replace(tzinfo=None)),
            ],
            limit=1,
        )

    def _must_ask_review(self, newer) -> bool:
        """Return whether the officer has to know of a newer change before going on.

        Their answer counts only for the change that it was given for.
        """
        if not newer or (self.is_review_wanted and self.newer_seq == newer.seq):
            return False
        text = self.env._(
            "%(what)s on %(time)s by %(who)s, after the form was filled in.",
            what=dict(newer._selection_kind())[newer.kind],
            time=format_datetime(self.env, newer.happened_at),
            who=newer.actor_name,
        )
        self._as_code().write(
            {
                "newer_text": text,
                "newer_seq": newer.seq,
                "is_review_wanted": False,
            }
        )
        return True

    # === WHAT IS KEPT === #

    def _note_paper(self, call: CallContext, newer) -> CallContext:
        """Return the call with what the history says about the form."""
        if not self.is_on_paper:
            return call
        reason = self.env._(
            "%(reason)s. Entered late, from paper form %(number)s of %(date)s, filled "
            "in by %(name)s",
            reason=call.reason.rstrip("."),
            number=self._get_paper_number(),
            date=format_date(self.env, self.paper_date),
            name=self.paper_by_id.name,
        )
        why = NEWER_THAN_PAPER if newer else ""
        return replace(call, reason=reason, review_reason=why)

    def _store_paper(self, call: CallContext, subject, newer) -> None:
        """Record the form, if the action was carried out for a person."""
        if self.is_on_paper and subject:
            self.env["spar.paper.form"]._record(
                call,
                subject,
                self._get_paper_number(),
                paper_date=self.paper_date,
                filler=f"user:{self.paper_by_id.id}",
                operation=self.operation,
                is_overtaken=bool(newer),
            )
