"""The attacks that the tables' owner can make by plain SQL: one table of attempts.

Each is tried once with the triggers on, and once without them. Anything inconsistent in
itself is refused at once by resolve, and the check names it. A genuine earlier state
(whole older rows, with all later events gone) cannot be detected by anything in the
database: the check finds it if a checkpoint covers it (see ``readme/`` on checkpoints).
"""

from typing import NamedTuple

import psycopg2

from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    ObjectionRequest,
    Outcome,
)

from ..lib import audit, seals
from ..lib.chain import mark_id
from ..models.audit import spar_checkpoint
from ..store import opening
from .common import FA, ID, OTHER_FA, THIRD_FA
from .test_spar_checkpoint import CheckpointCase

TABLES = (
    "spar_subject",
    "spar_subject_id",
    "spar_mapping",
    "spar_mapping_period",
    "spar_event",
)
PERSON = "subject_id = %(subject)s"


def restore(table: str, key: str = "id") -> str:
    """Return the statement that restores a person's rows of a table as kept."""
    owner = "t.id" if table == "spar_subject" else "t.subject_id"
    return f"""
        UPDATE {table} t SET ({{columns}}) = (
               SELECT {{columns}} FROM kept_{table} k WHERE k.{key} = t.{key})
         WHERE {owner} = %(subject)s"""


#: Everything that happened after what was kept, with its notices.
CUT_EVENTS = (
    f"""DELETE FROM spar_notice WHERE event_id IN (
               SELECT id FROM spar_event
                WHERE {PERSON} AND seq > %(kept)s)""",
    f"DELETE FROM spar_event WHERE {PERSON} AND seq > %(kept)s",
    f"DELETE FROM spar_mapping_period WHERE {PERSON} AND seq > %(kept)s",
)
REMOVE_EVERYTHING = (
    f"""DELETE FROM spar_notice WHERE event_id IN (
               SELECT id FROM spar_event WHERE {PERSON})""",
    f"DELETE FROM spar_event WHERE {PERSON}",
    f"DELETE FROM spar_mapping_period WHERE {PERSON}",
    f"DELETE FROM spar_mapping WHERE {PERSON}",
    f"DELETE FROM spar_subject_id WHERE {PERSON}",
    "DELETE FROM spar_subject WHERE id = %(subject)s",
)
LOCKED, FOUND = Outcome.LOCKED, Outcome.FOUND


class Attempt(NamedTuple):
    """Statements, the resulting answer of resolve, and the check's finding by table."""

    statements: tuple[str, ...]
    outcome: Outcome
    table: str
    problem: str


