"""Calls that each worker counts by itself never exceed a limit together."""

import random
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.spar_g2p_connect.exceptions import DailyLimitReached, PaceReached
from odoo.addons.spar_g2p_connect.lib import lots
from odoo.addons.spar_g2p_connect.lib.lots import LOT_SECONDS, PARTS
from odoo.addons.spar_g2p_connect.models.participant import (
    spar_participant_pace as paces,
)
from odoo.addons.spar_g2p_connect.models.participant import (
    spar_participant_usage as usages,
)
from odoo.addons.spar_mapper_connector.lib.contract import Operation

from .common import RestCase, build_items, build_message

WORKERS = 3
PACE, USAGE = "spar.participant.pace", "spar.participant.usage"


class Clock(datetime):
    """Noon of a day that a test chooses."""

    today = date(2026, 3, 1)

    @classmethod
    def now(cls, tz=None):
        return datetime(cls.today.year, cls.today.month, cls.today.day, 12, tzinfo=tz)


class LotsCase(RestCase):
    """Several workers, each with lots of its own, and clocks that a test sets."""

    def setUp(self):
        super().setUp()
        self.seconds = 1000.0
        self.workers = [{} for _number in range(WORKERS)]
        clock = SimpleNamespace(monotonic=lambda: self.seconds)
        self.startPatcher(patch.object(lots, "time", clock))
        self.startPatcher(patch.object(usages, "datetime", Clock))
        self.startPatcher(patch.object(Clock, "today", Clock.today))
        for module in (usages, paces):
            self.startPatcher(patch.object(module, "get_worker_count", lambda: WORKERS))
        self.startPatcher(patch.object(usages, "_LOTS", {}))

    def make_limited(self, name, **limits):
        """Return a participant with no limits but these."""
        names = ("daily_item_limit", "calls_per_minute", "items_per_minute")
        values = {**dict.fromkeys(names, 0), **limits}
        return self.make_participant(f"{name}.example", **values)

    def get_caller(self, participant):
        self.env.flush_all()
        return self.env["spar.participant.cache"]._find_by_id(participant.id).caller

    @contextmanager
    def working(self, worker):
        with patch.object(usages, "_LOTS", self.workers[worker]):
            yield self.env[USAGE]

    def count(self, worker, participant, items=1, operation=Operation.RESOLVE):
        with self.working(worker) as usage:
            usage._count(self.get_caller(participant), operation, items)

    def is_counted(self, *call):
        try:
            self.count(*call)
        except (PaceReached, DailyLimitReached):
            return False
        return True

    def get_lot(self, worker, participant, model=USAGE):
        key = (self.env.cr.dbname, participant.id)
        return self.workers[worker].get(key, {}).get(model)

    def get_lots(self, participant, model=USAGE):
        found = (self.get_lot(n, participant, model) for n in range(WORKERS))
        return [lot for lot in found if lot]

    def get_usage(self, participant, day=None):
        self.env.invalidate_all()
        wanted = day or Clock.today
        return participant.usage_ids.filtered(lambda usage: usage.day == wanted)

    def stop_refilling(self, participant):
        """Let no time pass for the per-minute buckets."""
        self.env.cr.execute(
            """UPDATE spar_participant_pace SET at = now() AT TIME ZONE 'UTC'
               + interval '1 day' WHERE participant_id = %s""",
            [participant.id],
        )


