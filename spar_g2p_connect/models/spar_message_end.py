import logging
import traceback
from collections.abc import Callable

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import build_rejection
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import RejectedMessage
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import RequestHeader
from odoo.addons.spar_mapper_connector.transactions import is_passing

from ..lib.exchange import Exchange
from .spar_message_worker import MOST_ATTEMPTS

_logger = logging.getLogger(__name__)

_UNREAD = (
    "can no longer be read here, and had no effect: send it under another message_id"
)
_NEVER_WORKED = "could not be worked on, and had no effect"
#: The code where no answer can be built.
_CODE = "err.service.unavailable"


class SparMessage(models.Model):
    """The end of a message that cannot be processed: always with a reason.

    Whatever is wrong with it, the messages behind it are processed.
    """

    _inherit = "spar.message"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _try_to_open(self, participant_id: int, waiting) -> Exchange | None:
        """Return the message as received, or None where the stored text is damaged.

        A retry would not help then. Errors caused by something unavailable are raised.
        """
        try:
            with self.env.cr.savepoint():
                return self._open_exchange(participant_id, waiting)
        except Exception as error:
            if is_passing(error):
                raise
            _log_error(waiting, error)
            return None

    @api.model
    def _give_up(self, participant_id: int, waiting) -> None:
        """Answer that the message had no effect, so that those behind it are processed.

        Where an earlier attempt at this answer was begun and never ended, the message
        is not opened again.
        """
        was_begun = waiting.attempts > MOST_ATTEMPTS
        exchange = None if was_begun else self._try_to_open(participant_id, waiting)
        if exchange is None:
            return self._end_unread(participant_id, waiting)

        def build() -> dict:
            refusal = RejectedMessage("", _NEVER_WORKED)
            profile = exchange.caller.profile
            return build_rejection(exchange.header, exchange.action, profile, refusal)

        return self._end(participant_id, waiting, build, _NEVER_WORKED)

    @api.model
    def _end_unread(self, participant_id: int, waiting) -> None:
        """Answer a message when only its row can still be read."""
        reason = f"message {waiting.message_id} {_UNREAD}"

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

        self._end(participant_id, waiting, build, reason)

    @api.model
    def _end(
        self, participant_id: int, waiting, build: Callable[[], dict], reason: str
    ) -> None:
        """Finish the message with the answer that ``build`` returns.

        Where that fails too, it is finished without an answer.
        """
        try:
            with self.env.cr.savepoint():
                self._finish(participant_id, waiting, build())
        except Exception as error:
            if is_passing(error):
                raise
            _log_error(waiting, error)
            self._end_without_answer(waiting, reason)

    @api.model
    def _end_without_answer(self, waiting, reason: str) -> None:
        self.env.cr.execute(
            SQL(
                """UPDATE spar_message
                      SET state = 'refused', reason_code = %s, reason = %s,
                          next_try = NULL,
                          answered_at = clock_timestamp() AT TIME ZONE 'UTC'
                    WHERE id = %s AND state = 'waiting'""",
                _CODE,
                reason,
                waiting.row_id,
            )
        )


def _log_error(waiting, error: Exception) -> None:
    """Log the error without its text, which may contain values."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    name = type(error).__name__
    _logger.warning("message %s ends: %s, at:\n%s", waiting.row_id, name, frames)
