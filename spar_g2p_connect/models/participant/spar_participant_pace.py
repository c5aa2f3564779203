from odoo import api, fields, models
from odoo.modules import module
from odoo.tools import SQL, config

from ...exceptions import PaceReached
from ...lib.caller import Caller
from ...lib.lots import Lot, Need
from ...lib.pace import Pace


def get_worker_count() -> int:
    """Return how many processes of this host count calls in lots.

    It is 0 in a test, where lots would outlive the rollback.
    """
    return 0 if module.current_test else max(1, config["workers"])


class SparParticipantPace(models.Model):
    """The rest of a participant's calls and items of a minute: see ``lib/pace``.

    It is stored in the database because every worker on every host counts in it; the
    database's clock decides.
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

    _participant_uniq = models.UniqueIndex(
        "(participant_id)", "Each participant has one pace."
    )

    @api.model
    def _get_need(self, caller: Caller, items: int) -> Need:
        """Return what a call with ``items`` needs."""
        return Need((caller.calls_per_minute, caller.items_per_minute), (1, items))

    @api.model
    def _take_lot(self, caller: Caller, need: Need, old: Lot | None) -> Lot:
        """Return a lot that already counts this call, in place of the ``old`` one.

        It takes only what is needed where a whole lot is not available; raises
        PaceReached where even that is not. A call for more items than the bucket can
        hold is admitted with a full bucket.
        """
        if not any(need.limits):
            return Lot.take(need, need.amounts)
        back = old.left if old else (0, 0)
        for taken in need.get_lots(get_worker_count()):
            if self._take(caller, taken, back):
                return Lot.take(need, taken)
        raise PaceReached(self._get_pace(caller, back).get_seconds(need.amounts[1]))

    @api.model
    def _charge_call(self, caller: Caller) -> None:
        """Take a call without items; raises PaceReached where none is left."""
        has_limit = caller.calls_per_minute or caller.items_per_minute
        if has_limit and not self._take(caller, (1, 0), (0, 0)):
            raise PaceReached(self._get_pace(caller).get_seconds(0))

    @api.model
    def _take(
        self, caller: Caller, taken: tuple[int, ...], back: tuple[int, ...]
    ) -> bool:
        """Put ``back`` calls and items and take others.

        Returns False where they are not available. A full bucket holds no more,
        whatever is put back.
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
        """Take ``items`` more for an admitted call, which may leave a debt."""
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
        """Return the current content of the buckets, including what is put ``back``.

        A participant that has not called yet has full ones.
        """
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
    """Return the terms of the statements.

    These are the present time, and the content of the buckets then, including what is
    put ``back``.
    """
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
