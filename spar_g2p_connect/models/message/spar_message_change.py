import logging
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    ChangeState,
)
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ...const import SERVICE_USER
from ...lib.batch import WaitingElsewhere
from ...lib.caller import CHANNEL
from ...lib.error_texts import describe_error
from ...lib.pauses import get_pause
from .spar_message import BOUND

_logger = logging.getLogger(__name__)

#: How many changes a mapper is asked about at a time.
_BATCH = 200
_NOW = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")

#: States of a change that is not decided: it is asked about again.
_OPEN = frozenset({ChangeState.WAITING, ChangeState.UNKNOWN})


class Followed(NamedTuple):
    """A change that waits elsewhere, and whose message requested it."""

    row_id: int
    message_id: int
    reference: str


class SparMessageChange(models.Model):
    """A change of a message's item that waits at a mapper elsewhere.

    That mapper does not report what becomes of it, so a job asks, after growing pauses.
    The decision is then in the message's status, and a participant that was answered by
    callback gets another callback. The mapper's reference names no person.
    """

    _name = "spar.message.change"
    _description = "Change that waits elsewhere"
    _order = "message_id desc, position"
    _rec_name = "reference"
    _log_access = False

    message_id = fields.Many2one(
        "spar.message", required=True, readonly=True, index=True, ondelete="cascade"
    )
    position = fields.Integer(
        required=True,
        readonly=True,
        help="The place of its item in the message, counted from 0.",
    )
    backend_id = fields.Many2one(
        "spar.mapper.backend", required=True, readonly=True, ondelete="cascade"
    )
    reference = fields.Char(required=True, readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("applied", "Applied"),
            ("cancelled", "Withdrawn"),
            ("refused", "Refused"),
            ("stale", "Overtaken"),
            ("expired", "Expired"),
        ],
        required=True,
        readonly=True,
    )
    attempts = fields.Integer(
        readonly=True, help="How often the mapper was asked about it."
    )
    next_try = fields.Datetime(string="Next attempt", required=True, readonly=True)

    _due = models.Index("(backend_id, next_try) WHERE state = 'waiting'")

    # === MESSAGES === #

    @api.model
    def _add(self, message_id: int, waiting: list[WaitingElsewhere]) -> None:
        """Follow the changes of a message that wait elsewhere."""
        if not waiting:
            return
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_message_change (message_id, position, backend_id,
                          reference, state, attempts, next_try)
                   SELECT %s, position, backend, reference, 'waiting', 0, %s
                     FROM unnest(%s::int[], %s::int[], %s::varchar[])
                       AS waiting (position, backend, reference)""",
                message_id,
                SQL("%s + %s", _NOW, get_pause(1)),
                [each.position for each in waiting],
                [each.backend for each in waiting],
                [each.reference for each in waiting],
            )
        )

    @api.model
    def _get_states(self, message_id: int) -> dict[int, str]:
        """Return the state of each change of a message, by the place of its item."""
        rows = self.env.execute_query(
            SQL(
                "SELECT position, state FROM spar_message_change WHERE message_id = %s",
                message_id,
            )
        )
        return dict(rows)

    # === FOLLOWING === #

    @api.model
    def _cron_follow(self) -> None:
        """Ask mappers elsewhere about the changes that are due, until the time is over.

        They are asked while no transaction is open.
        """
        use_read_committed(self.env.cr)
        worker = self.with_user(self.env.ref(SERVICE_USER))
        cron, left = self.env["ir.cron"], 1.0
        while left > 0:
            backend, sender, changes = worker._claim()
            if not changes:
                return
            self.env.cr.commit()  # pylint: disable=invalid-commit
            states = worker._try_to_ask(backend, sender, changes)
            worker._save_states(changes, states)
            left = cron._commit_progress(len(changes))

    @api.model
    def _claim(self) -> tuple[int, str, list[Followed]]:
        """Return the due changes of one participant at one backend.

        They are not due any more: whatever becomes of this, they are asked about again
        only after a pause.
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT c.backend_id, p.sender_id, p.id
                     FROM spar_message_change c
                     JOIN spar_message m ON m.id = c.message_id
                     JOIN spar_participant p ON p.id = m.participant_id
                    WHERE c.state = 'waiting' AND c.next_try <= %s
                    ORDER BY c.next_try LIMIT 1""",
                _NOW,
            )
        )
        if not rows:
            return 0, "", []
        backend, sender, participant_id = rows[0]
        due = self.env.execute_query(
            SQL(
                """SELECT c.id, c.message_id, c.reference, c.attempts
                     FROM spar_message_change c
                     JOIN spar_message m ON m.id = c.message_id
                    WHERE c.state = 'waiting' AND c.next_try <= %s
                      AND c.backend_id = %s AND m.participant_id = %s
                    ORDER BY c.id LIMIT %s FOR NO KEY UPDATE OF c SKIP LOCKED""",
                _NOW,
                backend,
                participant_id,
                _BATCH,
            )
        )
        for row_id, _message_id, _reference, attempts in due:
            self.env.cr.execute(
                SQL(
                    """UPDATE spar_message_change
                          SET attempts = attempts + 1, next_try = %s + %s
                        WHERE id = %s""",
                    _NOW,
                    get_pause(attempts + 1),
                    row_id,
                )
            )
        return backend, sender, [Followed(*row[:3]) for row in due]

    @api.model
    def _try_to_ask(
        self, backend: int, sender: str, changes: list[Followed]
    ) -> dict[str, ChangeState]:
        """Return what became of changes, by reference; nothing if that is unknown."""
        try:
            return self._ask(backend, sender, [each.reference for each in changes])
        except Exception as error:
            # Code of any mapper: the changes at others are followed all the same.
            self.env.cr.rollback()
            is_known = isinstance(error, MapperError)
            text = type(error).__name__ if is_known else describe_error(error)
            _logger.warning("mapper backend %s does not answer: %s", backend, text)
            return {}

    @api.model
    def _ask(
        self, backend: int, sender: str, references: list[str]
    ) -> dict[str, ChangeState]:
        mapper_sudo = self.env["spar.mapper.backend"].browse(backend)._bind().sudo()
        if Capability.CHANGE_STATUS not in mapper_sudo._capabilities():
            return {}
        actor = f"participant:{sender}"
        call = CallContext(actor, CHANNEL, Authority.INSTITUTION)
        found = mapper_sudo._change_status(call, references)
        return {each.reference: each.state for each in found}

    @api.model
    def _save_states(
        self, changes: list[Followed], states: dict[str, ChangeState]
    ) -> None:
        """Save what was decided, and queue a callback for each message behind it."""
        decided = [
            (each, states[each.reference])
            for each in changes
            if states.get(each.reference, ChangeState.UNKNOWN) not in _OPEN
        ]
        for change, state in decided:
            self.env.cr.execute(
                SQL(
                    "UPDATE spar_message_change SET state = %s WHERE id = %s",
                    state.value,
                    change.row_id,
                )
            )
        self.invalidate_model(["state", "attempts", "next_try"])
        messages = {change.message_id for change, _state in decided}
        self._queue_decisions(sorted(messages))

    @api.model
    def _queue_decisions(self, message_ids: list[int]) -> None:
        if not message_ids:
            return
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT m.id, m.sealed_answer, %s FROM spar_message m
                    WHERE m.id = ANY(%s) AND m.mode = 'async' AND m.state = 'done'""",
                BOUND,
                message_ids,
            )
        )
        for row in rows:
            self.env["spar.message"]._try_to_queue_decision(row)
