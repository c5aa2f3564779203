import re
from contextlib import contextmanager
from html import unescape

from lxml import html

from odoo.orm.model_classes import add_to_registry
from odoo.tests import HttpCase, new_test_user

from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext
from odoo.addons.spar_mapper_connector.lib.oidc.verified import Contacts
from odoo.addons.spar_mapper_connector.tests.common import KeyringCase

from ..exceptions import NotLoggedIn, StepUpNeeded, TicketNeeded
from ..lib.beneficiary import AgentTicket, Beneficiary

ID, OTHER_ID = "token:Ada-1815@nationalId", "token:Grace-1906@nationalId"
FA, OTHER_FA = "account:111100001111@BR01.TESTBANK", "account:2222@BR02.TESTBANK"
STAFF = CallContext("user:7", "staff", Authority.STAFF, "document")
PROVIDER_URL = "https://op.example/authorize"


class StandInCase(KeyringCase):
    """A stand-in mapper, a directory with one bank, and two people.

    The login has tests of its own: here people are who they claim to be, and ``prove``
    stands for the ID provider's confirmation.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._add_stand_in()
        cls.bank = cls.env["spar.fsp"].create(
            {
                "name": "Test Bank",
                "code": "TESTBANK",
                "branch_ids": [
                    (0, 0, {"name": "North", "code": "BR01", "city": "Port Ada"}),
                    (0, 0, {"name": "South", "code": "BR02"}),
                ],
            }
        )
        cls.north, cls.south = cls.bank.branch_ids
        cls.account = cls.env.ref("spar_fa_directory.type_bank_account")
        cls.wallet = cls.env.ref("spar_fa_directory.type_mobile_wallet")
        groups = "base.group_portal"
        cls.ada_user = new_test_user(
            cls.env, "ada", groups=groups, password="ada-ada-1"
        )
        cls.grace_user = new_test_user(
            cls.env, "grace", groups=groups, password="grace-grace"
        )
        cls.officer = new_test_user(
            cls.env,
            "officer",
            groups="base.group_user,spar_fa_directory.group_officer",
            password="officer-1",
        )
        cls.ada = cls.build_person("ada-key", ID, "Ada")
        cls.grace = cls.build_person("grace-key", OTHER_ID, "Grace")

    @classmethod
    def _add_stand_in(cls):
        from .stand_in import StandIn

        cls.stand_in = StandIn
        name = StandIn._name
        add_to_registry(cls.registry, StandIn)
        cls.registry._setup_models__(cls.env.cr, [name])
        cls.addClassCleanup(cls.registry.__delitem__, name)

    @classmethod
    def build_person(cls, key, id_value, name) -> Beneficiary:
        id_type = cls.env["spar.id.type"].search([("strategy", "!=", False)], limit=1)
        contacts = Contacts(phone_number="+63 917 0000001")
        code = id_type.code
        return Beneficiary(key, id_value, code, "https://op.example", name, contacts)

    def setUp(self):
        super().setUp()
        from .stand_in import Store

        self.store = self.stand_in.store = Store()
        self.registry["spar.mapper.stand.in"].store = self.store
        self.people = {self.ada_user.id: self.ada, self.grace_user.id: self.grace}
        self.proofs: set[str] = set()
        self.tickets: dict[tuple, Beneficiary] = {}
        self.begun: list[tuple] = []
        backends = type(self.env["spar.mapper.backend"])
        get_mapper = backends._get_mapper

        def _get_mapper(backend, id_type=None):
            """Return the stand-in as the default mapper."""
            if id_type and id_type.backend_id:
                return get_mapper(backend, id_type)
            return backend.env["spar.mapper.stand.in"]

        self.patch(backends, "_get_mapper", _get_mapper)
        self._stand_in_for_login(type(self.env["spar.beneficiary"]))

    def _stand_in_for_login(self, model):
        case = self

        def _get_current(beneficiary):
            if beneficiary.env.uid not in case.people:
                raise NotLoggedIn()
            return case.people[beneficiary.env.uid]

        def _begin_step_up(beneficiary, draft_digest, return_to="/spar"):
            case.begun.append((draft_digest, return_to))
            return PROVIDER_URL

        def _take_step_up(beneficiary, draft_digest):
            if draft_digest not in case.proofs:
                raise StepUpNeeded()
            case.proofs.discard(draft_digest)

        def _begin_agent(
            beneficiary, officer, draft_digest, return_to, provider, is_visited=False
        ):
            case.begun.append((draft_digest, return_to))
            case.chosen = provider
            return PROVIDER_URL

        def _take_agent_ticket(beneficiary, officer, draft_digest):
            person = case.tickets.pop((officer.id, draft_digest), None)
            if person is None:
                raise TicketNeeded()
            return AgentTicket(person, officer.id, "nonce")

        def _read_agent_ticket(beneficiary, officer, draft_digest):
            person = case.tickets.get((officer.id, draft_digest))
            if person is None:
                raise TicketNeeded()
            return AgentTicket(person, officer.id, "nonce")

        self.patch(model, "_read_agent_ticket", _read_agent_ticket)
        self.patch(model, "_get_current", _get_current)
        self.patch(model, "_begin_step_up", _begin_step_up)
        self.patch(model, "_take_step_up", _take_step_up)
        self.patch(model, "_begin_agent_authentication", _begin_agent)
        self.patch(model, "_take_agent_ticket", _take_agent_ticket)

    # === HELPERS === #

    def as_user(self, user):
        """Return the pages' models as this user calls them."""
        return self.env["spar.my.address"].with_user(user)

    def fill_in(self, draft, number="1234 5678 9012", branch=None):
        """Answer every question about a bank account."""
        draft._answer_type(draft.version, self.account.id)
        draft._answer_provider(draft.version, self.bank.id)
        draft._answer_branch(draft.version, (branch or self.north).id)
        typed = {"account_number": number}
        draft._answer_details(draft.version, typed, typed)

    def prove(self, draft):
        """Record that the person has authenticated anew for this draft."""
        self.proofs.add(draft._get_digest_text())

    @property
    def acts(self) -> list[str]:
        """Return the changes requested of the mapper."""
        return [word for word, _call, _request in self.changes]

    @property
    def changes(self) -> list[tuple]:
        """Return the same with all details: operation, call and request."""
        return [each for each in self.store.calls if each[0] != "resolve"]


