from odoo import api, fields, models
from odoo.tools import SQL

from ..exceptions import PaceReached
from ..lib.caller import Caller
from ..lib.pace import Pace


class SparParticipantPace(models.Model):
    """What is left of a participant's calls and items of a minute: see ``lib/pace``.

    In the database, since every worker on every host counts in it; its clock decides.
    """

    _name = "spar.participant.pace"
    _description = "Pace of a participant"
    _log_access = False

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="cascade"
    )
    calls = fields.Float(required=True, readonly=True)
    items = fields.Float(required=True, readonly=True)
    at = fields.Datetime(required=True, readonly=True)

    _participant_uniq = models.UniqueIndex("(participant_id)", "A pace is kept once.")

    @api.model
    def _charge(self, caller: Caller, items: int) -> None:
        """Take a call and ``items``; raises PaceReached where they are not there.

        Who asks for more items than there can ever be is let in with a full bucket.
        """
        if not (caller.calls_per_minute or caller.items_per_minute):
            return
        taken = self.env.execute_query(
            SQL(
                """INSERT INTO spar_participant_pace AS pace
                          (participant_id, calls, items, at)
                   VALUES (%(participant)s, %(calls_max)s - %(calls)s,
                           %(items_max)s - %(items)s, %(now)s)
                       ON CONFLICT (participant_id) DO UPDATE
                      SET calls = %(calls_now)s - %(calls)s,
                          items = %(items_now)s - %(items)s, at = %(now)s
                    WHERE %(calls_now)s >= %(calls)s
                      AND %(items_now)s >= LEAST(%(items)s, %(items_max)s)
                RETURNING id""",
                participant=caller.participant_id,
                calls=int(caller.calls_per_minute > 0),
                items=items if caller.items_per_minute else 0,
                **_get_terms(caller),
            )
        )
        if not taken:
            raise PaceReached(self._get_pace(caller).get_seconds(items))

    @api.model
    def _charge_more(self, caller: Caller, items: int) -> None:
        """Take ``items`` more for a call that was let in; a debt may be left."""
        if not caller.items_per_minute:
            return
        self.env.cr.execute(
            SQL(
                "UPDATE spar_participant_pace SET items = items - %s"
                " WHERE participant_id = %s",
                items,
                caller.participant_id,
            )
        )

    @api.model
    def _get_pace(self, caller: Caller) -> Pace:
        """What is in the buckets now: full ones for who has not called yet."""
        limits = (caller.calls_per_minute, caller.items_per_minute)
        rows = self.env.execute_query(
            SQL(
                """SELECT %(calls_now)s, %(items_now)s
                     FROM spar_participant_pace AS pace
                    WHERE participant_id = %(participant)s""",
                participant=caller.participant_id,
                **_get_terms(caller),
            )
        )
        return Pace(*(map(float, rows[0]) if rows else limits), *limits)


def _get_terms(caller: Caller) -> dict:
    """The terms of the statements: the present, and how full the buckets are then."""
    now = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")
    limits = {"calls": caller.calls_per_minute, "items": caller.items_per_minute}
    terms = {f"{name}_max": limit for name, limit in limits.items()}
    filled = {
        f"{name}_now": SQL(
            "LEAST(%(limit)s, pace.%(name)s + %(limit)s / 60.0"
            " * GREATEST(0, extract(epoch FROM %(now)s - pace.at)::float8))",
            limit=limit,
            name=SQL.identifier(name),
            now=now,
        )
        if limit
        else SQL("0")
        for name, limit in limits.items()
    }
    return {"now": now, **terms, **filled}
