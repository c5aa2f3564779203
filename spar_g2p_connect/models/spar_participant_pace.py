from odoo import api, fields, models
from odoo.modules import module
from odoo.tools import SQL, config

from ..exceptions import PaceReached
from ..lib.caller import Caller
from ..lib.lots import Lot, Need
from ..lib.pace import Pace


def get_workers() -> int:
    """How many processes of this host count calls in lots at the same time; 0 in a
    test: lots would outlive what it rolls back."""
    return 0 if module.current_test else max(1, config["workers"])


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
    def _get_need(self, caller: Caller, items: int) -> Need:
        """What a call with ``items`` needs."""
        return Need((caller.calls_per_minute, caller.items_per_minute), (1, items))

    @api.model
    def _take_lot(self, caller: Caller, need: Need, old: Lot | None) -> Lot:
        """A lot in which a call is counted already, in place of the ``old`` one.

        Takes just what is needed where more is not there; raises PaceReached where not
        even that is. Who asks for more items than there can ever be is let in with a
        full bucket.
        """
        if not any(need.limits):
            return Lot.take(need, need.amounts)
        back = old.left if old else (0, 0)
        for taken in need.get_lots(get_workers()):
            if self._exchange(caller, taken, back):
                return Lot.take(need, taken)
        raise PaceReached(self._get_pace(caller, back).get_seconds(need.amounts[1]))

    @api.model
    def _charge_call(self, caller: Caller) -> None:
        """Take a call without items; raises PaceReached where it is not there."""
        has_limit = caller.calls_per_minute or caller.items_per_minute
        if has_limit and not self._exchange(caller, (1, 0), (0, 0)):
            raise PaceReached(self._get_pace(caller).get_seconds(0))

    @api.model
    def _exchange(
        self, caller: Caller, taken: tuple[int, ...], back: tuple[int, ...]
    ) -> bool:
        """Put ``back`` calls and items and take others; False where they are not there.

        A bucket that is full holds no more, whatever is put back.
        """
        calls, items = taken
        rows = self.env.execute_query(
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
                calls=calls if caller.calls_per_minute else 0,
                items=items if caller.items_per_minute else 0,
                **_get_terms(caller, back),
            )
        )
        return bool(rows)

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
    def _get_pace(self, caller: Caller, back: tuple[int, ...] = (0, 0)) -> Pace:
        """What is in the buckets now, with what is put ``back``: full ones for who has
        not called yet."""
        limits = (caller.calls_per_minute, caller.items_per_minute)
        rows = self.env.execute_query(
            SQL(
                """SELECT %(calls_now)s, %(items_now)s
                     FROM spar_participant_pace AS pace
                    WHERE participant_id = %(participant)s""",
                participant=caller.participant_id,
                **_get_terms(caller, back),
            )
        )
        return Pace(*(map(float, rows[0]) if rows else limits), *limits)


def _get_terms(caller: Caller, back: tuple[int, ...]) -> dict:
    """The terms of the statements: the present, and how full the buckets are then with
    what is put ``back``."""
    now = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")
    limits = {"calls": caller.calls_per_minute, "items": caller.items_per_minute}
    terms = {f"{name}_max": limit for name, limit in limits.items()}
    filled = {
        f"{name}_now": SQL(
            "LEAST(%(limit)s, pace.%(name)s + %(back)s + %(limit)s / 60.0"
            " * GREATEST(0, extract(epoch FROM %(now)s - pace.at)::float8))",
            limit=limit,
            name=SQL.identifier(name),
            back=given,
            now=now,
        )
        if limit
        else SQL("0")
        for (name, limit), given in zip(limits.items(), back, strict=True)
    }
    return {"now": now, **terms, **filled}
