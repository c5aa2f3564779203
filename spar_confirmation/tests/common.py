import re
from contextlib import contextmanager
from html import unescape
from urllib.parse import parse_qsl, urlsplit

from lxml import html

from odoo.tests import HttpCase

from odoo.addons.spar_mapper.tests.common import FA, ID, OTHER_FA, StoreCase
from odoo.addons.spar_mapper_connector.lib.confirmation import ChangeProposal
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.tests.provider_case import HostileProviderCase

SENDER = "portal.example"
PORTAL = CallContext(f"participant:{SENDER}", "rest", Authority.PROGRAMME, "bearer")
#: The call of pages in this database, by a person who is logged in there.
PAGES = CallContext("person:ada", "portal", Authority.OWNER, "login")
RETURN_URL = "https://portal.example/confirmed"
INDIVIDUAL_ID = "Ada-1815"


class ProposalCase(HostileProviderCase, StoreCase):
    """The store, a client of its own at a provider, and a portal elsewhere."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls.create_client()
        cls.portal = cls.env["spar.confirmation.portal"].create(
            {
                "name": "Portal of Welfare",
                "sender_id": SENDER,
                "return_urls": f"{RETURN_URL}\nhttps://portal.example/again",
            }
        )
        cls.seal_settings(
            "spar.confirmation.portal", "spar.confirmation.client", "spar.proof.issuer"
        )
        # What is not proved is refused: so is a proof that does not hold.
        cls.env.ref("spar_mapper.limit_owner_proof_required").is_on = True
        cls.bound = cls.env["spar.mapper.backend"]._get_mapper()

    def setUp(self):
        super().setUp()
        # The portal of these tests is no participant, if there are any.
        store = self.registry["spar.mapper.local"]
        self.patch(store, "_is_active_caller", lambda _store, _actor: True)
        self.hostile.userinfo_claims = {"individual_id": INDIVIDUAL_ID}

    @classmethod
    def create_client(cls, **values):
        """Create an enabled client at the hostile provider's address."""
        return cls.enable_client("spar.confirmation.client", **values)

    def build_proposal(self, request=None, **values) -> ChangeProposal:
        """Return a proposal to pay Ada to another account."""
        request = request or UpdateRequest(ID, OTHER_FA, expected_version=1)
        return ChangeProposal(
            request, **{"draft_id": "d1", "return_url": RETURN_URL, **values}
        )

    def propose(self, request=None, call=PORTAL, **values):
        """Return the page of a proposal."""
        return self.bound._propose(call, self.build_proposal(request, **values))

    def get_address(self, id_value=ID) -> str | None:
        return self.resolve(id_value).fa


class PageCase(ProposalCase, HttpCase):
    """A person with a browser, whose account is ``FA``."""

    def setUp(self):
        super().setUp()
        self.authenticate(None, None)
        self.link(ID, FA)

    # === THE BROWSER === #

    def get(self, path):
        self.page = self.url_open(path, allow_redirects=False)
        return self.page

    @property
    def text(self):
        """The words of the page, without tags."""
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", self.page.text)))

    def open_page(self, url):
        """Open the page of a proposal; return its path."""
        path = urlsplit(url).path
        self.get(path)
        self.token = re.search(r'name="csrf_token" value="([^"]+)"', self.page.text)
        return path

    def press(self, path, **form):
        """Press a button of the page."""
        self.page = self.url_open(
            path,
            data={"csrf_token": self.token[1], **form},
            allow_redirects=False,
        )
        return self.page

    @property
    def digits(self):
        """The digits that the page shows; none on the page of a visit."""
        return self.get_tree().xpath("string(//strong[@class='digits'])")

    def answer(self, path, digits, client=None):
        """Type digits, and press the button."""
        client = (client or self.client).id
        return self.press(f"{path}/login", client=client, digits=digits)

    def begin(self, path, client=None):
        """Type the page's digits; return the authorization request that this leads to.

        The page may be one that was opened before.
        """
        self.get(path)
        self.typed = self.digits
        self.answer(path, self.typed, client)
        self.assertEqual(self.page.status_code, 303, self.page.text)
        address = self.page.headers["Location"]
        self.assertTrue(address.startswith(f"{self.hostile.issuer}/auth?"), address)
        self.hostile.authorization_request = dict(parse_qsl(urlsplit(address).query))
        return self.hostile.authorization_request

    def come_back(self, client=None, **changes):
        """Return from the provider, with these parameters changed."""
        parameters = {
            "code": "the-code",
            "state": self.hostile.authorization_request["state"],
            "iss": self.hostile.issuer,
            **changes,
        }
        self.page = self.url_open(
            f"/spar/confirm/return/{(client or self.client).id}",
            params={name: value for name, value in parameters.items() if value},
            allow_redirects=False,
        )
        return self.page

    def confirm(self, url):
        """Walk from the page to the provider and back; return the page's path."""
        path = self.open_page(url)
        self.begin(path)
        self.come_back()
        return path

    def use_another_browser(self):
        """Forget the session, as another browser has none of it."""
        self.authenticate(None, None)
        self.opener.cookies.clear()
        self.authenticate(None, None)

    def get_tree(self):
        return html.fromstring(self.page.content)

    @contextmanager
    def assert_no_change(self):
        """Assert that the block changes nothing in the store."""
        before = self.count_events()
        yield
        self.assertEqual(self.count_events(), before)
        self.assertEqual(self.get_address(), FA)

    def count_events(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT count(*) FROM spar_event")
        return self.env.cr.fetchone()[0]

    def get_state(self, page, call=PORTAL):
        return self.bound._get_confirmation(call, page.reference)
