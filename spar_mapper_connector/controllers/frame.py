from odoo import http
from odoo.http import request

from ..lib.oidc.authorization import get_local_path
from ..models.pages.spar_page_frame import LANGUAGE_COOKIE
from ..pages.showing import CACHE_FOREVER, SHARED_PAGE, go_to, show_page

HOME = "/spar"
#: Files that are the same for every visitor, cached by the browser for good. Where
#: staff have a host of their own, it serves these too.
FILE = {**SHARED_PAGE, "methods": ["GET"], "save_session": False}


class PageFrame(http.Controller):
    """What people's pages have around them: language, style sheet and logo."""

    @http.route("/spar/language", methods=["GET"], **SHARED_PAGE)
    def languages(self, back="", **_ignored):
        languages = request.env["spar.page.frame"]._get_languages()
        return show_page(
            "spar_mapper_connector.languages",
            languages=languages,
            back=get_local_path(back, HOME),
        )

    @http.route("/spar/language/<string:code>", methods=["GET"], **SHARED_PAGE)
    def choose_language(self, code, back="", **_ignored):
        """Store the language in Odoo's own cookie, and go back."""
        known = [row[0] for row in request.env["spar.page.frame"]._get_languages()]
        if code in known:
            # On Odoo's future response: on ours, Odoo would append the previous
            # language.
            request.future_response.set_cookie(
                LANGUAGE_COOKIE, code, max_age=31536000, samesite="Lax"
            )
        return go_to(get_local_path(back, HOME))

    @http.route("/spar/style/<string:name>.css", **FILE)
    def style(self, name):
        """Return the style sheet; a request for an older version gets the new one."""
        newest, style = request.env["spar.page.frame"]._get_style()
        return _build_file_response(style, "text/css; charset=utf-8", name == newest)

    @http.route("/spar/logo/<string:name>", **FILE)
    def logo(self, name):
        """Return the logo, scaled to the size at which it is shown."""
        logo = request.env["spar.page.frame"]._get_logo()
        return _build_file_response(logo.image, logo.mimetype, name == logo.name)


def _build_file_response(content, mimetype: str, is_newest: bool):
    kept = CACHE_FOREVER if is_newest else "no-store"
    headers = [("Content-Type", mimetype), ("Cache-Control", kept)]
    return request.make_response(content, headers)
