from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.fa_alike import get_account
from odoo.addons.spar_mapper_connector.exceptions import SealBroken, SettingsAltered
from odoo.addons.spar_mapper_connector.lib.contract import (
    DONE,
    CallContext,
    Operation,
    Outcome,
    Result,
)
from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns
from odoo.addons.spar_mapper_connector.transactions import lock_counters

from ...fields import CheckedMany2one, StoreMany2one
from ...lib.chain import commit_to
from ...lib.offices import OTHER_OFFICE
from ...lib.staff_limits import RecentAct, RequestedAct, StaffLimits, find_exceeded
from ...store.placing import find_misplaced

#: What an act is called by which an officer locked a person's changes.
OBJECT = "object"
#: How long a change counts.
DAY = timedelta(days=1)
CHANNEL = "staff"
#: The outcomes that are a change, including a pending one.
_CHANGED = (*DONE, Outcome.RESUMED, Outcome.SUSPENDED, Outcome.HELD)


class SparStaffAct(models.Model):
    """One change that a member of staff made or requested.

    These rows are the basis of the daily limits, and the list of what staff did. They
    are never rewritten and never removed. The address is stored only as a keyed
    commitment.
    """

    _name = "spar.staff.act"
    _description = "Staff activity"
    _inherit = ["spar.store.table", "spar.by.whom"]
    _rec_name = "operation"
    _order = "id desc"
    _log_access = False
    _refuses_delete = "what staff did is not deleted"
    _references = {"subject_id": "spar_subject", "provider_id": "spar_fsp"}

    done_at = fields.Datetime(string="When", required=True, readonly=True)
    operation = fields.Selection(
        selection=lambda self: self._selection_operation(), required=True, readonly=True
    )
    is_waiting = fields.Boolean(
        string="Waiting",
        readonly=True,
        help="The change was not applied at once: it waits for a second person or for "
        "its time.",
    )
    subject_id = StoreMany2one(
        "spar.subject",
        string="Person",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    provider_id = CheckedMany2one("spar.fsp", readonly=True, ondelete="restrict")

    _actor_time = models.Index("(actor, done_at)")

    @api.model
    def _selection_operation(self):
        """Return the names of the actions, as their buttons and waiting changes say."""
        operations = self.env["spar.change"]._fields["operation"]
        return [
            *operations._description_selection(self.env),
            (OBJECT, self.env._("Complaint: this was not me")),
        ]

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, ("account_commitment",))
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION spar_staff_act_no_update() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'spar_staff_act: what staff did is not rewritten';
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER spar_staff_act_no_update
                BEFORE UPDATE ON spar_staff_act
                FOR EACH STATEMENT EXECUTE FUNCTION spar_staff_act_no_update();
            """
        )
        return result

    # === LIMITS === #

    @api.model
    def _find_exceeded(
        self,
        call: CallContext,
        code: Operation | str,
        requested: list[RequestedAct],
        now: datetime,
    ) -> str:
        """Return the daily limit that ``requested`` would exceed, or "".

        No other change in this person's name can be made until the transaction ends. A
        suspension is never refused, because a doubt takes effect at once, unless it is
        of people of other offices: staff change nothing of theirs. Beyond the limit,
        supervisors get an alarm of it all the same.
        """
        if call.channel != CHANNEL:
            return ""
        if self._concerns_other_office(call, requested):
            return OTHER_OFFICE
        try:
            limits = self._get_limits()
        except SettingsAltered:
            if code is Operation.SUSPEND:
                return ""
            raise
        # Two concurrent requests could otherwise each stay within the limit.
        lock_counters(self.env.cr, self._table, call.actor)
        exceeded = find_exceeded(requested, self._fetch_done(call, now), limits)
        if exceeded:
            self._raise_alarm(call, exceeded)
        return "" if code is Operation.SUSPEND else exceeded

    @api.model
    def _concerns_other_office(
        self, call: CallContext, requested: list[RequestedAct]
    ) -> bool:
        """Return whether a person in ``requested`` belongs to another office.

        Raises SettingsAltered and SealBroken.
        """
        offices = self.env["spar.office"]
        user_id = call.actor.partition(":")[2]
        own = offices._find_for_user(self.env["res.users"].browse(int(user_id or 0)))
        if not own and not offices.sudo().search_count([], limit=1):
            return False
        offices._check_settings()
        ids = [one.subject_id for one in requested if one.subject_id]
        if find_misplaced(self.env.cr, self.env["spar.keyring"]._open(), ids):
            raise SealBroken("a person's office differs from their history")
        query = SQL(
            """SELECT DISTINCT office_id FROM spar_office_person
                WHERE subject_id = ANY(%s) AND office_id IS NOT NULL""",
            ids,
        )
        there = {office_id for (office_id,) in self.env.execute_query(query)}
        return bool(own) and bool(there - set(own.ids))

    @api.model
    def _get_limits(self) -> StaffLimits:
        get_limit = self.env["spar.limit"]._get_number
        return StaffLimits(
            get_limit("officer_changes"),
            get_limit("officer_people_to_provider"),
            get_limit("officer_people_to_account"),
        )

    @api.model
    def _fetch_done(self, call: CallContext, now: datetime) -> list[RecentAct]:
        rows = self.env.execute_query(
            SQL(
                """SELECT subject_id, provider_id, account_commitment
                     FROM spar_staff_act WHERE actor = %s AND done_at > %s""",
                call.actor,
                now - DAY,
            )
        )
        return [
            RecentAct(subject, provider, bytes(account or b""))
            for subject, provider, account in rows
        ]

    @api.model
    def _raise_alarm(self, call: CallContext, exceeded: str) -> None:
        """Alert a supervisor to the user, whatever becomes of the transaction."""
        user = call.actor.partition(":")[2]
        self.env["spar.alarm"]._raise_alarms(
            [
                (
                    "res_users",
                    int(user) if user.isdecimal() else 0,
                    f"limit of 24 hours is reached: {exceeded}",
                )
            ]
        )

    @api.model
    def _commit_account(self, keyring, key: str) -> bytes:
        """Return the commitment to an account, whatever its branch and leading zeros.

        Otherwise each branch would be another account, with a limit of its own.
        """
        account = get_account(key)
        return commit_to(keyring, f"account of an officer's change: {account}")

    @api.model
    def _record_changes(
        self,
        call: CallContext,
        code: Operation,
        requested: list[RequestedAct],
        results: list[Result],
        subjects: dict[str, int],
        now: datetime,
    ) -> None:
        """Record what was done of ``requested``, for the limits and the list.

        :param subjects: the subjects by canonical ID
        """
        rows = [
            (
                call.actor,
                now,
                code.value,
                result.outcome is Outcome.HELD,
                subjects[one.canonical],
                one.provider_id,
                one.account or None,
            )
            for one, result in zip(requested, results, strict=True)
            if result.outcome in _CHANGED and one.canonical in subjects
        ]
        self._insert(rows)

    @api.model
    def _record_objection(self, call: CallContext, subject) -> str:
        """Record that an officer locks a person's changes by a complaint.

        It counts as a change: it holds up the person, the officers and the portal until
        a supervisor has decided. Return the daily limit that it would exceed, which
        records nothing, or "".
        """
        now = self.env["spar.mapper.local"]._get_now()
        act = RequestedAct("", subject.id, None, b"")
        exceeded = self._find_exceeded(call, OBJECT, [act], now)
        if not exceeded and call.channel == CHANNEL:
            self._insert([(call.actor, now, OBJECT, False, subject.id, None, None)])
        return exceeded

    @api.model
    def _insert(self, rows: list[tuple]) -> None:
        if rows:
            self.env.cr.execute_values(
                """INSERT INTO spar_staff_act
                          (actor, done_at, operation, is_waiting, subject_id,
                           provider_id, account_commitment) VALUES %s""",
                rows,
            )
            self.invalidate_model()
