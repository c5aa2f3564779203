import logging
import time
import traceback
from datetime import timedelta
from typing import NamedTuple

from psycopg2.errors import LockNotAvailable

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    RequestHeader,
    get_callback_action,
)
from odoo.addons.spar_mapper_connector.lib.waiting import TURN, TimeLimits
from odoo.addons.spar_mapper_connector.transactions import (
    STOPPED,
    is_passing,
    limit_transaction,
    use_read_committed,
)

from ..const import SERVICE_USER
from ..lib.exchange import ASYNC, Exchange
from ..lib.lanes import get_number
from ..lib.pauses import get_pause
from .spar_message_store import Kept

_logger = logging.getLogger(__name__)

#: One scheduled action each: as many participants are served at the same time.
LANES = ("ir_cron_messages_1", "ir_cron_messages_2")

#: How many turns of a message may fail, by an error of ours or because its worker was
#: killed, before the queue goes on without it.
MOST_ATTEMPTS = 8

#: A message that met a lock gets its next turn after this pause, and then waits no
#: longer than this for the lock: it only checks whether it has been released.
_LOCK_PAUSE = timedelta(seconds=1)
_LOOK = TimeLimits(min(0.25, TURN.lock_seconds), TURN.statement_seconds)
#: A worker stays for messages whose turn comes within this time.
_SOON = timedelta(seconds=3)
_STAY_SECONDS = 0.3


class Waiting(NamedTuple):
    """A message whose turn has come."""

    row_id: int
    uuid: str
    message_id: str
    action: str
    correlation_id: str
    callback: str
    attempts: int
    has_waited: bool
    sealed_request: bytes


