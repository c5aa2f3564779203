from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.contract import Operation

from ..const import BASE_PATH, MAX_MESSAGE_SIZE, ROUTING_TYPE

_ROUTING = {
    "type": ROUTING_TYPE,
    "auth": "spar_participant",
    "methods": ["POST"],
    "save_session": False,
    "max_content_length": MAX_MESSAGE_SIZE,
}


class MapperController(http.Controller):
    """The synchronous half of the mapper API (g2p-connect.md 1.2)."""

    @http.route(f"{BASE_PATH}/mapper/sync/link", **_ROUTING)
    def link_fa(self):
        return self._answer(Operation.LINK)

    @http.route(f"{BASE_PATH}/mapper/sync/update", **_ROUTING)
    def update_fa(self):
        return self._answer(Operation.UPDATE)

    @http.route(f"{BASE_PATH}/mapper/sync/unlink", **_ROUTING)
    def unlink_fa(self):
        return self._answer(Operation.UNLINK)

    @http.route(f"{BASE_PATH}/mapper/sync/resolve", **_ROUTING)
    def resolve_fa(self):
        return self._answer(Operation.RESOLVE)

    def _answer(self, operation: Operation) -> dict:
        server = request.env["spar.g2p.connect.server"]
        caller = request.spar_caller
        caller.check_operation(operation)
        return server._answer(caller, operation, request.httprequest.get_data())
