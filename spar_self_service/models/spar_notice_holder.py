from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    NoticeInfo,
    ObjectionAnswer,
)

_CALL = CallContext(
    actor="notice", channel="notice", authority=Authority.OWNER, authenticated_by="link"
)


class SparNoticeHolder(models.AbstractModel):
    """Whoever holds the one-time link of a notice: may dispute that event, once.

    The link was sent to a contact known before the event, and can only lock and bring
    back; no ID and no address is shown for it.
    """

    _name = "spar.notice.holder"
    _description = "Holder of a notice's link"

    @api.model
    def _get_mapper(self):
        return self.env["spar.mapper.backend"]._get_default_mapper().sudo()

    @api.model
    def _read(self, token: str) -> NoticeInfo:
        """What the link is about; raises NoSuchNotice and NotSupported."""
        return self._get_mapper()._read_notice(token)

    @api.model
    def _object_to(self, token: str) -> ObjectionAnswer:
        """This was not me; raises NoSuchNotice and NotSupported."""
        return self._get_mapper()._object_to_notice(_CALL, token)
