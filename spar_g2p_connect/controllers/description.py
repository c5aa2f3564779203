from odoo import http
from odoo.http import Response

from ..const import BASE_PATH, ROUTING_TYPE
from ..lib.openapi.document import build_document
from ..lib.openapi.page import build_page

_ROUTING = {
    "type": ROUTING_TYPE,
    "auth": "spar_service",
    "methods": ["GET"],
    "save_session": False,
    "content_type": "",
}
_CACHE_CONTROL = "public, max-age=300"
#: The page loads nothing, runs nothing and cannot be framed by another page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class DescriptionController(http.Controller):
    """The description of this interface, for programs and for people."""

    @http.route(f"{BASE_PATH}/openapi.json", **_ROUTING)
    def openapi(self):
        return build_document(), [("Cache-Control", _CACHE_CONTROL)]

    @http.route(f"{BASE_PATH}/docs", **_ROUTING)
    def docs(self):
        headers = [
            ("Cache-Control", _CACHE_CONTROL),
            ("Content-Security-Policy", _POLICY),
            ("X-Content-Type-Options", "nosniff"),
        ]
        return Response(build_page(), headers=headers, mimetype="text/html")
