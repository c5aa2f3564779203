from odoo import http
from odoo.http import request

from ..const import DIRECTORY_PATH, ROUTING_TYPE

_ROUTING = {
    "type": ROUTING_TYPE,
    "auth": "spar_participant",
    "methods": ["GET"],
    "save_session": False,
    "cacheable": True,
}


class DirectoryController(http.Controller):
    """The directory of providers and kinds of address: read-only, page by page."""

    @http.route(f"{DIRECTORY_PATH}/providers", **_ROUTING)
    def list_providers(self):
        return self._get_directory()._list_providers(*self._get_query())

    @http.route(f"{DIRECTORY_PATH}/providers/<path:code>/branches", **_ROUTING)
    def list_branches(self, code):
        return self._get_directory()._list_branches(code, *self._get_query())

    @http.route(f"{DIRECTORY_PATH}/fa-types", **_ROUTING)
    def list_fa_types(self):
        return self._get_directory()._list_fa_types(*self._get_query())

    def _get_directory(self):
        return request.env["spar.g2p.connect.directory"]

    def _get_query(self) -> tuple[bytes, list[str]]:
        """Return the query string and the caller's accepted languages, best first."""
        http_request = request.httprequest
        return http_request.query_string, list(http_request.accept_languages.values())
