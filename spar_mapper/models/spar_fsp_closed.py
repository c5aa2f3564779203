from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .spar_fsp import _COLUMNS

_OPEN = ("active", "suspended")


class SparDirectoryUsed(models.AbstractModel):
    """Closed providers and branches that are still named: found, and moved from."""

    # One file per concern: pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.directory.used"

    is_left_over = fields.Boolean(
        "Closed, still named",
        compute="_compute_is_left_over",
        search="_search_is_left_over",
        help="It has closed or is archived, and financial addresses in force name it.",
    )

    @api.depends_context("uid")
    def _compute_is_left_over(self):
        for record in self:
            record.is_left_over = bool(record._is_over() and record.use_count)

    @api.model
    def _search_is_left_over(self, operator, values):
        if operator != "in" or set(values) != {True}:
            return NotImplemented
        over = Domain("active", "=", False)
        over |= Domain("closed_on", "<=", fields.Date.today())
        query = SQL(
            "SELECT DISTINCT %s FROM spar_mapping WHERE state = ANY(%s)",
            SQL.identifier(_COLUMNS[self._name]),
            list(_OPEN),
        )
        named = [row_id for (row_id,) in self.env.execute_query(query) if row_id]
        return over & Domain("id", "in", named)

    def _is_over(self) -> bool:
        """Return whether it, or the provider of a branch, has closed or is archived."""
        return bool(self) and (not self.active or self.is_closed)

    def action_move(self):
        """Prepare or continue the move of everyone whose address names it."""
        self.ensure_one()
        name = _COLUMNS[self._name]
        moves = self.env["spar.move"]
        domain = moves._get_unfinished_domain() & Domain(name, "=", self.id)
        if name == "provider_id":
            domain &= Domain("branch_id", "=", False)
        values = {f"default_{name}": self.id, "active_test": False}
        if name == "branch_id":
            values["default_provider_id"] = self.provider_id.id
        if self.close_reason:
            values["default_reason"] = self.close_reason
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Move to the successor"),
            "res_model": "spar.move",
            "res_id": moves.search(domain, limit=1).id,
            "view_mode": "form",
            "context": values,
        }


class SparFspBranch(models.Model):
    # One file per concern: closing here, forms elsewhere.
    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.fsp.branch"

    def _is_over(self):
        return super()._is_over() or self.provider_id._is_over()
