"""The rows that govern the reading of IDs, changed by SQL: one table of attempts.

Each is tried once with the triggers on and once without them. Either the database
refuses it, or the person it concerns is LOCKED; the check names each.
"""

import json
from typing import NamedTuple
from unittest.mock import patch

import psycopg2

from odoo.exceptions import UserError
from odoo.modules.module import load_script
from odoo.tools import file_path, mute_logger

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import Outcome
from odoo.addons.spar_mapper_connector.lib.id_forms import IdForm

from ..lib import audit, seals
from ..lib.id_reading import to_plain
from ..models.forms import spar_form_run
from ..store import sealing
from .common import ALARM_LOGGER, FA, OTHER_FA, THIRD_FA
from .test_spar_id_forms import (
    BLANKS,
    DASH,
    FOUR,
    LONELY,
    LONELY_PLAIN,
    OTHER,
    PLAIN,
    FormCase,
)

MIGRATION = load_script(
    file_path("spar_mapper/migrations/19.0.2.3.0/post-0_form_seals.py"),
    "spar_mapper_post_migration_19_0_2_3_0",
)
STRANGER, VICTIM = "token:1110005@nationalId", "token:2220005@nationalId"
LOCKED, NOT_LINKED, HELD = Outcome.LOCKED, Outcome.NOT_LINKED, Outcome.HELD


class Attempt(NamedTuple):
    """An attempt at tampering, and what should come of it.

    It consists of statements, a text that they concern, the answer of resolve to it
    without the triggers, and the check's finding by table.
    """

    statements: tuple[str, ...]
    text: str
    outcome: Outcome
    table: str
    problem: str


