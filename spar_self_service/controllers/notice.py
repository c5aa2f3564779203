from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.exceptions import (
    NoSuchEvent,
    NoSuchNotice,
    NotSupported,
)
from odoo.addons.spar_mapper_connector.pages.showing import PAGE

from ..lib.overview import REPRESENTATIVE
from .address import show_objected
from .page import page, show


class NoticePages(http.Controller):
    """The one-time link of a notice: GET only shows it, POST acts."""

    @http.route("/spar/notice/<string:token>", methods=["GET"], **PAGE)
    @page
    def ask(self, token, **_ignored):
        try:
            notice = request.env["spar.notice.holder"]._read(token)
        except (NoSuchNotice, NotSupported):
            return show("notice_over", 404)
        locks = not notice.kind.startswith(REPRESENTATIVE)
        if notice.answer:
            return show_objected(notice.answer, locks)
        texts = request.env["spar.page.texts"]
        return show(
            "notice",
            token=token,
            locks=locks,
            text=texts._get_event_text(notice.kind),
            when=texts._get_moment(notice.happened_at),
        )

    @http.route("/spar/notice/<string:token>", methods=["POST"], **PAGE)
    @page
    def act(self, token, **_ignored):
        holder = request.env["spar.notice.holder"]
        try:
            locks = not holder._read(token).kind.startswith(REPRESENTATIVE)
            answer = holder._object_to(token)
        except (NoSuchEvent, NoSuchNotice, NotSupported):
            return show("notice_over", 404)
        return show_objected(answer, locks)
