from odoo import http
from odoo.http import request

from ..lib.place import get_local
from .page import PAGE, go_to, page, show

FOR_EVER = "public, max-age=31536000, immutable"
FRONTEND_LANGUAGE = "frontend_lang"


class Door(http.Controller):
    """Where everybody comes in: what this is, the language, one button."""

    @http.route("/spar", methods=["GET"], **PAGE)
    @page
    def door(self, said="", **_ignored):
        if request.env["spar.page.frame"]._is_beneficiary():
            return go_to("/spar/address")
        providers = request.env["auth.oauth.provider"]._get_door()
        languages = request.env["spar.page.frame"]._get_languages()
        return show("door", said=said, providers=providers, languages=languages)

    @http.route("/spar/language", methods=["GET"], **PAGE)
    @page
    def languages(self, back="", **_ignored):
        languages = request.env["spar.page.frame"]._get_languages()
        return show("languages", languages=languages, back=get_local(back))

    @http.route("/spar/language/<string:code>", methods=["GET"], **PAGE)
    @page
    def choose_language(self, code, back="", **_ignored):
        """Keep the language where Odoo keeps it, and go back."""
        known = [row[0] for row in request.env["spar.page.frame"]._get_languages()]
        response = go_to(get_local(back))
        if code in known:
            response.set_cookie(
                FRONTEND_LANGUAGE, code, max_age=31536000, samesite="Lax"
            )
        return response

    @http.route(
        "/spar/style/<string:name>.css",
        type="http",
        auth="public",
        website=True,
        multilang=False,
        sitemap=False,
        methods=["GET"],
        save_session=False,
    )
    def style(self, name):
        """The one style sheet; whoever asks for an older one is given the new one."""
        newest, style = request.env["spar.page.frame"]._get_style()
        headers = [
            ("Content-Type", "text/css; charset=utf-8"),
            ("Cache-Control", FOR_EVER if name == newest else "no-store"),
        ]
        return request.make_response(style, headers)
