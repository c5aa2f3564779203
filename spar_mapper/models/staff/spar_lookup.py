from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple, NoReturn

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns
from odoo.addons.spar_mapper_connector.transactions import count_alone

from ...fields import StoreMany2one
from ...lib.secrets_in_text import has_number
from ...redirection import LookupReasonNeeded, Redirection

#: How long a lookup counts.
DAY = timedelta(days=1)
#: Within this time the same search is one lookup, because a list, its pages and its
#: groups each repeat the search.
_SAME = timedelta(minutes=10)
#: Within this time the searches of one user may cost no more than the set rate, unless
#: they give a reason.
_RATE_TIME = timedelta(hours=1)
#: The most characters of a reason.
_MAX_REASON = 200


class FoundPlace(NamedTuple):
    """A place that was found, and whose it is."""

    mapping_id: int
    subject_id: int


class SparLookup(models.Model):
    """A search for a person by an ID or an account, and whom it found.

    There is one row for each person found, or one row without a person; rows are never
    rewritten or removed. What was searched for is kept only as a keyed commitment.

    Each user has a budget for 24 hours (200). A search that finds a person costs 1, and
    one that finds no one costs 5, because a clerk with a card in hand seldom mistypes,
    whereas a guess nearly always misses: 200 people can be served in a day, or 40
    guesses made. A mask shows at most 4 characters and at most a quarter. For an
    account of 12 digits that ends in three known ones, 10^9 remain: at 40 guesses a
    day, 34,000 years for half of them. For an ID of 10 digits with two known, a birth
    date in six of them that is also known, and a check digit, 10 remain: that one is
    found on the first day, and the only defence against it is its row here, with a name
    and a time. Hence IDs that contain a birth date are no secret, and nothing here may
    rely on their being one.

    A question about the values of many people (``spar.question``) is counted as well,
    and costs what a guess costs.
    """

    _name = "spar.lookup"
    _description = "Lookup of a person"
    _inherit = ["spar.store.table", "spar.by.whom"]
    _rec_name = "kind"
    _order = "id desc"
    _log_access = False
    _refuses_delete = "lookups are not deleted"

    looked_at = fields.Datetime(string="Looked up at", required=True, readonly=True)
    kind = fields.Selection(
        selection=lambda self: self._selection_kind(),
        string="Search for",
        required=True,
        readonly=True,
    )
    # No foreign key: the row is written by a transaction of its own.
    subject_id = StoreMany2one("spar.subject", string="Person", readonly=True)
    cost = fields.Integer(readonly=True)
    reason = fields.Char(
        string="Why so many",
        readonly=True,
        help="Given by a user who searched more than usual within an hour.",
    )
    id_masked = fields.Char(string="Found")

    _actor_time = models.Index("(actor, looked_at)")
    _subject = models.Index("(subject_id) WHERE subject_id IS NOT NULL")

    @api.model
    def _selection_kind(self):
        return [
            ("id", self.env._("ID")),
            ("account", self.env._("Account")),
            ("id_account", self.env._("ID and account")),
            ("any", self.env._("ID, account or reference")),
            ("name", self.env._("Name")),
            ("reason", self.env._("Number in a reason")),
            ("evidence", self.env._("Stored document")),
            ("digits", self.env._("Digits of an account")),
            ("representative", self.env._("Guardian or collector")),
            ("witness", self.env._("Witnesses")),
            ("programme", self.env._("Address, by a programme")),
            ("rule", self.env._("Dry run of a rule for IDs")),
            ("directory", self.env._("Effect of a directory change")),
            ("move", self.env._("Count of people to move")),
        ]

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, ("commitment",))
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION spar_lookup_no_update() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'spar_lookup: lookups are not rewritten';
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER spar_lookup_no_update BEFORE UPDATE ON spar_lookup
                FOR EACH STATEMENT EXECUTE FUNCTION spar_lookup_no_update();
            """
        )
        return result

    # === SEARCHING === #

    @api.model
    def _search_counted(
        self,
        kind: str,
        text: str,
        find: Callable[[], list[FoundPlace]],
        guesses: int = 1,
        reason: str = "",
    ) -> list[FoundPlace]:
        """Perform one search, count it against the user's budget, and record it.

        This runs in a transaction of its own: it stays whatever the caller does
        afterwards, and a read-only request can be counted too. Repeating the same text
        costs nothing for 24 hours. Raises Redirection if the user's budget is
        exhausted, and LookupReasonNeeded above the set rate: in a search, Odoo takes a
        UserError for an operator that it should invert.

        :param guesses: how many values ``text`` tries at once
        :param reason: why the user searches more than usual; it counts until as many
            searches again, and alerts the supervisors
        """
        self._check_reason(reason)
        keyring = self.env["spar.mapping"]._open_for_search()
        commitment = self._commit(keyring, kind, text)
        with self._counting_alone() as lookups:
            spent, last = lookups._fetch_spent(commitment)
            is_over = last is None and spent >= self._get_limit("lookup_budget")
            is_fast = last is None and not is_over and lookups._is_too_fast()
            is_refused = is_over or (is_fast and not reason)
            found = [] if is_refused else find()
            if not is_refused:
                given = reason if is_fast else ""
                lookups._record(kind, commitment, found, guesses, last, given)
        if is_over:
            self._refuse()
        if is_fast:
            self._alert_to_rate(reason)
        return found

    @api.model
    @contextmanager
    def _counting_alone(self) -> Iterator[models.Model]:
        """Yield this model in a transaction of its own, one at a time for the user.

        What is recorded stays, whatever the caller does afterwards.
        """
        with self._open_cursor() as cr:
            count_alone(cr, self._table, self._get_actor())
            yield self.with_env(self.env(cr=cr))

    @api.model
    def _is_too_fast(self) -> bool:
        """Return whether the user's searches since their last reason reach the rate."""
        query = SQL(
            """WITH own AS (
                    SELECT cost, looked_at, reason FROM spar_lookup
                     WHERE actor = %s AND looked_at > %s)
               SELECT coalesce(sum(cost), 0) FROM own
                WHERE looked_at >= coalesce(
                      (SELECT max(looked_at) FROM own WHERE reason IS NOT NULL),
                      '-infinity')""",
            self._get_actor(),
            self._get_now() - _RATE_TIME,
        )
        ((spent,),) = self.env.execute_query(query)
        return spent >= self._get_limit("lookup_hourly")

    @api.model
    def _check_reason(self, reason: str) -> None:
        """Raise UserError for a reason that may contain an ID or an account."""
        if len(reason) > _MAX_REASON or has_number(reason):
            raise UserError(
                self.env._(
                    "Reason: enter at most %(max)s characters, without an ID or an "
                    "account number. The reason is stored unencrypted.",
                    max=_MAX_REASON,
                )
            )

    @api.model
    def _alert_to_rate(self, reason: str) -> None:
        """Alert a supervisor to a user who went on with a reason, or ask for one."""
        if reason:
            problem = "lookups: more than usual in an hour, with a reason"
            self.env["spar.alarm"]._raise_alarms([("res_users", self.env.uid, problem)])
            return
        raise LookupReasonNeeded(
            self.env._(
                "You have searched for many people in the last hour. Enter a reason "
                "under Find a person to go on. A supervisor will see it."
            ),
            self.env.ref("spar_mapper.spar_find_wizard_action").id,
            self.env._("Find a person"),
        )

    @api.model
    def _open_cursor(self):
        return self.env.registry.cursor()

    @api.model
    def _get_limit(self, name: str) -> int:
        return self.env["spar.limit"]._get_number(name)

    @api.model
    def _fetch_spent(self, commitment: bytes):
        """Return the user's spending in 24 hours, and their last search for this."""
        ((spent, last),) = self.env.execute_query(
            SQL(
                """SELECT coalesce(sum(cost), 0),
                          max(looked_at) FILTER (WHERE commitment = %s)
                     FROM spar_lookup WHERE actor = %s AND looked_at > %s""",
                commitment,
                self._get_actor(),
                self._get_now() - DAY,
            )
        )
        return spent, last

    @api.model
    def _record(self, kind, commitment, found, guesses, last, reason="") -> None:
        """Write a row for each person found; the first carries the search's cost."""
        now = self._get_now()
        if last is not None and last > now - _SAME:
            return
        cost = self._get_limit("lookup_hit_cost")
        if not found:
            cost = max(cost, self._get_limit("lookup_miss_cost"))
        # A result that was already paid for is shown again free of charge.
        cost = 0 if last is not None else cost * guesses
        subjects = list(dict.fromkeys(place.subject_id for place in found)) or [None]
        costs = [cost] + [0] * (len(subjects) - 1)
        reasons = [reason or None] + [None] * (len(subjects) - 1)
        self.env.cr.execute(
            """INSERT INTO spar_lookup
                      (actor, looked_at, kind, commitment, subject_id, cost, reason)
               SELECT %s, %s, %s, %s, subject, cost, reason
                 FROM unnest(%s::bigint[], %s::int[], %s::varchar[])
                   AS found (subject, cost, reason)""",
            (self._get_actor(), now, kind, commitment, subjects, costs, reasons),
        )

    @api.model
    def _charge_guess(self, kind: str, text: str, subject) -> None:
        """Charge the user's budget for a wrong guess about ``subject``.

        It stays whatever the caller does afterwards. It refuses nothing: a refusal
        would itself say that the guess was wrong.
        """
        keyring = self.env["spar.keyring"]._open()
        commitment = self._commit(keyring, kind, text)
        with self._open_cursor() as cr:
            cr.execute(
                """INSERT INTO spar_lookup
                          (actor, looked_at, kind, commitment, subject_id, cost)
                   VALUES (%s, %s, %s, %s, %s, %s)""",
                (
                    self._get_actor(),
                    self._get_now(),
                    kind,
                    commitment,
                    subject.id,
                    self._get_limit("lookup_miss_cost"),
                ),
            )

    @api.model
    def _record_look(self, id_value: str) -> bool:
        """Record that a programme's user looks up an ID; return whether they may.

        They may not see people of offices to which they do not belong, like all staff.
        There is one record for each ID and day. It costs nothing here: programmes have
        a budget of their own.
        """
        keyring = self.env["spar.keyring"]._open()
        commitment = self._commit(keyring, "programme", id_value)
        found = self.env["spar.mapping"].sudo()._find_by_ids([id_value])
        with self._counting_alone() as lookups:
            _spent, last = lookups._fetch_spent(commitment)
            if last is None:
                lookups._record("programme", commitment, found, 0, last)
        subjects_sudo = self.env["spar.subject"].sudo()
        subjects_sudo = subjects_sudo.browse({place.subject_id for place in found})
        reach = self.env.user._get_reach()
        return len(subjects_sudo.filtered_domain(reach)) == len(subjects_sudo)

    @api.model
    def _count_question(self, kind: str, text: str) -> None:
        """Count a question about the values of many people, at the cost of a miss.

        See ``spar.question``. This runs in a transaction of its own, as searches do;
        the same question is free for 24 hours. Raises UserError if the user's budget is
        exhausted.
        """
        keyring = self.env["spar.keyring"]._open()
        commitment = self._commit(keyring, kind, text)
        with self._counting_alone() as lookups:
            spent, last = lookups._fetch_spent(commitment)
            is_over = last is None and spent >= self._get_limit("lookup_budget")
            if not is_over:
                lookups._record(kind, commitment, [], 1, last)
        if is_over:
            self._alert_to_limit()
            raise UserError(
                self.env._(
                    "You have counted people, or tried rules on their IDs and "
                    "accounts, too often in the last 24 hours. Ask another "
                    "administrator to do this, or try again tomorrow."
                )
            )

    @api.model
    def _has_searched(self, user_id: int, kind: str, text: str, since) -> bool:
        """Return whether a user has searched for exactly this since then."""
        keyring = self.env["spar.keyring"]._open()
        query = SQL(
            """SELECT EXISTS (
                      SELECT FROM spar_lookup
                       WHERE actor = %s AND looked_at > %s AND commitment = %s)""",
            f"user:{user_id}",
            since,
            self._commit(keyring, kind, text),
        )
        return self.env.execute_query(query)[0][0]

    @api.model
    def _commit(self, keyring, kind: str, text: str) -> bytes:
        return keyring.mac("looked up", f"{kind} {text}".encode())

    @api.model
    def _get_now(self):
        return self.env["spar.mapper.local"]._get_now()

    @api.model
    def _alert_to_limit(self) -> None:
        problem = "lookups: the limit of 24 hours is reached"
        self.env["spar.alarm"]._raise_alarms([("res_users", self.env.uid, problem)])

    @api.model
    def _refuse(self) -> NoReturn:
        """Refuse a user whose budget is used up, and alert a supervisor."""
        self._alert_to_limit()
        raise Redirection(
            self.env._(
                "You have searched for too many IDs and accounts in the last 24 hours. "
                "Ask a supervisor or a colleague to find this person, or try again "
                "tomorrow."
            ),
            self.env.ref("spar_mapper.spar_mapping_action").id,
            self.env._("Back to the list"),
        )
