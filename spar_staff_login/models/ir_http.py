import secrets
import time

import werkzeug.exceptions

from odoo import api, models
from odoo.exceptions import AccessDenied
from odoo.http import SAFE_HTTP_METHODS, SessionExpiredException, request, root

from odoo.addons.auth_timeout.models.ir_http import CheckIdentityException

from ..lib import content_policy, hosts, sessions, settings
from ..pages.rendering import is_page

SECOND_FACTOR_PATH = "/web/second-factor"


class IrHttp(models.AbstractModel):
    """Checks of a staff request before it is processed."""

    _inherit = "ir.http"

    # === HOSTS === #

    @classmethod
    def _get_staff_host(cls) -> str:
        return settings.get_staff_host(request.db or "")

    @classmethod
    def _is_on_staff_host(cls) -> bool:
        host = cls._get_staff_host()
        return bool(host) and hosts.is_same_host(request.httprequest.host, host)

    @classmethod
    def _check_host(cls, routing) -> None:
        """Raise NotFound for website pages on the staff host and staff pages elsewhere.

        Redirect to the staff host where that is enough.
        """
        if not (host := cls._get_staff_host()):
            return
        path = request.httprequest.path
        if not cls._is_on_staff_host():
            if hosts.is_only_for_staff(routing, path):
                cls._refuse_elsewhere(host, path)
            return
        cls._check_origin(routing)
        if not hosts.is_for_staff(routing, path):
            if path == "/":
                _answer(request.redirect("/odoo", 303))
            raise _build_not_found()
        is_ours = routing.get(hosts.STAFF) or routing.get(hosts.SHARED)
        if routing.get("website") and not is_ours:
            # No part of the website is rendered around the staff login.
            request.is_frontend = request.is_frontend_multilang = False

    @classmethod
    def _refuse_elsewhere(cls, host: str, path: str) -> None:
        asked = request.httprequest
        if asked.method in ("GET", "HEAD") and hosts.is_web_client(path):
            url = f"{asked.scheme}://{host}/odoo"
            _answer(request.redirect(url, 303, local=False))
        raise _build_not_found()

    @classmethod
    def _check_origin(cls, routing) -> None:
        """Raise NotFound for unsafe requests that a page of another host sends.

        A host below the same domain may send our cookie along.
        """
        asked = request.httprequest
        is_harmless = asked.method in SAFE_HTTP_METHODS and not routing.get("websocket")
        origin = asked.headers.get("Origin")
        if not is_harmless and hosts.is_from_elsewhere(origin, asked.host):
            raise _build_not_found()

    @classmethod
    def _serve_fallback(cls):
        """Serve neither website pages nor uploaded files beside staff screens.

        Nor is one a service worker, which answers requests in place of the server: also
        those for the login page.
        """
        if cls._is_on_staff_host() or _is_for_service_worker():
            raise _build_not_found()
        return super()._serve_fallback()

    @classmethod
    def _handle_error(cls, exception):
        """Render errors there outside the website's frame, too, and without scripts."""
        if not cls._is_on_staff_host():
            return super()._handle_error(exception)
        request.is_frontend = False
        response = super()._handle_error(exception)
        if content_policy.is_document(getattr(response, "mimetype", "") or ""):
            _forbid_scripts(response)
        return response

    @classmethod
    def _post_dispatch(cls, response):
        result = super()._post_dispatch(response)
        path = request.httprequest.path
        if hosts.is_below(path, hosts.REPORT_PATHS) or _is_of_spar(path):
            # The next user of a shared computer finds nobody's receipt, and nobody's
            # ID card, in the browser.
            response.headers["Cache-Control"] = "no-store"
            response.headers.remove("ETag")
        if is_page(request._get_current_object()):
            _protect_page(response)
        elif hosts.is_below(path, hosts.UPLOADED_PATHS) and cls._is_on_staff_host():
            # An uploaded file runs no script in the name of the user who opens it.
            response.headers["Content-Security-Policy"] = "sandbox"
        elif hosts.is_web_client(path) and response.mimetype == "text/html":
            _restrict_scripts(response)
        elif cls._is_document_for_staff(response):
            _forbid_scripts(response)
        return result

    @classmethod
    def _is_document_for_staff(cls, response) -> bool:
        """Return whether a browser could run a script in this answer as staff.

        Templates of reports, and of other pages outside a website, are written in Odoo.
        On the host of staff, a page that somebody opens before they log in still runs
        afterwards.
        """
        if not content_policy.is_document(response.mimetype or ""):
            return False
        if cls._is_on_staff_host():
            return True
        if getattr(request, "is_frontend", False) and not hosts.is_below(
            request.httprequest.path, hosts.REPORT_PATHS
        ):
            return False  # A page of the website.
        uid = request.session.uid
        return bool(uid) and request.env(user=uid).user._has_spar_role()

    # === THE USER === #

    @classmethod
    def _authenticate(cls, endpoint):
        path = request.httprequest.path
        if hosts.is_below(path, hosts.UPLOADED_PATHS) and _is_for_service_worker():
            raise _build_not_found()
        if hosts.is_moved(endpoint.routing, path):
            raise _build_not_found()
        cls._check_host(endpoint.routing)
        if path == hosts.INSTALL_PATH:
            _answer(request.redirect("/odoo", 303))
        super()._authenticate(endpoint)
        auth = endpoint.routing["auth"]
        if request.session.uid is None and auth not in ("user", "bearer"):
            return
        cls._check_session(endpoint.routing)
        cls._check_second_factor(endpoint.routing)
        cls._lead_from_website(endpoint.routing)

    @classmethod
    def _lead_from_website(cls, routing) -> None:
        """Redirect staff from the website's page on which people type a password."""
        paths = hosts.WEBSITES_SECRETS
        if not routing.get("website") or not paths & {*routing.get("routes", ())}:
            return
        uid = request.session.uid
        if uid and request.env(user=uid).user._has_spar_role():
            _answer(request.redirect("/odoo", 303))

    @classmethod
    def _check_session(cls, routing) -> None:
        """End a session that is too old, or the superuser's; block an idle one.

        The user of an idle session first has to confirm who they are. The superuser is
        no person: rights do not limit it, and the history would not say who acted.
        """
        session = request.session
        if session.uid is None:
            return
        user = request.env(user=session.uid).user
        if session.uid == api.SUPERUSER_ID or cls._is_away(user):
            return cls._end_session(routing)
        now = time.time()
        limits = user._get_lock_timeouts()["lock_timeout"]
        if limits and sessions.is_over(session, now, limits[0][0]):
            cls._end_session(routing)
        elif cls._must_check_identity():
            cls._ask_again(routing)
        elif user._get_lock_timeout_inactivity():
            sessions.note_seen(session, now)

    @classmethod
    def _is_away(cls, user) -> bool:
        """Return whether a user with a role is logged in outside the staff host.

        It does not matter by what means they logged in.
        """
        is_elsewhere = cls._get_staff_host() and not cls._is_on_staff_host()
        return bool(is_elsewhere) and user._has_spar_role()

    @classmethod
    def _end_session(cls, routing) -> None:
        session = request.session
        session.logout(keep_db=True)
        if routing["auth"] == "none":
            request.env = api.Environment(request.env.cr, None, session.context)
            return
        # At once: nothing is saved if the request ends in an error.
        root.session_store.rotate(session, request.env)
        if routing["auth"] != "public":
            raise SessionExpiredException("Session expired")
        _become_nobody()

    @classmethod
    def _ask_again(cls, routing) -> None:
        """Ask on routes for users; on public ones, treat an idle user as a visitor.

        Core asks on routes for users only.
        """
        if not routing.get("check_identity", True) or routing["auth"] == "none":
            return
        if routing["auth"] != "public":
            raise CheckIdentityException("Identity must be confirmed")
        _become_nobody()

    @classmethod
    def _must_check_identity(cls):
        """Ask after the time without activity by the server's own clock.

        Core's clock runs only when a browser reports that it was closed.
        """
        asked = super()._must_check_identity()
        if asked and not asked.get("logout"):
            return asked
        user = request.env(user=request.session.uid).user
        seconds = user._get_lock_timeout_inactivity()
        if seconds and sessions.is_idle(request.session, time.time(), seconds):
            return {"check_identity": True, "mfa": False}
        return asked

    @classmethod
    def _check_identity(cls, credential):
        """Count failures; a user who confirmed who they are counts as active."""
        if not credential:
            return super()._check_identity(credential)
        user = request.env.user
        with user._assert_can_auth(user=user.id):
            result = super()._check_identity(credential)
        if not result:
            request.session[sessions.SEEN_AT] = time.time()
        return result

    def _set_session_inactivity(self, session, inactivity_period=0, force=False):
        """Count mouse movement as activity, too."""
        result = super()._set_session_inactivity(session, inactivity_period, force)
        seconds = self.env.user._get_lock_timeout_inactivity()
        now = time.time()
        if seconds and not force and inactivity_period < sessions.NOTED_EVERY * 1000:
            was_idle = sessions.is_idle(session, now, seconds)
            if not was_idle and sessions.note_seen(session, now):
                root.session_store.save(session)
        return result

    # === SECOND FACTOR === #

    @classmethod
    def _check_second_factor(cls, routing) -> None:
        """Redirect a user who needs a second factor, but has none, to its set-up.

        No other page, no call and no API key works before that.
        """
        uid = request.env.uid or request.session.uid
        if not uid or not request.env(user=uid).user._lacks_second_factor():
            return
        if routing.get("spar_second_factor"):
            return
        path = request.httprequest.path
        if routing["auth"] == "none" and not hosts.is_web_client(path):
            return
        if routing["auth"] == "public":
            return _become_nobody()
        if routing["type"] == "http" and request.session.uid:
            _answer(request.redirect(SECOND_FACTOR_PATH, 303))
        raise AccessDenied(request.env["res.users"]._explain_second_factor())


