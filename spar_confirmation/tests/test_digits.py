"""The digits in what a person confirms: without them, nothing is even begun."""

import logging
import re
import time

from odoo.tests import tagged

from odoo.addons.spar_mapper.tests.common import ID, OTHER_FA
from odoo.addons.spar_mapper_connector.lib.confirmation import ConfirmationState
from odoo.addons.spar_mapper_connector.lib.contract import (
    Details,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.pages.browser import (
    BEGUN_SECONDS,
    MAX_BEGUN,
)

from ..lib.digits import MAX_WRONG
from .common import PageCase

LOGGER = "odoo.addons.spar_confirmation.controllers.confirm"
ARABIC, DEVANAGARI = (
    str.maketrans("0123456789", digits) for digits in ("٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९")
)


def shift(digits):
    """Return three other digits."""
    return f"{(int(digits) + 1) % 1000:03}"


def turn(digits):
    """Return the digits in the other order, or other ones where that is the same."""
    return shift(digits) if digits == digits[::-1] else digits[::-1]


@tagged("post_install", "-at_install")
class TestDigits(PageCase):
    def assert_refused(self, page, path, typed, wrong):
        """Assert that an answer begins no login, and that new digits are shown."""
        before = self.digits
        with self.assert_no_change():
            self.answer(path, typed)
        self.assertEqual(self.page.status_code, 422, self.page.text)
        self.assertIn("Nothing was changed", self.text)
        (field,) = self.get_tree().xpath("//input[@name='digits']")
        self.assertEqual(field.get("aria-invalid"), "true")
        (problem,) = self.get_tree().xpath("//*[@class='problem']")
        self.assertIn(problem.get("id"), field.get("aria-describedby").split())
        self.assertIn("2222 0000 2222", self.text)
        self.assertNotEqual(self.digits, before)
        self.assertEqual(self.find(page).wrong_answers, wrong)
        self.assertIs(self.get_state(page).state, ConfirmationState.OPEN)
        self.assertFalse(self.count_attempts())

    def count_attempts(self):
        return self.env["spar.confirmation.attempt"].search_count([])

    def find(self, page):
        self.env.invalidate_all()
        domain = [("reference", "=", page.reference)]
        return self.env["spar.confirmation"].search(domain)

    # === WHAT THE PAGE SHOWS === #

    def test_digits_stand_in_the_account_and_apart_from_it(self):
        path = self.open_page(self.propose().url)
        (badge,) = self.get_tree().xpath("//strong[@class='digits']")
        number = "".join(badge.xpath("ancestor::bdi[1]//text()")).strip()
        self.assertEqual(number, f"2222{self.digits}0000 2222")
        self.assertRegex(self.digits, r"^[^2]\d\d$")
        self.assertNotEqual(self.digits[2], "0")
        (field,) = self.get_tree().xpath("//input[@name='digits']")
        self.assertEqual(field.get("value"), None)
        said = [
            self.get_tree().xpath(f"normalize-space(//*[@id='{each}'])")
            for each in field.get("aria-describedby").split()
        ]
        own = "I started this myself, and I want to be paid here."
        self.assertEqual(said, [f"Three digits to type: {self.digits}", own])
        shown = self.digits
        self.get(path)
        self.assertEqual(self.digits, shown, "a page that is loaded again is the same")

    def test_digits_are_in_no_address_title_or_log(self):
        path = self.open_page(self.propose().url)
        digits = self.digits
        self.assertNotIn(digits, self.get_tree().xpath("string(//title)"))
        actions = "".join(self.get_tree().xpath("//@action | //@href"))
        self.assertNotIn(f"={digits}", actions)
        with self.assertLogs("odoo.addons.spar_confirmation", logging.DEBUG) as logged:
            logging.getLogger(LOGGER).debug("one line at least")
            self.answer(path, shift(digits))
            self.begin(path)
        self.assertNotRegex("".join(logged.output), rf"\b({digits}|{self.typed})\b")

    def test_each_kind_of_confirmation_has_them(self):
        phone = UpdateRequest(
            ID, OTHER_FA, Details("Ada Lovelace", "+63 917 0000001"), expected_version=1
        )
        for request, words in (
            (phone, "2222 0000 2222"),
            (UnlinkRequest(ID, expected_version=1), "Remove my account"),
        ):
            with self.subTest(words):
                path = self.open_page(self.propose(request).url)
                (badge,) = self.get_tree().xpath("//strong[@class='digits']")
                around = "".join(badge.xpath("ancestor::bdi[1]//text()")).strip()
                self.assertEqual(around.replace(self.digits, " "), words)
                self.begin(path)

    def test_pages_have_digits_of_their_own(self):
        shown = set()
        for _each in range(6):
            self.open_page(self.propose().url)
            shown.add(self.digits)
        self.assertGreater(len(shown), 1)

    def test_portal_cannot_compute_them(self):
        """They follow from more than the page's address and what was proposed."""
        page = self.propose()
        self.open_page(page.url)
        confirmation, digits = self.find(page), self.env["spar.confirmation.digits"]
        seen = {digits._mark(confirmation, str(n), "22").digits for n in range(20)}
        self.assertGreater(len(seen), 5, "another browser has other digits")

    # === WHAT IS TYPED === #

    def test_answers_that_are_not_the_digits_are_refused(self):
        for name, build in {
            "missing": lambda digits: "",
            "spaces": lambda digits: "  ",
            "others": shift,
            "the first": lambda digits: digits[:2],
            "four": lambda digits: f"{digits}0",
            "turned round": turn,
            "letters": lambda digits: "abc",
            "with a sign": lambda digits: f"-{digits}",
            "superscript": lambda digits: "²³¹",
            "the account's": lambda digits: "222",
            "long": lambda digits: digits * 1000,
        }.items():
            self.use_another_browser()
            page = self.propose()
            path = self.open_page(page.url)
            with self.subTest(name):
                self.assert_refused(page, path, build(self.digits), 1)

    def test_field_that_is_left_out_is_refused(self):
        """As a form of before this version sends it."""
        path = self.open_page(self.propose().url)
        with self.assert_no_change():
            self.press(f"{path}/login", client=self.client.id, own="1")
        self.assertEqual(self.page.status_code, 422)
        self.assertFalse(self.count_attempts())

    def test_digits_of_any_script_are_accepted_with_spaces(self):
        for name, build in {
            "Arabic": lambda digits: digits.translate(ARABIC),
            "Devanagari": lambda digits: digits.translate(DEVANAGARI),
            "mixed": lambda digits: digits[0].translate(ARABIC) + digits[1:],
            "spaces": lambda digits: f" {digits[0]} {digits[1:]} ",
            "a mark of direction": lambda digits: f"\u200f{digits}",
        }.items():
            page = self.propose()
            path = self.open_page(page.url)
            with self.subTest(name):
                self.answer(path, build(self.digits))
                self.assertEqual(self.page.status_code, 303, self.page.text)
                self.assertEqual(self.find(page).wrong_answers, 0)

    def test_digits_of_another_page_are_refused(self):
        """A portal shows one page and has the digits typed on another."""
        self.open_page(self.propose().url)
        seen = self.digits
        path = page = None
        while path is None or self.digits == seen:
            page = self.propose()
            path = self.open_page(page.url)
        self.assert_refused(page, path, seen, 1)

    def test_digits_from_before_a_wrong_answer_are_refused(self):
        page = self.propose()
        path = self.open_page(page.url)
        old = self.digits
        self.assert_refused(page, path, shift(old), 1)
        self.assert_refused(page, path, old, 2)
        self.answer(path, self.digits)
        self.assertEqual(self.page.status_code, 303)

    def test_another_browser_answers_nothing(self):
        page = self.propose()
        path = self.open_page(page.url)
        digits = self.digits
        self.use_another_browser()
        self.open_page(self.propose().url)
        with self.assert_no_change(), self.assertLogs(LOGGER) as logged:
            self.answer(path, digits)
        self.assertIn("another_browser", logged.output[0])
        self.assertEqual(self.find(page).wrong_answers, 0)
        self.assertFalse(self.count_attempts())

    # === GUESSES === #

    def test_guesses_end_the_page(self):
        page = self.propose()
        path = self.open_page(page.url)
        seen = {self.digits}
        for wrong in range(1, MAX_WRONG):
            self.assert_refused(page, path, shift(self.digits), wrong)
            seen.add(self.digits)
        self.assertEqual(len(seen), MAX_WRONG, "each answer has digits of its own")
        right = self.digits
        with self.assert_no_change():
            self.answer(path, shift(right))
        self.assertEqual(self.page.status_code, 410)
        self.assertIn("typed too many times", self.text)
        self.assertIs(self.get_state(page).state, ConfirmationState.CANCELLED)
        with self.assert_no_change():
            self.answer(path, right)
        self.assertTrue(self.page.headers["Location"].endswith(path))
        self.get(path)
        self.assertIn("typed too many times", self.text)
        self.assertFalse(self.count_attempts())

    def test_guesses_on_many_pages_are_limited_by_browser(self):
        """A portal proposes anew each time."""
        statuses = []
        for _each in range(MAX_BEGUN):
            path = self.open_page(self.propose().url)
            self.answer(path, "")
            statuses.append(self.page.status_code)
        self.assertEqual(set(statuses), {422})
        page = self.propose()
        path = self.open_page(page.url)
        right = self.digits
        with self.assert_no_change(), self.assertLogs(LOGGER) as logged:
            self.answer(path, right)
        self.assertEqual(self.page.status_code, 429)
        self.assertIn("too_many_attempts", logged.output[0])
        self.assertFalse(self.count_attempts())
        later = time.time() + BEGUN_SECONDS
        self.patch(time, "time", lambda: later)
        self.answer(path, right)
        self.assertEqual(self.page.status_code, 303)

    def test_login_that_failed_leaves_the_digits_as_they_are(self):
        page = self.propose()
        path = self.open_page(page.url)
        self.begin(path)
        with self.assertLogs(LOGGER):
            self.come_back(code=None, error="access_denied")
        self.get(path)
        self.assertEqual(self.digits, self.typed)

    def test_field_is_one_of_nothing_else(self):
        """Neither the browser's suggestions nor a fragment of an address reach it."""
        path = self.open_page(self.propose().url)
        (field,) = self.get_tree().xpath("//input[@name='digits']")
        for name, value in (
            ("autocomplete", "off"),
            ("inputmode", "numeric"),
            ("pattern", "[0-9]*"),
            ("maxlength", "3"),
            ("dir", "ltr"),
        ):
            self.assertEqual(field.get(name), value, name)
        self.assertIsNone(field.get("required"))
        first = field.get("id")
        self.assertTrue(re.fullmatch(r"digits-[\w-]{20,}", first), first)
        self.get(path)
        self.assertNotIn(first, self.page.text)
