from datetime import timedelta
from secrets import token_urlsafe

from odoo import fields, models

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ..lib.objection import DISPUTABLE
from ..store.noticing import sign_links


class SparNotice(models.Model):
    """The one-time link of a notice: kept as a keyed digest, good for one objection."""

    # One file per concern: pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.notice"

    link_expires_at = fields.Datetime(readonly=True)

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, ("link_digest", "link_mac"))
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS spar_notice_link_digest_uniq
                   ON spar_notice (link_digest) WHERE link_digest IS NOT NULL"""
        )
        return result

    def _make_link(self) -> str:
        """Return a new token for this notice's link; it invalidates an older one.

        It is returned only once, and is valid as long as an address can be restored. It
        is empty for an event to which no one can object.
        """
        self.ensure_one()
        if self.event_id.kind not in DISPUTABLE:
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
