import json
import logging
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL, config

from odoo.addons.spar_mapper_connector.exceptions import SealBroken, SettingsAltered
from odoo.addons.spar_mapper_connector.lib import access_tokens
from odoo.addons.spar_mapper_connector.lib.g2p_connect.timestamps import (
    format_timestamp,
    now,
)
from odoo.addons.spar_mapper_connector.transactions import (
    is_passing,
    use_read_committed,
)

from ...const import SERVICE_USER
from ...lib import delivery
from ...lib.bindings import CallbackBinding, MessageBinding
from ...lib.delivery import Delivery
from ...lib.error_texts import describe_error
from ...lib.exchange import get_current_url
from ...lib.pauses import GIVE_UP, get_pause
from ...lib.workers import get_worker_number, wake_workers
from .spar_message import BOUND, DOES_NOT_OPEN

_logger = logging.getLogger(__name__)

WORKERS = ("ir_cron_callbacks_1", "ir_cron_callbacks_2")

#: Callbacks that a worker sends at the same time: slow targets delay only themselves.
THREADS = 32

#: Problems of the target and not of the content: its other callbacks wait, too.
_TARGET_UNAVAILABLE = frozenset(
    {"unreachable", "certificate_invalid", "no_tls", "unknown_host", "too_slow"}
)

#: A claim outlives the longest attempt; after that, another worker may send it.
_CLAIM_SECONDS = delivery.TIMEOUT + access_tokens.TIMEOUT + 15

_TOKENS = access_tokens.AccessTokens()

#: Codes of problems on our side, temporary and permanent.
INTERNAL, UNREADABLE = "internal_error", "unreadable"

_NOW = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")


