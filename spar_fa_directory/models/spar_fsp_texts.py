from odoo import api, models


class SparFsp(models.Model):
    """A provider whose name and code are cleaned before they are used."""

    _name = "spar.fsp"
    _inherit = ["spar.fsp", "spar.directory.texts"]

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._clean_texts(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._clean_texts(vals))


class SparFspBranch(models.Model):
    """A branch whose name and code are cleaned before they are used."""

    _name = "spar.fsp.branch"
    _inherit = ["spar.fsp.branch", "spar.directory.texts"]

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._clean_texts(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._clean_texts(vals))