def _restrict_scripts(response) -> None:
    """Have the browser run no script but the web client's own."""
    nonce = secrets.token_urlsafe(16)
    response.set_data(content_policy.mark_scripts(response.get_data(), nonce))
    response.headers["Content-Security-Policy"] = content_policy.build_policy(nonce)


def _forbid_scripts(response) -> None:
    """Have the browser run no script at all."""
    response.headers.setdefault(
        "Content-Security-Policy", content_policy.DOCUMENT_POLICY
    )


def _protect_page(response) -> None:
    """Have the browser run no script in a page of the login but the page's own."""
    nonce = secrets.token_urlsafe(16)
    response.set_data(content_policy.mark_scripts(response.get_data(), nonce))
    for name, value in content_policy.build_page_headers(nonce).items():
        response.headers[name] = value


def _is_of_spar(path: str) -> bool:
    """Return whether a file of a record of SPAR is served: a person's document.

    Odoo has the browser keep it for a year, where the address names its version.
    """
    if not hosts.is_below(path, hosts.UPLOADED_PATHS):
        return False
    return str(request.params.get("model", "")).startswith("spar.")


def _is_for_service_worker() -> bool:
    """Return whether the browser asks for the script of a service worker."""
    return "Service-Worker" in request.httprequest.headers


def _become_nobody() -> None:
    """Continue as an anonymous visitor."""
    request.update_env(user=request.env.ref("base.public_user").id)


def _answer(response) -> None:
    """End the request with an answer."""
    werkzeug.exceptions.abort(response)


def _build_not_found() -> werkzeug.exceptions.NotFound:
    """Return a refusal for which no website page is rendered."""
    error = werkzeug.exceptions.NotFound()
    error.error_response = error.get_response()
    return error
