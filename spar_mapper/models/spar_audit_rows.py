from odoo import api, models
from odoo.tools import SQL

from ..lib import audit
from ..lib.transitions import WAIT_BEGINS, WAIT_ENDS

SWITCHED_OFF = "the ID was switched off, and not by the registry"
NOTICE_REMOVED = "its notice was removed"
CHANGE_ENDED = "the change waits, but the history says that it has ended"
CHANGE_HIDDEN = "a change of it waits by the history, but no row does"


class SparAudit(models.AbstractModel):
    """Rows that contradict the history, whatever their seals say."""

    _inherit = "spar.audit"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _check_rows(self) -> list[audit.Finding]:
        """Name IDs switched off, lost notices, changes that the history contradicts."""
        return [
            *self._search_switched_off(),
            *self._search_lost_notices(),
            *self._search_untrue_changes(),
        ]

    @api.model
    def _search_switched_off(self) -> list[audit.Finding]:
        query = SQL("SELECT id FROM spar_subject_id WHERE active IS NOT TRUE")
        rows = self.env.execute_query(query)
        return [("spar_subject_id", row_id, SWITCHED_OFF) for (row_id,) in rows]

    @api.model
    def _search_lost_notices(self) -> list[audit.Finding]:
        rows = self.env.execute_query(
            SQL(
                """SELECT e.id FROM spar_event e
                    WHERE NOT EXISTS (SELECT FROM spar_notice n WHERE n.event_id = e.id)
                    ORDER BY e.id"""
            )
        )
        return [("spar_event", row_id, NOTICE_REMOVED) for (row_id,) in rows]

    @api.model
    def _search_untrue_changes(self) -> list[audit.Finding]:
        """Whether a change waits stands in its row and in the history."""
        rows = self.env.execute_query(
            SQL(
                """SELECT last.mapping_id, last.waits, c.id
                     FROM (SELECT DISTINCT ON (mapping_id) mapping_id,
                                  kind = ANY(%s) AS waits
                             FROM spar_event WHERE kind = ANY(%s)
                            ORDER BY mapping_id, seq DESC) last
                     FULL JOIN (SELECT id, mapping_id FROM spar_change
                                 WHERE state = 'waiting') c
                       ON c.mapping_id = last.mapping_id
                    WHERE coalesce(last.waits, false) != (c.id IS NOT NULL)""",
                list(WAIT_BEGINS),
                [*WAIT_BEGINS, *WAIT_ENDS],
            )
        )
        return [
            ("spar_change", change_id, CHANGE_ENDED)
            if change_id
            else ("spar_mapping", mapping_id, CHANGE_HIDDEN)
            for mapping_id, _waits, change_id in rows
        ]
