"""A person is found by what they can show, and no typed text is stored."""

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import FA, ID, OTHER_FA, OTHER_ID, StoreCase

NUMBER = "111100001111"


@tagged("post_install", "-at_install")
class TestFindPerson(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: cls.create_user(role, login=f"find_{role}")
            for role in ("viewer", "officer", "supervisor", "auditor", "administrator")
        }
        cls.national = cls.env.ref("spar_mapper_connector.id_type_national_id")

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.link(OTHER_ID, OTHER_FA)

    def find(self, role="officer", **typed):
        """Return the action that the wizard's button returns, keeping the wizard."""
        wizards = self.env["spar.find.wizard"].with_user(self.users[role])
        self.wizard = wizards.create(typed)
        return self.wizard.action_find()

    def assert_finds(self, expected, /, **typed):
        action = self.find(**typed)
        self.assertEqual(action["res_model"], "spar.mapping")
        self.assertEqual(self.get_shown(action), self.mappings_of(expected))

    def get_shown(self, action):
        """Return what the list shows initially, apart from *In force*."""
        view = self.env.ref("spar_mapper.spar_mapping_view_search")
        context = action["context"]
        domains = [
            safe_eval(node.get("domain"), {"context": context})
            for node in etree.fromstring(view.arch).xpath("//filter[@domain]")
            if context.get(f"search_default_{node.get('name')}")
            and node.get("name") != "in_force"
        ]
        return self.env["spar.mapping"].search(Domain.AND(domains))

    def test_found_people_are_shown_as_a_filter(self):
        """The selection is a visible, removable part of the search, and has a title.

        A phone shows the title, but not the parts of a search.
        """
        action = self.find(id_value=ID)
        self.assertTrue(action["context"]["search_default_found"])
        self.assertEqual(action["context"]["found_ids"], self.mappings_of(ID).ids)
        self.assertFalse(action.get("domain"))
        self.assertEqual(action["display_name"], "Find a person")

    def test_the_page_is_found_again_when_it_is_loaded_anew(self):
        """On reload the client restores an action that names no originating record."""
        context = self.find(id_value=ID)["context"]
        self.assertEqual([context["active_id"], context["active_ids"]], [False] * 2)

    def test_the_number_on_the_card_finds_the_person(self):
        self.assert_finds(ID, id_value="Ada-1815")
        self.assert_finds(ID, id_value=" Ada-1815 ", id_type_id=self.national.id)

    def test_the_id_as_it_travels_finds_the_person(self):
        self.assert_finds(ID, id_value=ID)

    def test_an_account_and_its_bank_find_the_person(self):
        self.assert_finds(ID, account=NUMBER, provider_id=self.bank.id)

    def test_an_account_is_found_however_it_is_grouped(self):
        self.assert_finds(ID, account="1111 0000-1111", provider_id=self.bank.id)

    def test_a_branch_narrows_it(self):
        values = {"account": NUMBER, "provider_id": self.bank.id}
        self.assert_finds(ID, **values, branch_id=self.north.id)
        with self.assertRaisesRegex(UserError, "No person was found"):
            self.find(**values, branch_id=self.south.id)

    def test_a_closed_branch_still_finds_its_accounts(self):
        self.north.active = False
        self.assert_finds(ID, account=NUMBER, provider_id=self.bank.id)

    def test_a_phone_finds_its_wallet(self):
        wallet = self.env["spar.fsp"].create(
            {"name": "Pay", "code": "PAYTEST", "kind": "wallet"}
        )
        kind = self.env.ref("spar_fa_directory.type_mobile_wallet")
        template = kind.strategy_ids.filtered("is_default").template
        part = kind.part_ids.filtered(lambda each: each.kind == "text").key
        holder = kind.part_ids.filtered(lambda each: each.kind == "provider").key
        fa = template.replace(f"{{{part}}}", "+46701234567")
        fa = fa.replace(f"{{{holder}}}", "PAYTEST")
        self.link("token:Phone@nationalId", fa)
        self.assert_finds(
            "token:Phone@nationalId", account="+46701234567", provider_id=wallet.id
        )

    def test_the_address_as_it_travels_finds_the_person(self):
        self.assert_finds(ID, account=FA)

    def test_id_and_account_must_both_fit(self):
        self.assert_finds(ID, id_value=ID, account=FA)
        with self.assertRaisesRegex(UserError, "No person was found"):
            self.find(id_value=ID, account=OTHER_FA)

    def test_nothing_filled_in_is_refused(self):
        with self.assertRaisesRegex(UserError, "Enter an ID"):
            self.find(id_value=" ")

    def test_part_of_a_number_finds_no_one(self):
        with self.assertRaisesRegex(UserError, "No person was found"):
            self.find(account=NUMBER[:-1], provider_id=self.bank.id)

    def test_the_answer_holds_nothing_that_was_typed(self):
        action = self.find(account=NUMBER, provider_id=self.bank.id)
        self.assertNotIn(NUMBER, str(action))
        with self.assertRaises(UserError) as caught:
            self.find(id_value="Nemo-404-404")
        self.assertNotIn("Nemo", str(caught.exception))

    def test_typed_text_is_in_no_table_and_is_deleted_afterwards(self):
        wizards = self.env["spar.find.wizard"].with_user(self.users["officer"])
        wizard = wizards.create(
            {"id_value": "Ada-1815", "account": NUMBER, "provider_id": self.bank.id}
        )
        self.env.flush_all()
        self.assertEqual(self.find_clear("Ada-1815", NUMBER, tables="%"), [])
        wizard.action_find()
        self.env.cr.execute(
            "SELECT sealed FROM spar_find_wizard WHERE id = %s", (wizard.id,)
        )
        self.assertEqual(self.env.cr.fetchone(), (None,))

    def test_users_who_see_the_registry_find_people(self):
        for role in ("viewer", "officer", "supervisor", "auditor"):
            with self.subTest(role):
                self.assertTrue(self.find(role, id_value=ID))

    def test_other_users_find_no_one(self):
        with self.assertRaises(AccessError):
            self.find("administrator", id_value=ID)

    def test_another_user_does_not_see_the_typed_text(self):
        self.find(id_value=ID)
        with self.assertRaises(AccessError):
            self.wizard.with_user(self.users["auditor"]).read(["id_value"])

    def test_ended_address_is_found(self):
        self.unlink(ID)
        action = self.find(id_value=ID)
        self.assertFalse(action["context"]["search_default_in_force"])


