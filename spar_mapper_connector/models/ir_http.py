from werkzeug.exceptions import BadRequest

from odoo import models
from odoo.exceptions import AccessDenied
from odoo.http import HttpDispatcher, Response, request

from ..exceptions import ServiceUnavailable
from ..expressions import note_person
from ..lib.framing import is_ambiguous
from ..server.busy import KEYS_AWAY, KeysAway, TryAgain, show_busy
from ..server.sessions import hide_cookie
from ..transactions import STOPPED

#: Odoo's ways to authenticate that end with the public user for want of a session.
_VISITORS = ("calendar", "public")


class IrHttp(models.AbstractModel):
    """Checks at the start of requests, and the page shown when a resource is busy."""

    _inherit = "ir.http"

    @classmethod
    def _authenticate(cls, endpoint):
        """Refuse a request whose end a proxy could read differently."""
        if is_ambiguous(request.httprequest.headers):
            raise BadRequest()
        return super()._authenticate(endpoint)

    @classmethod
    def _authenticate_explicit(cls, auth):
        """Authenticate; let a lock or timeout through that Odoo reports as *denied*."""
        try:
            result = super()._authenticate_explicit(auth)
            cls._keep_public(auth)
            cls._note_person(request.session.uid)
            return result
        except AccessDenied as error:
            if isinstance(error.__context__, STOPPED):
                raise error.__context__ from None
            if isinstance(error.__context__, ServiceUnavailable):
                language = request.session.context.get("lang") or "en_US"
                raise KeysAway(KEYS_AWAY._translate(language)) from None
            raise

    @classmethod
    def _keep_public(cls, auth: str) -> None:
        """Have a visitor act as the public user, whomever a website names for them.

        A designer chooses that user. No way to authenticate makes a member of staff of
        somebody without a session.
        """
        if request.session.uid or not request.env.uid:
            return
        user = request.env.user
        is_other = auth in _VISITORS and not user._is_public()
        if is_other or user._has_spar_role():
            request.update_env(user=request.env.ref("base.public_user").id)

    @classmethod
    def _note_person(cls, uid: int | None) -> None:
        """Note who was authenticated; of staff, hide what would let others be them."""
        note_person(uid)
        # The handshake of a websocket has to have the cookie.
        if not request.httprequest.path.startswith("/websocket"):
            cls._hide_cookie(uid)

    @classmethod
    def _serve_fallback(cls):
        """Do the same for the pages of a website: they have no route."""
        cls._keep_public("public")
        cls._hide_cookie(request.session.uid)
        return super()._serve_fallback()

    @classmethod
    def _hide_cookie(cls, uid: int | None) -> None:
        if uid and request.env(user=uid).user._has_spar_role():
            hide_cookie(request._get_current_object())

    @classmethod
    def _handle_error(cls, exception):
        is_page = isinstance(request.dispatcher, HttpDispatcher)
        if is_page and isinstance(exception, KeysAway):
            return show_busy(request, KEYS_AWAY)
        if is_page and isinstance(exception, TryAgain):
            return cls._show_busy()
        return super()._handle_error(exception)

    @classmethod
    def _show_busy(cls) -> Response:
        """Return the page that says that something is in use."""
        return show_busy(request)
