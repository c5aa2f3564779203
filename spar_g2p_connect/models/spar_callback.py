from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ..lib.exchange import build_callback_url

ADMINISTRATOR = "spar_fa_directory.group_administrator"


class SparCallback(models.Model):
    """An answer on its way to who asked: sent until it has arrived, for a day.

    Its body is the message's stored answer; its message ID never changes, so that the
    other side knows a repeat.
    """

    _name = "spar.callback"
    _description = "Callback to a participant"
    _order = "id desc"
    _rec_name = "url"
    _log_access = False

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="restrict"
    )
    message_id = fields.Many2one(
        "spar.message", required=True, readonly=True, index=True, ondelete="cascade"
    )
    url = fields.Char(string="Address", required=True, readonly=True)
    state = fields.Selection(
        [("waiting", "On its way"), ("delivered", "Delivered"), ("failed", "Failed")],
        required=True,
        readonly=True,
    )
    since = fields.Datetime(
        required=True, readonly=True, help="When it was sent for the first time."
    )
    attempts = fields.Integer(readonly=True)
    next_try = fields.Datetime(required=True, readonly=True)
    claimed_until = fields.Datetime(readonly=True)
    delivered_at = fields.Datetime(readonly=True)
    problem = fields.Char(
        readonly=True, help="Why the last attempt did not arrive, in one word."
    )

    _due = models.Index("(participant_id, next_try) WHERE state = 'waiting'")

    @api.model
    def _queue(self, participant_id: int, row_id: int, address: str, action: str):
        """Queue the answer to a message, and let the callbacks' lanes know."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_callback (participant_id, message_id, url, state,
                          attempts, since, next_try)
                   VALUES (%s, %s, %s, 'waiting', 0, %s, %s)""",
                participant_id,
                row_id,
                build_callback_url(address, action),
                *[SQL("clock_timestamp() AT TIME ZONE 'UTC'")] * 2,
            )
        )
        self._wake_lanes()

    def action_send_again(self) -> None:
        """Try failed callbacks again for another day."""
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(
                self.env._("Only an administrator of the registry can send it again.")
            )
        self.check_access("read")
        self.env.cr.execute(
            SQL(
                """UPDATE spar_callback
                      SET state = 'waiting', attempts = 0, problem = NULL,
                          since = %(now)s, next_try = %(now)s, claimed_until = NULL
                    WHERE id = ANY(%(ids)s) AND state = 'failed'""",
                now=SQL("clock_timestamp() AT TIME ZONE 'UTC'"),
                ids=self.ids,
            )
        )
        self.invalidate_recordset()
        self._wake_lanes()
