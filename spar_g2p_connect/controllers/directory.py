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
    """Who can hold money, and how an address is written: read only, page by page."""

    @http.route(f"{DIRECTORY_PATH}/providers", **_ROUTING)
    def list_providers(self):
        return self._directory._list_providers(self._query, self._accepted)

    @http.route(f"{DIRECTORY_PATH}/providers/<path:code>/branches", **_ROUTING)
    def list_branches(self, code):
        return self._directory._list_branches(code, self._query, self._accepted)

    @http.route(f"{DIRECTORY_PATH}/fa-types", **_ROUTING)
    def list_fa_types(self):
        return self._directory._list_fa_types(self._query, self._accepted)

    @property
    def _directory(self):
        return request.env["spar.g2p.connect.directory"]

    @property
    def _query(self) -> bytes:
        return request.httprequest.query_string

    @property
    def _accepted(self) -> list[str]:
        """The languages that the caller accepts, the best first."""
        return list(request.httprequest.accept_languages.values())
