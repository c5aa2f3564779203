"""One person, however the ID is typed; and texts rejected at the desk."""

from dataclasses import replace

from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import Form, tagged

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

from .common import FA, OTHER_FA, StoreCase

NUMBER = "2007816053"
#: Nobody else has it.
TYPED_FA = "account:444400004444@BR01.TESTBANK"
ID = f"token:{NUMBER}@nationalId"
SPELLINGS = (
    "2007 816 053",
    "2007-816053",
    "2007816053",
    " 2007816053 ",
    "2007.816.053",
    "2007/816/053",
    "٢٠٠٧٨١٦٠٥٣",
    "۲۰۰۷۸۱۶۰۵۳",
    "२००७८१६०५३",
    "２００７８１６０５３",
    "2007\u00a0816\u2011053",
    f"token: {NUMBER}@nationalId",
    f" TOKEN:{NUMBER}@nationalid ",
)
NO_IDS = (
    "{sub}",
    "{{ sub }}",
    "${sub}",
    "undefined",
    "null",
    "NULL",
    "none",
    "NaN",
    "n/a",
    "#N/A",
    "[object Object]",
    "1.23E+11",
    "2007760620.0",
    "-",
)
ALIKE = (f"token:{NUMBER}", f"{NUMBER}@nationalId", f"token:{NUMBER}@nation")
CARD = {
    "card_look": "10 digits, for example 2007760620",
    "card_pattern": "[0-9]+",
    "card_min_length": 10,
    "card_max_length": 10,
}
AADHAAR = "234123412346"


class SpellingCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.national = cls.env.ref("spar_mapper_connector.id_type_national_id")
        cls.national.ignores_gaps = True
        cls.officer = cls.create_user("officer")

    def write_id(self, spelling):
        """Return what is transmitted when a number is written like this."""
        return spelling if ":" in spelling else f"token:{spelling}@nationalId"

    def set_card(self, **values):
        self.national.write({**CARD, **values})

    def add_aadhaar(self):
        return self.env["spar.id.type"].create(
            {
                "name": "Aadhaar",
                "code": "aadhaar",
                "strategy": "aadhaar:{number}",
                "check": "stdnum",
                "check_parameter": "in_.aadhaar",
            }
        )


class TestSpellings(SpellingCase):
    """Spellings sent by client programs."""

    def test_every_spelling_reaches_the_same_person(self):
        self.link(ID, FA)
        for spelling in SPELLINGS:
            with self.subTest(spelling):
                text = self.write_id(spelling)
                outcome = self.link(text, OTHER_FA).outcome
                self.assertEqual(outcome, Outcome.ALREADY_LINKED)
                self.assertEqual(self.resolve(text).fa, FA)
        self.assertEqual(self.unlink(self.write_id(SPELLINGS[0])).outcome, "unlinked")

    def test_groups_and_dashes_of_an_aadhaar_are_one_person(self):
        self.add_aadhaar()
        self.link(f"aadhaar:{AADHAAR}", FA)
        for spelling in ("2341 2341 2346", "2341-2341-2346", "٢٣٤١٢٣٤١٢٣٤٦"):
            with self.subTest(spelling):
                outcome = self.link(f"aadhaar:{spelling}", FA).outcome
                self.assertEqual(outcome, Outcome.ALREADY_LINKED)

    def test_placeholder_id_is_refused_and_leaves_nothing(self):
        before = self.env["spar.subject"].search_count([])
        for text in (*map(self.write_id, NO_IDS), *NO_IDS, *ALIKE):
            with self.subTest(text):
                result = self.link(text, FA)
                self.assertEqual(result.outcome, Outcome.INVALID_ID)
                self.assertIn(result.problem, ("placeholder", "alike"))
        self.assertEqual(self.env["spar.subject"].search_count([]), before)

    def test_card_format_binds_api_callers_if_the_type_requires_it(self):
        free = replace(self.call, checks_cards=False)
        self.set_card()
        result = self.link(self.write_id("John Smith"), FA, call=free)
        self.assertEqual(result.outcome, Outcome.LINKED)
        self.set_card(card_binds_programs=True)
        result = self.link(self.write_id("Jane Smith"), FA, call=free)
        self.assertEqual((result.outcome, result.problem), ("invalid_id", "card"))
        self.assertEqual(result.problem_values, {"look": CARD["card_look"]})

    def test_stored_id_outside_the_card_format_can_be_suspended_and_unlinked(self):
        text = self.write_id("John Smith")
        self.link(text, FA)
        self.set_card(card_binds_programs=True)
        self.assertEqual(self.resolve(text).fa, FA)
        self.assertEqual(self.update(text, OTHER_FA).problem, "card")
        self.assertEqual(self.suspend(text).outcome, Outcome.SUSPENDED)
        self.assertEqual(self.unlink(text).outcome, Outcome.UNLINKED)

    def test_a_word_for_nothing_is_no_part_of_an_address(self):
        for fa in ("account:null@BR01.TESTBANK", "account:{number}@x", "undefined"):
            with self.subTest(fa):
                self.assertEqual(self.link(ID, fa).outcome, Outcome.INVALID_FA)

    def test_a_row_stored_in_the_first_form_is_found_by_it(self):
        forms = self.env["spar.id.type"]._get_forms("token:2007-816053@nationalId")
        found = [identifier.canonical for identifier in forms]
        self.assertEqual(
            found, [f"token:{NUMBER}@nationalid", "token:2007-816053@nationalid"]
        )


