from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..exceptions import DailyLimitReached
from ..lib.caller import Caller


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

    _day_uniq = models.UniqueIndex("(participant_id, day)", "A day is counted once.")

    @api.model
    def _count(self, caller: Caller, operation: Operation, items: int) -> None:
        """Count ``items`` of a call; raises DailyLimitReached, and then counts nothing.

        One statement: calls at the same time cannot pass the limit together.
        """
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
        if not self._run_apart(query):
            raise DailyLimitReached(_get_seconds_left(now))

    @api.model
    def _count_not_found(self, caller: Caller, items: int) -> None:
        """Count ``items`` of a call for which there was nothing."""
        self._run_apart(
            SQL(
                """UPDATE spar_participant_usage
                      SET not_found = COALESCE(not_found, 0) + %s
                    WHERE participant_id = %s AND day = %s RETURNING id""",
                items,
                caller.participant_id,
                datetime.now(timezone.utc).date(),
            )
        )

    @api.model
    def _run_apart(self, query: SQL) -> list[tuple]:
        """Run ``query`` in a short transaction of its own; gives its rows."""
        with self.env.registry.cursor() as cr:
            use_read_committed(cr)
            # Losing a few counts in a crash is better than a disk's wait in every call.
            cr.execute(SQL("SET LOCAL synchronous_commit TO off; %s", query))
            return cr.fetchall()


def _get_seconds_left(now: datetime) -> int:
    """Seconds from ``now`` to the next midnight (UTC), at least one."""
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    return max(1, int((midnight - now).total_seconds()))
