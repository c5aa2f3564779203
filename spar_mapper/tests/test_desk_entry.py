"""What an officer types is read back, typed twice, compared, and saved once."""

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import Form, tagged

from .common import FA, OTHER_FA, THIRD_FA, StoreCase, type_address

NEW_ID, NUMBER = "token:2007760620@nationalId", "2007760620"
ID, OTHER_ID, THIRD_ID = (f"token:200776060{n}@nationalId" for n in range(3))
CARD = {
    "card_look": "10 digits, for example 2007760620",
    "card_pattern": "[0-9]+",
    "card_min_length": 10,
    "card_max_length": 10,
}


class EntryCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer = cls.create_user("officer")
        cls.national = cls.env.ref("spar_mapper_connector.id_type_national_id")
        cls.national.write(CARD)
        cls.wizards = cls.env["spar.mapping.wizard"].with_user(cls.officer)

    def open_link(self, fa=THIRD_FA, **values):
        common = {"operation": "link", "reason": "came in", "has_evidence": True}
        return self.wizards.create(
            {**common, "id_value": NUMBER, **type_address(fa), **values}
        )

    def open_change(self, fa=THIRD_FA, **values):
        mapping = self.mapping_of(ID)
        seen = {"mapping_id": mapping.id, "seen_version": mapping.version}
        return self.open_link(fa, operation="update", id_value=False, **seen, **values)


@tagged("post_install", "-at_install")
class TestTypedTwice(EntryCase):
    def test_same_number_twice_is_linked(self):
        self.open_link().action_confirm()
        self.assertEqual(self.get_fa(NEW_ID), THIRD_FA)

    def test_gaps_and_case_do_not_count(self):
        again = THIRD_FA.replace("3333", "3333 ").lower()
        self.open_link(fa_text_again=again).action_confirm()
        self.assertEqual(self.get_fa(NEW_ID), THIRD_FA)

    def test_two_different_numbers_are_refused(self):
        for again in (OTHER_FA, THIRD_FA[:-1], THIRD_FA.replace("3333", "3334")):
            with self.subTest(again), self.assertRaisesRegex(UserError, "differ"):
                self.open_link(fa_text_again=again).action_confirm()
        self.assertIsNone(self.get_fa(NEW_ID))

    def test_number_typed_once_is_refused(self):
        with self.assertRaisesRegex(UserError, "^Full address: enter it a second"):
            self.open_link(fa_text_again=False).action_confirm()

    def test_a_change_is_typed_twice_as_well(self):
        self.link(ID, FA)
        with self.assertRaisesRegex(UserError, "differ"):
            self.open_change(fa_text_again=OTHER_FA).action_confirm()
        self.assertEqual(self.get_fa(ID), FA)

    def fill(self, again):
        form = Form(self.wizards.with_context(default_operation="link"))
        form.id_value, form.reason = NUMBER, "came in"
        form.fa_type_id = self.env.ref("spar_fa_directory.type_bank_account")
        form.provider_id, form.branch_id = self.bank, self.south
        with form.part_ids.edit(0) as line:
            self.assertTrue(line.asks_twice)
            line.value, line.value_again = "987654321098", again
        return form.save()

    def test_the_account_of_a_kind_of_address_is_typed_twice(self):
        self.bank.kind = "bank"
        with self.assertRaisesRegex(UserError, "^Account number: the two entries"):
            self.fill("987654321089").action_confirm()
        self.fill("9876 5432 1098").action_confirm()
        self.assertEqual(self.get_fa(NEW_ID), "account:987654321098@BR02.TESTBANK")

    def test_the_repeated_number_is_in_no_table(self):
        self.bank.kind = "bank"
        self.fill("987654321089")
        self.assertEqual(self.find_clear("987654321089", "987654321098"), [])


