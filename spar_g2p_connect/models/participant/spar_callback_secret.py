from odoo import fields, models


class SparCallbackSecret(models.Model):
    """The sealed secret that authenticates us at a participant's callback URL."""

    _name = "spar.callback.secret"
    _description = "Secret for a callback URL"
    _inherit = ["spar.sealed.secret", "spar.sealed.storage"]
    _log_access = False
    _seal_purpose = "callback secret"
    _seal_prefix = ("spar.callback.secret",)
    _seal_context_columns = ("participant_id", "uuid")
    _owner_column = "participant_id"

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="cascade"
    )

    _participant_uniq = models.UniqueIndex(
        "(participant_id)", "A participant has one callback secret."
    )
