from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from ..const import BASE_PATH, ROUTING_TYPE
from ..exceptions import HttpRefused


class ServiceController(http.Controller):
    """What stands beside the protocol: is it up, and paths that do not exist."""

    @http.route(
        f"{BASE_PATH}/health",
        type=ROUTING_TYPE,
        auth="spar_service",
        methods=["GET"],
        save_session=False,
    )
    def health(self):
        """Whether the registry can work: 503 while database or keyring is away."""
        request.env["spar.keyring"]._open()
        return {"status": "ok"}

    @http.route(
        f"{BASE_PATH}/.well-known/jwks.json",
        type=ROUTING_TYPE,
        auth="spar_service",
        methods=["GET"],
        save_session=False,
        readonly=False,
    )
    def jwks(self):
        """Our public keys: in use, next and lately retired (RFC 7517)."""
        keys = request.env["spar.g2p.connect.server"]._get_published_keys()
        return keys, [("Cache-Control", "public, max-age=300")]

    @http.route(
        [BASE_PATH, f"{BASE_PATH}/<path:subpath>"],
        type=ROUTING_TYPE,
        auth="none",
        save_session=False,
        content_type="",
    )
    def unknown(self, subpath=""):
        """404, or 405 for a path that knows other methods than this one."""
        methods = request.env["ir.http"]._get_methods(f"{BASE_PATH}/{subpath}")
        if not methods:
            raise NotFound()
        text = "this path does not know this method"
        raise HttpRefused(405, "err.request.bad", text, [("Allow", ", ".join(methods))])
