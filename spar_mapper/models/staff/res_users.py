from odoo import models


class ResUsers(models.Model):
    _inherit = "res.users"

    def _get_reach(self, path: str = "") -> list:
        """Return a domain of the people whom this user may see; ``path`` leads to them.

        Record rules use it. A user who belongs to no office sees everybody.
        """
        offices = self.env["spar.office"]._find_for_user(self)
        if not offices:
            return []
        name = f"{path}office_person_ids"
        within = (f"{name}.office_id", "in", [*offices.ids, False])
        return ["|", (name, "=", False), within]