@tagged("post_install", "-at_install")
class TestDailyLots(LotsCase):
    def test_no_interleaving_exceeds_the_limit(self):
        for seed in range(8):
            dice, limit = random.Random(seed), 20 * (seed + 1)
            payer = self.make_limited(f"dice{seed}", daily_item_limit=limit)
            passed = 0
            with self.subTest(seed=seed, limit=limit):
                for _call in range(150):
                    worker, items = dice.randrange(WORKERS), dice.choice((1, 1, 2, 5))
                    if self.is_counted(worker, payer, items):
                        passed += items
                    self.seconds += dice.choice((0, 0, 0.1, LOT_SECONDS))
                    self.assertLessEqual(passed, limit)
                    self.assertSums(payer, passed)
                lot = max(1, limit // (PARTS * WORKERS))
                self.assertGreater(passed, limit - 1 - lot * WORKERS)

    def assertSums(self, participant, passed):
        """Assert that admitted calls and what was taken of the limits add up.

        What was admitted is written, or known to the worker that will write it; what
        was taken is that plus what is left of lots.
        """
        usage, kept = self.get_usage(participant), self.get_lots(participant)
        unwritten = sum(lot.unwritten.total() for lot in kept)
        left = sum(lot.left[0] for lot in kept)
        self.assertEqual(usage.items + unwritten, passed)
        self.assertEqual(usage.taken_items, passed + left)

    def test_at_the_limit_no_worker_has_more_than_one_lot(self):
        payer = self.make_limited("one-lot", daily_item_limit=600)
        while self.is_counted(0, payer):
            if len(self.get_lots(payer)) < WORKERS:
                self.count(1, payer)
                self.count(2, payer)
        self.assertEqual(self.get_lot(0, payer).left, (0,))
        for worker in (1, 2):
            left = self.get_lot(worker, payer).left[0]
            self.assertEqual(left, 600 // (PARTS * WORKERS) - 1)
            for _call in range(left):
                self.count(worker, payer)
            with self.assertRaises(DailyLimitReached):
                self.count(worker, payer)
        self.assertEqual(self.get_usage(payer).taken_items, 600)

    def test_lot_costs_one_statement_and_then_none(self):
        payer = self.make_limited("cheap", daily_item_limit=600)
        self.count(0, payer)
        written = self.get_usage(payer).items
        caller = self.get_caller(payer)
        for _call in range(9):
            with self.assertQueryCount(0), self.working(0) as usage:
                usage._count(caller, Operation.RESOLVE, 1)
        self.assertEqual(self.get_usage(payer).items, written)
        self.count(0, payer)
        self.assertEqual(self.get_usage(payer).resolve_items, 11)

    def test_rest_of_an_old_lot_is_given_back(self):
        payer = self.make_limited("gives-back", daily_item_limit=600)
        self.count(0, payer)
        self.assertEqual(self.get_usage(payer).taken_items, 10)
        self.seconds += LOT_SECONDS
        self.count(0, payer)
        self.assertEqual(self.get_usage(payer).taken_items, 11)
        self.assertEqual(self.get_lot(0, payer).left, (9,))

    def test_counts_are_written_by_operation(self):
        payer = self.make_limited("kinds", daily_item_limit=600)
        operations = [Operation.LINK, Operation.RESOLVE, Operation.LINK]
        for operation in operations:
            self.count(0, payer, 2, operation)
        self.seconds += LOT_SECONDS
        self.count(0, payer, 1, Operation.UNLINK)
        usage = self.get_usage(payer)
        self.assertEqual(
            (usage.link_items, usage.resolve_items, usage.unlink_items), (4, 2, 1)
        )
        self.assertEqual((usage.items, usage.update_items), (7, 0))

    def test_refused_call_counts_nothing(self):
        payer = self.make_limited(
            "nothing", daily_item_limit=5, calls_per_minute=60, items_per_minute=600
        )
        self.count(0, payer, 3)
        self.stop_refilling(payer)
        pace = self.get_lot(0, payer, PACE)
        before = (pace.left, self.get_usage(payer).taken_items)
        for _call in range(4):
            with self.assertRaises(DailyLimitReached) as caught:
                self.count(0, payer, 3)
            self.assertEqual(
                dict(caught.exception.get_extra_headers())["Retry-After"], "43200"
            )
        self.assertIs(self.get_lot(0, payer, PACE), pace)
        self.assertEqual((pace.left, self.get_usage(payer).taken_items), before)
        self.count(0, payer, 2)

    def test_new_day_starts_at_zero_and_the_old_one_is_written(self):
        payer = self.make_limited("midnight", daily_item_limit=200)
        for _call in range(3):
            self.count(0, payer)
        yesterday = Clock.today
        Clock.today += timedelta(days=1)
        self.count(0, payer)
        self.assertEqual(self.get_usage(payer, yesterday).items, 3)
        self.assertEqual(self.get_usage(payer).items, 1)
        self.assertEqual(self.get_usage(payer).taken_items, 3)

    def test_reached_limit_is_refused_until_the_next_day(self):
        payer = self.make_limited("full-day", daily_item_limit=4)
        for worker in (0, 1, 2, 0):
            self.count(worker, payer)
        for worker in range(WORKERS):
            with self.assertRaises(DailyLimitReached):
                self.count(worker, payer)
        Clock.today += timedelta(days=1)
        for worker in range(WORKERS):
            self.count(worker, payer)
        self.assertEqual(self.get_usage(payer).items, 3)

    def test_refused_call_does_not_write_yesterday_twice(self):
        payer = self.make_limited("twice", daily_item_limit=100)
        self.count(0, payer)
        self.seconds, yesterday = self.seconds + LOT_SECONDS, Clock.today
        payer.daily_item_limit = 300
        self.count(0, payer, 2)
        self.count(0, payer, 2)
        Clock.today += timedelta(days=1)
        for _call in range(2):
            with self.assertRaises(DailyLimitReached):
                self.count(0, payer, 301)
        self.assertFalse(self.get_usage(payer))
        self.count(0, payer, 300)
        self.assertEqual(self.get_usage(payer, yesterday).items, 5)

    def test_lowered_limit_takes_effect_in_every_worker(self):
        payer = self.make_limited("lowered", daily_item_limit=600)
        for worker in range(WORKERS):
            self.count(worker, payer)
        payer.daily_item_limit = 3
        for worker in range(WORKERS):
            with self.assertRaises(DailyLimitReached):
                self.count(worker, payer)
        payer.daily_item_limit = 0
        for worker in range(WORKERS):
            self.count(worker, payer, 5000)

    def test_usage_without_a_limit_counts_for_a_new_limit(self):
        payer = self.make_limited("new-limit")
        for _call in range(5):
            self.count(0, payer, 2)
        payer.daily_item_limit = 10
        with self.assertRaises(DailyLimitReached):
            self.count(0, payer)
        payer.daily_item_limit = 11
        self.count(0, payer)
        self.assertEqual(self.get_usage(payer).items, 11)

    def test_remaining_limit_includes_the_lot_of_this_worker(self):
        payer = self.make_limited("left", daily_item_limit=600)
        for _call in range(4):
            self.count(0, payer)
        caller, left = self.get_caller(payer), []
        for worker in (0, 1):
            with self.working(worker) as usage:
                left.append(usage._get_remaining(caller)["items_a_day"])
        self.assertEqual(left, [596, 590])
        Clock.today += timedelta(days=1)
        with self.working(0) as usage:
            self.assertEqual(usage._get_remaining(caller)["items_a_day"], 600)


@tagged("post_install", "-at_install")
class TestPaceLots(LotsCase):
    def test_calls_of_all_workers_together(self):
        payer = self.make_limited("calls", calls_per_minute=120)
        dice, passed = random.Random(7), 0
        for _call in range(400):
            passed += self.is_counted(dice.randrange(WORKERS), payer)
            self.stop_refilling(payer)
        self.assertEqual(passed, 120)

    def test_items_of_all_workers_together(self):
        payer = self.make_limited("items", items_per_minute=300)
        dice, passed = random.Random(3), 0
        for _call in range(300):
            items = dice.choice((1, 3, 7))
            if self.is_counted(dice.randrange(WORKERS), payer, items):
                passed += items
            self.stop_refilling(payer)
        self.assertEqual(passed, 300)

    def test_refused_caller_waits_for_the_shared_bucket(self):
        payer = self.make_limited("waits", calls_per_minute=2)
        for worker in (0, 1):
            self.count(worker, payer)
            self.stop_refilling(payer)
        for worker in range(WORKERS):
            with self.assertRaises(PaceReached) as caught:
                self.count(worker, payer)
            self.assertEqual(
                dict(caught.exception.get_extra_headers())["Retry-After"], "30"
            )

    def test_old_lot_is_given_back_and_never_overflows(self):
        payer = self.make_limited("brimful", calls_per_minute=600)
        self.count(0, payer)
        self.assertEqual(self.get_lot(0, payer, PACE).left, (9, 0))
        self.stop_refilling(payer)
        self.seconds += LOT_SECONDS
        self.count(0, payer)
        self.stop_refilling(payer)
        with self.working(0) as usage:
            left = usage._get_remaining(self.get_caller(payer))
        self.assertEqual(left["calls_a_minute"], 598)

    def test_unknown_ids_are_charged_before_the_next_call(self):
        payer = self.make_limited("guesses", items_per_minute=600)
        self.count(0, payer, 2)
        self.stop_refilling(payer)
        caller = self.get_caller(payer)
        with self.working(0) as usage:
            usage._count_not_found(caller, 40)
        self.assertEqual(self.get_usage(payer).not_found, 40)
        for worker in range(WORKERS):
            with self.assertRaises(PaceReached):
                self.count(worker, payer)

    def test_refused_worker_gives_nothing_to_the_others(self):
        payer = self.make_limited("own", items_per_minute=60)
        other = self.make_limited("other", items_per_minute=60)
        self.count(0, payer, 60)
        self.stop_refilling(payer)
        for worker in range(WORKERS):
            self.assertFalse(self.is_counted(worker, payer))
            self.assertTrue(self.is_counted(worker, other))


@tagged("post_install", "-at_install")
class TestLotsOverHttp(LotsCase):
    """Requests are counted in lots without any effect on their answers."""

    def test_the_item_after_the_last_one_is_refused(self):
        payer = self.make_limited("http", daily_item_limit=120)
        self.link("one")
        for _call in range(12):
            self.ask(payer, "resolve", build_items(*["one"] * 10))
        message = build_message("resolve", payer.sender_id, build_items("one"))
        for _call in range(2):
            response = self.call(payer, "resolve", message)
            self.assertHttpError(
                response, 429, "err.request.too_many_requests", "daily"
            )
            self.assertEqual(response.headers["Retry-After"], "43200")

    def test_guesses_are_refused_while_the_lot_is_not_used_up(self):
        payer = self.make_limited("http-guess", items_per_minute=600)
        self.ask(payer, "resolve", build_items(*range(60)))
        message = build_message("resolve", payer.sender_id, build_items("one"))
        response = self.call(payer, "resolve", message)
        self.assertHttpError(response, 429, "err.request.too_many_requests", "minute")
