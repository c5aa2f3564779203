from odoo import fields, models


class SppVocabulary(models.Model):
    _name = "spp.vocabulary"
    _description = "Vocabulary"

    name = fields.Char(required=True)
    namespace_uri = fields.Char(required=True, index=True)
    is_system = fields.Boolean()
    code_ids = fields.One2many("spp.vocabulary.code", "vocabulary_id")
