from odoo import fields, models
from odoo.tools import SQL

from ..fields import StoreMany2one
from ..lib import seals


class SparNotice(models.Model):
    """One person to be notified of one event, by the contact known before it."""

    _name = "spar.notice"
    _description = "Notice"
    _inherit = ["spar.store.table", "spar.sealed.storage"]
    _rec_name = "event_id"
    _order = "id desc"
    _log_access = False
    _references = {"event_id": "spar_event"}
    _refuses_delete = "notices are not deleted"

    event_id = StoreMany2one(
        "spar.event", required=True, readonly=True, ondelete="restrict"
    )
    # Notices come in the order of events: a few kilobytes suffice for a range of them.
    _event_range = models.Index("USING brin (event_id)")

    state = fields.Selection(
        [("queued", "To be sent"), ("letter", "By letter")],
        required=True,
        readonly=True,
        help="By letter: no contact was known before the event.",
    )

    def _get_seal_contexts(self, keyring, row_ids):
        rows = self.env.execute_query(
            SQL(
                """SELECT n.id, e.uuid
                     FROM spar_notice n JOIN spar_event e ON e.id = n.event_id
                    WHERE n.id = ANY(%s)""",
                list(row_ids),
            )
        )
        return {
            row_id: (seals.CONTACT, seals.contact_context(uuid))
            for row_id, uuid in rows
        }