FORM = "spar_id_form", sealing.ROW_ALTERED
#: While IDs coincide, and two people have not decided yet.
CONTESTED = {
    "a form of before has ended": Attempt(
        ("UPDATE spar_id_form SET state = 'gone' WHERE number = 1",),
        DASH,
        LOCKED,
        *FORM,
    ),
    "nothing is contested": Attempt(
        ("UPDATE spar_id_form SET is_contested = false",), OTHER, LOCKED, *FORM
    ),
    "forms get other numbers": Attempt(
        ("UPDATE spar_id_form SET number = number + 7 WHERE number > 1",),
        PLAIN,
        LOCKED,
        *FORM,
    ),
    "a form gets another algorithm": Attempt(
        ("UPDATE spar_id_form SET algorithm = 2 WHERE number = 1",),
        DASH,
        LOCKED,
        *FORM,
    ),
    "a form gets other rules": Attempt(
        (
            """UPDATE spar_id_form SET data = jsonb_set(data, '{rules}', '[]')
                WHERE number = 1""",
        ),
        DASH,
        LOCKED,
        *FORM,
    ),
    "a form is put there": Attempt(
        (
            """INSERT INTO spar_id_form (number, algorithm, data, state, since,
                                         is_contested, is_foreseen)
               SELECT 50, algorithm, data, 'older', since, false, false
                 FROM spar_id_form WHERE number = 1""",
        ),
        DASH,
        LOCKED,
        *FORM,
    ),
    "a form is removed": Attempt(
        ("DELETE FROM spar_id_form WHERE number = 1",),
        DASH,
        LOCKED,
        "spar_id_form",
        sealing.SET_ALTERED,
    ),
    "all forms are removed": Attempt(
        ("DELETE FROM spar_id_form",),
        PLAIN,
        LOCKED,
        "spar_id_form",
        audit.FORMS_REMOVED,
    ),
    "a form as it was before": Attempt(
        (
            """UPDATE spar_id_form f SET (is_contested, revision, mac) = (
                      SELECT is_contested, revision, mac FROM kept_forms k
                       WHERE k.id = f.id)""",
        ),
        OTHER,
        LOCKED,
        "spar_id_form",
        sealing.SET_ALTERED,
    ),
    "a case is closed": Attempt(
        ("UPDATE spar_form_case SET state = 'closed'",),
        OTHER,
        LOCKED,
        "spar_form_case",
        sealing.ROW_ALTERED,
    ),
    "a case is about another ID": Attempt(
        ("UPDATE spar_form_case SET digest_a = 'x'",),
        OTHER,
        LOCKED,
        "spar_form_case",
        audit.CASE_OTHER,
    ),
    "a case is not found any more": Attempt(
        ("UPDATE spar_form_case SET digest_a = NULL",),
        OTHER,
        LOCKED,
        "spar_form_case",
        audit.CASE_OTHER,
    ),
    "a case is removed": Attempt(
        ("DELETE FROM spar_form_case_line", "DELETE FROM spar_form_case"),
        OTHER,
        LOCKED,
        "spar_form_case",
        sealing.SET_ALTERED,
    ),
    "a record is left out of a case": Attempt(
        ("DELETE FROM spar_form_case_line",),
        OTHER,
        LOCKED,
        "spar_form_case",
        sealing.ROW_ALTERED,
    ),
    "an ID is stated to have the current form": Attempt(
        ("UPDATE spar_subject_id SET form = 2 WHERE form = 1",),
        DASH,
        LOCKED,
        "spar_subject_id",
        audit.ID_FORM,
    ),
    "an ID is stated to have a form that does not exist": Attempt(
        ("UPDATE spar_subject_id SET form = 50 WHERE form = 1",),
        DASH,
        LOCKED,
        "spar_subject_id",
        audit.ID_FORM,
    ),
}
RUN = "spar_form_run", sealing.ROW_ALTERED
#: While a dry run has recorded an ID's outcome, but the ID is not rewritten yet.
FORESEEN = {
    "a run has ended": Attempt(
        ("UPDATE spar_form_run SET state = 'done' WHERE state = 'rewriting'",),
        LONELY_PLAIN,
        LOCKED,
        *RUN,
    ),
    "a run is of another form": Attempt(
        ("UPDATE spar_form_run SET number = 9 WHERE state = 'rewriting'",),
        LONELY_PLAIN,
        LOCKED,
        *RUN,
    ),
    "a run has other rules": Attempt(
        ("UPDATE spar_form_run SET data = '{}' WHERE state = 'rewriting'",),
        LONELY_PLAIN,
        LOCKED,
        *RUN,
    ),
    "a run is removed": Attempt(
        ("DELETE FROM spar_form_run WHERE state = 'rewriting'",),
        LONELY_PLAIN,
        LOCKED,
        "spar_form_run",
        sealing.SET_ALTERED,
    ),
    "a note is put there": Attempt(
        (
            """INSERT INTO spar_form_row (run_id, row_id, digest, verdict)
               SELECT run_id, %(victim)s, %(digest)s, 'other' FROM spar_form_row""",
        ),
        STRANGER,
        LOCKED,
        "spar_form_row",
        audit.FORECAST_ALTERED,
    ),
    "a note is of another ID": Attempt(
        ("UPDATE spar_form_row SET digest = %(digest)s",),
        STRANGER,
        LOCKED,
        "spar_form_row",
        audit.FORECAST_ALTERED,
    ),
    "a note is of another person": Attempt(
        ("UPDATE spar_form_row SET row_id = %(victim)s",),
        LONELY_PLAIN,
        LOCKED,
        "spar_form_row",
        audit.FORECAST_ALTERED,
    ),
    "a note is removed": Attempt(
        ("DELETE FROM spar_form_row",),
        LONELY_PLAIN,
        NOT_LINKED,
        "spar_form_run",
        audit.FORECASTS_REMOVED,
    ),
    "nothing is noted": Attempt(
        ("UPDATE spar_id_form SET is_foreseen = false",),
        LONELY_PLAIN,
        LOCKED,
        *FORM,
    ),
}


class FormTamperCase(FormCase):
    def setUp(self):
        super().setUp()
        self.link(VICTIM, THIRD_FA)
        self.values = {
            "victim": self.identifier_of(VICTIM).id,
            "digest": self.digest(STRANGER),
        }

    def digest(self, text):
        canonical = self.env["spar.id.type"]._identify(text).canonical
        return self.keyring.digest(seals.ID, canonical)

    def settle(self):
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    def execute(self, *statements):
        """Run statements as the tables' owner, and discard cached values."""
        self.env.flush_all()
        for statement in statements:
            self.env.cr.execute(statement, self.values)
        self.settle()
        self.forms._forget_versions()
        self.env.invalidate_all()

    def ask(self, text):
        with self.catch_alarms():
            return self.resolve(text)

    def find(self):
        with mute_logger(ALARM_LOGGER), self.enter_registry_test_mode():
            found = self.env["spar.audit"]._check_store()
        return {(table, problem) for table, _row, problem in found}

    def build_alias(self, source, target):
        """Return a form in which the ID ``source`` is read as ``target``."""
        data = to_plain(IdForm(1, self.env["spar.id.type"]._get_rules()))
        source, target = (
            self.env["spar.id.type"]._identify(text).canonical
            for text in (source, target)
        )
        rule = dict(
            data["rules"][0],
            strategy={"prefix": source[:-12], "suffix": source[-11:]},
            stored={"prefix": target[:-12], "suffix": target[-11:]},
            tokeniser="none",
        )
        data["rules"].insert(0, rule)
        return data

    def assert_each_is_seen(self, attempts):
        """Assert detection without triggers, and with them unless they refuse it."""
        self.assertEqual(self.find(), set())
        for name, attempt in attempts.items():
            with self.subTest(name), self.undone():
                with self.past_triggers():
                    self.execute(*attempt.statements)
                self.assertEqual(self.ask(attempt.text).outcome, attempt.outcome)
                self.assertIn((attempt.table, attempt.problem), self.find())
            self.forms._forget_versions()

    def assert_each_is_refused(self, attempts):
        """Assert that the database, or the code that uses it, refuses each attempt."""
        for name, attempt in attempts.items():
            with self.subTest(name), self.undone():
                try:
                    with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                        self.execute(*attempt.statements)
                except psycopg2.Error:
                    continue
                result = self.ask(attempt.text)
                self.assertEqual(result.outcome, LOCKED)
                self.assertEqual(result.problem, "integrity")
                self.assertIsNone(result.fa)
                with self.catch_alarms() as alarms:
                    for word in (self.link, self.update):
                        self.assertEqual(word(attempt.text, FA).outcome, LOCKED)
                self.assertTrue(alarms)
            self.forms._forget_versions()


