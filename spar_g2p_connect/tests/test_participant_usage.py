from datetime import datetime, timezone

from odoo.tests import tagged

from odoo.addons.spar_g2p_connect.models.participant.spar_participant_usage import (
    _get_seconds_left,
)

from .common import RestCase, build_items, build_message


@tagged("post_install", "-at_install")
class TestParticipantUsage(RestCase):
    def get_usage(self, participant):
        self.env.invalidate_all()
        return participant.usage_ids

    def assertLimitReached(self, participant, operation, items):
        message = build_message(operation, participant.sender_id, items)
        response = self.call(participant, operation, message)
        self.assertHttpError(response, 429, "err.request.too_many_requests")
        self.assertLessEqual(int(response.headers["Retry-After"]), 86400)
        self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)

    def test_items_are_counted_by_operation(self):
        self.link("a", "b")
        self.ask(self.full, "update", build_items("a", fa="account:9@BANK"))
        self.ask(self.full, "resolve", build_items("a", "b", "c", "d"))
        self.ask(self.full, "unlink", build_items("a"))
        self.assertRecordValues(
            self.get_usage(self.full),
            [
                {
                    "day": datetime.now(timezone.utc).date(),
                    "items": 8,
                    "link_items": 2,
                    "update_items": 1,
                    "resolve_items": 4,
                    "unlink_items": 1,
                    "not_found": 2,
                }
            ],
        )
        self.assertEqual(self.full.items_today, 8)

    def test_limit_covers_all_operations(self):
        few = self.make_participant(
            "few.example", daily_item_limit=3, may_link=True, scope="details"
        )
        self.link("l1", "l2", participant=few)
        self.assertLimitReached(few, "resolve", build_items("l1", "l2"))
        self.assertEqual(self.get_usage(few).items, 2)
        self.ask(few, "resolve", build_items("l1"))
        self.assertLimitReached(few, "resolve", build_items("l1"))

    def test_first_message_of_the_day_may_not_exceed_it_either(self):
        few = self.make_participant("one.example", daily_item_limit=1)
        self.assertLimitReached(few, "resolve", build_items("1", "2"))
        self.assertFalse(self.get_usage(few))

    def test_call_beyond_the_limit_changes_nothing(self):
        few = self.make_participant("none.example", daily_item_limit=1, may_link=True)
        items = build_items("x1", "x2", fa="account:{}@BANK")
        self.assertLimitReached(few, "link", items)
        answers = self.ask(self.full, "resolve", build_items("x1", "x2"))
        self.assertCodes(answers, "succ.id.not_found", "succ.id.not_found")

    def test_zero_means_no_limit(self):
        free = self.make_participant(
            "free.example", daily_item_limit=0, items_per_minute=0
        )
        self.ask(free, "resolve", build_items(*range(1000)))
        self.ask(free, "resolve", build_items("x"))
        self.assertEqual(self.get_usage(free).items, 1001)

    def test_bad_items_are_counted(self):
        items = build_items("bad")
        items[0]["id"] = ""
        self.ask(self.bank, "resolve", items)
        self.assertEqual(self.get_usage(self.bank).items, 1)

    def test_message_that_is_not_accepted_is_not_counted(self):
        self.send(self.bank, "resolve", build_items("x"), total_count=2)
        usage = self.get_usage(self.bank)
        self.assertEqual((usage.items, usage.refused), (0, 1))

    def test_participants_have_separate_limits(self):
        few = self.make_participant("own.example", daily_item_limit=1)
        self.ask(few, "resolve", build_items("1"))
        self.ask(self.bank, "resolve", build_items("1"))
        self.assertLimitReached(few, "resolve", build_items("1"))

    def test_seconds_left_of_a_day(self):
        noon = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
        self.assertEqual(_get_seconds_left(noon), 43200)
        end = datetime(2026, 3, 1, 23, 59, 59, 999000, tzinfo=timezone.utc)
        self.assertEqual(_get_seconds_left(end), 1)
