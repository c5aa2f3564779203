from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.jose.keys import PublicKey

from ..const import BASE_PATH
from ..exceptions import InvalidClient, SignatureInvalid
from ..lib.assertions import Assertion, verify_assertion


class SparParticipantAssertion(models.Model):
    """An assertion that a client has used: it is valid once (RFC 7523 3, point 7)."""

    _name = "spar.participant.assertion"
    _description = "Used client assertion"
    _log_access = False

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="cascade"
    )
    id_digest = fields.Char(required=True, readonly=True)
    expires_at = fields.Datetime(required=True, readonly=True, index=True)

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
                *(participant_id, assertion.id_digest, moment.replace(tzinfo=None)),
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


class SparParticipant(models.Model):
    """Authentication at the token endpoint by a signed assertion."""

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _get_asserted(self, client_id: str, text: str):
        """Return the active participant that signed the assertion.

        Raises InvalidClient.
        """
        known = self._know("p.client_id = %s", client_id)
        if not known.may_call:
            raise InvalidClient()

        def find_key(kid: str, algorithm: str) -> PublicKey | None:
            try:
                return self._find_key(known, kid, algorithm)
            except SignatureInvalid:
                return None

        audiences = self._get_assertion_audiences()
        assertion = verify_assertion(text, client_id, audiences, find_key)
        self.env["spar.participant.assertion"]._use(known.participant_id, assertion)
        return self.browse(known.participant_id)

    @api.model
    def _get_assertion_audiences(self) -> list[str]:
        """Return the audiences of assertions: our receiver ID, API and token endpoint.

        They come from the configuration, never from the request: otherwise an assertion
        that was made for another server could be used here.
        """
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        base = (parameters_sudo.get_param("web.base.url") or "").rstrip("/")
        api_url = f"{base}{BASE_PATH}"
        audiences = [self._get_receiver_id(), api_url]
        return [*filter(None, audiences), f"{api_url}/oauth2/client/token"]
