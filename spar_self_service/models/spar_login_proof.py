import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import bind

PURPOSE = "login proof"
LIFETIME = timedelta(minutes=5)


class SparLoginProof(models.Model):
    """A proof that a person authenticated for one draft, on a user's device.

    It is valid once. Only a keyed digest of the draft is stored. The person's data in
    an officer's ticket is sealed.
    """

    _name = "spar.login.proof"
    _description = "Fresh login for one change"
    _inherit = ["spar.sealed.storage"]
    _log_access = False
    _digest_columns = ("draft_mac",)
    _seal_purpose = PURPOSE
    _seal_prefix = ("spar.login.proof",)
    _seal_context_columns = ("nonce", "user_id")

    kind = fields.Selection(
        [("step_up", "By the person"), ("agent", "On an officer's device")],
        required=True,
        readonly=True,
    )
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, ondelete="cascade"
    )
    nonce = fields.Char(required=True, readonly=True)
    made_at = fields.Datetime(string="Created on", required=True, readonly=True)

    @api.model
    def _get_mac(self, kind: str, user_id: int, draft_digest: str) -> bytes:
        """Return the MAC that represents a user's draft, useless without our key."""
        keyring = self.env["spar.keyring"]._open()
        return keyring.mac(PURPOSE, bind(kind, user_id, draft_digest))

    @api.model
    def _add(
        self, kind: str, user_id: int, draft_mac: bytes, nonce: str, person: dict
    ) -> None:
        """Store a proof that a person has just authenticated for the draft."""
        self.env.cr.execute(
            """INSERT INTO spar_login_proof (kind, user_id, nonce, made_at, draft_mac,
                                             sealed)
               VALUES (%s, %s, %s, now() AT TIME ZONE 'UTC', %s, %s)""",
            (
                kind,
                user_id,
                nonce,
                draft_mac,
                self._seal_value(json.dumps(person), nonce, user_id),
            ),
        )

    @api.model
    def _take(self, kind: str, user_id: int, draft_digest: str) -> tuple | None:
        """Return and delete ``(nonce, stored data)``; None where there is none.

        This happens in the request's own transaction: a request that is not committed
        uses nothing up. Of two concurrent requests, the later one is run again and
        finds nothing.
        """
        rows = self.env.execute_query(
            SQL(
                """DELETE FROM spar_login_proof
                    WHERE kind = %s AND user_id = %s AND draft_mac = %s
                   RETURNING nonce, sealed, made_at""",
                kind,
                user_id,
                self._get_mac(kind, user_id, draft_digest),
            )
        )
        oldest = fields.Datetime.now() - LIFETIME
        usable = [row for row in rows if row[2] >= oldest]
        if not usable:
            return None
        nonce, sealed, _made_at = usable[-1]
        return nonce, json.loads(self._unseal_value(sealed, nonce, user_id))

    @api.model
    def _read(self, kind: str, user_id: int, draft_digest: str) -> tuple | None:
        """Return what ``_take`` would return, without using it up."""
        rows = self.env.execute_query(
            SQL(
                """SELECT nonce, sealed FROM spar_login_proof
                    WHERE kind = %s AND user_id = %s
                      AND draft_mac = %s AND made_at >= %s
                    ORDER BY id DESC LIMIT 1""",
                kind,
                user_id,
                self._get_mac(kind, user_id, draft_digest),
                fields.Datetime.now() - LIFETIME,
            )
        )
        if not rows:
            return None
        ((nonce, sealed),) = rows
        return nonce, json.loads(self._unseal_value(sealed, nonce, user_id))

    @api.autovacuum
    def _gc_old(self):
        self.env.cr.execute(
            "DELETE FROM spar_login_proof WHERE made_at < %s",
            (fields.Datetime.now() - LIFETIME,),
        )
