from odoo import api, fields, models
from odoo.exceptions import UserError

#: All that may be changed of a code that its addon ships.
CHANGEABLE = {"active", "deprecated", "deprecated_date", "sequence"}


class SppVocabularyCode(models.Model):
    _name = "spp.vocabulary.code"
    _description = "Vocabulary code"
    _inherit = ["mail.thread"]
    _order = "sequence, code"
    _rec_name = "display"

    vocabulary_id = fields.Many2one("spp.vocabulary", required=True, index=True)
    namespace_uri = fields.Char(
        related="vocabulary_id.namespace_uri", store=True, index=True
    )
    code = fields.Char(required=True, index=True)
    display = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    deprecated = fields.Boolean()
    deprecated_date = fields.Date()
    is_local = fields.Boolean()
    target_type = fields.Selection(
        [("individual", "Individual"), ("group", "Group"), ("both", "Both")],
        default="both",
    )
    id_validation = fields.Char()

    def write(self, vals):
        is_loading = "install_xmlid" in self.env.context
        for code in self:
            is_shipped = code.vocabulary_id.is_system and not code.is_local
            if is_shipped and not is_loading and vals.keys() - CHANGEABLE:
                raise UserError(
                    self.env._("Codes of a system vocabulary cannot be changed.")
                )
        return super().write(vals)

    @api.model
    def get_code(self, namespace_uri, code):
        domain = [("namespace_uri", "=", namespace_uri), ("code", "=", code)]
        return self.search(domain, limit=1)
