from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from ..const import BASE_PATH, ROUTING_TYPE
from ..exceptions import HttpRefused


class ServiceController(http.Controller):
    """Endpoints beside the protocol: health, our public keys and unknown paths."""

    @http.route(
        f"{BASE_PATH}/health",
        type=ROUTING_TYPE,
        auth="spar_service",
        methods=["GET"],
        save_session=False,
    )
    def health(self):
        """Report whether the registry can work.

        The answer is 503 while the database or the keyring is unavailable.
        """
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
        """Return our public keys: current, next and recently retired (RFC 7517)."""
        keys = request.env["spar.g2p.connect.signature"]._get_published_keys()
        return keys, [("Cache-Control", "public, max-age=300")]

    @http.route(
        [BASE_PATH, f"{BASE_PATH}/<path:subpath>"],
        type=ROUTING_TYPE,
        auth="none",
        save_session=False,
        content_type="",
    )
    def unknown(self, subpath=""):
        """Answer 404, or 405 for a path that exists but does not allow this method."""
        methods = request.env["ir.http"]._get_methods(f"{BASE_PATH}/{subpath}")
        if not methods:
            raise NotFound()
        text = "this path does not allow this method"
        raise HttpRefused(405, "err.request.bad", text, [("Allow", ", ".join(methods))])
