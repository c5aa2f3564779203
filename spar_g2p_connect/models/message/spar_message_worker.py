import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from psycopg2.errors import LockNotAvailable

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import build_rejection
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import RejectedMessage
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

from ...const import SERVICE_USER
from ...lib.batch import Answered
from ...lib.bindings import WAITING, MessageBinding
from ...lib.error_texts import describe_error
from ...lib.exchange import ASYNC, Exchange
from ...lib.pauses import get_pause
from ...lib.workers import get_worker_number, wake_workers
from .spar_message import BOUND, DOES_NOT_OPEN, StoredMessage

_logger = logging.getLogger(__name__)

#: One scheduled action each: as many participants are served at the same time.
WORKERS = ("ir_cron_messages_1", "ir_cron_messages_2")

#: How many turns of a message may fail, by an error of ours or because its worker was
#: killed, before the queue goes on without it.
MAX_ATTEMPTS = 8

#: A message that met a lock gets its next turn after this pause, and then waits no
#: longer than this for the lock: it only checks whether it has been released.
_LOCK_PAUSE = timedelta(seconds=1)
_LOCK_LIMITS = TimeLimits(min(0.25, TURN.lock_seconds), TURN.statement_seconds)
#: A worker stays for messages whose turn comes within this time.
_SOON = timedelta(seconds=3)
_STAY_SECONDS = 0.3

#: For how long a message is left to the worker that calls mappers elsewhere for it. If
#: the worker was killed, another one takes the message after that.
_CLAIM = timedelta(minutes=5)

#: Why a message ends that cannot be processed, for its sender.
_UNREADABLE = (
    "can no longer be read here, and had no effect: send it under another message_id"
)
_ANSWERED = "was answered before: its stored row was altered, and it does not run again"
_FAILED = "could not be processed, and had no effect"
#: The code where no answer can be built.
_CODE = "err.service.unavailable"


class TurnLost(Exception):
    """Another worker has taken the message: this one took too long."""


class WaitingMessage(NamedTuple):
    """A message whose turn has come."""

    row_id: int
    attempts: int
    has_waited: bool
    was_answered: bool
    sealed_request: bytes | None
    binding: MessageBinding

    @property
    def message_id(self) -> str:
        return self.binding.message_id

    @property
    def action(self) -> str:
        return self.binding.action


