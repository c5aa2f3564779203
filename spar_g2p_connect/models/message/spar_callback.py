from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ...lib.bindings import CallbackBinding, MessageBinding
from ...lib.exchange import build_callback_url
from ...lib.packing import pack, unpack
from .spar_message import SEAL

ADMINISTRATOR = "spar_fa_directory.group_administrator"


class SparCallback(models.Model):
    """An answer on its way to a participant, sent until it has arrived, for a day.

    Its body is the message's stored answer, or a later one of its own; its message ID
    never changes, so that the other side recognises a repeat. Every row has a sealed
    value, an empty one where the body is the message's, because the seal binds to whom
    it is sent (``lib/bindings.py``).
    """

    _name = "spar.callback"
    _description = "Callback to a participant"
    _inherit = ["spar.sealed.storage"]
    _order = "id desc"
    _rec_name = "url"
    _log_access = False

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="restrict"
    )
    message_id = fields.Many2one(
        "spar.message", required=True, readonly=True, index=True, ondelete="cascade"
    )
    uuid = fields.Char(readonly=True)
    url = fields.Char(string="URL", required=True, readonly=True)
    state = fields.Selection(
        [("waiting", "Pending"), ("delivered", "Delivered"), ("failed", "Failed")],
        required=True,
        readonly=True,
    )
    since = fields.Datetime(
        string="Queued",
        required=True,
        readonly=True,
        help="When it was queued; it is given up after a day.",
    )
    attempts = fields.Integer(readonly=True)
    next_try = fields.Datetime(string="Next attempt", required=True, readonly=True)
    claimed_until = fields.Datetime(string="Claimed until", readonly=True)
    delivered_at = fields.Datetime(string="Delivered", readonly=True)
    problem = fields.Char(
        string="Problem code",
        readonly=True,
        help="The code of the problem with the last attempt.",
    )
    problem_text = fields.Char(string="Problem", compute="_compute_problem_text")

    _due = models.Index("(participant_id, next_try) WHERE state = 'waiting'")

    @api.depends("problem")
    def _compute_problem_text(self) -> None:
        texts = self._get_problem_texts()
        for callback in self:
            prefix, http, status = (callback.problem or "").partition("http_")
            text = texts.get(callback.problem) or texts.get(f"{prefix}{http}", prefix)
            callback.problem_text = text % {"status": status} if http else text

    @api.model
    def _get_problem_texts(self) -> dict[str, str]:
        """Return the text for people of each problem."""
        return {
            "http_": self.env._("The callback URL answered HTTP %(status)s."),
            "token_http_": self.env._("The token endpoint answered HTTP %(status)s."),
            "unreachable": self.env._("No connection to this host."),
            "certificate_invalid": self.env._(
                "The certificate of this host is not valid for its name."
            ),
            "no_tls": self.env._("This host does not speak TLS at this port."),
            "unknown_host": self.env._("The host cannot be found."),
            "too_slow": self.env._("The answer took too long."),
            "answer_lost": self.env._(
                "The connection ended before the answer was complete."
            ),
            "answer_too_large": self.env._(
                "The answer is too long for an acknowledgement."
            ),
            "address_refused": self.env._("Messages are not sent to this address."),
            "redirected": self.env._("The URL redirects; redirects are not followed."),
            "no_acknowledgement": self.env._("The answer is not an acknowledgement."),
            "not_accepted": self.env._("The participant did not accept it."),
            "internal_error": self.env._("It could not be sent; see the server log."),
            "unreadable": self.env._("The stored answer can no longer be unsealed."),
            "token_missing": self.env._("The token endpoint returned no token."),
            "token_http_401": self.env._(
                "The token endpoint refused our client secret."
            ),
        }

    @api.model
    def _queue(
        self,
        row_id: int,
        message: MessageBinding,
        action: str,
        document: dict | None = None,
    ) -> None:
        """Queue the answer to a message and wake the workers.

        ``document`` replaces the stored answer, where it is given.
        """
        url = build_callback_url(message.callback, action)
        binding = CallbackBinding(
            str(uuid4()), message.participant_id, url, message.uuid
        )
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_callback (participant_id, message_id, url, state,
                          attempts, uuid, sealed, since, next_try)
                   VALUES (%s, %s, %s, 'waiting', 0, %s, %s, %s, %s)""",
                binding.participant_id,
                row_id,
                url,
                binding.uuid,
                self._seal(binding, document),
                *[SQL("clock_timestamp() AT TIME ZONE 'UTC'")] * 2,
            )
        )
        self._wake_workers()

    # === SEALING === #

    def _get_seal_contexts(self, keyring: OpenKeyring, row_ids: list[int]) -> dict:
        rows = self.env.execute_query(
            SQL(
                """SELECT c.id, c.uuid, c.participant_id, c.url, m.uuid
                     FROM spar_callback c JOIN spar_message m ON m.id = c.message_id
                    WHERE c.id = ANY(%s)""",
                row_ids,
            )
        )
        return {
            row_id: (SEAL, CallbackBinding(*values).build_context())
            for row_id, *values in rows
        }

    @api.model
    def _seal(self, binding: CallbackBinding, document: dict | None) -> bytes:
        keyring = self.env["spar.keyring"]._open(for_write=True)
        return keyring.seal(SEAL, pack(document), binding.build_context())

    @api.model
    def _unseal(self, binding: CallbackBinding, sealed: bytes | None) -> dict | None:
        """Return its own document, None for the message's; raises SealBroken."""
        keyring = self.env["spar.keyring"]._open()
        context = binding.build_context()
        return unpack(keyring.unseal(SEAL, bytes(sealed or b""), context))

    def action_send_again(self) -> None:
        """Retry failed callbacks for another day."""
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(
                self.env._(
                    "Only an administrator of the registry can send callbacks again."
                )
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
        self._wake_workers()
