from odoo import fields, models


class SparBackendSecret(models.Model):
    """The sealed secret that authenticates us at another mapper."""

    _name = "spar.backend.secret"
    _description = "Secret for another mapper"
    _inherit = ["spar.sealed.secret", "spar.sealed.storage"]
    _log_access = False
    _seal_purpose = "backend secret"
    _seal_prefix = ("spar.backend.secret",)
    _seal_context_columns = ("backend_id", "uuid")
    _owner_column = "backend_id"

    backend_id = fields.Many2one(
        "spar.mapper.backend", required=True, readonly=True, ondelete="cascade"
    )

    _backend_uniq = models.UniqueIndex("(backend_id)", "A backend has one secret.")
