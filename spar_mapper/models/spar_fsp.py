from odoo import models
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.models.provider.spar_directory_used import Uses

#: The column of a mapping that refers to each directory model.
_COLUMNS = {"spar.fsp": "provider_id", "spar.fsp.branch": "branch_id"}


class SparDirectoryUsed(models.AbstractModel):
    """A directory record named by mappings: its code is part of what was sealed."""

    _inherit = "spar.directory.used"

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
