from odoo import http
from odoo.http import request

#: The longest answer that a mapper may send by callback.
MAX_CALLBACK = 4 * 1024 * 1024


class RemoteCallbackController(http.Controller):
    """Where other mappers send their answers to our asynchronous messages."""

    @http.route(
        "/spar/callback/<int:backend_id>/<string:action>",
        type="http",
        auth="public",
        methods=["POST"],
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=MAX_CALLBACK,
    )
    def receive(self, backend_id, action):
        """Store an answer that is proved and expected; acknowledge it."""
        raw = request.httprequest.get_data()
        signature = request.httprequest.headers.get("Signature", "")
        answers = request.env["spar.remote.answer"]
        status, document = answers._receive(backend_id, action, raw, signature)
        return request.make_json_response(document, status=status)
