from odoo import api, models
from odoo.tools import SQL

from ..lib import audit
from ..lib.transitions import WAIT_BEGINS, WAIT_ENDS

SWITCHED_OFF = "the ID was switched off, and not by the registry"
NOTICE_REMOVED = "its notice was removed"
CHANGE_ENDED = "the change waits, but the history says that it has ended"
CHANGE_HIDDEN = "a change of it waits by the history, but no row does"


class SparAudit(models.AbstractModel):
    """Rows that contradict the history, whatever their seals say.

    Each method looks at a range of ids: behind ``after``, up to ``until``.
    """

    _inherit = "spar.audit"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _search_switched_off(self, after: int, until: int) -> list[audit.Finding]:
        """Return the IDs of a range of subjects that are not active."""
        query = SQL(
            """SELECT id FROM spar_subject_id
                WHERE subject_id > %s AND subject_id <= %s AND active IS NOT TRUE
                ORDER BY id""",
            after,
            until,
        )
        rows = self.env.execute_query(query)
        return [("spar_subject_id", row_id, SWITCHED_OFF) for (row_id,) in rows]

    @api.model
    def _search_lost_notices(self, after: int, until: int) -> list[audit.Finding]:
        """Return the events of a range that nobody was, or will be, notified of."""
        query = SQL(
            """SELECT e.id FROM spar_event e
                 LEFT JOIN (SELECT event_id FROM spar_notice
                             WHERE event_id > %(after)s AND event_id <= %(until)s) n
                   ON n.event_id = e.id
                WHERE e.id > %(after)s AND e.id <= %(until)s AND n.event_id IS NULL
                ORDER BY e.id""",
            after=after,
            until=until,
        )
        rows = self.env.execute_query(query)
        return [("spar_event", row_id, NOTICE_REMOVED) for (row_id,) in rows]

    @api.model
    def _search_untrue_changes(self, after: int, until: int) -> list[audit.Finding]:
        """Compare what waits by rows and by history, in a range of mappings."""
        query = SQL(
            """SELECT last.mapping_id, c.id
                 FROM (SELECT DISTINCT ON (mapping_id) mapping_id,
                              kind = ANY(%(begins)s) AS waits
                         FROM spar_event
                        WHERE mapping_id > %(after)s AND mapping_id <= %(until)s
                          AND kind = ANY(%(kinds)s)
                        ORDER BY mapping_id, seq DESC) last
                 FULL JOIN (SELECT id, mapping_id FROM spar_change
                             WHERE state = 'waiting'
                               AND mapping_id > %(after)s
                               AND mapping_id <= %(until)s) c
                   ON c.mapping_id = last.mapping_id
                WHERE coalesce(last.waits, false) != (c.id IS NOT NULL)""",
            begins=list(WAIT_BEGINS),
            kinds=[*WAIT_BEGINS, *WAIT_ENDS],
            after=after,
            until=until,
        )
        return [
            ("spar_change", change_id, CHANGE_ENDED)
            if change_id
            else ("spar_mapping", mapping_id, CHANGE_HIDDEN)
            for mapping_id, change_id in self.env.execute_query(query)
        ]
