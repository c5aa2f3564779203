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
    """The holder of a notice's one-time link, who may dispute that event once.

    The link was sent to a contact known before the event, and can only lock and
    restore; it shows no ID and no address.
    """

    _name = "spar.notice.holder"
    _description = "Holder of a notice's link"

    @api.model
    def _get_mapper(self):
        return self.env["spar.mapper.backend"]._get_mapper().sudo()

    @api.model
    def _read(self, token: str) -> NoticeInfo:
        """Return what the link is about; raises NoSuchNotice and NotSupported."""
        return self._get_mapper()._read_notice(token)

    @api.model
    def _object_to(self, token: str) -> ObjectionAnswer:
        """Object to the event; raises NoSuchNotice and NotSupported."""
        return self._get_mapper()._object_to_notice(_CALL, token)
