from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from ...exceptions import InvalidClient
from ...lib.assertions import Assertion


class SparParticipantAssertion(models.Model):
    """An assertion that a client has used: it is valid once (RFC 7523 3, point 7)."""

    _name = "spar.participant.assertion"
    _description = "Used client assertion"
    _log_access = False

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="cascade"
    )
    id_digest = fields.Char(string="Digest of the ID", required=True, readonly=True)
    expires_at = fields.Datetime(
        string="Expires at", required=True, readonly=True, index=True
    )

    _id_digest_uniq = models.UniqueIndex(
        "(participant_id, id_digest)", "An assertion is used once."
    )

    @api.model
    def _use(self, participant_id: int, assertion: Assertion) -> None:
        """Record that ``assertion`` is used; raises InvalidClient on reuse."""
        moment = datetime.fromtimestamp(assertion.expires_at, timezone.utc)
        rows = self.env.execute_query(
            SQL(
                """INSERT INTO spar_participant_assertion
                          (participant_id, id_digest, expires_at)
                   VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING id""",
                participant_id,
                assertion.id_digest,
                moment.replace(tzinfo=None),
            )
        )
        if not rows:
            raise InvalidClient()

    @api.autovacuum
    def _gc_expired(self) -> None:
        # A day more than needed: clocks of hosts differ, and rows cost little.
        self.env.cr.execute(
            """DELETE FROM spar_participant_assertion
                WHERE expires_at < now() AT TIME ZONE 'UTC' - interval '1 day'"""
        )
