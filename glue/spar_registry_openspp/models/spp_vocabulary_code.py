from odoo import models


class SppVocabularyCode(models.Model):
    """OpenSPP's ID types are codes of a vocabulary; each may name one of SPAR."""

    _name = "spp.vocabulary.code"
    _inherit = ["spar.id.source.type", "spp.vocabulary.code"]
