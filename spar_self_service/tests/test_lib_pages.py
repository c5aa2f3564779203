"""The pure parts of the pages."""

from datetime import datetime

from odoo.tests import BaseCase

from odoo.addons.spar_mapper_connector.lib.contract import (
    HistoryEvent,
    ObjectionAnswer,
    Period,
    Remedy,
)
from odoo.addons.spar_mapper_connector.lib.pages import contrast, lines

from ..lib import overview, steps, typing
from ..lib.steps import Answers


class TestTyping(BaseCase):
    def test_digits_of_every_script_become_plain(self):
        for text in ("١٢٣", "۱۲۳", "१२३", "১২৩", "１２３"):
            with self.subTest(text):
                self.assertEqual(typing.clean(text), "123")

    def test_invisible_characters_are_dropped(self):
        self.assertEqual(typing.clean("\u200e12\u200b34\u2066\ufeff "), "1234")

    def test_letters_stay_as_they_are(self):
        self.assertEqual(typing.clean(" Ab-12.x@é "), "Ab-12.x@é")

    def test_groups_are_of_four(self):
        self.assertEqual(lines.in_groups("DE89370400440532013000")[:9], "DE89 3704")

    def test_nothing_but_plain_numbers_is_grouped(self):
        for text in ("a.b@example.org", "+15551234567", "٤٥٦٧٨"):
            with self.subTest(text):
                self.assertEqual(lines.in_groups(text), text)


class TestContrast(BaseCase):
    def test_every_colour_becomes_readable(self):
        for colour in ("#ffffff", "#ffff00", "#777777", "#00ff00", "#714B67"):
            with self.subTest(colour):
                readable = contrast.readable(colour)
                self.assertGreaterEqual(contrast.contrast_with_white(readable), 4.5)

    def test_a_dark_colour_stays(self):
        self.assertEqual(contrast.readable("#123456"), "#123456")

    def test_invalid_colour_is_replaced(self):
        for colour in (None, "", "red", "#12345", "#12345g", "#123456;x", "url(x)"):
            with self.subTest(colour):
                self.assertEqual(contrast.readable(colour), contrast.DEFAULT)


class TestSteps(BaseCase):
    ALL = steps.get_steps(["provider", "branch", "text"])

    def test_another_kind_voids_all_answers(self):
        answers = Answers(1, 2, 3, {"number": "4"})
        answers.set_type(9)
        self.assertEqual(answers, Answers(9))

    def test_the_same_kind_keeps_the_answers(self):
        answers = Answers(1, 2, 3, {"number": "4"})
        answers.set_type(1)
        self.assertEqual(answers, Answers(1, 2, 3, {"number": "4"}))

    def test_another_provider_asks_for_its_branch_and_number(self):
        answers = Answers(1, 2, 3, {"number": "4"})
        answers.set_provider(8)
        self.assertEqual(answers, Answers(1, 8))

    def test_answers_survive_serialisation(self):
        answers = Answers(1, 2, 3, {"number": "4"})
        self.assertEqual(Answers.from_json(answers.to_json()), answers)

    def test_no_question_is_skipped(self):
        answers = Answers(1)
        self.assertTrue(steps.may_ask(self.ALL, answers, "kind"))
        self.assertTrue(steps.may_ask(self.ALL, answers, "provider"))
        for step in ("branch", "details", "review", "nonsense"):
            with self.subTest(step):
                self.assertFalse(steps.may_ask(self.ALL, answers, step))

    def test_with_all_answers_the_review_is_next(self):
        answers = Answers(1, 2, 3, {"number": "4"})
        self.assertEqual(steps.get_open_step(self.ALL, answers), "review")

    def test_each_question_links_to_the_previous_one(self):
        before = [steps.get_previous_step(self.ALL, step) for step in self.ALL]
        self.assertEqual(before, ["", "kind", "provider", "branch", "details"])
        self.assertEqual(steps.get_previous_step(self.ALL, "nonsense"), "")


class TestOverview(BaseCase):
    def build(self, kind, day, seq=1, **values):
        at = datetime(2026, 3, day)
        return HistoryEvent(seq, kind, at, "a", "", "rest", "", "", **values)

    def build_period(self, *events, valid_to=None, purpose=""):
        begin = datetime(2026, 3, 1)
        place = ("uuid", "fa", "active", purpose, 1, begin, valid_to, "rest", "a")
        return Period(*place, events)

    def test_newest_event_comes_first_without_bookkeeping(self):
        period = self.build_period(
            self.build("linked", 1),
            self.build("replaced", 2),
            self.build("change_approved", 3),
            self.build("revealed", 4),
        )
        kinds = [event.kind for _period, event in overview.get_shown_events([period])]
        self.assertEqual(kinds, ["revealed", "linked"])

    def test_only_an_open_objection_is_a_case(self):
        closed = ObjectionAnswer(Remedy.NOTED, "A", is_closed=True)
        opened = ObjectionAnswer(Remedy.NOTED, "B")
        first = self.build("linked", 1, objection=closed)
        self.assertIsNone(overview.get_open_case([self.build_period(first)]))
        second = self.build("updated", 2, objection=opened)
        period = self.build_period(first, second)
        self.assertEqual(overview.get_open_case([period]), opened)

    def test_change_in_force_can_be_disputed_once(self):
        fresh = self.build("linked", 1, is_disputable=True)
        period = self.build_period(fresh)
        self.assertEqual(overview.get_disputable(period), ("uuid", 1))
        answer = ObjectionAnswer(Remedy.NOTED, "A")
        known = self.build("linked", 1, is_disputable=True, objection=answer)
        self.assertIsNone(overview.get_disputable(self.build_period(known)))
        self.assertIsNone(overview.get_disputable(None))

    def test_view_is_never_open_to_an_objection_whatever_the_registry_says(self):
        viewed = self.build("revealed", 1, is_disputable=True)
        self.assertFalse(overview.can_object_to(viewed))
        self.assertIsNone(overview.get_disputable(self.build_period(viewed)))
        changed = self.build("updated", 1, is_disputable=True)
        self.assertTrue(overview.can_object_to(changed))

    def test_the_period_in_force_is_of_any_purpose(self):
        ended = self.build_period(valid_to=datetime(2026, 3, 2))
        school = self.build_period(purpose="school")
        self.assertIsNone(overview.get_current_period([ended, school]))
