from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from odoo.addons.spar_mapper_connector.lib.contract import CallContext

from ...lib.paper import build_number_key


class SparPaperForm(models.Model):
    """A form that was filled in on paper during an outage, and entered later.

    The event of the history says the same in its reason, under its MAC. These rows are
    never rewritten or removed: each number counts once in an office.
    """

    _name = "spar.paper.form"
    _description = "Paper form"
    _inherit = ["spar.of.person", "spar.by.whom"]
    _rec_name = "number"
    _order = "id desc"
    _log_access = False
    _refuses_delete = "paper forms are not deleted"

    office_uuid = fields.Char(
        string="UUID of the office",
        required=True,
        readonly=True,
        help="The office of the user who entered the form; empty without one.",
    )
    number = fields.Char(string="Form number", required=True, readonly=True)
    number_key = fields.Char(
        string="Compared number",
        required=True,
        readonly=True,
        help="The number without gaps, in which it is compared.",
    )
    paper_date = fields.Date(string="Date on the form", required=True, readonly=True)
    filler = fields.Char(
        string="Filled in by (reference)", required=True, readonly=True
    )
    actor = fields.Char(string="Entered by (reference)")
    entered_at = fields.Datetime(string="Entered at", required=True, readonly=True)
    operation = fields.Selection(
        [("link", "Link"), ("update", "Change")], required=True, readonly=True
    )
    is_overtaken = fields.Boolean(
        string="Newer change",
        readonly=True,
        help="The account was changed after the form was filled in, so a supervisor "
        "decides.",
    )
    reason = fields.Char(required=True, readonly=True)

    filler_name = fields.Char(string="Filled in by", compute="_compute_filler_name")
    actor_name = fields.Char(string="Entered by")

    _number_uniq = models.UniqueIndex(
        "(office_uuid, number_key)",
        "A form with this number was already entered in this office.",
    )

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION spar_paper_form_no_update() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'spar_paper_form: paper forms are not rewritten';
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER spar_paper_form_no_update
                BEFORE UPDATE ON spar_paper_form
                FOR EACH STATEMENT EXECUTE FUNCTION spar_paper_form_no_update();
            """
        )
        return result

    # === DISPLAY === #

    @api.depends("filler")
    def _compute_filler_name(self):
        names = self.env["spar.event"]._get_actor_names(self.mapped("filler"))
        for form in self:
            form.filler_name = names.get(form.filler)

    def action_open_person(self):
        """Open the page of the person whom the form is about."""
        self.ensure_one()
        return self.subject_id._open_page(self.subject_id)

    # === ENTERING === #

    @api.model
    def _get_office_uuid(self) -> str:
        """Return the office in which this user's forms are numbered, or ""."""
        offices = self.env["spar.office"]._find_for_user(self.env.user)
        office = offices.filtered("active")
        return office.uuid if len(office) == 1 else ""

    @api.model
    def _check_new(self, number: str) -> None:
        """Raise UserError if a form with this number was entered in the office."""
        query = SQL(
            """SELECT actor, entered_at FROM spar_paper_form
                WHERE office_uuid = %s AND number_key = %s""",
            self._get_office_uuid(),
            build_number_key(number),
        )
        for actor, entered_at in self.env.execute_query(query):
            names = self.env["spar.event"]._get_actor_names([actor])
            raise UserError(
                self.env._(
                    "Form number: %(number)s was already entered on %(date)s by "
                    "%(name)s. Nothing was saved.",
                    number=number,
                    date=format_date(self.env, entered_at),
                    name=names.get(actor),
                )
            )

    @api.model
    def _record(self, call: CallContext, subject, number: str, **values) -> None:
        """Record a form with the change that it led to."""
        row = {
            **values,
            "subject_id": subject.id,
            "office_uuid": self._get_office_uuid(),
            "number": number,
            "number_key": build_number_key(number),
            "actor": call.actor,
            "entered_at": self.env["spar.mapper.local"]._get_now(),
            "reason": call.reason,
        }
        self.env.cr.execute(
            SQL(
                "INSERT INTO spar_paper_form (%s) VALUES %s",
                SQL(", ").join(map(SQL.identifier, row)),
                tuple(row.values()),
            )
        )
        self.invalidate_model()


class SparEvent(models.Model):
    """What an event says about the paper form that it was entered from."""

    _inherit = "spar.event"

    late_text = fields.Char(string="Entered late", compute="_compute_late_text")

    @api.depends("reason", "subject_id")
    def _compute_late_text(self):
        """Compute the form: that of the person with the very reason of the event.

        A change that waited has it as well when it is applied.
        """
        query = SQL(
            """SELECT subject_id, reason, number, paper_date FROM spar_paper_form
                WHERE subject_id = ANY(%s)""",
            self.subject_id.ids,
        )
        forms = {
            (subject_id, reason): (number, day)
            for subject_id, reason, number, day in self.env.execute_query(query)
        }
        for event in self:
            number, day = forms.get((event.subject_id.id, event.reason), (None, None))
            event.late_text = number and self.env._(
                "Entered late, from paper form %(number)s of %(date)s",
                number=number,
                date=format_date(self.env, day),
            )
