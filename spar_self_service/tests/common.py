import contextlib
import re
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from odoo.http import root
from odoo.tests import HttpCase

from odoo.addons.spar_mapper_connector.tests.provider_case import HostileProviderCase

from ..models import spar_beneficiary
from ..models.auth_oauth_provider import FLOW


class ProviderCase(HostileProviderCase):
    """A database with one ID provider, which does what a test wants."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = cls.create_provider()

    @classmethod
    def create_provider(cls, **values):
        """Create an enabled provider at the hostile provider's address."""
        own = {
            "flow": FLOW,
            "body": "Log in with Test ID",
            "auth_endpoint": "http://127.0.0.1/",
            "validation_endpoint": "http://127.0.0.1/",
        }
        return cls.enable_client("auth.oauth.provider", **{**own, **values})


class LoginCase(ProviderCase, HttpCase):
    """A person with a browser in front of the login."""

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)

    def get_token(self, path="/web/login"):
        """Return the CSRF token that Odoo requires in forms."""
        page = self.url_open(path).text
        return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]

    def begin(self, provider=None, **form):
        """Press the button; return the parameters of the authorization request."""
        provider = provider or self.provider
        answer = self.url_open(
            f"/spar/login/{provider.id}",
            data={"csrf_token": self.get_token(), **form},
            allow_redirects=False,
        )
        self.assertEqual(answer.status_code, 303, answer.text)
        return self.ask(answer.headers["Location"])

    def ask(self, address):
        """Send the browser to the provider, and return the recorded request."""
        parts = urlsplit(address)
        self.assertTrue(address.startswith(f"{self.hostile.issuer}/auth?"), address)
        self.hostile.authorization_request = dict(parse_qsl(parts.query))
        return self.hostile.authorization_request

    def come_back(self, provider=None, **changes):
        """Send the browser back from the provider; return our callback's response."""
        provider = provider or self.provider
        parameters = {
            "code": "the-code",
            "state": self.hostile.authorization_request["state"],
            "iss": self.hostile.issuer,
            **changes,
        }
        sent = {name: value for name, value in parameters.items() if value is not None}
        return self.url_open(
            f"/spar/oidc/callback/{provider.id}", params=sent, allow_redirects=False
        )

    @contextlib.contextmanager
    def within_request(self):
        """Run the block as if within a request of this browser's session."""
        session = root.session_store.get(self.opener.cookies["session_id"])
        page = SimpleNamespace(session=session)
        with patch.object(spar_beneficiary, "request", page):
            yield page
        root.session_store.save(session)

    def log_in(self, **form):
        """Log in; return the response of the callback."""
        self.begin(**form)
        answer = self.come_back()
        self.assertEqual(answer.status_code, 303, answer.text)
        return answer

    def get_session_user(self):
        """Return the user of the server's own session; None where there is none."""
        sid = self.opener.cookies.get("session_id")
        session = root.session_store.get(sid) if sid else {}
        return self.env["res.users"].browse(session.get("uid") or ()) or None

    def count_people(self):
        self.env.flush_all()
        return self.env["spar.identity"].sudo().search_count([])