@tagged("post_install", "-at_install")
class TestSpellings(StoreCase):
    """A person is found however the number is typed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.viewer = cls.create_user("viewer")

    def find(self, **typed):
        wizard = self.env["spar.find.wizard"].with_user(self.viewer).create(typed)
        return wizard.action_find()

    def test_an_id_as_cards_print_it(self):
        self.link("token:2007760999@nationalId", FA)
        for typed in (
            "2007 760 999",
            "2007-760-999",
            "٢٠٠٧٧٦٠٩٩٩",
            "２００７７６０９９９",
        ):
            with self.subTest(typed):
                self.assertTrue(self.find(id_value=typed)["context"]["found_ids"])

    def test_an_account_as_statements_print_it(self):
        self.link("token:spelled@nationalId", "account:AB12cd3456@BR01.TESTBANK")
        self.link("token:plain@nationalId", "account:ab99cd@BR01.TESTBANK")
        for typed in ("AB12cd3456", "AB12 cd34 56", "AB12.cd3456", "AB99-CD"):
            with self.subTest(typed):
                self.assertTrue(self.find(account=typed, provider_id=self.bank.id))

    def test_the_whole_address_beside_its_provider(self):
        self.link("token:whole@nationalId", FA)
        self.assertTrue(self.find(account=FA, provider_id=self.bank.id))

    def test_guessing_in_bulk_finds_no_one(self):
        self.link(ID, FA)
        mappings = self.env["spar.mapping"].with_user(self.viewer)
        guesses = [f"token:guess-{n}@nationalId" for n in range(200)]
        self.assertFalse(mappings.search([("id_value", "in", [*guesses, ID])]))
        self.assertFalse(mappings.search([("id_value", "in", [guesses[0], ID])]))
        self.assertTrue(mappings.search([("id_value", "in", [ID])]))

    def test_a_reason_of_many_guesses_is_refused(self):
        self.link(ID, FA)
        with self.assertRaisesRegex(UserError, "at most 500 characters"):
            self.mapping_of(ID)._check_reason("x " * 300)
