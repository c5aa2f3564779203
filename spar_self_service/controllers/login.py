import logging
import time

from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import (
    LoginRefused,
    ProviderNotReady,
    TooManyAttempts,
)
from odoo.addons.spar_mapper_connector.lib.pages.browser import (
    begin_attempt,
    get_browser_secret,
)
from odoo.addons.spar_mapper_connector.pages.showing import PAGE, SHARED_PAGE

from ..exceptions import SelfServiceError
from ..lib.browser import LOGIN, VISIT, WANTED, begin_login
from ..models.auth_oauth_provider import CALLBACK_PATH, LOGIN_PAGE_PATH
from ..models.res_users import CREDENTIAL
from ..models.spar_login import LoginResult, LoginTicket
from .page import STAFF_PAGE, go_to, page, show
from .visited import find_provider, lead_to_visit, show_not_allowed, take_visit

_logger = logging.getLogger(__name__)

VISITED_PATH = "/spar/visited"


class ProviderLogin(http.Controller):
    """The redirect to the ID provider and its callback."""

    @http.route("/spar/login/<int:provider_id>", methods=["GET", "POST"], **PAGE)
    @page
    def begin(self, provider_id, return_to=LOGIN_PAGE_PATH, **_ignored):
        """Send the person to the provider.

        It takes a POST with our CSRF token, so that no other site can begin a login in
        the person's browser. A GET only shows the button.
        """
        provider = request.env["auth.oauth.provider"]._search_usable(
            [("id", "=", provider_id)]
        )
        if not provider:
            return _show_problem(ProviderNotReady("disabled"))
        if request.httprequest.method != "POST":
            return show("login_begin", provider=provider, return_to=return_to)
        if return_to == LOGIN_PAGE_PATH:
            return_to = request.session.pop(WANTED, LOGIN_PAGE_PATH)
        if request.env["spar.my.visit"]._is_needed(provider):
            return lead_to_visit(provider, VISITED_PATH, return_to=return_to)
        return go_to_provider(provider, "login", return_to)

    @http.route(VISITED_PATH, methods=["GET"], **PAGE)
    @page
    def finish_visit(self, confirmation="", **_ignored):
        """Log a person in who has just shown who they are, on the mapper's own page."""
        begun = take_visit(confirmation)
        if begun is None:
            return go_to(LOGIN_PAGE_PATH)
        if VISIT not in request.session:
            return show_not_allowed()
        provider = find_provider(begun)
        if not provider:
            return _show_problem(ProviderNotReady("disabled"))
        return go_to_provider(provider, "login", begun["return_to"], is_visited=True)

    @http.route(f"{CALLBACK_PATH}<int:provider_id>", methods=["GET"], **SHARED_PAGE)
    @page
    def callback(self, provider_id, **parameters):
        """Handle the provider's response, which comes through the person's browser."""
        try:
            done = _complete(provider_id, parameters)
        except (LoginRefused, SelfServiceError) as error:
            return _show_problem(error)
        if done.tried:
            return _show_trial(provider_id, done)
        if done.ticket:
            _log_in(done.ticket)
        return request.redirect(done.return_to, 303)

    @http.route("/spar/logout", methods=["POST"], **PAGE)
    def logout(self, **_ignored):
        """End the session here, the visit, and at the provider if it offers log-out.

        Where it does not, the entry page says that only the session here has ended.
        """
        login, visited = (request.session.get(name) for name in (LOGIN, VISIT))
        provider_sudo = request.env["auth.oauth.provider"].sudo()
        provider_sudo = provider_sudo.browse(
            login["provider"] if login else ()
        ).exists()
        address = provider_sudo and provider_sudo._get_logout_address()
        request.session.logout(keep_db=True)
        if visited:
            request.env["spar.my.visit"]._end(visited)
        if not address:
            return go_to(LOGIN_PAGE_PATH, "out")
        return request.redirect(address, 303, local=False)

    @http.route("/spar/oidc/test/<int:provider_id>", **STAFF_PAGE)
    @page
    def test(self, provider_id, **_ignored):
        """Let an administrator test a provider, even one that is still switched off."""
        provider = request.env["auth.oauth.provider"].browse(provider_id).exists()
        provider.check_access("write")
        return go_to_provider(provider, "test", LOGIN_PAGE_PATH)

    @http.route(
        "/spar/oidc/<int:provider_id>/jwks.json",
        type="http",
        auth="public",
        methods=["GET"],
        save_session=False,
        readonly=False,
    )
    def key_set(self, provider_id):
        """Return our public keys for a provider, which may fetch them from this URL."""
        provider_sudo = request.env["auth.oauth.provider"].sudo().browse(provider_id)
        return request.make_json_response(provider_sudo._get_key_set())


def go_to_provider(provider, purpose: str, return_to: str, is_visited: bool = False):
    """Redirect to the provider, or show why that is not possible."""
    try:
        secret = begin_attempt(request.session, time.time())
        address = request.env["spar.login"]._begin(
            provider, purpose, secret, return_to, is_visited=is_visited
        )
    except LoginRefused as error:
        return _show_problem(error)
    return request.redirect(address, 303, local=False)


def _complete(provider_id: int, parameters: dict) -> LoginResult:
    """Return the result of the provider's response.

    When Odoo runs the request again after a conflict, the provider is not called again:
    its verified response was stored on the request.
    """
    login = request.env["spar.login"]
    if not hasattr(request, "spar_answered"):
        secret = get_browser_secret(request.session)
        request.spar_answered = login._verify(provider_id, parameters, secret)
    return login._complete(request.spar_answered)


def _log_in(ticket: LoginTicket) -> None:
    """Begin a new session for the person; void this browser's other attempts."""
    before = get_browser_secret(request.session)
    request.env["spar.login.attempt"]._delete_attempts_of_browser(before)
    # Only the credential check of this very call may accept the ticket.
    request.spar_login_ticket = ticket
    credential = {"type": CREDENTIAL, "login": ticket.login, "ticket": ticket}
    try:
        request.session.authenticate(request.env, credential)
    finally:
        del request.spar_login_ticket
    begin_login(request.session, ticket.provider_id, time.time())


def _show_problem(error: LoginRefused | SelfServiceError):
    """Show what happened and what to do, without personal data or tokens."""
    reason = getattr(error, "reason", "")
    _logger.info("login refused: %s %s", error.code, reason)
    explanation = request.env["spar.login"]._explain(error)
    return_to = getattr(error, "return_to", LOGIN_PAGE_PATH)
    # Not this page's own address: the provider's response can be used only once.
    values = {"explanation": explanation, "return_to": return_to}
    status = 429 if isinstance(error, TooManyAttempts) else 400
    return show("login_problem", status, here=return_to, **values)


def _show_trial(provider_id: int, done: LoginResult):
    provider_sudo = request.env["auth.oauth.provider"].sudo().browse(provider_id)
    lines = provider_sudo._describe_trial(done.tried)
    return show("login_trial", lines=lines)
