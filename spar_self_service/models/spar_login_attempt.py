import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from secrets import compare_digest

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.lib.oidc.authorization import (
    AttemptSecrets,
    LoginAttempt,
)
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import AttemptUnknown
from odoo.addons.spar_mapper_connector.lib.pages.browser import digest_secret

LIFETIME = timedelta(minutes=10)
#: Pending attempts per browser: enough for some tabs, too few for a flood.
MAX_PENDING = 5


@dataclass(frozen=True)
class PendingLogin:
    """An attempt as it was begun: its purpose and its user."""

    provider_id: int
    purpose: str
    return_to: str
    attempt: LoginAttempt
    user_id: int | None = None
    draft_mac: bytes = b""


class SparLoginAttempt(models.Model):
    """An attempt to log in that waits for the provider's response.

    Only a digest of the state is stored; nonce and PKCE verifier are sealed. The
    browser that began it is recognised by a secret of its session.
    """

    _name = "spar.login.attempt"
    _description = "Login attempt"
    _inherit = ["spar.sealed.storage"]
    _log_access = False
    _digest_columns = ("state_digest", "browser_digest", "draft_mac")
    _seal_purpose = "login attempt"
    _seal_prefix = ("spar.login.attempt",)
    _seal_context_columns = ("state_digest",)

    provider_id = fields.Many2one(
        "auth.oauth.provider", required=True, readonly=True, ondelete="cascade"
    )
    purpose = fields.Selection(
        [
            ("login", "Log in"),
            ("step_up", "Confirm a change"),
            ("agent", "Confirm a change on an officer's device"),
            ("test", "Test the provider"),
        ],
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one("res.users", readonly=True, ondelete="cascade")
    return_to = fields.Char(string="Return to", required=True, readonly=True)
    began_at = fields.Datetime(string="Started on", required=True, readonly=True)

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS spar_login_attempt_state_digest_uniq
                   ON spar_login_attempt (state_digest);
               CREATE INDEX IF NOT EXISTS spar_login_attempt_browser_digest_index
                   ON spar_login_attempt (browser_digest)"""
        )
        return result

    def _build_seal_context(self, state_digest: bytes) -> bytes:
        return super()._build_seal_context(bytes(state_digest).hex())

    @api.model
    def _add(self, pending: PendingLogin, browser: str) -> None:
        """Store what the browser with this secret has begun, for ten minutes."""
        secrets = pending.attempt.secrets
        state = digest_secret(secrets.state)
        begun = {
            "nonce": secrets.nonce,
            "verifier": secrets.verifier,
            "redirect_uri": pending.attempt.redirect_uri,
            "fresh": pending.attempt.fresh,
        }
        self.env.cr.execute(
            """INSERT INTO spar_login_attempt (provider_id, purpose, user_id, return_to,
                   began_at, state_digest, browser_digest, draft_mac, sealed)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            (
                pending.provider_id,
                pending.purpose,
                pending.user_id,
                pending.return_to,
                datetime.fromtimestamp(pending.attempt.began_at, timezone.utc),
                state,
                digest_secret(browser),
                pending.draft_mac or None,
                self._seal_value(json.dumps(begun), state),
            ),
        )
        self._drop_surplus(digest_secret(browser))

    @api.model
    def _drop_surplus(self, browser_digest: bytes) -> None:
        self.env.cr.execute(
            """DELETE FROM spar_login_attempt WHERE id IN (
                   SELECT id FROM spar_login_attempt WHERE browser_digest = %s
                    ORDER BY id DESC OFFSET %s)""",
            (browser_digest, MAX_PENDING),
        )

    @api.model
    def _take(self, state: str, browser: str) -> PendingLogin:
        """Return and delete the attempt of this state, begun by this browser.

        This happens in a transaction of its own: whatever becomes of the request, a
        state is valid for one response, also in another browser, so that whoever sent
        somebody to the provider cannot use the response. Raises AttemptUnknown.
        """
        with self.env.registry.cursor() as cr:
            cr.execute(
                """DELETE FROM spar_login_attempt
                    WHERE state_digest = %s
                   RETURNING browser_digest, provider_id, purpose, user_id, return_to,
                          draft_mac, sealed,
                          extract(epoch FROM began_at)::bigint AS began_at""",
                (digest_secret(state),),
            )
            row = cr.dictfetchone()
        if not row or not _is_of(row, browser):
            raise AttemptUnknown("state")
        if row["began_at"] < time.time() - LIFETIME.total_seconds():
            raise AttemptUnknown("state")
        return self._build_pending(row, state)

    @api.model
    def _build_pending(self, row: dict, state: str) -> PendingLogin:
        begun = json.loads(self._unseal_value(row["sealed"], digest_secret(state)))
        secrets = AttemptSecrets(state, begun["nonce"], begun["verifier"])
        began_at, redirect_uri = row["began_at"], begun["redirect_uri"]
        return PendingLogin(
            provider_id=row["provider_id"],
            purpose=row["purpose"],
            return_to=row["return_to"],
            attempt=LoginAttempt(secrets, redirect_uri, began_at, begun["fresh"]),
            user_id=row["user_id"],
            draft_mac=bytes(row["draft_mac"] or b""),
        )

    @api.model
    def _delete_attempts_of_browser(self, browser: str) -> None:
        """Delete everything else that this browser began before the login.

        This happens in a transaction of its own, which sees that the attempt just taken
        is gone.
        """
        query = "DELETE FROM spar_login_attempt WHERE browser_digest = %s"
        with self.env.registry.cursor() as cr:
            cr.execute(query, (digest_secret(browser),))

    @api.model
    def _cron_forget_old(self) -> None:
        """Delete attempts that were not completed in time."""
        self.env.cr.execute(
            "DELETE FROM spar_login_attempt WHERE began_at < %s",
            (fields.Datetime.now() - LIFETIME,),
        )


def _is_of(row: dict, browser: str) -> bool:
    """Return whether an attempt was begun by the browser with this secret."""
    return compare_digest(bytes(row["browser_digest"]), digest_secret(browser))