@tagged("post_install", "-at_install")
class TestSharedAccount(EntryCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.link(OTHER_ID, OTHER_FA)

    def is_asked(self, action):
        return action.get("res_model") == "spar.mapping.wizard"

    def test_account_of_others_stops_the_officer_with_their_number(self):
        self.link(THIRD_ID, FA)
        wizard = self.open_link(FA)
        self.assertTrue(self.is_asked(wizard.action_confirm()))
        self.assertEqual(wizard.shared_count, 2)
        self.assertIsNone(self.get_fa(NEW_ID))

    def test_another_branch_or_leading_zeros_are_the_same_account(self):
        for fa in (
            FA.replace("BR01", "BR02"),
            FA.replace(":", ":0"),
            FA.replace(":", ":000").replace("BR01", "BR02"),
        ):
            with self.subTest(fa):
                wizard = self.open_link(fa)
                self.assertTrue(self.is_asked(wizard.action_confirm()))
                self.assertEqual(wizard.shared_count, 1)

    def test_zeros_that_are_stored_are_left_out_as_well(self):
        zeros = FA.replace(":", ":00")
        self.link(THIRD_ID, zeros.replace("1111", "9999"))
        wizard = self.open_link(FA.replace("1111", "9999"))
        self.assertTrue(self.is_asked(wizard.action_confirm()))

    def test_the_same_number_at_another_provider_is_another_account(self):
        branch = {"name": "North", "code": "BR01"}
        self.env["spar.fsp"].create(
            {"name": "Other", "code": "OTHERBANK", "branch_ids": [(0, 0, branch)]}
        )
        wizard = self.open_link(FA.replace("TESTBANK", "OTHERBANK"))
        self.assertFalse(self.is_asked(wizard.action_confirm()))

    def test_it_is_saved_with_a_reason(self):
        wizard = self.open_link(FA)
        wizard.action_confirm()
        wizard.shared_reason = "A married couple"
        self.assertFalse(self.is_asked(wizard.action_confirm()))
        self.assertEqual(self.get_fa(NEW_ID), FA)
        (event,) = self.mapping_of(NEW_ID).event_ids
        self.assertIn("Others with this account: 1. A married couple", event.reason)

    def test_no_reason_or_an_early_one_is_not_enough(self):
        wizard = self.open_link(FA, shared_reason="A married couple")
        self.assertTrue(self.is_asked(wizard.action_confirm()))
        wizard.shared_reason = "  "
        self.assertTrue(self.is_asked(wizard.action_confirm()))
        self.assertIsNone(self.get_fa(NEW_ID))

    def test_reason_counts_only_for_its_account_and_number_of_people(self):
        wizard = self.open_link(FA)
        wizard.action_confirm()
        wizard.shared_reason = "A married couple"
        with self.undone():
            wizard.write(type_address(OTHER_FA))
            self.assertTrue(self.is_asked(wizard.action_confirm()))
        self.link(THIRD_ID, FA)
        self.assertTrue(self.is_asked(wizard.action_confirm()))
        self.assertIsNone(self.get_fa(NEW_ID))

    def test_reason_holds_no_account(self):
        wizard = self.open_link(FA)
        wizard.action_confirm()
        wizard.shared_reason = "The number 1111-0000-1111 is of both"
        with self.assertRaisesRegex(UserError, "leave out the ID"):
            wizard.action_confirm()

    def test_a_change_to_the_account_of_others_is_stopped(self):
        self.assertTrue(self.is_asked(self.open_change(OTHER_FA).action_confirm()))
        self.assertEqual(self.get_fa(ID), FA)

    def test_an_account_that_waits_for_somebody_else_counts(self):
        self.add_rule("approve", operation="link")
        self.link(THIRD_ID, THIRD_FA)
        self.assertTrue(self.is_asked(self.open_link().action_confirm()))

    def test_own_former_and_ended_accounts_are_nobody_else_s(self):
        self.unlink(OTHER_ID)
        self.assertFalse(self.is_asked(self.open_change(OTHER_FA).action_confirm()))
        self.assertFalse(self.is_asked(self.open_change(FA).action_confirm()))
        self.assertEqual(self.get_fa(ID), FA)

    def test_other_spellings_of_the_account_are_the_same_account(self):
        fa = FA.replace("1111", "1111 ")
        self.assertTrue(self.is_asked(self.open_link(fa).action_confirm()))


@tagged("post_install", "-at_install")
class TestOnce(EntryCase):
    def test_confirm_sent_twice_counts_once(self):
        wizard = self.open_link()
        wizard.action_confirm()
        before = self.events_of(NEW_ID)
        again = wizard.action_confirm()["params"]
        self.assertRegex(again["message"], "This was saved at .* once")
        self.assertEqual(self.events_of(NEW_ID), before)
        self.assertEqual(again["next"]["res_id"], self.subject_of(NEW_ID).id)

    def test_form_that_acted_does_nothing_else(self):
        wizard = self.open_link()
        wizard.action_confirm()
        wizard.write({"id_value": "2007760621", **type_address(OTHER_FA)})
        wizard.action_confirm()
        self.assertFalse(self.subject_of("token:2007760621@nationalId"))
        self.assertEqual(self.find_clear("2007760621", OTHER_FA), [])

    def test_refused_form_acts_later(self):
        wizard = self.open_link(fa_text_again=OTHER_FA)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            wizard.action_confirm()
        wizard.fa_text_again = THIRD_FA
        wizard.action_confirm()
        self.assertEqual(self.get_fa(NEW_ID), THIRD_FA)

    def test_a_second_form_after_a_lost_answer_says_it_was_saved(self):
        self.open_link().action_confirm()
        again = self.open_link().action_confirm()["params"]
        self.assertIn("Nothing was done a second time", again["message"])
        self.assertEqual(self.events_of(NEW_ID), ["linked"])

    def test_a_change_sent_again_says_it_was_saved(self):
        self.link(ID, FA)
        first, second = self.open_change(), self.open_change()
        first.action_confirm()
        again = second.action_confirm()["params"]
        self.assertIn("Nothing was done a second time", again["message"])
        self.assertEqual(self.events_of(ID), ["linked", "updated"])

    def test_another_branch_was_not_just_saved(self):
        self.link(ID, FA)
        first, second = self.open_change(), self.open_change()
        first.action_confirm()
        second.write(type_address(THIRD_FA.replace("BR01", "BR02")))
        with self.assertRaises(UserError):
            second.action_confirm()

    def test_what_was_overtaken_since_was_not_just_saved(self):
        self.link(ID, FA)
        first, second = self.open_change(), self.open_change()
        first.action_confirm()
        self.update(ID, OTHER_FA, self.owner)
        with self.assertRaisesRegex(UserError, "has changed"):
            second.action_confirm()

    def test_another_address_was_not_just_saved(self):
        self.link(ID, FA)
        first, second = self.open_change(), self.open_change(OTHER_FA)
        first.action_confirm()
        with self.assertRaisesRegex(UserError, "has changed"):
            second.action_confirm()
        self.assertEqual(self.get_fa(ID), THIRD_FA)

    def test_linked_person_is_offered(self):
        self.link(NEW_ID, FA)
        with self.assertRaises(RedirectWarning) as caught:
            self.open_link().action_confirm()
        text, action, button, _context = caught.exception.args
        self.assertIn("already has an address", text)
        self.assertIn(button, text, "the text names the button")
        self.assertEqual(action["res_id"], self.subject_of(NEW_ID).id)
        self.assertEqual(button, "Open this person")
        self.assertNotIn(NUMBER, str(action))

    def test_page_of_the_person_opens_afterwards(self):
        action = self.open_link().action_confirm()["params"]["next"]
        self.assertEqual(
            (action["res_model"], action["res_id"]),
            ("spar.subject", self.subject_of(NEW_ID).id),
        )
        wizard = self.open_link(OTHER_FA, id_value="2007760621")
        wizard = wizard.with_context(active_model="spar.subject")
        next_action = wizard.action_confirm()["params"]["next"]
        self.assertEqual(next_action["tag"], "soft_reload")

    def test_another_officer_does_not_confirm_the_form(self):
        wizard = self.open_link()
        other = self.create_user("officer", login="other_desk")
        with self.assertRaises(AccessError):
            wizard.with_user(other).action_confirm()
        self.assertIsNone(self.get_fa(NEW_ID))


@tagged("post_install", "-at_install")
class TestRefusals(EntryCase):
    """A refusal says how the value should be written."""

    def open_parts(self, code, value, **values):
        kind = self.env.ref(f"spar_fa_directory.{code}")
        part = kind.part_ids.filtered(lambda one: one.kind == "text")[:1]
        line = {"part_id": part.id, "value": value, "value_again": value}
        return part, self.open_link(
            fa=False, fa_type_id=kind.id, part_ids=[(0, 0, line)], **values
        )

    def test_a_wrong_part_is_refused_with_an_example_or_where_to_find_it(self):
        for code, value in (
            ("type_bank_account", "0000"),
            ("type_mobile_wallet", "12"),
            ("type_email_wallet", "ana at example"),
        ):
            part, wizard = self.open_parts(code, value)
            with self.subTest(code), self.assertRaises(UserError) as caught:
                wizard.action_confirm()
            self.assertIn(part.help, str(caught.exception))
        self.assertIn("ana@example.org", str(caught.exception))

    def test_no_refusal_repeats_what_was_typed(self):
        """Odoo logs it with its text."""
        number = "9107762815"
        self.link(f"token:{number}@nationalId", FA)
        for error, values in (
            (RedirectWarning, {}),
            (UserError, {"id_value": f"{number}1"}),
            (UserError, {"id_value": f"John {number}"}),
            (UserError, {"fa_text_again": OTHER_FA}),
            (UserError, type_address(THIRD_FA.replace("TESTBANK", "NOBODY"))),
            (UserError, {"reason": f"is number {number}"}),
        ):
            wizard = self.open_link(**{"id_value": number, **values})
            with self.subTest(values):
                with self.assertRaises(error) as caught:
                    wizard.action_confirm()
                for text in (number, "33330000", "22220000", "John"):
                    self.assertNotIn(text, str(caught.exception))

    def test_a_wrong_check_digit_is_refused_with_the_look_of_the_card(self):
        self.national.write({"card_check": "luhn", "card_pattern": False})
        with self.assertRaisesRegex(UserError, "10 digits, for example"):
            self.open_link(id_value="2007760621").action_confirm()
        self.assertFalse(self.subject_of("token:2007760621@nationalId"))


@tagged("post_install", "-at_install")
class TestReadBack(EntryCase):
    def read_back(self, typed, **values):
        wizard = self.wizards.new(
            {"operation": "link", "id_type_id": self.national.id, "id_value": typed}
        )
        return wizard.id_read_back, wizard.is_id_readable

    def test_id_is_read_back_in_its_form_with_its_check(self):
        self.national.ignores_gaps = True
        for typed in ("2007 760-620", "٢٠٠٧٧٦٠٦٢٠", NEW_ID):
            text, is_readable = self.read_back(typed)
            with self.subTest(typed):
                self.assertEqual(text, f"{NUMBER} – format checked")
                self.assertTrue(is_readable)

    def test_wrong_ids_are_explained_with_what_is_right(self):
        for typed in ("John Smith", "200776062", "null"):
            text, is_readable = self.read_back(typed)
            with self.subTest(typed):
                self.assertFalse(is_readable)
                self.assertRegex(text, "^ID: ")
        self.assertIn("10 digits, for example", self.read_back("John Smith")[0])

    def test_a_type_without_a_check_says_so(self):
        self.national.write(dict.fromkeys(CARD, False))
        self.assertIn("no check: compare it", self.read_back(NUMBER)[0])

    def test_nothing_typed_is_not_read(self):
        self.assertEqual(self.read_back(" "), (False, False))
