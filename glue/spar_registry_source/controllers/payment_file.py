from werkzeug.exceptions import Forbidden, ServiceUnavailable

from odoo import http
from odoo.http import content_disposition, request

from odoo.addons.spar_mapper_connector import exceptions


class PaymentFile(http.Controller):
    """The download of a payment file, which is stored sealed only."""

    @http.route(
        "/spar/payment_file/<int:dispatch_id>",
        auth="user",
        methods=["GET"],
        readonly=False,
    )
    def download(self, dispatch_id: int):
        """Return the file to whoever sent its payments."""
        dispatch = request.env["spar.payment.dispatch"].browse(dispatch_id).exists()
        if not dispatch:
            raise request.not_found()
        try:
            text = dispatch._download()
        except exceptions.NotPermitted as error:
            raise Forbidden() from error
        except exceptions.ServiceUnavailable as error:
            raise ServiceUnavailable() from error
        name = f"payments-{dispatch.id}.csv"
        headers = [
            ("Content-Type", "text/csv; charset=utf-8"),
            ("Content-Disposition", content_disposition(name)),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        return request.make_response(text, headers)