class SparMessage(models.Model):
    """The workers that answer asynchronous messages.

    A worker takes a participant by locking its row, which no other worker waits for,
    processes the first of its messages, and commits effect, answer and callback
    together. A worker that is killed leaves the message as it was, at the head of its
    participant's queue; each turn is recorded before it begins, so that a message is
    not started for ever. A message that cannot be processed ends with a reason.

    While a worker calls mappers elsewhere it has no transaction and so no lock: it
    claims the message for a while, and takes it back afterwards.

    The steps, in this order: ``_cron_answer`` (one message of each participant in
    turn), ``_process_next`` (lock a participant), ``_answer_next`` (begin the turn),
    ``_answer_waiting`` (unseal, let the server answer), ``_finish`` (store the answer,
    queue its callback).
    """

    _inherit = "spar.message"

    @api.model
    def _wake_workers(self, names: tuple[str, ...] = WORKERS) -> None:
        wake_workers(self.env, names)

    @api.model
    def _cron_answer(self) -> None:
        """Process waiting messages, one of each participant in turn.

        One message is one transaction. The job ends when nothing is left or the time is
        over.
        """
        worker, cron = self._as_service_user(), self.env["ir.cron"]
        last, left = 0, 1.0
        while left > 0:
            last, done = worker._process_next(last)
            if not last and not worker._wait_for_lock():
                break
            left = cron._commit_progress(done, remaining=1)
        cron._commit_progress(0, remaining=0)
        if worker._is_due(_SOON):
            # Otherwise Odoo would wake them only after a minute. Only the first worker
            # stays.
            self._wake_workers(WORKERS[:1] if left > 0 else WORKERS)
            cron._commit_progress(0, remaining=0)

    @api.model
    def _process_next(self, last: int) -> tuple[int, int]:
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
    def _wait_for_lock(self) -> bool:
        """Wait a moment where a message only waits for a lock.

        Returns False where there is nothing to wait for. Only the first worker waits,
        which leaves the other workers to other jobs.
        """
        is_first = get_worker_number(self.env, WORKERS) == 1
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
    def _as_service_user(self):
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
        limits = _LOCK_LIMITS if waiting.has_waited else TURN
        limit_transaction(self.env.cr, limits)
        self._begin_turn(waiting, limits)
        try:
            if waiting.attempts >= MAX_ATTEMPTS:
                self._give_up(participant_id, waiting)
            else:
                self._answer_waiting(participant_id, waiting)
        except TurnLost:
            use_read_committed(self.env.cr)
        except Exception as error:
            self._postpone(participant_id, waiting, error)
        return 1

    @api.model
    def _begin_turn(self, waiting: WaitingMessage, limits: TimeLimits) -> None:
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
    def _get_next(self, participant_id: int) -> WaitingMessage | None:
        rows = self.env.execute_query(
            SQL(
                """SELECT id, attempts, next_try IS NOT NULL,
                          sealed_answer IS NOT NULL, sealed_request, %s
                     FROM spar_message m
                    WHERE participant_id = %s AND state = 'waiting'
                    ORDER BY id LIMIT 1""",
                BOUND,
                participant_id,
            )
        )
        if not rows:
            return None
        *values, sealed_request = rows[0][:5]
        binding = MessageBinding(*rows[0][5:])
        return WaitingMessage(*values, sealed_request, binding)

    @api.model
    def _answer_waiting(self, participant_id: int, waiting: WaitingMessage) -> None:
        exchange = self._try_to_open(participant_id, waiting)
        if exchange is None:
            return self._end_unreadable(participant_id, waiting)
        server = self.env["spar.g2p.connect.server"]
        answered = server._answer_queued(
            exchange,
            waiting.binding.correlation_id,
            partial(self._outside_turn, participant_id, waiting),
        )
        return self._finish(waiting, answered, exchange.transaction_id)

    @contextmanager
    def _outside_turn(
        self, participant_id: int, waiting: WaitingMessage
    ) -> Iterator[None]:
        """Claim the message, and end the transaction; take it back after the block.

        Raises TurnLost if another worker has taken it.
        """
        self._schedule_retry(waiting, _CLAIM)
        self.env.cr.commit()  # pylint: disable=invalid-commit
        yield
        use_read_committed(self.env.cr)
        limit_transaction(self.env.cr, TURN)
        rows = self.env.execute_query(
            SQL(
                """SELECT m.attempts FROM spar_participant p
                     JOIN spar_message m ON m.id = %s AND m.state = 'waiting'
                    WHERE p.id = %s FOR NO KEY UPDATE OF p""",
                waiting.row_id,
                participant_id,
            )
        )
        if rows != [(waiting.attempts + 1,)]:
            raise TurnLost()

    @api.model
    def _open_exchange(self, participant_id: int, waiting: WaitingMessage) -> Exchange:
        """Return the message as received, and what its sender is and may do now.

        Raises SealBroken where its row was altered, or has an answer.
        """
        if waiting.was_answered:
            raise SealBroken("a message that has an answer waits again")
        keyring = self.env["spar.keyring"]._open()
        context = waiting.binding.build_context(WAITING)
        document = self._unseal(keyring, context, waiting.sealed_request)
        participant = self.env["spar.participant"].browse(participant_id)
        caller = participant._build_caller()
        if not participant._may_call():
            caller = caller.limit(frozenset())
        header = RequestHeader.from_wire(document, caller.profile)
        return Exchange(caller, waiting.action, header, document, ASYNC)

    @api.model
    def _finish(
        self, waiting: WaitingMessage, answered: Answered, transaction_id: str = ""
    ) -> None:
        """Store the answer, and queue its callback."""
        stored = StoredMessage(waiting.row_id, waiting.binding)
        self._save_answer(stored, answered.document, transaction_id)
        self._store_waiting_ids(waiting.row_id, waiting.action, answered.document)
        self.env["spar.message.change"]._add(waiting.row_id, answered.waiting)
        callbacks = self.env["spar.callback"]
        action = get_callback_action(waiting.action)
        callbacks._queue(waiting.row_id, waiting.binding, action)

    # === FAILURES === #

    @api.model
    def _postpone(
        self, participant_id: int, waiting: WaitingMessage, error: Exception
    ) -> None:
        """Undo what was begun and retry later, or give up on a permanent failure.

        While something is unavailable or locked, no message is given up: they all wait.
        """
        use_read_committed(self.env.cr)
        _log_error(waiting, error)
        if is_passing(error):
            is_lock = isinstance(error, LockNotAvailable)
            pause = _LOCK_PAUSE if is_lock else get_pause(1)
            return self._schedule_retry(waiting, pause, uncounted=1)
        attempts = waiting.attempts + 1
        if attempts < MAX_ATTEMPTS:
            return self._schedule_retry(waiting, get_pause(attempts))
        if self._lock_again(participant_id):
            self._give_up(participant_id, waiting)
        return None

    @api.model
    def _schedule_retry(
        self, waiting: WaitingMessage, pause: timedelta, uncounted: int = 0
    ) -> None:
        """Schedule the next turn of this message after a pause.

        ``uncounted`` of the recorded turns do not count. Another worker may already
        have begun one.
        """
        self.env.cr.execute(
            SQL(
                """UPDATE spar_message SET attempts = greatest(attempts - %s, 0),
                          next_try = clock_timestamp() AT TIME ZONE 'UTC' + %s
                    WHERE id = %s AND state = 'waiting'""",
                uncounted,
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

    # === MESSAGES THAT CANNOT BE PROCESSED === #
    # They end with a reason, whatever is wrong with them, and so the messages behind
    # them are processed.

    @api.model
    def _try_to_open(
        self, participant_id: int, waiting: WaitingMessage
    ) -> Exchange | None:
        """Return the message as received, or None where the stored text is damaged.

        A retry would not help then. Errors caused by something unavailable are raised.
        """
        try:
            with self.env.cr.savepoint():
                return self._open_exchange(participant_id, waiting)
        except Exception as error:
            if is_passing(error):
                raise
            _log_end(waiting, error)
            if isinstance(error, SealBroken):
                problem = (self._table, waiting.row_id, DOES_NOT_OPEN)
                self.env["spar.alarm"]._raise_alarms([problem])
            return None

    @api.model
    def _give_up(self, participant_id: int, waiting: WaitingMessage) -> None:
        """Answer that the message had no effect, so that those behind it are processed.

        Where an earlier attempt at this answer was begun and never ended, the message
        is not opened again.
        """
        was_begun = waiting.attempts > MAX_ATTEMPTS
        exchange = None if was_begun else self._try_to_open(participant_id, waiting)
        if exchange is None:
            return self._end_unreadable(participant_id, waiting)

        def build() -> dict:
            refusal = RejectedMessage("", _FAILED)
            profile = exchange.caller.profile
            return build_rejection(exchange.header, exchange.action, profile, refusal)

        return self._finish_or_refuse(waiting, build, _FAILED, exchange.transaction_id)

    @api.model
    def _end_unreadable(self, participant_id: int, waiting: WaitingMessage) -> None:
        """Answer a message when only its row can still be read.

        A message that has an answer gets no other one: it had its effect.
        """
        if waiting.was_answered:
            reason = f"message {waiting.message_id} {_ANSWERED}"
            return self._end_without_answer(waiting, reason)
        reason = f"message {waiting.message_id} {_UNREADABLE}"

        def build() -> dict:
            participant = self.env["spar.participant"].browse(participant_id)
            header = RequestHeader(
                message_id=waiting.message_id,
                message_ts="",
                action=waiting.action,
                sender_id=participant.sender_id,
                total_count=0,
                receiver_id=participant._get_receiver_id(),
            )
            refusal = RejectedMessage("", reason)
            profile = participant._get_profile()
            return build_rejection(header, waiting.action, profile, refusal)

        return self._finish_or_refuse(waiting, build, reason)

    @api.model
    def _finish_or_refuse(
        self,
        waiting: WaitingMessage,
        build: Callable[[], dict],
        reason: str,
        transaction_id: str = "",
    ) -> None:
        """Finish the message with the answer that ``build`` returns.

        Where that fails too, it is finished without an answer.
        """
        try:
            with self.env.cr.savepoint():
                self._finish(waiting, Answered(build()), transaction_id)
        except Exception as error:
            if is_passing(error):
                raise
            _log_end(waiting, error)
            self._end_without_answer(waiting, reason)

    @api.model
    def _end_without_answer(self, waiting: WaitingMessage, reason: str) -> None:
        self.env.cr.execute(
            SQL(
                """UPDATE spar_message
                      SET state = 'refused', reason_code = %s, reason = %s,
                          next_try = NULL, sealed_request = NULL,
                          sealed_answer = NULL,
                          answered_at = clock_timestamp() AT TIME ZONE 'UTC'
                    WHERE id = %s AND state = 'waiting'""",
                _CODE,
                reason,
                waiting.row_id,
            )
        )


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


def _log_error(waiting: WaitingMessage, error: Exception) -> None:
    """Log the error of a message that is tried again."""
    if is_passing(error):
        name = type(error).__name__
        level = logging.INFO if isinstance(error, STOPPED) else logging.WARNING
        _logger.log(level, "message %s is postponed: %s", waiting.row_id, name)
        return
    _logger.warning("message %s: %s", waiting.row_id, describe_error(error))


def _log_end(waiting: WaitingMessage, error: Exception) -> None:
    """Log the error with which a message ends."""
    _logger.warning("message %s ends: %s", waiting.row_id, describe_error(error))
