from odoo import api, models


class SparPageVisitor(models.AbstractModel):
    """A role: who is known to sit at the browser of this request."""

    _name = "spar.page.visitor"
    _description = "Visitor of people's pages"

    @api.model
    def _get_own_id(self) -> str:
        """Return the ID of the person who is logged in here, "" where nobody is.

        An addon in which people log in overrides it.
        """
        return ""
