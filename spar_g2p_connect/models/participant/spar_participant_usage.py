import threading
from collections import Counter
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ...exceptions import DailyLimitReached
from ...lib.caller import Caller
from ...lib.lots import Lot, Need
from ...lib.pace import UNKNOWN_COST
from .spar_participant_pace import get_worker_count

#: The lots of this process, by database and participant, and then by model.
_LOTS: dict[tuple[str, int], dict[str, Lot]] = {}
#: Where requests are threads of one process, they count one after the other.
_LOCK = threading.Lock()


class SparParticipantUsage(models.Model):
    """A participant's usage on one day (UTC), in items.

    It is counted in a transaction of its own: a resolve writes nothing in the
    transaction that it reads in, and requests are counted even where the answer was an
    error.
    """

    _name = "spar.participant.usage"
    _description = "Usage by a participant"
    _order = "day desc, participant_id"
    _rec_name = "day"
    _log_access = False

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="cascade"
    )
    day = fields.Date(required=True, readonly=True)
    items = fields.Integer(required=True, readonly=True)
    taken_items = fields.Integer(
        string="Taken items",
        readonly=True,
        help="Items that were requested or that processes reserved in advance.",
    )
    link_items = fields.Integer(string="Link", readonly=True)
    update_items = fields.Integer(string="Update", readonly=True)
    unlink_items = fields.Integer(string="Unlink", readonly=True)
    resolve_items = fields.Integer(string="Resolve", readonly=True)
    other_items = fields.Integer(
        string="Other", readonly=True, help="Items beyond G2P Connect, of another SPAR."
    )
    not_found = fields.Integer(string="Not found", readonly=True)
    refused = fields.Integer(
        string="Refused messages",
        readonly=True,
        help="Messages answered with an error.",
    )

    _day_uniq = models.UniqueIndex("(participant_id, day)", "A day is counted once.")

    @api.model
    def _count(self, caller: Caller, operation: Operation | None, items: int) -> None:
        """Count a call with ``items`` of ``operation``; see ``_count_in``."""
        self._count_in(caller, f"{operation.value}_items" if operation else "", items)

    @api.model
    def _get_extension_column(self, name: str) -> str:
        """Return the column of an operation of another SPAR."""
        column = f"{name}_items"
        return column if column in self._fields else "other_items"

    @api.model
    def _count_in(self, caller: Caller, column: str, items: int) -> None:
        """Count a call with ``items`` in ``column``, "" for none of the day's.

        Raises PaceReached or DailyLimitReached, and then counts nothing. Most calls are
        counted in lots that this process has taken (see ``lib/lots``), without a query.
        A lot is taken by one statement for each model, so that concurrent calls cannot
        exceed a limit together. The day's record lags by what was counted since the
        process last wrote it.
        """
        needs = {"spar.participant.pace": self._get_pace_need(caller, items)}
        if column and items:
            needs[self._name] = self._get_need(caller, items, column)
        with _LOCK:
            self._count_needs(caller, needs, self._get_lots(caller))

    def _count_needs(self, caller: Caller, needs: dict[str, Need], lots: dict) -> None:
        """Count a call in ``lots``, by model, taking those that do not cover it."""
        covered = [
            name for name in needs if name in lots and lots[name].covers(needs[name])
        ]
        missing, taken = [name for name in needs if name not in covered], {}
        if missing:
            with self._own_transaction() as usage:
                for name in missing:
                    model = usage.env[name]
                    taken[name] = model._take_lot(caller, needs[name], lots.get(name))
        for name in covered:
            lots[name].use(needs[name])
        lots.update(taken)

    @api.model
    def _get_lots(self, caller: Caller) -> dict[str, Lot]:
        """Return the lots of this process, by model."""
        if not get_worker_count():
            return {}
        return _LOTS.setdefault((self.env.cr.dbname, caller.participant_id), {})

    @api.model
    def _get_pace_need(self, caller: Caller, items: int) -> Need:
        return self.env["spar.participant.pace"]._get_need(caller, items)

    @api.model
    def _get_need(self, caller: Caller, items: int, column: str = "") -> Need:
        """Return what this number of items needs today, counted in ``column``."""
        day = datetime.now(timezone.utc).date()
        return Need((caller.daily_limit,), (items,), day, column)

    @api.model
    def _take_lot(self, caller: Caller, need: Need, old: Lot | None) -> Lot:
        """Return a lot that already counts these items, in place of the ``old`` one.

        What the old one counted and has not yet written is written. The new one takes
        only what is needed where a whole lot is not available; raises DailyLimitReached
        where even that is not.
        """
        participant_id = caller.participant_id
        counted, back = Counter({need.kind: need.amounts[0]}), 0
        if old and old.day == need.day:
            counted += old.unwritten
            # Where there was no limit, nothing was taken in advance.
            back = old.left[0] if old.limits[0] else -sum(old.unwritten.values())
        elif old and old.unwritten:
            self._add_items(participant_id, Need((0,), (0,), old.day), old.unwritten, 0)
        for taken in need.get_lots(get_worker_count()):
            if self._add_items(participant_id, need, counted, taken[0] - back):
                return Lot.take(need, taken)
        raise DailyLimitReached(_get_seconds_left(datetime.now(timezone.utc)))

    def _add_items(
        self, participant_id: int, need: Need, counted: Counter, taken: int
    ) -> bool:
        """Write what was counted, by column, and take ``taken`` of the limit.

        Returns False where that much is not left.
        """
        query = SQL(
            """INSERT INTO spar_participant_usage AS used
                      (participant_id, day, items, taken_items, %(columns)s)
               SELECT %(participant)s, %(day)s, %(items)s, %(taken)s, %(numbers)s
                WHERE %(limit)s = 0 OR %(taken)s <= %(limit)s
                   ON CONFLICT (participant_id, day) DO UPDATE
                  SET items = used.items + %(items)s,
                      taken_items = COALESCE(used.taken_items, used.items) + %(taken)s,
                      %(sums)s
                WHERE %(limit)s = 0
                   OR COALESCE(used.taken_items, used.items) + %(taken)s <= %(limit)s
            RETURNING id""",
            participant=participant_id,
            day=need.day,
            items=sum(counted.values()),
            taken=taken,
            limit=need.limits[0],
            **_get_column_terms(counted),
        )
        return bool(self.env.execute_query(query))

    @api.model
    def _count_not_found(self, caller: Caller, items: int) -> None:
        """Count ``items`` of a call that were not found; they cost more."""
        pace_lot = self._get_lots(caller).get("spar.participant.pace")
        if pace_lot:
            pace_lot.end()  # the next call checks the shared counter at once
        with self._own_transaction() as usage:
            pace = self.env["spar.participant.pace"].with_env(usage.env)
            pace._charge_more(caller, items * (UNKNOWN_COST - 1))
            usage._add(caller.participant_id, "not_found", items)

    def _add(self, participant_id: int, column: str, number: int) -> None:
        """Add ``number`` to one of today's counters."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_participant_usage AS used
                          (participant_id, day, items, %(column)s)
                   VALUES (%(participant)s, %(day)s, 0, %(number)s)
                       ON CONFLICT (participant_id, day) DO UPDATE
                      SET %(column)s = COALESCE(used.%(column)s, 0) + %(number)s""",
                column=SQL.identifier(column),
                participant=participant_id,
                day=datetime.now(timezone.utc).date(),
                number=number,
            )
        )

    @api.model
    def _get_remaining(self, caller: Caller) -> dict[str, int]:
        """Return what is left of each limit, never less than zero.

        Each other process may have one more lot of it.
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT COALESCE(taken_items, items) FROM spar_participant_usage
                    WHERE participant_id = %s AND day = %s""",
                caller.participant_id,
                datetime.now(timezone.utc).date(),
            )
        )
        used = rows[0][0] if rows else 0
        (calls, items), (of_today,) = self._get_remaining_of_lots(caller)
        pace = self.env["spar.participant.pace"]._get_pace(caller, (calls, items))
        return {
            "calls_a_minute": max(0, int(pace.calls)),
            "items_a_minute": max(0, int(pace.items)),
            "items_a_day": max(0, caller.daily_limit - used + of_today),
        }

    @api.model
    def _get_remaining_of_lots(self, caller: Caller) -> tuple[tuple[int, ...], ...]:
        """Return what is left of this process's lots: per minute, and for today."""
        lots = self._get_lots(caller)
        pace, today = lots.get("spar.participant.pace"), lots.get(self._name)
        is_todays = today and today.day == self._get_need(caller, 0).day
        return pace.left if pace else (0, 0), today.left if is_todays else (0,)

    @api.model
    def _own_transaction(self):
        """Return this model in a short transaction of its own."""
        return _OwnTransaction(self)


