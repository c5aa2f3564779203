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


def _ask(question: str, *arguments: str) -> tuple:
    """The answer of the directory, in a language that the caller accepts."""
    http_request = request.httprequest
    # The languages that the caller accepts, the best first.
    accepted = list(http_request.accept_languages.values())
    ask = getattr(request.env["spar.g2p.connect.directory"], question)
    return ask(*arguments, http_request.query_string, accepted)


class DirectoryController(http.Controller):
    """Who can hold money, and how an address is written: read only, page by page."""

    @http.route(f"{DIRECTORY_PATH}/providers", **_ROUTING)
    def list_providers(self):
        return _ask("_list_providers")

    @http.route(f"{DIRECTORY_PATH}/providers/<path:code>/branches", **_ROUTING)
    def list_branches(self, code):
        return _ask("_list_branches", code)

    @http.route(f"{DIRECTORY_PATH}/fa-types", **_ROUTING)
    def list_fa_types(self):
        return _ask("_list_fa_types")
