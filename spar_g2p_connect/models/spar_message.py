from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.sql import create_index

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

#: For how many days messages are kept. The least accepted value ensures that a message
#: ID is recognised for longer than any profile accepts a message as new.
RETENTION_PARAMETER = "spar_g2p_connect.message_retention_days"
DEFAULT_RETENTION, LEAST_RETENTION = 90, 2

_VACUUM_BATCH = 5000
SEAL = "message"


class SparMessage(models.Model):
    """A message of a participant, stored once with its answer.

    Messages are kept when they change something or wait for their turn; of a refused
    message, only the fact and the reason are kept. Bodies are sealed in columns that
    the ORM does not know; values by which messages are looked up (transaction, items'
    references) are stored as keyed marks.
    """

    _name = "spar.message"
    _description = "Message of a participant"
    _inherit = ["spar.sealed.storage"]
    _order = "id desc"
    _rec_name = "message_id"
    _log_access = False

    _sealed_columns = ("sealed_request", "sealed_answer")
    _digest_columns = ("request_digest", "transaction_mark")

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="restrict"
    )
    uuid = fields.Char(readonly=True)
    message_id = fields.Char(string="Message ID", readonly=True)
    claims_id = fields.Boolean(
        readonly=True, help="Its message ID stands for this message alone."
    )
    action = fields.Selection(
        [
            ("link", "Link"),
            ("update", "Update"),
            ("unlink", "Unlink"),
            ("resolve", "Resolve"),
            ("txn-status", "Status"),
            ("other", "Other"),
        ],
        required=True,
        readonly=True,
    )
    mode = fields.Selection(
        [("sync", "At once"), ("async", "By callback")], required=True, readonly=True
    )
    state = fields.Selection(
        [("waiting", "Waiting"), ("done", "Answered"), ("refused", "Refused")],
        required=True,
        readonly=True,
    )
    reason_code = fields.Char(
        string="Code", readonly=True, help="The protocol's word for why it was refused."
    )
    reason = fields.Char(readonly=True)
    correlation_id = fields.Char(string="Correlation ID", readonly=True)
    item_count = fields.Integer(string="Items", readonly=True)
    callback = fields.Char(string="Answer to", readonly=True)
    received_at = fields.Datetime(string="Received", required=True, readonly=True)
    answered_at = fields.Datetime(string="Answered", readonly=True)
    attempts = fields.Integer(
        readonly=True,
        help="How often its turn began and did not come to its end; a few times, and "
        "it is given up.",
    )
    next_try = fields.Datetime(string="Next attempt", readonly=True)
    callback_ids = fields.One2many(
        "spar.callback", "message_id", string="Callbacks", readonly=True
    )
    callback_state = fields.Selection(
        related="callback_ids.state", string="Callback", readonly=True
    )

    _claimed_uniq = models.UniqueIndex(
        "(participant_id, message_id) WHERE claims_id",
        "A message ID stands for one message.",
    )
    _waiting = models.Index("(participant_id, id) WHERE state = 'waiting'")
    _correlation = models.Index("(correlation_id) WHERE correlation_id IS NOT NULL")
    _received = models.Index("(received_at)")

    def init(self) -> None:
        result = super().init()
        cr = self.env.cr
        cr.execute(
            """ALTER TABLE spar_message
                 ADD COLUMN IF NOT EXISTS reference_marks bigint[],
                 ADD COLUMN IF NOT EXISTS waiting_ids bigint[]"""
        )
        name = "spar_message_transaction_mark_index"
        create_index(cr, name, self._table, ["participant_id", "transaction_mark"])
        name = "spar_message_reference_marks_index"
        create_index(cr, name, self._table, ["reference_marks"], method="gin")
        name = "spar_message_waiting_ids_index"
        create_index(cr, name, self._table, ["waiting_ids"], method="gin")
        return result

    # === SEALING === #

    def _get_seal_contexts(self, keyring: OpenKeyring, row_ids: list[int]) -> dict:
        rows = self.env.execute_query(
            SQL("SELECT id, uuid FROM spar_message WHERE id = ANY(%s)", row_ids)
        )
        return {row_id: (SEAL, self._build_context(uuid)) for row_id, uuid in rows}

    @api.model
    def _build_context(self, uuid: str) -> bytes:
        """Return the context that binds a sealed body to its row."""
        return bind("spar.message", uuid)

    # === RETENTION === #

    @api.model
    def _get_retention(self) -> int:
        """Return for how many days a message is kept."""
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        told = parameters_sudo.get_param(RETENTION_PARAMETER, "")
        days = int(told) if told.isdecimal() else DEFAULT_RETENTION
        return max(LEAST_RETENTION, days)

    @api.autovacuum
    def _gc_messages(self) -> tuple[int, bool]:
        """Delete messages past their retention, except those that still wait."""
        deleted = self.env.execute_query(
            SQL(
                """DELETE FROM spar_message WHERE id IN (
                    SELECT id FROM spar_message m
                     WHERE received_at <
                           now() AT TIME ZONE 'UTC' - %s * interval '1 day'
                       AND state != 'waiting'
                       AND NOT EXISTS (SELECT FROM spar_callback c
                                        WHERE c.message_id = m.id
                                          AND c.state = 'waiting')
                     ORDER BY received_at LIMIT %s) RETURNING id""",
                self._get_retention(),
                _VACUUM_BATCH,
            )
        )
        self.env.invalidate_all()
        return len(deleted), len(deleted) == _VACUUM_BATCH
