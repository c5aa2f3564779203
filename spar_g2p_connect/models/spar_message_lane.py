import logging
import traceback
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import build_rejection
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import RejectedMessage
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    RequestHeader,
    get_callback_action,
)
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..const import SERVICE_USER
from ..lib.exchange import ASYNC, Exchange
from ..lib.pauses import get_pause
from .spar_message_store import Kept

_logger = logging.getLogger(__name__)

#: One record of ir.cron each: as many participants are served at the same time.
LANES = ("ir_cron_messages_1", "ir_cron_messages_2")

#: How often an error of ours may end a message's turn before the queue goes on.
MOST_ATTEMPTS = 8


class Waiting(NamedTuple):
    """A message whose turn it is."""

    row_id: int
    uuid: str
    action: str
    correlation_id: str
    callback: str
    attempts: int
    sealed_request: bytes


class SparMessage(models.Model):
    """The lanes in which messages that wait are worked on.

    A lane takes a participant by its row's lock, which no other lane waits for, works
    on the first of its messages, and commits effect, answer and callback together.
    Whoever is killed leaves the message as it was, at the head of its participant's.
    """

    _inherit = "spar.message"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _wake_lanes(self) -> None:
        """Let the lanes look at once, when this transaction has committed."""
        for name in LANES:
            cron_sudo = self.env.ref(f"spar_g2p_connect.{name}").sudo()
            cron_sudo._trigger()

    @api.model
    def _cron_answer(self) -> None:
        """Work on what waits, one message of each participant in turn.

        One message is one transaction. Ends when nothing is left or the time is over.
        """
        lane, cron, last = self._get_lane(), self.env["ir.cron"], 0
        while True:
            use_read_committed(self.env.cr)
            last = lane._lock_participant(last)
            if not last:
                cron._commit_progress(0, remaining=0)
                return
            done = lane._answer_next(last)
            if not cron._commit_progress(done, remaining=1):
                return

    @api.model
    def _get_lane(self):
        """This model as the service user, in whose name the mapper is asked."""
        return self.with_user(self.env.ref(SERVICE_USER))

    @api.model
    def _lock_participant(self, after_id: int) -> int:
        """Lock the next participant, after ``after_id`` and then from the beginning,
        whose first waiting message is due and whom no other lane has; 0 for none."""
        rows = self.env.execute_query(
            SQL(
                """SELECT p.id FROM spar_participant p
                    WHERE (SELECT coalesce(m.next_try, m.received_at)
                             FROM spar_message m
                            WHERE m.participant_id = p.id AND m.state = 'waiting'
                            ORDER BY m.id LIMIT 1)
                          <= clock_timestamp() AT TIME ZONE 'UTC'
                    ORDER BY p.id <= %s, p.id
                    LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED""",
                after_id,
            )
        )
        return rows[0][0] if rows else 0

    @api.model
    def _answer_next(self, participant_id: int) -> int:
        """Work on the first waiting message of a locked participant; 1, or 0 where
        another lane did so just before the lock."""
        waiting = self._get_next(participant_id)
        if waiting is None:
            return 0
        try:
            self._answer_waiting(participant_id, waiting)
        except Exception as error:
            self._postpone(participant_id, waiting, error)
        return 1

    @api.model
    def _get_next(self, participant_id: int) -> Waiting | None:
        rows = self.env.execute_query(
            SQL(
                """SELECT id, uuid, action, correlation_id, callback, attempts,
                          sealed_request
                     FROM spar_message
                    WHERE participant_id = %s AND state = 'waiting'
                    ORDER BY id LIMIT 1""",
                participant_id,
            )
        )
        return Waiting(*rows[0]) if rows else None

    @api.model
    def _answer_waiting(self, participant_id: int, waiting: Waiting) -> None:
        exchange = self._open_exchange(participant_id, waiting)
        server = self.env["spar.g2p.connect.server"]
        answer = server._answer_kept(exchange, waiting.correlation_id)
        self._finish(participant_id, waiting, answer)

    @api.model
    def _open_exchange(self, participant_id: int, waiting: Waiting) -> Exchange:
        """The message as it came, and what its sender is and may do now."""
        keyring = self.env["spar.keyring"]._open()
        document = self._unseal(keyring, waiting.uuid, waiting.sealed_request)
        participant = self.env["spar.participant"].browse(participant_id)
        may = participant._get_operations() if participant._may_call() else frozenset()
        caller = participant._build_caller(may)
        header = RequestHeader.from_wire(document, caller.profile)
        return Exchange(caller, waiting.action, header, document, ASYNC)

    @api.model
    def _finish(self, participant_id: int, waiting: Waiting, answer: dict) -> None:
        """Keep the answer, and queue it for who asked."""
        kept = Kept(waiting.row_id, waiting.uuid, waiting.correlation_id)
        self._save_answer(kept, answer)
        self._keep_waiting(waiting.row_id, waiting.action, answer)
        callbacks = self.env["spar.callback"]
        action = get_callback_action(waiting.action)
        callbacks._queue(participant_id, waiting.row_id, waiting.callback, action)

    # === WHEN IT DOES NOT WORK === #

    @api.model
    def _postpone(self, participant_id: int, waiting: Waiting, error: Exception):
        """Undo what was begun and try later; give up on a message that never works.

        While database or keys are away nothing is given up: everybody waits.
        """
        use_read_committed(self.env.cr)
        attempts = waiting.attempts + 1
        is_away = isinstance(error, ServiceUnavailable)
        # Not its text: there may be values in it.
        frames = "" if is_away else "".join(traceback.format_tb(error.__traceback__))
        name = type(error).__name__
        _logger.warning("message %s: %s, at:\n%s", waiting.row_id, name, frames)
        if attempts >= MOST_ATTEMPTS and not is_away:
            return self._give_up(participant_id, waiting)
        self.env.cr.execute(
            SQL(
                """UPDATE spar_message SET attempts = %s,
                          next_try = clock_timestamp() AT TIME ZONE 'UTC' + %s
                    WHERE id = %s AND state = 'waiting'""",
                attempts,
                get_pause(attempts),
                waiting.row_id,
            )
        )
        return None

    @api.model
    def _give_up(self, participant_id: int, waiting: Waiting) -> None:
        """Answer that the message had no effect, so that those behind it get on."""
        exchange = self._open_exchange(participant_id, waiting)
        refusal = RejectedMessage("", "could not be worked on, and had no effect")
        answer = build_rejection(
            exchange.header, exchange.action, exchange.caller.profile, refusal
        )
        self._finish(participant_id, waiting, answer)
