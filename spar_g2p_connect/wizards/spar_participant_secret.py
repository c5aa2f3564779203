from odoo import api, fields, models


class SparParticipantSecret(models.TransientModel):
    """A confirmation before a participant's client secret is replaced.

    The secret itself is in no field and no table: it is in the response to the click,
    and gone once the user has closed the message that shows it.
    """

    _name = "spar.participant.secret"
    _description = "New client secret"

    participant_id = fields.Many2one(
        "spar.participant",
        required=True,
        readonly=True,
        ondelete="cascade",
        default=lambda self: self._default_participant_id(),
    )
    client_id = fields.Char(related="participant_id.client_id", string="Client ID")
    consequence = fields.Char(compute="_compute_consequence")

    @api.model
    def _default_participant_id(self) -> int:
        return self.env.context.get("active_id", False)

    @api.depends("participant_id")
    def _compute_consequence(self) -> None:
        """Describe what becomes of the old secret and of pending changes."""
        for wizard in self:
            wizard.consequence = wizard._get_consequence()

    def _get_consequence(self) -> str:
        participant = self.participant_id
        if participant.state != "draft":
            return self.env._(
                "The old secret works until another administrator has approved the "
                "new one."
            )
        if participant.setting_change_ids:
            return self.env._(
                "The activation of this participant was proposed with the old secret. "
                "Withdraw it first, then press Activate again."
            )
        return self.env._("Any old secret stops working at once.")

    def action_make_secret(self) -> dict:
        """Replace the secret and show the new one, this once."""
        self.ensure_one()
        secret = self.participant_id._set_new_client_secret()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "title": self.env._("Client secret: copy it now"),
                "message": self.env._(
                    "%(secret)s — it is shown only once and is not stored.",
                    secret=secret,
                ),
                "sticky": True,
                # Reloading lets the form behind show pending changes.
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