ATTEMPTS = {
    "an ID is switched off": Attempt(
        (f"UPDATE spar_subject_id SET active = false WHERE {PERSON}",),
        LOCKED,
        "spar_subject_id",
        opening.ID_OFF,
    ),
    "an ID gets another digest": Attempt(
        (f"UPDATE spar_subject_id SET digest_a = 'x' WHERE {PERSON}",),
        Outcome.NOT_LINKED,
        "spar_subject_id",
        audit.ID_DIGEST,
    ),
    "an ID cannot be found": Attempt(
        (f"UPDATE spar_subject_id SET digest_a = NULL WHERE {PERSON}",),
        Outcome.NOT_LINKED,
        "spar_subject_id",
        audit.ID_DIGEST,
    ),
    "an ID names an event that is about no ID": Attempt(
        (f"UPDATE spar_subject_id SET last_seq = 1, digest_a = 'x' WHERE {PERSON}",),
        Outcome.NOT_LINKED,
        "spar_subject_id",
        opening.ID_ALTERED,
    ),
    "an ID is switched off with an event that is about no ID": Attempt(
        (
            f"""UPDATE spar_subject_id
                   SET last_seq = 1, active = false, digest_a = NULL WHERE {PERSON}""",
        ),
        Outcome.NOT_LINKED,
        "spar_subject_id",
        opening.ID_OFF,
    ),
    "an ID goes to another person": Attempt(
        (
            f"""UPDATE spar_subject_id
                   SET subject_id = (SELECT max(id) FROM spar_subject)
                 WHERE {PERSON}""",
        ),
        LOCKED,
        "spar_subject_id",
        opening.ID_ALTERED,
    ),
    "a person is stated to be another one": Attempt(
        (
            """UPDATE spar_subject SET merged_into = (SELECT max(id) FROM spar_subject)
                WHERE id = %(subject)s""",
        ),
        LOCKED,
        "spar_subject",
        opening.SUBJECT_ALTERED,
    ),
    "a place gets another purpose": Attempt(
        (f"UPDATE spar_mapping SET purpose = 'school' WHERE {PERSON}",),
        LOCKED,
        "spar_mapping",
        opening.HEAD_ALTERED,
    ),
    "a place becomes a fallback": Attempt(
        (f"UPDATE spar_mapping SET rank = 2 WHERE {PERSON}",),
        LOCKED,
        "spar_mapping",
        opening.HEAD_ALTERED,
    ),
    "a suspension is lifted": Attempt(
        (f"UPDATE spar_mapping SET state = 'active' WHERE {PERSON}",),
        LOCKED,
        "spar_mapping",
        opening.HEAD_ALTERED,
    ),
    "a lock is set": Attempt(
        ("UPDATE spar_subject SET change_lock = 'staff' WHERE id = %(subject)s",),
        LOCKED,
        "spar_subject",
        opening.SUBJECT_ALTERED,
    ),
    "an older place is brought back": Attempt(
        (restore("spar_mapping"),), LOCKED, "spar_mapping", opening.HEAD_OLD
    ),
    "an older person is brought back": Attempt(
        (restore("spar_subject"),), LOCKED, "spar_subject", opening.SUBJECT_BEHIND
    ),
    "an older person and an older place are brought back": Attempt(
        (restore("spar_subject"), restore("spar_mapping")),
        LOCKED,
        "spar_subject",
        opening.SUBJECT_BEHIND,
    ),
    "they are brought back, their events are gone": Attempt(
        (*CUT_EVENTS, restore("spar_subject"), restore("spar_mapping")),
        FOUND,
        "spar_event",
        spar_checkpoint.EVENTS_DIFFER,
    ),
    "the newest event is cut": Attempt(
        (CUT_EVENTS[0], CUT_EVENTS[1]),
        LOCKED,
        "spar_subject",
        opening.SUBJECT_BEHIND,
    ),
    "the newest event is cut, and the place": Attempt(
        (CUT_EVENTS[0], CUT_EVENTS[1], f"DELETE FROM spar_mapping WHERE {PERSON}"),
        LOCKED,
        "spar_subject",
        audit.ROW_MISSING,
    ),
    "a period is rewritten": Attempt(
        (f"UPDATE spar_mapping_period SET origin = 'x' WHERE {PERSON}",),
        Outcome.SUSPENDED,
        "spar_mapping_period",
        audit.NOT_AS_RECORDED,
    ),
    "a person is removed with everything": Attempt(
        REMOVE_EVERYTHING,
        Outcome.NOT_LINKED,
        "spar_event",
        spar_checkpoint.EVENTS_DIFFER,
    ),
    "a notice is removed": Attempt(
        ("DELETE FROM spar_notice",),
        Outcome.SUSPENDED,
        "spar_event",
        audit.NOTICE_REMOVED,
    ),
}


class TamperCase(CheckpointCase):
    """A person whose earlier rows an attacker kept, and who was then suspended."""

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.keep(ID)
        self.update(ID, OTHER_FA)
        self.suspend(ID)
        self.link("token:bystander@nationalId", THIRD_FA)
        self.take()
        self.settle()

    def settle(self):
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    def keep(self, id_value):
        """Keep the rows of a person as they are now."""
        subject = self.subject_of(id_value)
        self.values = {"subject": subject.id, "kept": subject.last_seq}
        for table in TABLES:
            self.env.cr.execute(f"DROP TABLE IF EXISTS kept_{table}")
            self.env.cr.execute(f"CREATE TEMP TABLE kept_{table} AS TABLE {table}")

    def execute(self, statement):
        """Run a statement of the table of attempts."""
        if "{columns}" in statement:
            table = statement.split()[1]
            self.env.cr.execute(
                """SELECT string_agg(quote_ident(column_name), ', ')
                     FROM information_schema.columns
                    WHERE table_name = %s
                      AND column_name NOT IN ('id', 'subject_id')""",
                (table,),
            )
            statement = statement.format(columns=self.env.cr.fetchone()[0])
        self.env.cr.execute(statement, self.values)

    def get_findings(self):
        return {(table, problem) for table, _row, problem in self.check()}


