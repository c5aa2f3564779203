from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..exceptions import DailyLimitReached
from ..lib.caller import Caller
from ..lib.pace import UNKNOWN_COST


class SparParticipantUsage(models.Model):
    """What a participant asked for on one day (UTC), in items.

    Counted in a transaction of its own: a resolve writes nothing in the one it reads
    in, and what was asked is counted even where the answer was an error.
    """

    _name = "spar.participant.usage"
    _description = "Use by a participant"
    _order = "day desc, participant_id"
    _rec_name = "day"
    _log_access = False

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="cascade"
    )
    day = fields.Date(required=True, readonly=True)
    items = fields.Integer(required=True, readonly=True)
    link_items = fields.Integer(string="Link", readonly=True)
    update_items = fields.Integer(string="Update", readonly=True)
    unlink_items = fields.Integer(string="Unlink", readonly=True)
    resolve_items = fields.Integer(string="Resolve", readonly=True)
    not_found = fields.Integer(readonly=True)
    refused = fields.Integer(
        string="Refused messages", readonly=True, help="Answered with an error."
    )

    _day_uniq = models.UniqueIndex("(participant_id, day)", "A day is counted once.")

    @api.model
    def _count(self, caller: Caller, operation: Operation | None, items: int) -> None:
        """Count a call with ``items``.

        Raises PaceReached or DailyLimitReached, and then counts nothing. One statement
        each: calls at the same time cannot pass a limit together.
        """
        with self._apart() as usage:
            self.env["spar.participant.pace"].with_env(usage.env)._charge(caller, items)
            if operation and items:
                usage._count_items(caller, operation, items)

    def _count_items(self, caller: Caller, operation: Operation, items: int) -> None:
        now = datetime.now(timezone.utc)
        query = SQL(
            """INSERT INTO spar_participant_usage AS used
                      (participant_id, day, items, %(column)s)
               SELECT %(participant)s, %(day)s, %(items)s, %(items)s
                WHERE %(limit)s = 0 OR %(items)s <= %(limit)s
                   ON CONFLICT (participant_id, day) DO UPDATE
                  SET items = used.items + %(items)s,
                      %(column)s = COALESCE(used.%(column)s, 0) + %(items)s
                WHERE %(limit)s = 0 OR used.items + %(items)s <= %(limit)s
            RETURNING id""",
            column=SQL.identifier(f"{operation.value}_items"),
            participant=caller.participant_id,
            day=now.date(),
            items=items,
            limit=caller.daily_limit,
        )
        if not self.env.execute_query(query):
            raise DailyLimitReached(_get_seconds_left(now))

    @api.model
    def _count_not_found(self, caller: Caller, items: int) -> None:
        """Count ``items`` of a call for which there was nothing; they cost more."""
        with self._apart() as usage:
            pace = self.env["spar.participant.pace"].with_env(usage.env)
            pace._charge_more(caller, items * (UNKNOWN_COST - 1))
            usage._add(caller.participant_id, "not_found", items)

    def _add(self, participant_id: int, column: str, number: int) -> None:
        """Add ``number`` to a counter of today."""
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
    def _get_left(self, caller: Caller) -> dict[str, int]:
        """What is left of each limit, never less than nothing."""
        rows = self.env.execute_query(
            SQL(
                """SELECT items FROM spar_participant_usage
                    WHERE participant_id = %s AND day = %s""",
                caller.participant_id,
                datetime.now(timezone.utc).date(),
            )
        )
        used = rows[0][0] if rows else 0
        pace = self.env["spar.participant.pace"]._get_pace(caller)
        return {
            "calls_a_minute": max(0, int(pace.calls)),
            "items_a_minute": max(0, int(pace.items)),
            "items_a_day": max(0, caller.daily_limit - used),
        }

    @api.model
    def _apart(self):
        """This model in a short transaction of its own."""
        return _Apart(self)


class _Apart:
    """A transaction beside the request's, which a refusal of the request leaves."""

    def __init__(self, model: models.Model):
        self._model = model

    def __enter__(self) -> models.Model:
        self._cursor = self._model.env.registry.cursor()
        cr = self._cursor.__enter__()
        use_read_committed(cr)
        # Losing a few counts in a crash is better than a disk's wait in every call.
        cr.execute("SET LOCAL synchronous_commit TO off")
        return self._model.with_env(self._model.env(cr=cr))

    def __exit__(self, *exc) -> None:
        return self._cursor.__exit__(*exc)


def _get_seconds_left(now: datetime) -> int:
    """Seconds from ``now`` to the next midnight (UTC), at least one."""
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    return max(1, int((midnight - now).total_seconds()))