class SparMessage(models.Model):
    """The workers that process waiting messages.

    A worker takes a participant by locking its row, which no other worker waits for,
    processes the first of its messages, and commits effect, answer and callback
    together. A worker that is killed leaves the message as it was, at the head of its
    participant's queue; each turn is recorded before it begins, so that a message is
    not started for ever.
    """

    _inherit = "spar.message"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _wake_lanes(self, names: tuple[str, ...] = LANES) -> None:
        """Wake the workers at once, when this transaction has committed."""
        for name in names:
            cron_sudo = self.env.ref(f"spar_g2p_connect.{name}").sudo()
            cron_sudo._trigger()

    @api.model
    def _cron_answer(self) -> None:
        """Process waiting messages, one of each participant in turn.

        One message is one transaction. The job ends when nothing is left or the time is
        over.
        """
        lane, cron, last, left = self._get_lane(), self.env["ir.cron"], 0, 1.0
        while left > 0:
            last, done = lane._work(last)
            if not last and not lane._may_stay():
                break
            left = cron._commit_progress(done, remaining=1)
        cron._commit_progress(0, remaining=0)
        if lane._is_due(_SOON):
            # Otherwise Odoo would wake them only after a minute. Only the first worker
            # stays.
            self._wake_lanes(LANES[:1] if left > 0 else LANES)
            cron._commit_progress(0, remaining=0)

    @api.model
    def _work(self, last: int) -> tuple[int, int]:
        """Process one message of the participant after ``last``.

        Returns the participant's ID, 0 for none, and how many messages were processed.
        """
        use_read_committed(self.env.cr)
        participant_id = done = 0
        try:
            participant_id = self._lock_participant(last)
            done = self._answer_next(participant_id) if participant_id else 0
        except Exception as error:
            if not is_passing(error):
                raise
            # Even the record of the turn is locked: the next participant gets its turn.
            use_read_committed(self.env.cr)
        return participant_id, done

    @api.model
    def _may_stay(self) -> bool:
        """Wait a moment where a message only waits for a lock.

        Returns False where there is nothing to wait for. Only the first worker waits,
        which leaves the other workers to other jobs.
        """
        is_first = get_number(self.env, LANES) == 1
        if not is_first or not self._is_due(_SOON):
            return False
        self.env.cr.commit()  # pylint: disable=invalid-commit
        time.sleep(_STAY_SECONDS)
        return True

    @api.model
    def _is_due(self, within: timedelta) -> bool:
        """Return whether the turn of a message comes within this time."""
        try:
            return bool(self.env.execute_query(_select_due(within)))
        except Exception as error:
            if not is_passing(error):
                raise
            use_read_committed(self.env.cr)
            return True

    @api.model
    def _get_lane(self):
        """Return this model as the service user, who calls the mapper."""
        return self.with_user(self.env.ref(SERVICE_USER))

    @api.model
    def _lock_participant(self, after_id: int) -> int:
        """Lock the next participant whose first waiting message is due.

        The search begins after ``after_id`` and wraps around; participants locked by
        another worker are skipped. Returns 0 for none.
        """
        rows = self.env.execute_query(
            SQL(
                """%s ORDER BY p.id <= %s, p.id
                    LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED""",
                _select_due(timedelta()),
                after_id,
            )
        )
        return rows[0][0] if rows else 0

    @api.model
    def _answer_next(self, participant_id: int) -> int:
        """Process the first waiting message of a locked participant.

        Returns 1, or 0 where another worker processed it just before the lock.
        """
        waiting = self._get_next(participant_id)
        if waiting is None:
            return 0
        limits = _LOOK if waiting.has_waited else TURN
        limit_transaction(self.env.cr, limits)
        self._begin_turn(waiting, limits)
        try:
            if waiting.attempts >= MOST_ATTEMPTS:
                self._give_up(participant_id, waiting)
            else:
                self._answer_waiting(participant_id, waiting)
        except Exception as error:
            self._postpone(participant_id, waiting, error)
        return 1

    @api.model
    def _begin_turn(self, waiting: Waiting, limits: TimeLimits) -> None:
        """Record that a turn of this message begins, in a transaction of its own.

        A worker that is killed during the turn could no longer record it. It also
        counts as progress of the scheduled action: if several workers are killed one
        after the other and Odoo sees no progress, it makes all messages wait for a
        minute.
        """
        progress_id = self.env.context.get("ir_cron_progress_id")
        with self.env.registry.cursor() as cr:
            use_read_committed(cr)
            limit_transaction(cr, limits)
            cr.execute(
                """SET LOCAL synchronous_commit TO off;
                   UPDATE ir_cron_progress SET done = done + 1 WHERE id = %s;
                   UPDATE spar_message SET attempts = attempts + 1 WHERE id = %s""",
                [progress_id, waiting.row_id],
            )

    @api.model
    def _get_next(self, participant_id: int) -> Waiting | None:
        rows = self.env.execute_query(
            SQL(
                """SELECT id, uuid, message_id, action, correlation_id,
                          callback, attempts, next_try IS NOT NULL, sealed_request
                     FROM spar_message
                    WHERE participant_id = %s AND state = 'waiting'
                    ORDER BY id LIMIT 1""",
                participant_id,
            )
        )
        return Waiting(*rows[0]) if rows else None

    @api.model
    def _answer_waiting(self, participant_id: int, waiting: Waiting) -> None:
        exchange = self._try_to_open(participant_id, waiting)
        if exchange is None:
            return self._end_unread(participant_id, waiting)
        server = self.env["spar.g2p.connect.server"]
        answer = server._answer_kept(exchange, waiting.correlation_id)
        return self._finish(participant_id, waiting, answer)

    @api.model
    def _open_exchange(self, participant_id: int, waiting: Waiting) -> Exchange:
        """Return the message as received, and what its sender is and may do now."""
        keyring = self.env["spar.keyring"]._open()
        document = self._unseal(keyring, waiting.uuid, waiting.sealed_request)
        participant = self.env["spar.participant"].browse(participant_id)
        may = participant._get_operations() if participant._may_call() else frozenset()
        caller = participant._build_caller(may)
        header = RequestHeader.from_wire(document, caller.profile)
        return Exchange(caller, waiting.action, header, document, ASYNC)

    @api.model
    def _finish(self, participant_id: int, waiting: Waiting, answer: dict) -> None:
        """Store the answer, and queue its callback."""
        kept = Kept(waiting.row_id, waiting.uuid, waiting.correlation_id)
        self._save_answer(kept, answer)
        self._keep_waiting(waiting.row_id, waiting.action, answer)
        callbacks = self.env["spar.callback"]
        action = get_callback_action(waiting.action)
        callbacks._queue(participant_id, waiting.row_id, waiting.callback, action)

    # === FAILURES === #

    @api.model
    def _postpone(
        self, participant_id: int, waiting: Waiting, error: Exception
    ) -> None:
        """Undo what was begun and retry later, or give up on a permanent failure.

        While something is unavailable or locked, no message is given up: they all wait.
        """
        use_read_committed(self.env.cr)
        _log_error(waiting, error)
        if is_passing(error):
            is_lock = isinstance(error, LockNotAvailable)
            pause = _LOCK_PAUSE if is_lock else get_pause(1)
            return self._try_later(waiting, pause, taken_back=1)
        attempts = waiting.attempts + 1
        if attempts < MOST_ATTEMPTS:
            return self._try_later(waiting, get_pause(attempts))
        if self._lock_again(participant_id):
            self._give_up(participant_id, waiting)
        return None

    @api.model
    def _try_later(
        self, waiting: Waiting, pause: timedelta, taken_back: int = 0
    ) -> None:
        """Schedule the next turn of this message after a pause.

        ``taken_back`` of the recorded turns do not count. Another worker may already
        have begun one.
        """
        self.env.cr.execute(
            SQL(
                """UPDATE spar_message SET attempts = greatest(attempts - %s, 0),
                          next_try = clock_timestamp() AT TIME ZONE 'UTC' + %s
                    WHERE id = %s AND state = 'waiting'""",
                taken_back,
                pause,
                waiting.row_id,
            )
        )

    @api.model
    def _lock_again(self, participant_id: int) -> bool:
        """Lock the participant again, whose lock the rollback released.

        Returns whether this worker has the lock.
        """
        query = SQL(
            """SELECT FROM spar_participant WHERE id = %s
                  FOR NO KEY UPDATE SKIP LOCKED""",
            participant_id,
        )
        return bool(self.env.execute_query(query))


def _select_due(within: timedelta) -> SQL:
    """Return the query for participants whose first waiting message is due.

    A message is due if its turn comes within this time.
    """
    return SQL(
        """SELECT p.id FROM spar_participant p
            WHERE (SELECT coalesce(m.next_try, m.received_at)
                     FROM spar_message m
                    WHERE m.participant_id = p.id AND m.state = 'waiting'
                    ORDER BY m.id LIMIT 1)
                  <= clock_timestamp() AT TIME ZONE 'UTC' + %s""",
        within,
    )


def _log_error(waiting: Waiting, error: Exception) -> None:
    """Log the error without its text, which may contain values."""
    name = type(error).__name__
    if is_passing(error):
        level = logging.INFO if isinstance(error, STOPPED) else logging.WARNING
        _logger.log(level, "message %s has to wait: %s", waiting.row_id, name)
        return
    frames = "".join(traceback.format_tb(error.__traceback__))
    _logger.warning("message %s: %s, at:\n%s", waiting.row_id, name, frames)
