from odoo import api, fields, models
from odoo.tools import SQL, drop_view_if_exists

from ...fields import StoreMany2one


class SparLook(models.Model):
    """One look at a person: a search, a document, a reveal or a waiting change.

    It is a view of the lookups, of the reveals in the history, and of the looks at
    changes, so that an auditor counts all of them together, by person and by day.
    """

    _name = "spar.look"
    _description = "Look at a person"
    _inherit = ["spar.by.whom"]
    _auto = False
    _rec_name = "kind"
    _order = "looked_at desc, id desc"
    _log_access = False

    looked_at = fields.Datetime(string="When", readonly=True)
    kind = fields.Selection(
        selection=lambda self: self._selection_kind(), string="Look", readonly=True
    )
    subject_id = StoreMany2one("spar.subject", string="Person", readonly=True)
    reason = fields.Char(readonly=True)
    searches = fields.Integer(readonly=True)
    misses = fields.Integer(string="Found no one", readonly=True)
    reveals = fields.Integer(readonly=True)
    documents = fields.Integer(readonly=True)
    changes = fields.Integer(string="Waiting changes", readonly=True)

    @api.model
    def _selection_kind(self):
        return [
            *self.env["spar.lookup"]._selection_kind(),
            ("revealed", self.env._("Reveal")),
            ("opened", self.env._("Waiting change opened")),
            ("compared", self.env._("Waiting change compared")),
            ("mistyped", self.env._("Waiting change: other digits typed")),
        ]

    def init(self):
        """Define the view; an id modulo 3 names its table.

        A reveal of a waiting change is in the history, and digits that were mistyped
        are a look at the change: neither is counted twice.
        """
        drop_view_if_exists(self.env.cr, self._table)
        self.env.cr.execute(
            SQL(
                """CREATE VIEW %s AS
                   SELECT 3 * id AS id, actor, looked_at, kind, subject_id, reason,
                          CASE WHEN kind NOT IN
                                    ('evidence', 'representative', 'witness')
                                AND (cost > 0 OR kind = 'programme'
                                     OR subject_id IS NULL)
                               THEN 1 ELSE 0 END AS searches,
                          CASE WHEN subject_id IS NULL THEN 1 ELSE 0 END AS misses,
                          CASE WHEN kind IN ('representative', 'witness')
                               THEN 1 ELSE 0 END AS reveals,
                          CASE WHEN kind = 'evidence' THEN 1 ELSE 0 END AS documents,
                          0 AS changes
                     FROM spar_lookup WHERE kind <> 'digits'
                    UNION ALL
                   SELECT 3 * id + 1, actor, happened_at, 'revealed', subject_id,
                          reason, 0, 0, 1, 0, 0
                     FROM spar_event WHERE kind = 'revealed'
                    UNION ALL
                   SELECT 3 * l.id + 2, l.actor, l.looked_at, l.kind, m.subject_id,
                          NULL, 0, 0, 0, 0, 1
                     FROM spar_change_look l
                     JOIN spar_change c ON c.id = l.change_id
                     JOIN spar_mapping m ON m.id = c.mapping_id
                    WHERE l.kind <> 'revealed'""",
                SQL.identifier(self._table),
            )
        )
