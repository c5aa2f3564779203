from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.models.provider.spar_directory_used import Uses

from ...lib.records import IN_FORCE

#: The column of a mapping that refers to each directory model.
_COLUMNS = {"spar.fsp": "provider_id", "spar.fsp.branch": "branch_id"}


class SparDirectoryUsed(models.AbstractModel):
    """A directory record named by mappings: its code is part of what was sealed.

    Closed providers and branches that are still named can be found, and their people
    moved to the successor.
    """

    _inherit = "spar.directory.used"

    is_left_over = fields.Boolean(
        "Closed, still in use",
        compute="_compute_is_left_over",
        search="_search_is_left_over",
        help="It has closed or is archived, but financial addresses in force still "
        "name it.",
    )

    def _is_used(self):
        query = SQL(
            """
            SELECT row_id FROM spar_store_use
             WHERE used_table = %(table)s AND row_id = ANY(%(ids)s)
            """,
            ids=self.ids,
            table=self._table,
        )
        used = self.browse([row_id for (row_id,) in self.env.execute_query(query)])
        return super()._is_used() | used

    def _count_uses(self) -> dict[int, Uses]:
        query = SQL(
            """
            SELECT p.%(column)s, count(DISTINCT p.address_uuid) FILTER (WHERE in_force),
                   count(DISTINCT p.address_uuid) FILTER (WHERE NOT in_force)
              FROM (SELECT p.*, EXISTS (
                           SELECT FROM spar_mapping m
                            WHERE m.id = p.mapping_id
                              AND m.address_uuid = p.address_uuid
                              AND m.state IN ('active', 'suspended')) AS in_force
                      FROM spar_mapping_period p
                     WHERE p.%(column)s = ANY(%(ids)s)) p
          GROUP BY p.%(column)s
            """,
            ids=self.ids,
            column=SQL.identifier(_COLUMNS[self._name]),
        )
        rows = self.env.execute_query(query)
        return super()._count_uses() | {
            row_id: Uses(*counts) for row_id, *counts in rows
        }

    def action_open_mappings(self):
        """Open the addresses that name the record; filters add those not in force."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_mapper.spar_mapping_action"
        )
        return {
            **action,
            "display_name": self.display_name,
            "domain": [(_COLUMNS[self._name], "=", self.id)],
        }

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
            list(IN_FORCE),
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