class TestContestedBySql(FormTamperCase):
    def setUp(self):
        super().setUp()
        self.rows = self.link_four()
        self.env.flush_all()
        self.env.cr.execute("CREATE TEMP TABLE kept_forms AS TABLE spar_id_form")
        self.run_all()
        self.settle()

    def test_each_is_seen(self):
        self.assert_each_is_seen(CONTESTED)

    def test_each_is_refused(self):
        self.assert_each_is_refused(CONTESTED)

    def test_history_is_withheld_too(self):
        self.execute("UPDATE spar_form_case SET state = 'closed'")
        with self.catch_alarms():
            for word in (self.mapper._history, self.mapper._waiting_changes):
                self.assert_refused(SealBroken, lambda w=word: w(self.call, OTHER))

    def test_other_people_are_answered(self):
        self.execute("UPDATE spar_form_case SET state = 'closed'")
        self.assertEqual(self.ask(VICTIM).fa, THIRD_FA)
        self.assertEqual(self.ask(DASH).fa, FOUR[DASH])

    def test_a_refused_proposal_does_not_come_back(self):
        case = self.cases.search([])
        first, second = (self.create_member("supervisor") for _n in "ab")
        kept = self.rows[BLANKS]
        words = {
            line.id: "keep" if line.identifier_id.id == kept else "merge"
            for line in case.line_ids
        }
        case.with_user(first)._propose(words, "seen the documents")
        self.env.cr.execute("CREATE TEMP TABLE kept_cases AS TABLE spar_form_case")
        self.env.cr.execute("CREATE TEMP TABLE kept_lines AS TABLE spar_form_case_line")
        case.with_user(second).action_refuse()
        self.env.flush_all()
        restore = (
            """UPDATE spar_form_case_line l SET decision = (
                      SELECT decision FROM kept_lines k WHERE k.id = l.id)""",
            """UPDATE spar_form_case c
                  SET (state, proposed_by, reason, revision, mac) = (
                      SELECT state, proposed_by, reason, revision, mac
                        FROM kept_cases k WHERE k.id = c.id)""",
        )
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.Error),
            self.env.cr.savepoint(),
        ):
            self.execute(*restore)
        with self.past_triggers():
            self.execute(*restore)
        self.assertEqual(case.state, "proposed")
        with self.catch_alarms():
            self.assert_refused(UserError, case.with_user(second).action_approve)
        self.assertIn(("spar_form_case", sealing.SET_ALTERED), self.find())
        self.assertEqual(self.ask(DASH).fa, FOUR[DASH])

    def test_a_case_that_was_put_there_is_not_decided(self):
        self.execute(
            """INSERT INTO spar_form_case (uuid, kind, number, state, made_at)
               VALUES ('f', 'accounts', 2, 'open', now())"""
        )
        case = self.cases.search([("uuid", "=", "f")])
        case = case.with_user(self.create_member("supervisor"))
        with self.catch_alarms():
            self.assert_refused(UserError, lambda: case._propose({}, "seen"))


class TestForeseenBySql(FormTamperCase):
    def setUp(self):
        super().setUp()
        self.link_before(LONELY, FA)
        self.begin()
        self.go_on(1)
        self.settle()

    def test_each_is_seen(self):
        self.assertEqual(self.get_fa(LONELY_PLAIN), FA)
        self.assert_each_is_seen(FORESEEN)

    def test_each_is_refused(self):
        self.assert_each_is_refused(FORESEEN)