class PageCase(StandInCase, HttpCase):
    """The pages as a browser without scripts sees them."""

    def get(self, path, **options):
        self.page = self.url_open(path, **options)
        return self.page

    def post(self, path, allow_redirects=True, **form):
        """Send a form with the CSRF token of the last page."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page.text)
        data = {"csrf_token": token and unescape(token.group(1)), **form}
        self.page = self.url_open(path, data=data, allow_redirects=allow_redirects)
        return self.page

    @property
    def text(self) -> str:
        """Return the text of the page's main part."""
        (main,) = html.fromstring(self.page.content).xpath("//main")
        return " ".join(main.text_content().split())

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.base_url())

    @property
    def version(self) -> str:
        """Return the version in the page's form."""
        (value,) = html.fromstring(self.page.content).xpath(
            "(//input[@name='version'])[1]/@value"
        )
        return value

    def get_draft(self):
        return self.env["spar.draft"].search([], order="id desc", limit=1)

    def begin(self):
        """Sign in as Ada and begin to choose an account; ends at the first question."""
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/address")
        self.post("/spar/change")

    def choose(self, **form):
        """Answer the question of the page."""
        return self.post(self.path.partition("?")[0], version=self.version, **form)

    def choose_all(self, number="1234 5678 9012"):
        """Answer every question; ends at the review."""
        self.choose(type=self.account.id)
        self.choose(provider=self.bank.id)
        self.choose(branch=self.north.id)
        self.choose(account_number=number, account_number_again=number)

    def finish(self):
        """Return from the ID provider, which confirmed the person."""
        draft = self.get_draft()
        self.prove(draft)
        return self.get(f"/spar/change/{draft.uuid}/finish")

    @contextmanager
    def assert_no_change(self):
        """Assert that the block changes nothing in the mapper."""
        before = {key: list(value) for key, value in self.store.periods.items()}
        yield
        self.assertEqual(self.store.periods, before)
