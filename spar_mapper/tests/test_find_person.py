"""A person is found by what they can show, and no typed text is stored."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..wizards import spar_find_wizard
from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase

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
        """Return the action that the form's button returns, keeping the form."""
        wizards = self.env["spar.find.wizard"].with_user(self.users[role])
        self.wizard = wizards.create(typed)
        return self.wizard.action_find()

    def assert_finds(self, expected, /, **typed):
        action = self.find(**typed)
        self.assertTrue(action, self.wizard.answer_text)
        self.assertEqual(action["res_model"], "spar.subject")
        self.assertEqual(action["res_id"], self.subject_of(expected).id)

    def assert_finds_no_one(self, *sentences, **typed):
        self.assertFalse(self.find(**typed))
        self.assertEqual(self.wizard.answer, "none")
        self.assertFalse(self.wizard.line_ids)
        for sentence in ("No person was found", *sentences):
            self.assertIn(sentence, self.wizard.answer_text)

    def assert_lists(self, expected: dict, **typed):
        """Assert that the people are listed, each with what the text is for them."""
        self.assertFalse(self.find(**typed))
        self.assertEqual(self.wizard.answer, "several")
        lines = {line.subject_id: line.reading for line in self.wizard.line_ids}
        self.assertEqual(
            lines,
            {self.subject_of(id_value): text for id_value, text in expected.items()},
        )

    # === LONG TEXTS === #

    def test_a_long_text_is_refused_before_it_is_searched_for(self):
        """Each spelling of it would be tried at each branch of a bank."""
        long = "1" * 2_000_000
        wizards = self.env["spar.find.wizard"].with_user(self.users["viewer"])
        for name in ("typed", "id_value", "account", "person_name", "reason"):
            with self.subTest(name), self.assertRaisesRegex(UserError, "at most"):
                wizards.create({"typed": "x", name: long})
            with self.subTest(name), self.assertRaisesRegex(UserError, "at most"):
                wizards.create({"typed": "x"}).write({name: long})
            with self.subTest(name), self.assertRaisesRegex(UserError, "at most"):
                wizards.onchange({name: long}, [name], {name: {}})
            given = wizards.with_context(**{f"default_{name}": long})
            self.assertNotEqual(given.create({"typed": "x"})[name], long)
        found = self.env["spar.mapping"].with_user(self.users["viewer"])
        self.assertFalse(found.search([("id_value", "=", long)]))

    def test_a_number_is_not_written_in_more_forms_than_can_be_tried(self):
        bank = self.env["spar.fsp"].search([("code", "=", "TESTBANK")])
        with patch.object(spar_find_wizard, "_MAX_ADDRESSES", 1):
            with self.assertRaisesRegex(UserError, "Branch: choose one"):
                self.find(account=NUMBER, provider_id=bank.id)
        wizard = self.env["spar.find.wizard"].create({"typed": "x"})
        self.assertEqual(wizard._get_addresses("1" * 101, bank), [])
        self.assertTrue(wizard._get_addresses("1" * 100, bank))

    # === ONE BOX === #

    def test_the_box_recognises_an_id_as_people_know_it(self):
        for typed in ("Ada-1815", " Ada-1815 ", ID):
            with self.subTest(typed):
                self.assert_finds(ID, typed=typed)
        self.assert_finds(ID, typed="Ada-1815", id_type_id=self.national.id)

    def test_the_box_recognises_an_account_with_its_bank(self):
        for typed in (
            f"{NUMBER} TESTBANK",
            f"testbank {NUMBER}",
            "1111 0000-1111, Test Bank",
            f"TEST BANK {NUMBER}",
            FA,
        ):
            with self.subTest(typed):
                self.assert_finds(ID, typed=typed)
        self.assert_finds(ID, typed=NUMBER, provider_id=self.bank.id)

    def test_the_box_recognises_a_reference(self):
        self.hold_everything()
        self.update(ID, THIRD_FA)
        uuid = self.change_of(ID).uuid
        for typed in (uuid, uuid[:8].upper(), f"{uuid[:4]} {uuid[4:8]}"):
            with self.subTest(typed):
                self.assert_finds(ID, typed=typed)

    def test_ambiguous_text_lists_its_readings_and_opens_no_one(self):
        self.link(
            "token:555500005555TESTBANK@nationalId",
            "account:555500005555@BR01.TESTBANK",
        )
        self.link("token:Second@nationalId", "account:555500005555@BR02.TESTBANK")
        account = "Account at Test Bank"
        self.assert_lists(
            {
                "token:555500005555TESTBANK@nationalId": f"ID, {account}",
                "token:Second@nationalId": account,
            },
            typed="555500005555 TESTBANK",
        )
        line = self.wizard.line_ids[0]
        self.assertEqual(line.action_open()["res_id"], line.subject_id.id)

    def test_a_chosen_bank_or_id_type_decides_the_reading(self):
        self.link(f"token:{NUMBER}@nationalId", THIRD_FA)
        self.assert_finds(f"token:{NUMBER}@nationalId", typed=NUMBER)
        self.assert_finds(ID, typed=NUMBER, provider_id=self.bank.id)

    def test_the_box_says_what_may_be_wrong(self):
        self.assert_finds_no_one("For an account, choose its bank", typed=NUMBER)
        source = type(self.env["spar.person.source"])
        self.patch(source, "_has_names", lambda _self: False)
        self.assert_finds_no_one("A name finds nobody", typed="Ada Lovelace")
        self.assert_finds_no_one(typed=NUMBER[:-1], provider_id=self.bank.id)
        self.assertNotIn("choose its bank", self.wizard.answer_text)

    def test_a_wrong_check_digit_is_named(self):
        self.env["spar.id.type"].search([("id", "!=", self.national.id)]).active = False
        self.national.write({"card_check": "luhn", "card_look": "8 digits"})
        self.assert_finds_no_one("not a valid ID", "8 digits", typed="79927398714")
        self.assert_finds_no_one(typed="79927398713")
        self.assertNotIn("not a valid ID", self.wizard.answer_text)

    def test_a_slip_in_the_reference_of_a_receipt_is_named(self):
        for typed in ("R 1234 5677", "r1234567"):
            with self.subTest(typed):
                self.assert_finds_no_one("The reference is mistyped", typed=typed)
                self.assertNotIn("bank", self.wizard.answer_text)
        for typed in ("12345677", "R 1234 5676"):
            with self.subTest(typed):
                self.assert_finds_no_one(typed=typed)
                self.assertNotIn("mistyped", self.wizard.answer_text)

    def test_what_finds_no_one_stays_sealed_and_can_be_corrected(self):
        self.assert_finds_no_one(typed="Ada-1816")
        self.assertEqual(self.wizard.typed, "Ada-1816")
        self.assertEqual(self.find_clear("Ada-1816", tables="%"), [])
        self.wizard.typed = "Ada-1815"
        self.assertEqual(self.wizard.action_find()["res_id"], self.subject_of(ID).id)
        self.assertFalse(self.wizard.typed or self.wizard.answer)

    def test_one_box_is_one_lookup(self):
        lookups = self.env["spar.lookup"]
        before = lookups.search_count([])
        self.assert_finds_no_one(typed=f"{NUMBER[:-1]} TESTBANK")
        last = lookups.search([], limit=1)
        self.assertEqual(lookups.search_count([]), before + 1)
        self.assertEqual((last.kind, last.cost), ("any", 5))

    def test_a_merged_record_leads_to_the_one_that_is_kept(self):
        self.merge(OTHER_ID, into=ID)
        self.assert_finds(ID, typed=OTHER_FA)

    def test_a_line_for_somebody_elses_search_is_refused(self):
        self.link(OTHER_ID, FA, purpose="school")
        self.assertFalse(self.find(typed=FA))
        lines = self.wizard.line_ids[:1].with_user(self.users["auditor"])
        with self.assertRaises(AccessError):
            lines.read(["reading"])
        with self.assertRaises(AccessError):
            lines.action_open()
        with self.assertRaises(AccessError):
            self.wizard.line_ids.write({"reading": "x"})

    def test_the_page_is_found_again_when_it_is_loaded_anew(self):
        """What is opened is a person's row, whose number is no secret."""
        action = self.find(typed=ID)
        self.assertNotIn("Ada", str(action))
        self.assertFalse(action.get("domain"))

    # === BY ID AND ACCOUNT === #

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
        self.assert_finds_no_one(**values, branch_id=self.south.id)

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
        self.assert_finds_no_one(id_value=ID, account=OTHER_FA)

    def test_nothing_filled_in_is_refused(self):
        with self.assertRaisesRegex(UserError, "Enter an ID"):
            self.find(id_value=" ", typed=" ")

    def test_part_of_a_number_finds_no_one(self):
        self.assert_finds_no_one(account=NUMBER[:-1], provider_id=self.bank.id)

    def test_the_answer_holds_nothing_that_was_typed(self):
        action = self.find(account=NUMBER, provider_id=self.bank.id)
        self.assertNotIn(NUMBER, str(action))
        self.assert_finds_no_one(id_value="Nemo-404-404")
        self.assertNotIn("Nemo", self.wizard.answer_text)

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

    def test_a_form_without_a_text_is_not_stored(self):
        wizards = self.env["spar.find.wizard"].with_user(self.users["officer"])
        before = wizards.search_count([])
        for vals in ({}, {"typed": " "}, {"provider_id": self.bank.id, "typed": False}):
            with self.subTest(vals), self.assertRaisesRegex(UserError, "Enter an ID"):
                wizards.web_save(vals, {})
        self.assertEqual(wizards.search_count([]), before)

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
        self.assert_finds(ID, typed=ID)
        self.assert_past(typed=FA)

    def test_an_account_of_the_past_is_not_taken_for_the_present_one(self):
        self.update(ID, THIRD_FA)
        self.assert_past(typed=FA)
        self.assert_past(typed=NUMBER, provider_id=self.bank.id)
        self.assert_finds(ID, typed=THIRD_FA)
        self.update(OTHER_ID, FA)
        self.assert_lists({ID: "Account of the past", OTHER_ID: "Account"}, typed=FA)

    def assert_past(self, **typed):
        self.assertFalse(self.find(**typed))
        self.assertEqual(self.wizard.answer, "past")
        self.assertIn("does not have it now", self.wizard.answer_text)
        self.assertEqual(self.wizard.line_ids.subject_id, self.subject_of(ID))


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
                self.assertTrue(self.find(typed=typed))

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
