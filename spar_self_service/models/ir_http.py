import logging
import time

from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, abort

from odoo import api, models
from odoo.http import Response, request, root

from odoo.addons.spar_mapper_connector.pages.cookies import secure_cookie
from odoo.addons.spar_mapper_connector.pages.rendering import render
from odoo.addons.spar_mapper_connector.pages.showing import CACHE_FOREVER
from odoo.addons.spar_mapper_connector.server.busy import finish, show_busy

from ..lib import browser, typing
from ..lib.paths import (
    AGENT_PATH,
    OUR_PATH,
    is_account_page,
    is_agent_page,
    is_our_page,
    looks_like_ours,
)

_logger = logging.getLogger(__name__)

#: What is not a page of ours runs nothing under our path, whoever wrote it.
POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class IrHttp(models.AbstractModel):
    """Sessions of beneficiaries: short, and in this browser only."""

    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        """Treat a method that our page does not allow as a page that does not exist.

        Odoo has an error page in the visitor's language for what it does not find, and
        only for that. It has none at all for what fails here, where it sets the website
        up: show a plain page of ours.
        """
        try:
            return super()._match(path_info)
        except MethodNotAllowed:
            if is_our_page(path_info):
                return super()._match(f"{OUR_PATH}/-")
            raise
        except HTTPException:
            raise
        except Exception as problem:
            if not is_our_page(path_info):
                raise
            _logger.warning("no page could be found: %s", type(problem).__name__)
            abort(show_busy(request))

    def _get_rewrites(self, website_id):
        """Leave out redirects that would bring a route with code."""
        found = super()._get_rewrites(website_id)
        coded = {url for url, rewrite in found.items() if rewrite._filter_with_code()}
        if coded:
            _logger.error("SPAR ALARM a redirect of a website holds code: left out")
        return {url: found[url] for url in found.keys() - coded}

    @classmethod
    def _auth_method_public(cls):
        """Have visitors be the public user, also while the page is being found."""
        result = super()._auth_method_public()
        cls._keep_public("public")
        return result

    @classmethod
    def _get_default_lang(cls):
        """Return another language where the website's default is not active."""
        if language := super()._get_default_lang():
            return language
        languages = request.env["res.lang"]
        offered = languages._get_frontend()
        website_sudo = request.env["website"].sudo().get_current_website()
        wanted = (website_sudo.company_id.partner_id.lang, "en_US", *offered)
        # As Odoo returns it, which compares it with the request's.
        return languages._get_data(code=next(c for c in wanted if c in offered))

    @classmethod
    def _serve_fallback(cls):
        """Serve no website page and no uploaded file under the path of our pages."""
        if looks_like_ours(request.httprequest.path):
            return None
        return super()._serve_fallback()

    @classmethod
    def _authenticate_explicit(cls, auth):
        """End an expired login before anything else is checked."""
        session, now = request.session, time.time()
        if session.uid and browser.is_over(session, now):
            session.logout(keep_db=True)
            request.env = api.Environment(request.env.cr, None, session.context)
            # Saved at once, because a request that ends in an error saves nothing.
            root.session_store.rotate(session, request.env)
            if _is_form_without_session():
                raise BadRequest()
        browser.note_seen(session, now)
        return super()._authenticate_explicit(auth)

    @classmethod
    def _dispatch(cls, endpoint):
        """Pass our pages only what one of their forms can contain.

        Beneficiaries cannot change their user here: who they are comes from the ID
        provider, and where they are paid is changed only with a fresh proof.
        """
        path = request.httprequest.path
        if request.session.get(browser.LOGIN) and is_account_page(path):
            return request.redirect(OUR_PATH, 303)
        if is_our_page(path):
            request.params = typing.keep_plain(request.params)
        return super()._dispatch(endpoint)

    @classmethod
    def _post_dispatch(cls, response):
        result = super()._post_dispatch(response)
        _add_security_headers(response)
        return result

    @classmethod
    def _handle_error(cls, exception):
        if isinstance(exception, BadRequest) and _is_form_without_session():
            return cls._redirect_to_start()
        response = cls._handle_frontend_error(exception)
        if hasattr(response, "headers"):
            _add_security_headers(response)
        return response

    @classmethod
    def _handle_frontend_error(cls, exception):
        """Return the usual answer; a plain one of ours if the website prevents it.

        Odoo sets the website up again before it shows that this has failed.
        """
        try:
            return super()._handle_error(exception)
        except Exception as problem:
            if not is_our_page(request.httprequest.path):
                raise
            _note_problem(problem)
            return show_busy(request)

    @classmethod
    def _show_busy(cls):
        """Show it in the frame of our pages under our path, where that is available."""
        httprequest = request.httprequest
        if not is_our_page(httprequest.path):
            return super()._show_busy()
        again = httprequest.path if httprequest.method == "GET" else ""
        try:
            frame = request.env["spar.page.frame"]._get_frame(request.lang, OUR_PATH)
            shown = {**frame, "is_known": True, "again": again}
            template = "spar_self_service.unavailable"
            page = render(template, shown, request.lang.code)
        except Exception as problem:
            # What the frame needs may itself be locked.
            _note_problem(problem)
            request.env.cr.rollback()
            return super()._show_busy()
        return finish(Response(page, 503, content_type="text/html; charset=utf-8"))

    @classmethod
    def _get_error_html(cls, env, code, values):
        """Return a page of ours under our path: light, in the person's language.

        Staff are also shown what they are not allowed to do.
        """
        path = request.httprequest.path
        if not is_our_page(path):
            return super()._get_error_html(env, code, values)
        try:
            return cls._build_error_page(env, path, values)
        except Exception as problem:
            # Odoo would show the website's own page, with its editors' scripts.
            _note_problem(problem)
            return 503, show_busy(request).get_data(as_text=True)

    @classmethod
    def _build_error_page(cls, env, path, values) -> tuple[int, str]:
        status = values["status_code"]
        name = "unavailable" if status >= 500 else "no_page"
        frame = env["spar.page.frame"]._get_frame(request.lang, OUR_PATH)
        reason = values.get("error_message") if is_agent_page(path) else ""
        shown = {"is_known": False, "again": "", "status": status, "reason": reason}
        template = f"spar_self_service.{name}"
        return status, render(template, frame | shown, request.lang.code)

    @classmethod
    def _redirect_to_start(cls):
        """Lead a form whose session is over to the start; it does nothing."""
        is_agent = is_agent_page(request.httprequest.path)
        location = AGENT_PATH if is_agent else f"{OUR_PATH}?said=ended"
        response = request.make_response("", [("Location", location)], status=303)
        request.params = {}  # core's cookies read them, and they may not be set yet
        cls._post_dispatch(response)
        return response


def _note_problem(problem: Exception) -> None:
    """Log why a plain page is shown: anything that the settings of a website break.

    The text of the problem is left out, because it may hold what somebody typed.
    """
    _logger.info("the error page could not be shown: %s", type(problem).__name__)


def _is_form_without_session() -> bool:
    """Return whether a form of our pages came from a browser without a login.

    Its CSRF token is no longer valid when the session that it was created in is over.
    """
    httprequest = request.httprequest
    is_form = httprequest.method == "POST" and is_our_page(httprequest.path)
    return is_form and not request.session.uid


def _add_security_headers(response) -> None:
    """Forbid caching and framing of a beneficiary's page, and hide the referrer."""
    secure_cookie(response)
    is_ours = is_our_page(request.httprequest.path)
    if is_ours:
        response.headers.setdefault("Content-Security-Policy", POLICY)
    if is_ours or request.session.get(browser.LOGIN):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # Public files set their own header: the pages' style and logo.
        if response.headers.get("Cache-Control") != CACHE_FOREVER:
            response.headers["Cache-Control"] = HEADERS["Cache-Control"]
