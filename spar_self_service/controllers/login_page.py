from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.oidc.authorization import get_local_path

from ..models.auth_oauth_provider import LOGIN_PAGE_PATH
from ..models.ir_http import CACHE_FOREVER
from .page import PAGE, SHARED_PAGE, go_to, page, show

FRONTEND_LANGUAGE = "frontend_lang"
#: Files that are the same for every visitor, cached by the browser for good. Where
#: staff have a host of their own, it serves these too.
FILE = {**SHARED_PAGE, "methods": ["GET"], "save_session": False}


class LoginPage(http.Controller):
    """The first page: what this is, the language and the login buttons."""

    @http.route("/spar", methods=["GET"], **PAGE)
    @page
    def login_page(self, said="", **_ignored):
        if request.env["spar.page.frame"]._is_beneficiary():
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

    @http.route("/spar/language", methods=["GET"], **SHARED_PAGE)
    @page
    def languages(self, back="", **_ignored):
        languages = request.env["spar.page.frame"]._get_languages()
        return show(
            "languages", languages=languages, back=get_local_path(back, LOGIN_PAGE_PATH)
        )

    @http.route("/spar/language/<string:code>", methods=["GET"], **SHARED_PAGE)
    @page
    def choose_language(self, code, back="", **_ignored):
        """Store the language in Odoo's own cookie, and go back."""
        known = [row[0] for row in request.env["spar.page.frame"]._get_languages()]
        if code in known:
            # On Odoo's future response: on ours, Odoo would append the previous
            # language.
            request.future_response.set_cookie(
                FRONTEND_LANGUAGE, code, max_age=31536000, samesite="Lax"
            )
        return go_to(get_local_path(back, LOGIN_PAGE_PATH))

    @http.route("/spar/style/<string:name>.css", **FILE)
    def style(self, name):
        """Return the style sheet; a request for an older version gets the new one."""
        newest, style = request.env["spar.page.frame"]._get_style()
        return _build_file_response(style, "text/css; charset=utf-8", name == newest)

    @http.route("/spar/logo/<string:name>", **FILE)
    def logo(self, name):
        """Return the website's logo, scaled to the size at which it is shown."""
        logo = request.env["spar.page.frame"]._get_logo()
        return _build_file_response(logo.image, logo.mimetype, name == logo.name)


def _build_file_response(content, mimetype: str, is_newest: bool):
    kept = CACHE_FOREVER if is_newest else "no-store"
    headers = [("Content-Type", mimetype), ("Cache-Control", kept)]
    return request.make_response(content, headers)
