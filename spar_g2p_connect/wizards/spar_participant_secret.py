from odoo import api, fields, models


class SparParticipantSecret(models.TransientModel):
    """Asks before a participant's client secret is replaced.

    The secret itself is in no field and no table: it is in the answer to the click, and
    gone once the person has closed the message that shows it.
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

    @api.model
    def _default_participant_id(self) -> int:
        return self.env.context.get("active_id", False)

    def action_make_secret(self) -> dict:
        """Replace the secret and show the new one, this once."""
        self.ensure_one()
        secret = self.participant_id._set_new_client_secret()
        message = self.env._(
            "%(secret)s — it is shown only this once and kept nowhere.", secret=secret
        )
        if self.participant_id.state == "active":
            message += " " + self.env._("It works once somebody else has approved it.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "title": self.env._("Client secret: copy it now"),
                "message": message,
                "sticky": True,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
