from odoo import api, models


class SparCachedRecords(models.AbstractModel):
    """For models that are read through a cache of the whole process: a change of one
    record empties it, everywhere."""

    _name = "spar.cached.records"
    _description = "Records that are kept in a cache"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        self.env.registry.clear_cache()
        return records

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result
