from odoo import http
from odoo.http import request

from ..const import BASE_PATH, MAX_FORM_SIZE, ROUTING_TYPE
from ..dispatcher import read_body
from ..lib.token_request import read_token_request


class TokenController(http.Controller):
    """Access tokens for client credentials (g2p-connect.md 1.5)."""

    @http.route(
        f"{BASE_PATH}/oauth2/client/token",
        type=ROUTING_TYPE,
        auth="spar_service",
        methods=["POST"],
        save_session=False,
        max_content_length=MAX_FORM_SIZE,
        content_type="application/x-www-form-urlencoded",
    )
    def token(self):
        http_request = request.httprequest
        read_body(http_request, MAX_FORM_SIZE)
        token_request = read_token_request(
            http_request.form.items(multi=True),
            http_request.headers.get("Authorization"),
        )
        answer = request.env["spar.g2p.connect.token"]._grant(token_request)
        return answer, [("Pragma", "no-cache")]