class _OwnTransaction:
    """A transaction beside the request's, which survives a refusal of the request."""

    def __init__(self, model: models.Model):
        self._model = model

    def __enter__(self) -> models.Model:
        self._cursor = self._model.env.registry.cursor()
        cr = self._cursor.__enter__()
        use_read_committed(cr)
        # Losing a few counts in a crash is better than a disk write in every call.
        cr.execute("SET LOCAL synchronous_commit TO off")
        return self._model.with_env(self._model.env(cr=cr))

    def __exit__(self, *exc) -> None:
        return self._cursor.__exit__(*exc)


def _get_column_terms(counted: Counter) -> dict[str, SQL]:
    """Return the terms of a statement that adds what was counted to its columns."""
    columns = [SQL.identifier(name) for name in counted]
    numbers = [SQL("%s", number) for number in counted.values()]
    sums = (
        SQL("%(column)s = COALESCE(used.%(column)s, 0) + %(n)s", column=column, n=n)
        for column, n in zip(columns, numbers, strict=True)
    )
    return {
        "columns": SQL(", ").join(columns),
        "numbers": SQL(", ").join(numbers),
        "sums": SQL(", ").join(sums),
    }


def _get_seconds_left(now: datetime) -> int:
    """Return the seconds from ``now`` to the next midnight (UTC), at least one."""
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    return max(1, int((midnight - now).total_seconds()))
