from datetime import timedelta
from secrets import token_urlsafe

from odoo import fields, models

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ...fields import StoreMany2one
from ...lib import seals
from ...lib.objection import REPORTABLE
from ...store.noticing import sign_links


class SparNotice(models.Model):
    """One person to be notified of one event, by the contact known before it.

    Channels deliver notices (``spar.notice.channel``). A notice can have a one-time
    link, stored as a keyed digest, which is good for one objection.
    """

    _name = "spar.notice"
    _description = "Notice"
    _inherit = ["spar.store.table", "spar.sealed.storage"]
    _rec_name = "event_id"
    _order = "id desc"
    _log_access = False
    _seal_purpose = seals.CONTACT
    _seal_prefix = (seals.CONTACT,)
    _seal_context_columns = ("event_id.uuid",)
    _references = {"event_id": "spar_event"}
    _refuses_delete = "notices are not deleted"

    event_id = StoreMany2one(
        "spar.event", required=True, readonly=True, ondelete="restrict"
    )
    event_kind = fields.Selection(
        related="event_id.kind", related_sudo=False, string="Event kind"
    )
    happened_at = fields.Datetime(
        related="event_id.happened_at", related_sudo=False, string="Happened at"
    )
    # Notices come in the order of events: a few kilobytes suffice for a range of them.
    _event_range = models.Index("USING brin (event_id)")

    state = fields.Selection(
        [("queued", "To be sent"), ("letter", "By letter")],
        required=True,
        readonly=True,
        help="By letter: no contact was known before the event.",
    )

    link_expires_at = fields.Datetime(string="Link expires at", readonly=True)

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, ("link_digest", "link_mac"))
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS spar_notice_link_digest_uniq
                   ON spar_notice (link_digest) WHERE link_digest IS NOT NULL"""
        )
        return result

    # === THE LINK FOR AN OBJECTION === #

    def _make_link(self) -> str:
        """Return a new token for this notice's link; it invalidates an older one.

        It is returned only once, and is valid as long as an address can be restored. It
        is empty for an event to which no one can object.
        """
        self.ensure_one()
        if self.event_id.kind not in REPORTABLE:
            return ""
        keyring = self.env["spar.keyring"]._open(for_write=True)
        mapper, token = self.env["spar.mapper.local"], token_urlsafe(24)
        days = timedelta(days=mapper._get_objection_days())
        self.env.cr.execute(
            "UPDATE spar_notice SET link_digest = %s, link_expires_at = %s"
            " WHERE id = %s",
            (keyring.link_digest(token), mapper._get_now() + days, self.id),
        )
        sign_links(self.env.cr, keyring, self.ids)
        self.invalidate_recordset(["link_expires_at"])
        return token
