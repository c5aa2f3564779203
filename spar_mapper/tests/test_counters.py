"""Every counter of attempts and of changes: who counts the same waits."""

from contextlib import contextmanager
from types import SimpleNamespace

from psycopg2.errors import LockNotAvailable

from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.transactions import count_alone

from .common import ID, OTHER_FA
from .test_spar_lookup import MISS, LookupCase


@tagged("post_install", "-at_install")
class TestCounters(LookupCase):
    """What is proved of ``count_alone`` holds for each counter that calls it first."""

    def setUp(self):
        super().setUp()
        self.hold_everything(operation="update", channel="rest")
        self.update(ID, OTHER_FA)

    @contextmanager
    def another_counts(self, counter, key):
        """Let another transaction count for the block; nobody waits for long."""
        with db_connect(self.env.cr.dbname).cursor() as cr:
            count_alone(cr, counter, key)
            self.env.cr.execute("SET LOCAL lock_timeout = '50ms'")
            yield
            self.env.cr.execute("SET LOCAL lock_timeout = 0")
            cr.rollback()

    def get_ways(self, user):
        """Return who counts what: the counter, its key, and the act of ``user``."""
        actor, change = f"user:{user.id}", self.change_of(ID)
        env = self.env(user=user)
        mapper, lookups = env["spar.mapper.local"], env["spar.lookup"]
        card = SimpleNamespace(
            uuid="a" * 32, subject_id=self.subject_of(ID), _open_id=lambda: "x"
        )
        typed = SimpleNamespace(canonical="y")
        return {
            "a search": (
                "spar_lookup",
                actor,
                lambda: env["spar.mapping"].search([("id_value", "=", MISS)]),
            ),
            "a reveal": (
                "spar_lookup",
                actor,
                lambda: lookups._search_counted("witness", "b" * 32, lambda: []),
            ),
            "an ID card, typed again": (
                "spar_lookup",
                actor,
                lambda: mapper._is_card_of(card, typed, "1"),
            ),
            "characters, typed again": (
                "spar_change_look",
                f"{change.id} {actor}",
                lambda: env["spar.change.look"]._count_attempt(change, False),
            ),
            "a change by an officer": (
                "spar_staff_act",
                actor,
                lambda: self.resume(ID, mapper._build_staff_call("asked")),
            ),
            "a complaint": (
                "spar_complaint",
                self.subject_of(ID).id,
                lambda: env["spar.complaint"]._record(
                    self.subject_of(ID).with_user(user), "stop", env["spar.event"]
                ),
            ),
        }

    def test_who_counts_the_same_waits(self):
        for name, (counter, key, act) in self.get_ways(self.users["officer"]).items():
            with (
                self.subTest(name),
                self.another_counts(counter, key),
                mute_logger("odoo.sql_db"),
                self.assertRaises(LockNotAvailable),
            ):
                act()

    def test_nobody_else_waits(self):
        for name, (counter, _key, act) in self.get_ways(self.users["officer"]).items():
            with self.subTest(name), self.another_counts(counter, "others"):
                with self.undone():
                    act()

    def test_no_wrong_attempt_after_the_third_is_answered(self):
        change = self.change_of(ID)
        looks = self.env["spar.change.look"].with_user(self.users["supervisor"])
        for _each in range(3):
            self.assertTrue(looks._count_attempt(change, False))
        for is_right in (False, True):
            with self.subTest(is_right=is_right):
                self.assertFalse(looks._count_attempt(change, is_right))
        self.assertEqual(looks._count(change, "mistyped"), 3)
        others = looks.with_user(self.users["officer"])
        self.assertTrue(others._count_attempt(change, True))
        self.assertEqual(others._count(change, "mistyped"), 0)