class SparCallback(models.Model):
    """The workers that send callbacks.

    A callback is claimed for a while, sent by a thread while no transaction is open,
    and then marked. A worker that is killed in between leaves a claim that expires: the
    callback is sent again, with the same message ID. A participant gets its callbacks
    one after the other.

    Each of these scheduled actions occupies a cron worker until the slowest target has
    answered. So not all of a server's cron workers may send callbacks: one is left for
    messages.
    """

    _inherit = "spar.callback"

    @api.model
    def _wake_workers(self) -> None:
        wake_workers(self.env, WORKERS)

    @api.model
    def _cron_send(self) -> None:
        """Send what is due until nothing is left or the time is over."""
        worker, cron = self.with_user(self.env.ref(SERVICE_USER)), self.env["ir.cron"]
        sending: dict[Future, Delivery] = {}
        may_begin = worker._leaves_worker_for_messages()
        if not may_begin:
            return
        with ThreadPoolExecutor(THREADS, "spar callback") as pool:
            while True:
                if may_begin:
                    begun = worker._claim(THREADS - len(sending))
                    # Other workers must see the claim before anything is sent.
                    self.env.cr.commit()  # pylint: disable=invalid-commit
                    sending |= {
                        pool.submit(delivery.send, each, _TOKENS): each
                        for each in begun
                    }
                if not sending:
                    break
                done, _open = wait(sending, 1, FIRST_COMPLETED)
                worker._save_results(
                    {sending.pop(each): _get_problem(each) for each in done}
                )
                left = cron._commit_progress(len(done), remaining=len(sending))
                may_begin = left > 0 and not worker._must_yield_to_messages()
        cron._commit_progress(0, remaining=int(not may_begin))

    @api.model
    def _leaves_worker_for_messages(self) -> bool:
        """Return whether running this worker leaves a cron worker for messages.

        The first one runs everywhere.
        """
        number = get_worker_number(self.env, WORKERS)
        return number < 2 or number < config["max_cron_threads"]

    @api.model
    def _must_yield_to_messages(self) -> bool:
        """Return whether a message waits for the server's only worker."""
        if config["max_cron_threads"] > 1 or not get_worker_number(self.env, WORKERS):
            return False
        return self.env["spar.message"]._is_due(timedelta())

    # === CLAIMING === #

    @api.model
    def _claim(self, limit: int) -> list[Delivery]:
        """Claim the first due callback of up to ``limit`` participants.

        Participants with another callback in flight are skipped.
        """
        if limit < 1:
            return []
        use_read_committed(self.env.cr)
        rows = self.env.execute_query(
            SQL(
                """UPDATE spar_callback
                      SET attempts = attempts + 1, claimed_until = %(now)s + %(claim)s
                    WHERE state = 'waiting'
                      AND coalesce(claimed_until, since) <= %(now)s AND id IN (%(due)s)
                RETURNING id, participant_id, url""",
                due=_select_due(limit),
                now=_NOW,
                claim=SQL("%s * interval '1 second'", _CLAIM_SECONDS),
            )
        )
        deliveries = (self._try_to_build(*row) for row in rows)
        return list(filter(None, deliveries))

    @api.model
    def _try_to_build(
        self, row_id: int, participant_id: int, url: str
    ) -> Delivery | None:
        """Return what is sent, or None.

        A problem with one callback, a broken seal for example, does not delay the
        others.
        """
        problem = UNREADABLE
        try:
            with self.env.cr.savepoint():
                document = self._get_document(row_id)
                problem = INTERNAL
                return self._build_delivery(row_id, participant_id, url, document)
        except Exception as error:
            _log_error(row_id, error)
            if isinstance(error, SealBroken):
                problem_of_row = (self._table, row_id, DOES_NOT_OPEN)
                self.env["spar.alarm"]._raise_alarms([problem_of_row])
            if problem == UNREADABLE and not is_passing(error):
                self._end_unreadable(row_id)
            else:
                self._save_failure(row_id, INTERNAL)
            return None

    @api.model
    def _build_delivery(
        self, row_id: int, participant_id: int, url: str, document: dict
    ) -> Delivery:
        participant = self.env["spar.participant"].browse(participant_id)
        if not participant.sudo()._filter_true():
            raise SettingsAltered("this participant was altered")
        document, headers = self._sign(participant, document)
        return Delivery(
            row_id,
            participant_id,
            get_current_url(participant.callback_url, url),
            body=json.dumps(document, ensure_ascii=False).encode(),
            credentials=participant._get_callback_credentials(),
            needs_ack=participant._get_profile().callback_needs_ack,
            headers=tuple(headers),
        )

    @api.model
    def _sign(self, participant, document: dict) -> tuple[dict, list]:
        """Return the document as it is sent, signed for participants that sign too."""
        caller = participant._build_caller()
        signature = self.env["spar.g2p.connect.signature"]
        return signature._sign_document(
            caller.signature_place, caller.answer_algorithm, document
        )

    @api.model
    def _get_document(self, row_id: int) -> dict:
        """Return the document to send now: only its timestamp is new."""
        (row,) = self.env.execute_query(
            SQL(
                """SELECT c.sealed, m.sealed_answer, m.state,
                          c.uuid, c.participant_id, c.url, %s
                     FROM spar_callback c JOIN spar_message m ON m.id = c.message_id
                    WHERE c.id = %s""",
                BOUND,
                row_id,
            )
        )
        sealed, answer, state, *own = row[:6]
        message = MessageBinding(*row[6:])
        binding = CallbackBinding(*own, message.uuid)
        document = self._unseal(binding, sealed)
        if document is None:
            keyring = self.env["spar.keyring"]._open()
            context = message.build_context(state)
            document = self.env["spar.message"]._unseal(keyring, context, answer)
        document["header"]["message_ts"] = format_timestamp(now())
        return document

    # === RESULTS === #

    @api.model
    def _save_results(self, results: dict[Delivery, str]) -> None:
        """Record the result of each delivery: arrived, to be retried, or given up."""
        use_read_committed(self.env.cr)
        for sent, problem in results.items():
            if problem:
                self._save_failure(sent.row_id, problem)
                if problem in _TARGET_UNAVAILABLE:
                    self._postpone_target(sent)
            else:
                self._mark_delivered(sent.row_id)

    @api.model
    def _mark_delivered(self, row_id: int) -> None:
        self.env.cr.execute(
            SQL(
                """UPDATE spar_callback
                      SET state = 'delivered', problem = NULL, claimed_until = NULL,
                          delivered_at = clock_timestamp() AT TIME ZONE 'UTC'
                    WHERE id = %s""",
                row_id,
            )
        )

    @api.model
    def _postpone_target(self, sent: Delivery) -> None:
        """Postpone everything else that waits for an unavailable target.

        It waits as long as after a first attempt: one attempt at a time then finds out
        whether the target is available again.
        """
        self.env.cr.execute(
            SQL(
                """UPDATE spar_callback SET next_try = %(now)s + %(pause)s
                    WHERE participant_id = %(participant)s AND state = 'waiting'
                      AND next_try < %(now)s + %(pause)s""",
                now=_NOW,
                pause=get_pause(1),
                participant=sent.participant_id,
            )
        )

    @api.model
    def _end_unreadable(self, row_id: int) -> None:
        """Give up on a callback that cannot be unsealed: a retry would not help."""
        self.env.cr.execute(
            SQL(
                """UPDATE spar_callback
                      SET state = 'failed', problem = %s, claimed_until = NULL
                    WHERE id = %s AND state = 'waiting'""",
                UNREADABLE,
                row_id,
            )
        )

    @api.model
    def _save_failure(self, row_id: int, problem: str) -> None:
        """Schedule a retry after a growing pause, or give up when it is too late."""
        rows = self.env.execute_query(
            SQL("SELECT attempts FROM spar_callback WHERE id = %s", row_id)
        )
        self.env.cr.execute(
            SQL(
                """UPDATE spar_callback
                      SET problem = %(problem)s, claimed_until = NULL,
                          next_try = %(now)s + %(pause)s,
                          state = CASE WHEN %(now)s + %(pause)s > since + %(day)s
                                       THEN 'failed' ELSE 'waiting' END
                    WHERE id = %(row)s AND state = 'waiting'""",
                now=_NOW,
                problem=problem,
                pause=get_pause(rows[0][0]),
                day=GIVE_UP,
                row=row_id,
            )
        )


def _get_problem(sending: Future) -> str:
    """Return the code of a delivery's problem, "" for none.

    An error of ours counts as a problem, too.
    """
    error = sending.exception()
    if error is None:
        return sending.result()
    _log_error(0, error)
    return INTERNAL


def _log_error(row_id: int, error: BaseException) -> None:
    """Log an error of ours."""
    _logger.warning("callback %s: %s", row_id, describe_error(error))


def _select_due(limit: int) -> SQL:
    """Return the query for the first due callback of each participant.

    Participants with a callback in flight are skipped. The order is random, so that no
    participant waits until the queues of others are empty. A disabled participant gets
    nothing until two people have reactivated it.
    """
    return SQL(
        """SELECT due.id
             FROM spar_participant p CROSS JOIN LATERAL (
                  SELECT id FROM spar_callback
                   WHERE participant_id = p.id AND state = 'waiting'
                     AND next_try <= %(now)s
                   ORDER BY next_try, id LIMIT 1) due
            WHERE p.state = 'active' AND p.callback_url <> '' AND NOT EXISTS (
                  SELECT FROM spar_callback
                   WHERE participant_id = p.id AND state = 'waiting'
                     AND claimed_until > %(now)s)
            ORDER BY random() LIMIT %(limit)s""",
        now=_NOW,
        limit=limit,
    )
