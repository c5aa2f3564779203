from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import STATUS

from ..const import BASE_PATH, MAX_MESSAGE_SIZE, ROUTING_TYPE
from ..dispatcher import read_body
from ..lib.exchange import ASYNC, SYNC

ROUTING = {
    "type": ROUTING_TYPE,
    "auth": "spar_message",
    "methods": ["POST"],
    "save_session": False,
    # A replica may lag: permissions and the store are read from the primary.
    "readonly": False,
    "max_content_length": MAX_MESSAGE_SIZE,
}
#: On asynchronous paths, errors are acknowledgements too (g2p-connect.md 4.2).
_ASYNC_ROUTING = {**ROUTING, "acknowledges": True}


def serve(server, action: str, mode: str = SYNC) -> tuple[dict, list]:
    """Return what ``server`` answers to the message of this request, signed."""
    caller = request.spar_caller
    raw = read_body(request.httprequest, MAX_MESSAGE_SIZE)
    answer = server._serve(caller, action, raw, mode)
    place, algorithm = caller.signature_place, caller.answer_algorithm
    signature = request.env["spar.g2p.connect.signature"]
    return signature._sign_document(place, algorithm, answer)


def _serve(action: str, mode: str = SYNC) -> tuple[dict, list]:
    return serve(request.env["spar.g2p.connect.server"], action, mode)


class MapperController(http.Controller):
    """The synchronous half of the mapper API (g2p-connect.md 1.2)."""

    @http.route(f"{BASE_PATH}/mapper/sync/link", **ROUTING)
    def link_fa(self):
        return _serve("link")

    @http.route(f"{BASE_PATH}/mapper/sync/update", **ROUTING)
    def update_fa(self):
        return _serve("update")

    @http.route(f"{BASE_PATH}/mapper/sync/unlink", **ROUTING)
    def unlink_fa(self):
        return _serve("unlink")

    @http.route(f"{BASE_PATH}/mapper/sync/resolve", **ROUTING)
    def resolve_fa(self):
        return _serve("resolve")

    @http.route(
        [
            f"{BASE_PATH}/mapper/sync/txn/status",
            f"{BASE_PATH}/registry/sync/txn/status",
        ],
        **ROUTING,
    )
    def ask_status(self):
        return _serve(STATUS)


class AsyncMapperController(http.Controller):
    """The asynchronous half (1.1), under the specification's paths and OpenG2P 1.x's.

    OpenG2P 2.x also posts to the specification's paths, and is answered synchronously
    in its own envelope.
    """

    @http.route(
        [f"{BASE_PATH}/mapper/link", f"{BASE_PATH}/mapper/async/link"],
        **_ASYNC_ROUTING,
    )
    def queue_link(self):
        return _serve("link", ASYNC)

    @http.route(
        [f"{BASE_PATH}/mapper/update", f"{BASE_PATH}/mapper/async/update"],
        **_ASYNC_ROUTING,
    )
    def queue_update(self):
        return _serve("update", ASYNC)

    @http.route(
        [f"{BASE_PATH}/mapper/unlink", f"{BASE_PATH}/mapper/async/unlink"],
        **_ASYNC_ROUTING,
    )
    def queue_unlink(self):
        return _serve("unlink", ASYNC)

    @http.route(
        [f"{BASE_PATH}/mapper/resolve", f"{BASE_PATH}/mapper/async/resolve"],
        **_ASYNC_ROUTING,
    )
    def queue_resolve(self):
        return _serve("resolve", ASYNC)

    @http.route(f"{BASE_PATH}/mapper/txn/status", **_ASYNC_ROUTING)
    def queue_status(self):
        return _serve(STATUS, ASYNC)
