from odoo import models
from odoo.tools import SQL


class SparFsp(models.Model):
    _inherit = "spar.fsp"

    def _is_used(self):
        """Mappings name the provider: its code is part of what was sealed."""
        query = SQL(
            "SELECT DISTINCT provider_id FROM spar_mapping WHERE provider_id = ANY(%s)",
            self.ids,
        )
        used = self.browse([row_id for (row_id,) in self.env.execute_query(query)])
        return super()._is_used() | used


class SparFspBranch(models.Model):
    _inherit = "spar.fsp.branch"

    def _is_used(self):
        """Mappings name the branch: its code is part of what was sealed."""
        query = SQL(
            "SELECT DISTINCT branch_id FROM spar_mapping WHERE branch_id = ANY(%s)",
            self.ids,
        )
        used = self.browse([row_id for (row_id,) in self.env.execute_query(query)])
        return super()._is_used() | used
