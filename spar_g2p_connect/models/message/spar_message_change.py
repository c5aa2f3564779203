import logging
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import MapperError, SealBroken
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
from .spar_message import BOUND, DOES_NOT_OPEN, SEAL

_logger = logging.getLogger(__name__)

#: How many changes a mapper is asked about at a time.
_BATCH = 200
_NOW = SQL("(clock_timestamp() AT TIME ZONE 'UTC')")

#: States of a change that is not decided: it is asked about again.
_OPEN = frozenset({ChangeState.WAITING, ChangeState.UNKNOWN})
#: The state of a row that is followed.
_WAITING = ChangeState.WAITING.value


class Followed(NamedTuple):
    """A change that waits elsewhere, and whose message requested it."""

    row_id: int
    message_id: int
    position: int
    reference: str


class SparMessageChange(models.Model):
    """A change of a message's item that waits at a mapper elsewhere.

    That mapper does not report what becomes of it, so a job asks, after growing pauses.
    The decision is then in the message's status, and a participant that was answered by
    callback gets another callback. The mapper's reference is sealed, and its seal binds
    what became of the change: a decision is the mapper's, or it does not open.
    """

    _name = "spar.message.change"
    _description = "Change that waits elsewhere"
    _inherit = ["spar.sealed.storage"]
    _order = "message_id desc, position"
    _rec_name = "position"
    _log_access = False
    _seal_purpose = SEAL
    _seal_prefix = ("spar.message.change",)
    _seal_context_columns = ("message_id", "position", "backend_id", "state")

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
        sealed = [
            self._seal_value(
                each.reference, message_id, each.position, each.backend, _WAITING
            )
            for each in waiting
        ]
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_message_change (message_id, position, backend_id,
                          sealed, state, attempts, next_try)
                   SELECT %s, position, backend, sealed, %s, 0, %s
                     FROM unnest(%s::int[], %s::int[], %s::bytea[])
                       AS waiting (position, backend, sealed)""",
                message_id,
                _WAITING,
                SQL("%s + %s", _NOW, get_pause(1)),
                [each.position for each in waiting],
                [each.backend for each in waiting],
                sealed,
            )
        )

    @api.model
    def _get_states(self, message_id: int) -> dict[int, str]:
        """Return the state of each change of a message, by the place of its item.

        One that was altered is as if it still waited, and raises an alarm.
        """
        rows = self.env.execute_query(
            SQL(
                """SELECT id, sealed, message_id, position, backend_id, state
                     FROM spar_message_change WHERE message_id = %s""",
                message_id,
            )
        )
        return {
            row[3]: _WAITING if self._try_to_open(*row) is None else row[5]
            for row in rows
        }

    @api.model
    def _try_to_open(self, row_id: int, sealed: bytes | None, *values) -> str | None:
        """Return the mapper's reference, or None with an alarm for an altered row."""
        try:
            return self._unseal_value(bytes(sealed or b""), *values)
        except SealBroken:
            problem = (self._table, row_id, DOES_NOT_OPEN)
            self.env["spar.alarm"]._raise_alarms([problem])
            return None

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
            if not backend:
                return
            self.env.cr.commit()  # pylint: disable=invalid-commit
            states = worker._try_to_ask(backend, sender, changes)
            worker._save_states(backend, changes, states)
            left = cron._commit_progress(len(changes))

    @api.model
    def _claim(self) -> tuple[int, str, list[Followed]]:
        """Return a backend, and the due changes there of one participant.

        The backend is 0 if there is nothing to do, or another worker does it.
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
        for backend, sender, participant_id in rows:
            due = self._lock_due(backend, participant_id)
            if due:
                self._postpone(due)
                return backend, sender, self._open_due(due)
        return 0, "", []

    @api.model
    def _lock_due(self, backend: int, participant_id: int) -> list[tuple]:
        return self.env.execute_query(
            SQL(
                """SELECT c.attempts, c.id, c.sealed, c.message_id, c.position,
                          c.backend_id, c.state
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

    @api.model
    def _postpone(self, due: list[tuple]) -> None:
        """Let these changes be asked about again only after a pause, come what may."""
        self.env.cr.execute(
            SQL(
                """UPDATE spar_message_change c
                      SET attempts = c.attempts + 1, next_try = %s + due.pause
                     FROM unnest(%s::int[], %s::interval[]) AS due (id, pause)
                    WHERE c.id = due.id""",
                _NOW,
                [row_id for _attempts, row_id, *_values in due],
                [get_pause(attempts + 1) for attempts, *_values in due],
            )
        )

    @api.model
    def _open_due(self, due: list[tuple]) -> list[Followed]:
        """Return the changes of rows that are as they were stored."""
        opened = [(row, self._try_to_open(*row)) for _attempts, *row in due]
        return [
            Followed(row[0], row[2], row[3], reference)
            for row, reference in opened
            if reference is not None
        ]

    @api.model
    def _try_to_ask(
        self, backend: int, sender: str, changes: list[Followed]
    ) -> dict[str, ChangeState]:
        """Return what became of changes, by reference; nothing if that is unknown."""
        if not changes:
            return {}
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
        self, backend: int, changes: list[Followed], states: dict[str, ChangeState]
    ) -> None:
        """Save what was decided, and queue a callback for each message behind it."""
        decided = [
            (each, states[each.reference])
            for each in changes
            if states.get(each.reference, ChangeState.UNKNOWN) not in _OPEN
        ]
        for change, state in decided:
            values = (change.message_id, change.position, backend, state.value)
            self.env.cr.execute(
                SQL(
                    "UPDATE spar_message_change SET state = %s, sealed = %s"
                    " WHERE id = %s",
                    state.value,
                    self._seal_value(change.reference, *values),
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
