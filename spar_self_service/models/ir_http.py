import logging
import time

from werkzeug.exceptions import BadRequest, MethodNotAllowed

from odoo import api, models
from odoo.http import Response, request, root

from odoo.addons.spar_mapper_connector.server.busy import finish

from ..lib import browser, typing
from ..lib.paths import (
    AGENT_PATH,
    OUR_PATH,
    is_account_page,
    is_agent_page,
    is_our_page,
)

_logger = logging.getLogger(__name__)

FOR_EVER = "public, max-age=31536000, immutable"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class IrHttp(models.AbstractModel):
    """Sessions of beneficiaries: short, and in this browser only."""

    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        """A page that does not know this method is no page: Odoo has a page in the
        visitor's language for what it does not find, and only for that."""
        try:
            return super()._match(path_info)
        except MethodNotAllowed:
            if is_our_page(path_info):
                return super()._match(f"{OUR_PATH}/-")
            raise

    @classmethod
    def _authenticate_explicit(cls, auth):
        """A login that lasted long enough is over before anything else is looked at."""
        session, now = request.session, time.time()
        if session.uid and browser.is_over(session, now):
            session.logout(keep_db=True)
            request.env = api.Environment(request.env.cr, None, session.context)
            # At once: where the request ends in an error nothing is saved.
            root.session_store.rotate(session, request.env)
            if _is_form_of_nobody():
                raise BadRequest()
        browser.note_seen(session, now)
        return super()._authenticate_explicit(auth)

    @classmethod
    def _dispatch(cls, endpoint):
        """Our pages are given what a form of theirs can hold, and nothing else.

        Beneficiaries change nothing of the user they have here: who they are is the ID
        provider's, where they are paid is changed with a fresh proof only.
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
        _guard(response)
        return result

    @classmethod
    def _handle_error(cls, exception):
        if isinstance(exception, BadRequest) and _is_form_of_nobody():
            return cls._lead_to_the_beginning()
        response = super()._handle_error(exception)
        if hasattr(response, "headers"):
            _guard(response)
        return response

    @classmethod
    def _show_busy(cls):
        """Under our path in the frame of our pages, where that can be had."""
        asked = request.httprequest
        if not is_our_page(asked.path):
            return super()._show_busy()
        again = asked.path if asked.method == "GET" else ""
        try:
            frame = request.env["spar.page.frame"]._get_frame(request.lang, OUR_PATH)
            shown = {**frame, "is_known": True, "again": again}
            template = "spar_self_service.unavailable"
            page = request.env["ir.ui.view"]._render_template(template, shown)
        except Exception as problem:
            # What the frame needs may be what is in use.
            _logger.info("no page of ours can be shown: %s", type(problem).__name__)
            request.env.cr.rollback()
            return super()._show_busy()
        return finish(Response(page, 503, content_type="text/html; charset=utf-8"))

    @classmethod
    def _get_error_html(cls, env, code, values):
        """Under our path, a page of ours: light, and in the person's language. Staff
        are told what they may not."""
        path = request.httprequest.path
        if not is_our_page(path):
            return super()._get_error_html(env, code, values)
        status = values["status_code"]
        name = "unavailable" if status >= 500 else "no_page"
        frame = env["spar.page.frame"]._get_frame(request.lang, OUR_PATH)
        reason = values.get("error_message") if is_agent_page(path) else ""
        shown = {"is_known": False, "again": "", "status": status, "reason": reason}
        template = f"spar_self_service.{name}"
        return status, env["ir.ui.view"]._render_template(template, frame | shown)

    @classmethod
    def _lead_to_the_beginning(cls):
        """A form whose session is over does nothing; the person can begin anew."""
        is_agent = is_agent_page(request.httprequest.path)
        place = AGENT_PATH if is_agent else f"{OUR_PATH}?said=ended"
        response = request.make_response("", [("Location", place)], status=303)
        request.params = {}  # core's cookies look at them, and there may be none yet
        cls._post_dispatch(response)
        return response


def _is_form_of_nobody() -> bool:
    """Whether a form of our pages was sent by a browser in which nobody is logged in.

    Its token is not valid any more when the session that it was made in is over.
    """
    asked = request.httprequest
    is_form = asked.method == "POST" and is_our_page(asked.path)
    return is_form and not request.session.uid


def _guard(response) -> None:
    """Nobody keeps or frames a beneficiary's page, or hears where they came from."""
    _guard_cookie(response)
    if is_our_page(request.httprequest.path) or request.session.get(browser.LOGIN):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # What is the same for everybody says so itself: the pages' style and logo.
        if response.headers.get("Cache-Control") != FOR_EVER:
            response.headers["Cache-Control"] = HEADERS["Cache-Control"]


def _guard_cookie(response) -> None:
    """Odoo's session cookie says neither Secure nor SameSite by itself."""
    added = "; SameSite=Lax"
    if request.httprequest.scheme == "https":
        added += "; Secure"
    cookies = response.headers.getlist("Set-Cookie")
    response.headers.setlist(
        "Set-Cookie",
        [
            cookie + added
            if cookie.startswith("session_id=") and "SameSite" not in cookie
            else cookie
            for cookie in cookies
        ],
    )