class TestTamperTable(TamperCase):
    def test_the_database_refuses_each_while_its_triggers_are_on(self):
        for name, attempt in ATTEMPTS.items():
            with (
                self.subTest(name),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.Error),
                self.env.cr.savepoint(),
            ):
                for statement in attempt.statements:
                    self.execute(statement)
                self.settle()

    def test_past_the_triggers_resolve_and_the_check_see_each(self):
        self.assertEqual(self.check(), [])
        for name, attempt in ATTEMPTS.items():
            with self.subTest(name), self.undone():
                with self.past_triggers():
                    for statement in attempt.statements:
                        self.execute(statement)
                with self.catch_alarms():
                    self.assertEqual(self.resolve(ID).outcome, attempt.outcome)
                found = self.get_findings()
                self.assertIn((attempt.table, attempt.problem), found)

    def test_inconsistent_person_is_not_changed(self):
        for name, attempt in ATTEMPTS.items():
            if attempt.outcome is not LOCKED:
                continue
            with self.subTest(name), self.undone():
                with self.past_triggers():
                    for statement in attempt.statements:
                        self.execute(statement)
                with self.catch_alarms():
                    for word in (self.link, self.update):
                        result = word(ID, THIRD_FA, self.owner)
                        self.assertEqual(result.outcome, LOCKED)
                        self.assertEqual(result.problem, "integrity")


class TestTamperedGuards(TamperCase):
    """Locks, stops, IDs and changes, which took more than one statement to attack."""

    def test_a_lock_and_a_stop_are_not_lifted_by_an_older_row(self):
        stopped = "token:stopped@nationalId"
        self.link(stopped, FA)
        self.keep(stopped)
        place = self.mapping_of(stopped)
        request = ObjectionRequest(stopped, place.address_uuid, 1)
        person = CallContext("person:1", "portal", Authority.OWNER, "login")
        self.mapper._object_to(person, request)
        self.assertEqual(self.resolve(stopped).outcome, Outcome.SUSPENDED)
        subject = self.subject_of(stopped)
        self.assertEqual((subject.change_lock, subject.pay_stop), ("objection", True))
        with self.past_triggers():
            self.execute(restore("spar_subject"))
        with self.catch_alarms():
            self.assertEqual(self.resolve(stopped).outcome, LOCKED)
        self.assertIn(("spar_subject", opening.SUBJECT_BEHIND), self.get_findings())

    def test_an_id_is_not_switched_on_by_an_older_row(self):
        subject = self.load_subject(ID)
        identifier = self.identifier_of(ID)
        context = seals.id_context(identifier.uuid, subject.uuid, False, 3)
        canonical = self.env["spar.id.type"]._identify(ID).canonical
        self.keep(ID)
        self.tamper(
            """UPDATE spar_subject_id SET active = false, last_seq = 3, sealed = %s
                WHERE id = %s""",
            self.keyring.seal(seals.ID, canonical, context),
            identifier.id,
        )
        subject.marks[mark_id(identifier.id)] = 3
        self.write_subject(subject)
        with self.past_triggers():
            self.execute(restore("spar_subject_id"))
        with self.catch_alarms():
            self.assertEqual(self.resolve(ID).outcome, LOCKED)
        found = self.get_findings()
        self.assertIn(("spar_subject_id", opening.ID_ALTERED), found)

    def test_place_of_another_purpose_is_verified(self):
        """It is restored after an event that has nothing to do with it."""
        self.link(ID, THIRD_FA, purpose="school")
        self.keep(ID)
        self.update(ID, FA, purpose="school")
        self.resume(ID)
        with self.past_triggers():
            statement = restore("spar_mapping") + " AND t.purpose = 'school'"
            self.execute(statement)
        with self.catch_alarms():
            for purpose in ("", "school"):
                result = self.resolve(ID, purpose=purpose)
                self.assertEqual(result.outcome, LOCKED)

    def test_a_refused_change_set_back_to_waiting_is_named(self):
        self.add_rule("approve")
        self.update(ID, THIRD_FA)
        change = self.change_of(ID)
        self.mapper._end_change(self.supervisor, change.id, "refused")
        self.env.cr.execute("UPDATE spar_change SET state = 'waiting'")
        self.env.invalidate_all()
        self.assertIn(("spar_change", audit.CHANGE_ENDED), self.get_findings())

    def test_a_file_that_is_removed_or_cut_is_named(self):
        lines = self.path.read_text()
        self.link("token:later@nationalId", FA)
        self.take()
        for text in (None, lines, lines[:-20]):
            with self.subTest(text=text and len(text)):
                self.path.unlink(missing_ok=True)
                if text is not None:
                    self.path.write_text(text)
                tables = {table for table, _problem in self.get_findings()}
                self.assertEqual(tables, {"spar_checkpoint"})
