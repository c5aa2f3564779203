from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.pages.showing import PAGE

from .page import ENDED, VISITED, go_to, page, show


class LoginPage(http.Controller):
    """The first page: what this is, the language and the login buttons."""

    @http.route("/spar", methods=["GET"], **PAGE)
    @page
    def login_page(self, said="", **_ignored):
        # A mapper elsewhere may want another login, although the session here lasts.
        is_in = request.env["spar.page.frame"]._is_beneficiary()
        if is_in and said not in (ENDED, VISITED):
            return go_to("/spar/address")
        providers = request.env["auth.oauth.provider"]._get_offered()
        frame = request.env["spar.page.frame"]
        return show(
            "login_page",
            said=said,
            providers=providers,
            languages=frame._get_languages(),
            is_demo=frame._is_demo(),
        )
