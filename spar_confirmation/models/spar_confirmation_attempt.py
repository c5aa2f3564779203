import json
import time
from dataclasses import dataclass
from datetime import timedelta
from secrets import compare_digest

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.lib.confirmed_change import Binding
from odoo.addons.spar_mapper_connector.lib.jose.keys import (
    decode_base64url,
    encode_base64url,
)
from odoo.addons.spar_mapper_connector.lib.oidc.authorization import (
    AttemptSecrets,
    LoginAttempt,
)
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import AttemptUnknown
from odoo.addons.spar_mapper_connector.lib.pages.browser import digest_secret

from .spar_confirmation import KEPT

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class PendingConfirmation:
    """A login that was begun for one proposal, and what its nonce was made of."""

    confirmation_id: int
    client_id: int
    attempt: LoginAttempt
    binding: Binding


class SparConfirmationAttempt(models.Model):
    """A login for one proposal that waits for the provider's response.

    A state is good for one response, in the session that began it.
    """

    _name = "spar.confirmation.attempt"
    _description = "Login that confirms a change"
    _inherit = ["spar.sealed.storage"]
    _log_access = False
    _digest_columns = ("state_digest", "browser_digest")
    _seal_purpose = "confirmation attempt"
    _seal_prefix = ("spar.confirmation.attempt",)
    _seal_context_columns = ("state_digest", "confirmation_id", "client_id")

    confirmation_id = fields.Many2one(
        "spar.confirmation", required=True, readonly=True, ondelete="cascade"
    )
    client_id = fields.Many2one(
        "spar.confirmation.client", required=True, readonly=True, ondelete="cascade"
    )
    began_at = fields.Integer(string="Started at", required=True, readonly=True)
    is_taken = fields.Boolean(string="Used", readonly=True)

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS
                   spar_confirmation_attempt_state_digest_uniq
                   ON spar_confirmation_attempt (state_digest)"""
        )
        return result

    def _build_seal_context(self, state_digest, confirmation_id, client_id) -> bytes:
        digest = bytes(state_digest).hex()
        return super()._build_seal_context(digest, confirmation_id, client_id)

    @api.model
    def _add(self, pending: PendingConfirmation, browser: str) -> None:
        """Store what the session with this secret has begun, for ten minutes.

        What it began before is void, so that the last change that was reviewed is the
        one that a login confirms.
        """
        attempt, binding = pending.attempt, pending.binding
        digest = digest_secret(attempt.secrets.state)
        begun = {
            "nonce": attempt.secrets.nonce,
            "verifier": attempt.secrets.verifier,
            "redirect_uri": attempt.redirect_uri,
            "receiver": binding.receiver,
            "draft_id": binding.draft_id,
            "salt": encode_base64url(binding.salt),
            "began_at": attempt.began_at,
        }
        context = (digest, pending.confirmation_id, pending.client_id)
        self.env.cr.execute(
            """UPDATE spar_confirmation_attempt SET is_taken = true
                WHERE browser_digest = %s AND NOT is_taken""",
            (digest_secret(browser),),
        )
        self.env.cr.execute(
            """INSERT INTO spar_confirmation_attempt (confirmation_id, client_id,
                   began_at, is_taken, state_digest, browser_digest, sealed)
               VALUES (%s, %s, %s, false, %s, %s, %s)""",
            (
                pending.confirmation_id,
                pending.client_id,
                attempt.began_at,
                digest,
                digest_secret(browser),
                self._seal_value(json.dumps(begun), *context),
            ),
        )

    @api.model
    def _take(self, state: str, browser: str) -> PendingConfirmation:
        """Return the login of this state, begun in this session, and use it up.

        This happens in a transaction of its own: whatever becomes of the request, a
        state is valid for one response, also in another session, so that whoever sent
        somebody to the provider cannot use the response. Raises AttemptUnknown.
        """
        with self.env.registry.cursor() as cr:
            cr.execute(
                """UPDATE spar_confirmation_attempt SET is_taken = true
                    WHERE state_digest = %s AND NOT is_taken
                   RETURNING browser_digest, confirmation_id, client_id, sealed""",
                (digest_secret(state),),
            )
            row = cr.fetchone()
        if not row or not compare_digest(bytes(row[0]), digest_secret(browser)):
            raise AttemptUnknown("state")
        _digest, confirmation_id, client_id, sealed = row
        context = (digest_secret(state), confirmation_id, client_id)
        begun = json.loads(self._unseal_value(sealed, *context))
        if begun["began_at"] < time.time() - LIFETIME.total_seconds():
            raise AttemptUnknown("late")
        secrets = AttemptSecrets(state, begun["nonce"], begun["verifier"])
        salt = decode_base64url(begun["salt"])
        return PendingConfirmation(
            confirmation_id,
            client_id,
            LoginAttempt(secrets, begun["redirect_uri"], begun["began_at"], fresh=True),
            Binding(begun["receiver"], begun["draft_id"], salt),
        )

    @api.model
    def _find_confirmation(self, state: str, browser: str):
        """Return the proposal of a login of this session, also of a used one."""
        self.env.cr.execute(
            """SELECT confirmation_id FROM spar_confirmation_attempt
                WHERE state_digest = %s AND browser_digest = %s""",
            (digest_secret(state), digest_secret(browser)),
        )
        row = self.env.cr.fetchone()
        return self.env["spar.confirmation"].sudo().browse(row or ())

    @api.model
    def _cron_forget_old(self) -> None:
        """Delete logins that can no longer lead to a page."""
        self.env.cr.execute(
            "DELETE FROM spar_confirmation_attempt WHERE began_at < %s",
            (int(time.time() - KEPT.total_seconds()),),
        )
