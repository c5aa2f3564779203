"""Attempts at the same time: each is counted alone, and sees those before it."""

import threading
import time
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable

from odoo.modules import module
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase
from odoo.tools import mute_logger

from ..transactions import count_alone, is_read_committed, lock_counters

MOST, THREADS = 3, 8


class TestCounting(TransactionCase):
    """Each attempt is on a connection of its own, as in a worker."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.commit("CREATE TABLE spar_test_counted (key varchar)")
        cls.addClassCleanup(cls.commit, "DROP TABLE spar_test_counted")

    def setUp(self):
        super().setUp()
        # Connections behave as outside a test.
        self.startPatcher(patch.object(module, "current_test", None))
        self.commit("DELETE FROM spar_test_counted")

    @classmethod
    def connect(cls):
        """Return a cursor that waits for a lock only for a moment."""
        cr = db_connect(cls.env.cr.dbname).cursor()
        cr.execute("SET lock_timeout = '5s'")
        cr.commit()  # pylint: disable=invalid-commit
        return cr

    @classmethod
    def commit(cls, statement):
        with cls.connect() as cr:
            cr.execute(statement)

    def attempt(self, begin=count_alone, key="one"):
        """Make an attempt, if fewer than the most were counted; return whether."""
        with self.connect() as cr:
            begin(cr, "counted", key)
            cr.execute("SELECT count(*) FROM spar_test_counted WHERE key = %s", [key])
            if cr.fetchone()[0] >= MOST:
                return False
            # The time in which others count.
            time.sleep(0.01)
            cr.execute("INSERT INTO spar_test_counted VALUES (%s)", [key])
        return True

    def attempt_at_once(self, **values):
        """Return how many of many attempts at the same time were made."""
        made = []
        barrier = threading.Barrier(THREADS)

        def run():
            barrier.wait()
            made.append(self.attempt(**values))

        threads = [threading.Thread(target=run) for _each in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(made), THREADS)
        return sum(made)

    def assert_waits(self, cr, counter, *keys):
        cr.execute("SET lock_timeout = '50ms'")
        with mute_logger("odoo.sql_db"), self.assertRaises(LockNotAvailable):
            lock_counters(cr, counter, *keys)
        cr.rollback()

    def test_no_more_than_the_most_are_made_at_once(self):
        self.assertEqual(self.attempt_at_once(), MOST)

    def test_others_do_not_count(self):
        self.assertEqual(self.attempt_at_once(), MOST)
        self.assertTrue(self.attempt(key="another"))
        self.assertFalse(self.attempt())

    def test_who_counts_the_same_waits_and_nobody_else(self):
        with self.connect() as first, self.connect() as second:
            count_alone(first, "counted", "one", "two")
            for keys in (["one"], ["two"], ["three", "two"]):
                with self.subTest(keys=keys):
                    self.assert_waits(second, "counted", *keys)
            lock_counters(second, "counted", "three")
            lock_counters(second, "other", "one", 2)

    def test_several_are_locked_in_one_order(self):
        with self.connect() as first, self.connect() as second:
            count_alone(first, "counted", "a")
            self.assert_waits(second, "counted", "b", "a")
            count_alone(second, "counted", "b")
            # Had the refused one taken b first, this would have been its deadlock.
            self.assert_waits(first, "counted", "b")

    def test_it_ends_with_the_transaction(self):
        with self.connect() as first, self.connect() as second:
            count_alone(first, "counted", "one")
            self.assertTrue(is_read_committed(first))
            first.rollback()
            lock_counters(second, "counted", "one")

    def test_pending_changes_are_rolled_back(self):
        with self.connect() as cr:
            cr.execute("INSERT INTO spar_test_counted VALUES ('one')")
            count_alone(cr, "counted", "one")
            cr.execute("SELECT count(*) FROM spar_test_counted")
            self.assertEqual(cr.fetchone(), (0,))
