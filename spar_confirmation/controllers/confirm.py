import hashlib
import hmac
import logging
import secrets
import time
from functools import wraps

from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.confirmation import ConfirmationState
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import (
    LoginRefused,
    TooManyAttempts,
)
from odoo.addons.spar_mapper_connector.lib.pages.browser import (
    begin_attempt,
    get_browser_secret,
)
from odoo.addons.spar_mapper_connector.lib.pages.forms import get_number
from odoo.addons.spar_mapper_connector.pages.showing import PAGE, go_to, show_page

from ..exceptions import AnotherBrowser, ConfirmationError, NoSuchConfirmation
from ..lib.digits import MAX_WRONG
from ..models.spar_confirmation_client import PAGES_PATH, RETURN_PATH

_logger = logging.getLogger(__name__)

#: Browsers keep a cookie with this prefix for the host that has set it, and no other.
HOST_COOKIE = "__Host-spar_confirm"
_COOKIE_LENGTH = 43

#: Hides the button again whenever the window comes to the front.
UNHURRIED_SCRIPT = "/spar_confirmation/static/src/js/unhurried.js"


def page(handler):
    """Show the page in the person's language; explain every refusal on a page."""

    @wraps(handler)
    def answer(self, *args, **kwargs):
        language = request.env["spar.page.frame"]._get_language()
        request.update_context(lang=language.code)
        try:
            return handler(self, *args, **kwargs)
        except LoginRefused as error:
            return _show_problem(error.code, error.reason, error.return_to)
        except (ConfirmationError, MapperError) as error:
            request.env.cr.rollback()
            code = error.code if isinstance(error, ConfirmationError) else "try_later"
            return _show_problem(code, type(error).__name__, "")

    return answer


class ConfirmationPages(http.Controller):
    """The store's page of review: from a portal's proposal to the result."""

    @http.route(f"{PAGES_PATH}/<string:token>", methods=["GET"], **PAGE)
    @page
    def review(self, token, **_ignored):
        """Show the whole change, or what became of it."""
        confirmation = _open_page(token)
        return _SHOWN[confirmation._get_state()](confirmation, f"{PAGES_PATH}/{token}")

    @http.route(f"{PAGES_PATH}/<string:token>/login", methods=["POST"], **PAGE)
    @page
    def login(self, token, client="", browser="", digits="", **_ignored):
        """Send the person to the ID provider, once they have typed the page's digits.

        It takes a form of a page that this browser has opened: no other site can begin
        it, not even one that knows the session.
        """
        _check_form(browser)
        confirmation, path = _open_page(token), f"{PAGES_PATH}/{token}"
        if confirmation._get_state() is not ConfirmationState.OPEN:
            return go_to(path)
        logins = request.env["spar.confirmation.login"]
        try:
            secret = _bind_to_host(begin_attempt(request.session, time.time()))
            check = request.env["spar.confirmation.digits"]
            if not (
                confirmation.is_visit or check._accept(confirmation, secret, digits)
            ):
                return _show_refused(confirmation, path)
            address = logins._begin(confirmation, get_number(client), secret)
        except LoginRefused as error:
            error.return_to = path
            raise
        return request.redirect(address, 303, local=False)

    @http.route(f"{PAGES_PATH}/<string:token>/stop", methods=["POST"], **PAGE)
    @page
    def stop(self, token, browser="", **_ignored):
        """End the proposal, and go back to the portal."""
        _check_form(browser)
        confirmation = _open_page(token)
        confirmation._cancel()
        return _lead_back(confirmation)

    @http.route(f"{RETURN_PATH}<int:client_id>", methods=["GET"], **PAGE)
    @page
    def come_back(self, client_id, **parameters):
        """Handle the provider's response, and make the change that it confirms.

        This is a GET request with an effect, but only for a login of this session, for
        this change, which it uses up.
        """
        try:
            confirmation = _complete(client_id, parameters)
        except LoginRefused as error:
            if error.code == "attempt_unknown" and error.return_to:
                # It came back twice or late: the page says where things stand.
                return go_to(error.return_to)
            raise
        content = confirmation._get_content()
        if content.portal_id is None or _is_allowed_visit(confirmation, content):
            return _lead_back(confirmation)
        return go_to(f"{PAGES_PATH}/{content.token}")

    @http.route(
        f"{PAGES_PATH}/keys/<int:client_id>/jwks.json",
        type="http",
        auth="public",
        methods=["GET"],
        save_session=False,
        readonly=False,
    )
    def key_set(self, client_id):
        """Return our public keys for a provider, which may fetch them from this URL."""
        client_sudo = request.env["spar.confirmation.client"].sudo().browse(client_id)
        return request.make_json_response(client_sudo._get_key_set())


def _open_page(token: str):
    return request.env["spar.confirmation"]._open_page(token, _get_secret())


def _get_secret() -> str:
    """Return the secret of this browser at this host."""
    return _bind_to_host(get_browser_secret(request.session))