class TestFormsPutThere(FormTamperCase):
    """A forged form or run, which reads one person's ID as another's."""

    def setUp(self):
        super().setUp()
        self.forms.search([("number", "=", 1)]).state = "gone"
        self.link(STRANGER, FA)
        self.settle()

    def test_forged_form_reaches_no_one(self):
        self.values["data"] = json.dumps(self.build_alias(STRANGER, VICTIM))
        self.execute(
            "UPDATE spar_subject_id SET form = 50 WHERE id = %(victim)s",
            """INSERT INTO spar_id_form (number, algorithm, data, state, since,
                                         is_contested, is_foreseen)
               VALUES (50, 1, %(data)s, 'older', now(), false, false)""",
        )
        result = self.ask(STRANGER)
        self.assertEqual((result.outcome, result.fa), (LOCKED, None))
        with self.catch_alarms():
            self.assertEqual(self.update(STRANGER, OTHER_FA).outcome, LOCKED)

    def test_a_run_that_is_none_rewrites_nothing(self):
        self.values["number"] = self.forms._get_number()
        self.values["data"] = json.dumps(self.build_alias(STRANGER, VICTIM))
        self.execute(
            """INSERT INTO spar_form_run (kind, number, data, state, is_wanted, after,
                                          started_at, total, seen)
               VALUES ('ids', %(number)s, %(data)s, 'rewriting', true, 0, now(), 1,
                       0)"""
        )
        with self.catch_alarms() as alarms:
            self.go_on()
            with self.registry.cursor() as cr:
                self.env(cr=cr)["spar.form.run"]._cron_run()
        self.assertIn("spar_form_run", [table for table, _row in alarms])
        self.assertEqual(self.events_of(STRANGER), ["linked"])
        self.assertEqual(self.ask(STRANGER).fa, FA)
        self.assertIn(("spar_form_run", sealing.ROW_ALTERED), self.find())

    def test_altered_row_is_not_signed_by_a_later_write(self):
        """Other rules arrive, in the ordinary way, after a form was altered."""
        self.execute("UPDATE spar_id_form SET state = 'older' WHERE number = 1")
        with self.catch_alarms():
            self.assert_refused(Exception, self.forms._get_number)
            self.env["spar.form.run"]._cron_run()
        self.assertIn(FORM, self.find())


class TestSealing(FormTamperCase):
    """The data of a database of a version without seals."""

    def unseal(self):
        self.env.flush_all()
        for table in ("spar_id_form", "spar_form_run", "spar_form_case"):
            self.tamper(f"UPDATE {table} SET revision = NULL, mac = NULL")
        self.tamper("DELETE FROM spar_form_seal")
        self.forms._forget_versions()

    def test_upgrade_signs_existing_rows(self):
        self.link_four()
        self.run_all()
        self.unseal()
        self.assertEqual(self.ask(PLAIN).outcome, LOCKED)
        MIGRATION.migrate(self.env.cr, "19.0.2.2.0")
        self.forms._forget_versions()
        self.assertEqual(self.find(), set())
        self.assertEqual(self.ask(DASH).fa, FOUR[DASH])
        self.assertEqual(self.ask(OTHER).outcome, HELD)

    def test_a_dry_run_that_was_under_way_begins_anew(self):
        self.link_before(LONELY, FA)
        self.begin()
        self.go_on(1)
        self.unseal()
        self.tamper("UPDATE spar_form_row SET mac = NULL")
        MIGRATION.migrate(self.env.cr, "19.0.2.2.0")
        self.forms._forget_versions()
        self.go_on()
        self.assertEqual(self.ask(LONELY_PLAIN).fa, FA)
        self.assertEqual(self.find(), set())

    def test_without_keys_there_is_nothing_to_sign(self):
        self.unseal()
        keyring = type(self.env["spar.keyring"])
        with patch.object(keyring, "_get_phase", lambda _self: {}):
            MIGRATION.migrate(self.env.cr, "19.0.2.2.0")
            self.env["spar.form.run"]._cron_run()
        self.assertFalse(self.forms.search([]))

    def test_pieces_of_a_run_stay_signed(self):
        for number in range(5):
            self.link_before(f"token:3111 {number:03}@nationalId", FA)
        with (
            patch.object(spar_form_run, "CHECKED_AT_ONCE", 2),
            patch.object(spar_form_run, "REWRITTEN_AT_ONCE", 2),
        ):
            self.begin()
            while self.runs._has_work():
                self.go_on(1)
                self.assertEqual(self.find(), set())
