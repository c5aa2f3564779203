import base64
import io
import json
import os
import time
from urllib.parse import quote, urlencode

import qrcode

from odoo import http
from odoo.exceptions import AccessDenied
from odoo.http import request

from odoo.addons.auth_passkey._vendor.webauthn.helpers.exceptions import (
    InvalidJSONStructure,
    InvalidRegistrationResponse,
)
from odoo.addons.auth_totp.models.totp import (
    ALGORITHM,
    DIGITS,
    TIMESTEP,
    TOTP_SECRET_SIZE,
)

from ..lib import sessions
from ..pages.rendering import note_page, render_page

#: In the session: the secret that was shown to the app.
SECRET = "spar_totp_secret"
#: A user who logged in longer ago has to log in again: on a session found open, no
#: stranger can set up a second factor of their own.
FRESH_SECONDS = 10 * 60
#: Errors of a browser that made no new passkey.
REFUSED = (
    AccessDenied,
    InvalidJSONStructure,
    InvalidRegistrationResponse,
    KeyError,
    TypeError,
    ValueError,
)
PAGE = {
    "type": "http",
    "auth": "user",
    "check_identity": False,
    "readonly": False,
    "spar_second_factor": True,
}


class SecondFactor(http.Controller):
    """The pages on which a user with a role but no second factor sets one up."""

    @http.route("/web/second-factor", methods=["GET"], **PAGE)
    def ask(self, **_ignored):
        return _get_refusal() or _show()

    @http.route("/web/second-factor", methods=["POST"], **PAGE)
    def use_app(self, code="", **_ignored):
        if refusal := _get_refusal():
            return refusal
        user = request.env.user
        try:
            with user._assert_can_auth(user=user.id):
                _set_app(code)
        except AccessDenied as error:
            return _show(str(error))
        return _continue()

    @http.route("/web/second-factor/passkey", methods=["POST"], **PAGE)
    def use_passkey(self, registration="", **_ignored):
        if refusal := _get_refusal():
            return refusal
        request.session["identity-check-last"] = time.time()
        try:
            response = json.loads(registration)
            made = request.env["auth.passkey.key.create"].create({"name": "SPAR"})
            made.make_key(response)
        except REFUSED:
            return _show(request.env._("This passkey was not accepted. Try again."))
        return _continue()


def _get_refusal():
    """Return a redirect for users with nothing to set up; None for others."""
    user = request.env.user
    if user.totp_enabled or not user._needs_second_factor():
        return request.redirect("/odoo", 303)
    began = request.session.get(sessions.LOGGED_IN_AT, 0)
    if time.time() - began > FRESH_SECONDS:
        request.session.logout(keep_db=True)
        return request.redirect("/web/login", 303)
    return None


def _set_app(code: str) -> None:
    """Set up the app that shows these digits; raise AccessDenied if they are wrong."""
    secret = request.session.get(SECRET)
    digits = "".join(code.split())
    is_code = digits.isdecimal() and len(digits) <= DIGITS
    if not (secret and is_code) or not request.env.user._totp_try_setting(
        secret, int(digits)
    ):
        raise AccessDenied(request.env._("These digits are not correct. Try again."))


def _continue():
    request.session.pop(SECRET, None)
    return request.redirect("/odoo", 303)


def _show(error=""):
    secret = request.session.get(SECRET)
    if not secret:
        secret = base64.b32encode(os.urandom(TOTP_SECRET_SIZE // 8)).decode()
        request.session[SECRET] = secret
    options = request.env["auth.passkey.key"]._start_registration()
    values = {
        "error": error,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "qrcode": _draw_code(secret),
        "registration": json.dumps(options),
    }
    values |= request.env["ir.ui.view"]._get_staff_login_words()
    page = render_page("second_factor", {**values, "request": request})
    note_page(request._get_current_object())
    return request.make_response(page, [("Content-Type", "text/html; charset=utf-8")])


def _draw_code(secret: str) -> str:
    """Return a QR code of a secret, for authenticator apps."""
    issuer = request.httprequest.host.split(":")[0]
    parameters = urlencode(
        {
            "secret": secret,
            "issuer": issuer,
            "algorithm": ALGORITHM.upper(),
            "digits": DIGITS,
            "period": TIMESTEP,
        }
    )
    label = quote(f"{issuer}:{request.env.user.login}", safe=":")
    picture = io.BytesIO()
    image = qrcode.make(f"otpauth://totp/{label}?{parameters}".encode(), box_size=4)
    image.save(picture, format="PNG")
    return base64.b64encode(picture.getvalue()).decode()
