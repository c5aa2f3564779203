from datetime import timedelta

from markupsafe import Markup

from odoo import SUPERUSER_ID, api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.contract import CallContext

from ...fields import BigInteger, StoreMany2one
from ...lib.provisional import write_provisional_reference
from ..change.spar_change import SUPERVISOR

#: Where the links in reminders lead.
_PATH, _CARDS = "/odoo/spar-provisional", "/odoo/spar-id-cards"


class SparProvisional(models.Model):
    """A person who was registered without an ID card, and why there was none.

    The number is random and says nothing about the person: the reference that the
    person was given is made of it, as the reference of a receipt is of an event.
    """

    _name = "spar.provisional"
    _description = "Provisional reference"
    _inherit = ["spar.subject.row", "spar.by.whom"]
    _rec_name = "reference"
    _order = "registered_at, id"
    _log_access = False
    _refuses_delete = "provisional references are not deleted"

    # Its unique index suffices.
    subject_id = StoreMany2one(index=False)
    number = BigInteger(required=True, readonly=True)
    why = fields.Selection(
        selection=lambda self: self._selection_why(),
        string="Why there is no ID card",
        required=True,
        readonly=True,
    )
    actor = fields.Char(string="Registered by (reference)")
    registered_at = fields.Datetime(
        string="Registered on", required=True, readonly=True
    )
    reference = fields.Char(compute="_compute_reference")
    actor_name = fields.Char(string="Registered by")
    age_days = fields.Integer(
        string="Days", compute="_compute_age_days", aggregator=None
    )
    is_open = fields.Boolean(
        string="Without an ID card",
        compute="_compute_is_open",
        search="_search_is_open",
    )
    is_overdue = fields.Boolean(
        string="Too long without an ID card",
        compute="_compute_is_overdue",
        search="_search_is_overdue",
    )
    pay_state = fields.Selection(related="subject_id.pay_state", related_sudo=False)
    witness_count = fields.Integer(
        string="Witnesses", compute="_compute_witness_count", aggregator=None
    )

    _subject_uniq = models.UniqueIndex(
        "(subject_id)", "A person has only one provisional reference."
    )
    _number_uniq = models.UniqueIndex(
        "(number)", "This provisional reference is somebody else's."
    )

    @api.model
    def _selection_why(self):
        return [
            ("never", self.env._("The person never had one")),
            ("applied", self.env._("The person has applied for one")),
            ("lost", self.env._("It was lost, and the number is not known")),
            ("refused", self.env._("The person cannot get one")),
            ("other", self.env._("Another reason")),
        ]

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION spar_provisional_no_update()
                RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'spar_provisional: a reference is not rewritten';
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER spar_provisional_no_update
                BEFORE UPDATE ON spar_provisional
                FOR EACH STATEMENT EXECUTE FUNCTION spar_provisional_no_update();
            """
        )
        return result

    # === DISPLAY === #

    @api.depends("number")
    def _compute_reference(self):
        for row in self:
            known = row.number and write_provisional_reference(row.number)
            row.reference = known or False

    @api.depends("registered_at")
    def _compute_age_days(self):
        now = self.env["spar.mapper.local"]._get_now()
        for row in self:
            row.age_days = (now - row.registered_at).days if row.registered_at else 0

    @api.depends("subject_id")
    def _compute_witness_count(self):
        witnesses_sudo = self.env["spar.witness"].sudo()
        groups = witnesses_sudo._read_group(
            [("subject_id", "in", self.subject_id.ids), ("kind", "=", "vouched")],
            ["subject_id"],
            ["__count"],
        )
        counts = {subject.id: count for subject, count in groups}
        for row in self:
            row.witness_count = counts.get(row.subject_id.id, 0)

    # === WITHOUT AN ID CARD === #

    @api.model
    def _fetch_open(self, condition: SQL) -> list[int]:
        """Return the rows of people who have no other ID yet, within ``condition``."""
        query = SQL(
            """SELECT p.id FROM spar_provisional p
                 JOIN spar_subject s ON s.id = p.subject_id
                WHERE %s AND s.merged_into IS NULL AND NOT EXISTS (
                      SELECT FROM spar_subject_id i
                       WHERE i.subject_id = p.subject_id AND i.active
                         AND i.type_id <> %s)""",
            condition,
            self.env["spar.id.type"]._get_provisional_type_id(),
        )
        return [row_id for (row_id,) in self.env.execute_query(query)]

    @api.depends("subject_id")
    def _compute_is_open(self):
        found = set(self._fetch_open(SQL("p.id = ANY(%s)", self.ids)))
        for row in self:
            row.is_open = row.id in found

    @api.model
    def _search_is_open(self, operator, values):
        if operator != "in":
            return NotImplemented
        found = Domain("id", "in", self._fetch_open(SQL("true")))
        return Domain.OR(found if value else ~found for value in values)

    @api.depends("is_open", "registered_at")
    def _compute_is_overdue(self):
        before = self._get_due_before()
        for row in self:
            row.is_overdue = row.is_open and row.registered_at < before

    @api.model
    def _search_is_overdue(self, operator, values):
        if operator != "in":
            return NotImplemented
        overdue = Domain("registered_at", "<", self._get_due_before())
        overdue &= self._search_is_open("in", [True])
        return Domain.OR(overdue if value else ~overdue for value in values)

    @api.model
    def _get_due_before(self):
        days = self.env["spar.limit"]._get_number("provisional_days")
        return self.env["spar.mapper.local"]._get_now() - timedelta(days=days)

    def action_open_person(self):
        """Open the person's page."""
        self.ensure_one()
        return self.subject_id._open_page(self.subject_id)

    # === REGISTERING === #

    @api.model
    def _insert(self, call: CallContext, subject, number: int, why: str) -> None:
        self.env.cr.execute(
            """INSERT INTO spar_provisional
                      (subject_id, number, why, actor, registered_at)
               VALUES (%s, %s, %s, %s, %s)""",
            (
                subject.id,
                number,
                why,
                call.actor,
                self.env["spar.mapper.local"]._get_now(),
            ),
        )
        self.invalidate_model()

    # === REMINDING === #

    @api.model
    def _cron_remind(self) -> None:
        """Expire ID cards that nobody decided on; remind supervisors of what waits.

        A reminder is an activity in Odoo's own list, one of each kind for a supervisor,
        and names nobody. It counts only people whom the supervisor may see. Anybody can
        give a supervisor an activity that looks the same: it takes no reminder's place.
        """
        self.env["spar.joining"]._expire()
        assignments = self.env["spar.change.assignment"]
        activities_sudo = assignments._get_activities_sudo()
        if activities_sudo is None:
            return
        activities_sudo = activities_sudo.with_user(SUPERUSER_ID)
        for user_sudo in self.env.ref(SUPERVISOR).sudo().all_user_ids:
            own = self.with_user(user_sudo).with_context(lang=user_sudo.lang)
            for path, name, summary in own._list_reminders():
                mine = [
                    ("user_id", "=", user_sudo.id),
                    ("create_uid", "=", SUPERUSER_ID),
                    ("note", "ilike", path),
                ]
                if not activities_sudo.search_count(mine, limit=1):
                    activities_sudo.create(own._build_reminder(path, name, summary))

    @api.model
    def _list_reminders(self) -> list[tuple[str, str, str]]:
        """Return what this supervisor has to be reminded of: path, list and summary."""
        reminders = []
        old = self.search_count([("is_overdue", "=", True)])
        if old:
            summary = self.env._(
                "People too long without an ID card: %(count)s", count=old
            )
            name = self.env._("Provisional references")
            reminders.append((_PATH, name, summary))
        own = f"user:{self.env.uid}"
        cards = self.env["spar.joining"].search_count(
            [("state", "=", "waiting"), ("proposer", "!=", own)]
        )
        if cards:
            summary = self.env._(
                "ID cards that wait for a decision: %(count)s", count=cards
            )
            reminders.append((_CARDS, self.env._("ID cards that wait"), summary))
        return reminders

    @api.model
    def _build_reminder(self, path: str, name: str, summary: str) -> dict:
        return {
            "user_id": self.env.uid,
            "summary": summary,
            "note": Markup('<a href="%s">%s</a>') % (path, name),
            "date_deadline": fields.Date.today(),
        }
