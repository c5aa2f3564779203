import base64
import json
import os
import time
from unittest.mock import patch

from odoo import http
from odoo.tests import HttpCase, new_test_user

from odoo.addons.auth_totp.models.totp import TIMESTEP, hotp
from odoo.addons.spar_mapper_connector.lib import addon_code

from ..lib.settings import SECOND_FACTOR_VARIABLE, STAFF_HOST_VARIABLE

PASSWORD = "a long password of a test"


def compute_code(secret: str) -> str:
    """Return what an authenticator app shows now."""
    key = base64.b32decode(secret.replace(" ", "").upper())
    return f"{hotp(key, int(time.time() / TIMESTEP)):06}"


class StaffCase(HttpCase):
    """An officer who logs in as people do, and as programs do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "base.group_user,spar_fa_directory.group_officer"
        cls.officer = new_test_user(
            cls.env, "test_officer", groups=groups, password=PASSWORD
        )
        cls.employee = new_test_user(
            cls.env, "test_employee", groups="base.group_user", password=PASSWORD
        )

    def setUp(self):
        super().setUp()
        # Our own cookies replace those by which a test's requests are recognised.
        self.http_request_allow_all = True
        self.authenticate(None, None)

    def set_environment(self, **words):
        """Set the operator's settings for one test."""
        names = {
            "code": addon_code.VARIABLE,
            "factor": SECOND_FACTOR_VARIABLE,
            "host": STAFF_HOST_VARIABLE,
        }
        variables = {names[name]: value for name, value in words.items()}
        patcher = patch.dict(os.environ, variables)
        patcher.start()
        self.addCleanup(patcher.stop)

    def send(self, path, data=None, **headers):
        """Send a request with the session of this browser, to any host."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Cookie"] = f"session_id={self.sid}"
        answer = self.url_open(path, data=data, headers=sent, allow_redirects=False)
        self.sid = answer.cookies.get("session_id", self.sid)
        return answer

    def open(self, path, data=None, **headers):
        return self.send(path, data, **headers)

    def authenticate(self, user, password, **options):
        session = super().authenticate(user, password, **options)
        self.sid = self.session.sid
        return session

    def get_session(self):
        return http.root.session_store.get(self.sid)

    def log_in(self, login, password=PASSWORD, **headers):
        """Send the form of the login page; return its answer."""
        self.authenticate(None, None)
        form = {"login": login, "password": password, "type": "password"}
        form["csrf_token"] = self.get_token()
        return self.open("/web/login", data=form, **headers)

    def get_token(self):
        """Return a CSRF token of the browser's session."""
        self.session = self.get_session()
        return http.Request.csrf_token(self)

    def send_json(self, path, params, **headers):
        """Send what the web client would; return the whole answer."""
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        return self.send(path, body, Content_Type="application/json", **headers)

    def call(self, model, method, *args, **headers):
        params = {"model": model, "method": method, "args": args, "kwargs": {}}
        path = f"/web/dataset/call_kw/{model}/{method}"
        return self.send_json(path, params, **headers)