@tagged("post_install", "-at_install")
class TestDesk(SpellingCase):
    """Spellings typed by an officer."""

    def open(self, typed, **values):
        wizards = self.env["spar.mapping.wizard"].with_user(self.officer)
        form = Form(wizards.with_context(default_operation="link"))
        form.id_type_id = self.national
        form.fa_type_id = self.env["spar.fa.type"]
        form.id_value = typed
        form.fa_text = form.fa_text_again = TYPED_FA
        form.reason, form.has_evidence = "Came to the counter", True
        return form.save()

    def confirm(self, typed):
        return self.open(typed).action_confirm()

    def assert_refused(self, words, typed):
        with self.assertRaisesRegex((UserError, RedirectWarning), words):
            self.confirm(typed)

    def is_asked(self, action):
        return action.get("res_model") == "spar.mapping.wizard"

    def test_name_is_refused_as_an_id_with_the_expected_format(self):
        self.set_card()
        for typed in ("John Smith", "200781605", "20078160533", "2007x816053"):
            with self.subTest(typed):
                self.assert_refused("10 digits, for example", typed)
                self.assert_refused("10 digits, for", f"token:{typed}@nationalId")

    def test_person_with_an_address_is_already_linked(self):
        self.set_card()
        self.link(ID, FA)
        for spelling in SPELLINGS:
            with self.subTest(spelling):
                self.assert_refused("already has an address", spelling)

    def test_placeholder_id_is_refused(self):
        # Each form looks up who has the account.
        self.set_limit("lookup_hourly", 2000)
        for typed in (*NO_IDS, *ALIKE):
            with self.subTest(typed):
                self.assert_refused("^ID: ", typed)

    def test_letters_need_confirmation_without_a_rule(self):
        wizard = self.open("John Smith")
        self.assertTrue(self.is_asked(wizard.action_confirm()))
        self.assertEqual(wizard.id_doubt, "letters")
        self.assertFalse(self.mapping_of(self.write_id("John Smith")))
        # No typed text is lost, and the question belongs to this form.
        wizard.invalidate_recordset()
        self.assertEqual((wizard.id_value, wizard.fa_text), ("John Smith", TYPED_FA))
        self.assertEqual(wizard.reason, "Came to the counter")
        wizard.is_id_right = True
        self.assertFalse(self.is_asked(wizard.action_confirm()))
        self.assertEqual(self.get_fa(self.write_id("John Smith")), TYPED_FA)

    def test_new_length_needs_confirmation_without_a_rule(self):
        self.link(ID, FA)
        self.assertFalse(self.is_asked(self.confirm("2007 816 054")))
        wizard = self.open("200781605")
        self.assertTrue(self.is_asked(wizard.action_confirm()))
        self.assertEqual(wizard.id_doubt, "length")

    def test_confirmation_counts_only_for_its_id(self):
        wizard = self.open("John Smith")
        wizard.action_confirm()
        wizard.write({"is_id_right": True, "id_value": "Jane Smith"})
        self.assertTrue(self.is_asked(wizard.action_confirm()))
        self.assertFalse(wizard.is_id_right)

    def test_an_answer_before_the_question_counts_for_nothing(self):
        wizard = self.open("John Smith")
        wizard.is_id_right = True
        self.assertTrue(self.is_asked(wizard.action_confirm()))

    def test_stored_id_needs_no_confirmation(self):
        self.link(self.write_id("John Smith"), FA)
        self.assert_refused("already has an address", "John Smith")

    def test_id_in_doubt_is_in_no_table(self):
        self.open("John-Smith-1903").action_confirm()
        self.assertEqual(self.find_clear("John-Smith-1903"), [])