def _is_https() -> bool:
    return request.httprequest.scheme == "https"


def _bind_to_host(secret: str) -> str:
    """Return the secret of this browser at this very host.

    A site of the same domain can give a browser the cookie of a session that it has
    opened here itself, but none with this prefix, which browsers accept over https
    only. Plain HTTP is for a demo on this machine.
    """
    own = _get_host_secret()
    return f"{secret} {own}" if own else secret


def _get_host_secret() -> str:
    """Return the cookie of this browser at this host, set now if there is none.

    "" over plain HTTP.
    """
    if not _is_https():
        return ""
    if not hasattr(request, "spar_host_secret"):
        own = request.httprequest.cookies.get(HOST_COOKIE, "")
        if len(own) < _COOKIE_LENGTH:
            own = secrets.token_urlsafe(32)
            request.future_response.set_cookie(
                HOST_COOKIE, own, secure=True, httponly=True, samesite="Lax", path="/"
            )
        request.spar_host_secret = own
    return request.spar_host_secret


def _build_form_token() -> str:
    """Return what only a page that this browser has opened can send; "" over HTTP.

    The CSRF token alone is that of the session, which another site may have begun.
    """
    own = _get_host_secret()
    return hashlib.sha256(f"form {own}".encode()).hexdigest() if own else ""


def _check_form(given: str) -> None:
    """Raise AnotherBrowser unless a form is from a page that this browser opened."""
    if not hmac.compare_digest(given.encode(), _build_form_token().encode()):
        raise AnotherBrowser()


def _complete(client_id: int, parameters: dict):
    """Return the proposal after the provider's response.

    When Odoo runs the request again after a conflict, the provider is not called again:
    its verified response was stored on the request.
    """
    logins = request.env["spar.confirmation.login"]
    if not hasattr(request, "spar_confirmed"):
        request.spar_confirmed = logins._verify(client_id, parameters, _get_secret())
    return logins._complete(request.spar_confirmed)


def _is_allowed_visit(confirmation, content) -> bool:
    """Return whether the portal goes on: there is no result to read here."""
    is_decided = confirmation._get_state() is ConfirmationState.DECIDED
    return content.is_visit and is_decided


def _lead_back(confirmation):
    address = confirmation._get_return_address()
    return request.redirect(address, 303, local=address.startswith("/"))


# === PAGES === #


def _show_review(confirmation, path: str, is_refused: bool = False):
    shown = request.env["spar.confirmation.texts"]._get_review(confirmation)
    if not confirmation.is_visit:
        digits = request.env["spar.confirmation.digits"]
        shown |= digits._show(confirmation, _get_secret())
    return show_page(
        "spar_confirmation.review",
        status=422 if is_refused else 200,
        here=path,
        script_url=UNHURRIED_SCRIPT,
        path=path,
        form_token=_build_form_token(),
        is_refused=is_refused,
        **shown,
    )


def _show_refused(confirmation, path: str):
    """Show the page with other digits, or its end after many wrong answers."""
    if confirmation._get_state() is not ConfirmationState.OPEN:
        return _show_ended(confirmation, path)
    return _show_review(confirmation, path, is_refused=True)


def _show_result(confirmation, path: str):
    if confirmation._get_content().is_visit:
        return _lead_back(confirmation)
    shown = request.env["spar.confirmation.texts"]._get_result(confirmation)
    address = confirmation._get_return_address()
    return show_page("spar_confirmation.result", return_url=address, **shown)


def _show_ended(confirmation, path: str):
    """Show a proposal that was stopped, or was left open for too long."""
    texts = request.env["spar.confirmation.texts"]
    state = confirmation._get_state()
    explanation = texts._explain(state.value)
    if confirmation.is_visit and state is ConfirmationState.CANCELLED:
        explanation = texts._explain("visit_cancelled")
    elif confirmation.wrong_answers >= MAX_WRONG:
        explanation = texts._explain("wrong_digits")
    return show_page(
        "spar_confirmation.ended",
        status=410,
        explanation=explanation,
        return_url=confirmation._get_return_address(),
    )


_SHOWN = {
    ConfirmationState.OPEN: _show_review,
    ConfirmationState.DECIDED: _show_result,
    ConfirmationState.CANCELLED: _show_ended,
    ConfirmationState.EXPIRED: _show_ended,
}


def _show_problem(code: str, reason: str, again: str):
    """Show what happened and what to do, without personal data or tokens."""
    _logger.info("confirmation refused: %s %s", code, reason)
    status = {
        NoSuchConfirmation.code: 404,
        TooManyAttempts.code: 429,
        "try_later": 503,
    }.get(code, 400)
    explanation = request.env["spar.confirmation.texts"]._explain(code)
    # Not this page's own address: the provider's response can be used only once.
    return show_page(
        "spar_confirmation.problem",
        status,
        here=again or PAGES_PATH,
        explanation=explanation,
        again=again if again.startswith(PAGES_PATH) else "",
    )
