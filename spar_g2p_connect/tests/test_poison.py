from unittest.mock import patch

import psycopg2

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.models.spar_mapper_local import SparMapperLocal
from odoo.addons.spar_mapper.tests.common import ALARM_LOGGER
from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.transactions import is_passing

from ..lib.packing import pack
from ..models.message.spar_message import SEAL
from ..models.message.spar_message_worker import MAX_ATTEMPTS
from .common import CALLBACK_WORKER_LOGGER, MESSAGE_WORKER_LOGGER, build_items
from .test_asynchronous import StatusCase


class Stopped(psycopg2.errors.QueryCanceled):
    """A statement that took too long; PostgreSQL's own cannot be raised here."""

    pgcode = "57014"


@tagged("post_install", "-at_install")
class TestPoison(StatusCase):
    """A message that cannot be processed ends with a reason, and the queue goes on."""

    def setUp(self):
        super().setUp()
        self.poisoned = self.build("link", "poisoned")
        self.behind = self.build("link", "behind")
        self.poisoned["message"]["transaction_id"] = "transaction-poisoned"
        for message in (self.poisoned, self.behind):
            self.queue("link", message)
        self.row = self.get_messages(message_id=self.get_id(self.poisoned))

    def get_id(self, message):
        return message["header"]["message_id"]

    def seal(self, document, is_moved=False):
        messages = self.env["spar.message"]
        keyring = self.env["spar.keyring"]._open(for_write=True)
        text = document if isinstance(document, str) else pack(document)
        contexts = messages._get_seal_contexts(keyring, self.row.ids)
        context = b"another" if is_moved else contexts[self.row.id][1]
        return keyring.seal(SEAL, text, context)

    def poison(self, column, value):
        self.env.cr.execute(
            f"UPDATE spar_message SET {column} = %s WHERE id = %s",  # noqa: S608
            [value, self.row.id],
        )
        self.env.invalidate_all()

    def run_turns(self, count=1):
        """Run as many turns as it takes, ignoring the pauses between them."""
        for _turn in range(count):
            with (
                mute_logger(MESSAGE_WORKER_LOGGER, ALARM_LOGGER, "odoo.sql_db"),
                self.enter_savepoints(),
            ):
                self.run_worker()
            self.env.cr.execute("UPDATE spar_message SET next_try = NULL")

    def assertEnded(self, text="had no effect"):
        self.env.invalidate_all()
        self.assertIn(self.row.state, ("done", "refused"))
        self.assertIn(text, self.row.reason)
        self.assertTrue(self.row.answered_at)
        self.assertEqual(self.resolve_fa("behind"), "account:behind@BANK")
        self.assertIsNone(self.resolve_fa("poisoned"))

    # === DAMAGED STORED MESSAGES === #

    def test_unreadable_message_ends(self):
        wrong = {
            "another context": self.seal(self.poisoned, is_moved=True),
            "cut": self.seal(self.poisoned)[:20],
            "rubbish": b"rubbish",
            "an unknown key": b"\x01\xff\xff\xff\xff" + b"x" * 60,
            "nothing": b"",
            "gone": None,
        }
        for name, sealed in wrong.items():
            with self.subTest(name):
                with self.env.cr.savepoint() as savepoint:
                    self.poison("sealed_request", sealed)
                    self.run_turns()
                    self.assertEnded("can no longer be read")
                    savepoint.rollback()
                self.env.invalidate_all()

    def test_unparsable_message_ends(self):
        for name, document in {
            "not packed": "rubbish",
            "no object": [1],
            "nothing": None,
            "no header": {"message": {}},
            "a header of another kind": {"header": 7},
            "a header without its name": {"header": {"action": "link"}},
        }.items():
            with self.subTest(name):
                with self.env.cr.savepoint() as savepoint:
                    self.poison("sealed_request", self.seal(document))
                    self.run_turns()
                    self.assertEnded("can no longer be read")
                    savepoint.rollback()
                self.env.invalidate_all()

    def test_row_with_an_altered_message_id_ends(self):
        self.poison("uuid", None)
        self.run_turns()
        self.assertEnded()

    def test_row_without_a_callback_ends(self):
        self.poison("callback", None)
        self.run_turns(MAX_ATTEMPTS)
        self.assertEnded()

    def test_sender_is_informed_and_may_request_the_status(self):
        self.poison("sealed_request", b"rubbish")
        status = self.get_status("transaction_id", "transaction-poisoned")
        self.assertEqual(status["link_response"], [])
        self.run_turns()
        (callback,) = self.row.callback_ids
        header = self.env["spar.callback"]._get_document(callback.id)["header"]
        self.assertEqual(header["status"], "rjct")
        self.assertIn(self.get_id(self.poisoned), header["status_reason_message"])
        status = self.get_status("transaction_id", "transaction-poisoned")
        self.assertEqual(status["link_response"], [])

    # === FAILURES OF PROCESSING === #

    def test_failure_at_every_stage_ends_the_message(self):
        registry = self.env.registry
        stages = (
            (registry["spar.participant"], "_build_caller"),
            (registry["spar.participant"], "_get_operations"),
            (registry["spar.g2p.connect.server"], "_answer_queued"),
            (registry["spar.message"], "_save_answer"),
            (registry["spar.message"], "_store_waiting_ids"),
            (registry["spar.callback"], "_queue"),
            (SparMapperLocal, "_link_fa"),
        )
        for model, name in stages:
            for at in (0, MAX_ATTEMPTS, MAX_ATTEMPTS + 5):
                with self.subTest(name, attempts=at):
                    with self.env.cr.savepoint() as savepoint:
                        self.poison("attempts", at)
                        self.run_broken(model, name)
                        self.env.invalidate_all()
                        self.assertNotEqual(self.row.state, "waiting")
                        self.assertIn("had no effect", self.row.reason)
                        self.run_turns()
                        self.assertEqual(
                            self.resolve_fa("behind"), "account:behind@BANK"
                        )
                        savepoint.rollback()
                    self.env.invalidate_all()

    def run_broken(self, model, name):
        """Run turns until the poisoned message has ended, while one stage fails."""

        work, messages = getattr(model, name), self.env.registry["spar.message"]
        take, at_work = messages._get_next, []

        def note(*words):
            at_work[:] = [take(*words)]
            return at_work[0]

        def fail(*words, **named):
            if at_work[0].row_id == self.row.id:
                raise ZeroDivisionError
            return work(*words, **named)

        with patch.object(messages, "_get_next", note), patch.object(model, name, fail):
            for _turn in range(MAX_ATTEMPTS):
                self.run_turns()
                self.env.invalidate_all()
                if self.row.state != "waiting":
                    return

    def enter_savepoints(self):
        """Undo what was begun in a test too, whose cursor never rolls back."""
        model = type(self.env["spar.message"])
        answer = model._answer_waiting

        def answer_or_nothing(messages, participant_id, waiting):
            with messages.env.cr.savepoint():
                answer(messages, participant_id, waiting)

        return patch.object(model, "_answer_waiting", answer_or_nothing)

    # === UNAVAILABLE RESOURCES === #

    def test_unavailability_and_locks_count_as_no_failed_turn(self):
        for error in (
            ServiceUnavailable(),
            Stopped(),
            psycopg2.errors.LockNotAvailable(),
            psycopg2.OperationalError(),
            psycopg2.InterfaceError(),
            ConcurrencyError(),
        ):
            with self.subTest(type(error).__name__):

                def fail(*_words, error=error):
                    raise error

                with patch.object(SparMapperLocal, "_link_fa", fail):
                    self.run_turns(2 * MAX_ATTEMPTS)
                self.env.invalidate_all()
                self.assertEqual(self.row.state, "waiting")
                self.assertEqual(self.row.attempts, 0)
        self.run_turns()
        self.assertEqual(self.resolve_fa("poisoned"), "account:poisoned@BANK")

    def test_permanent_database_error_counts_as_a_failed_turn(self):
        for error in (psycopg2.errors.UndefinedTable(), ZeroDivisionError()):
            self.assertFalse(is_passing(error))

    def test_unfinished_turn_counts(self):
        """As after a kill: the count was written before the work began."""
        seen = []

        def look(mapper, *_words):
            self.env.invalidate_all()
            seen.append(self.row.attempts)
            raise ZeroDivisionError

        with patch.object(SparMapperLocal, "_link_fa", look):
            self.run_turns(3)
        self.assertEqual(seen, [1, 2, 3])

    def test_message_begun_too_often_is_not_begun_again(self):
        self.poison("attempts", MAX_ATTEMPTS)

        def die(*_words):
            raise AssertionError("it would kill its worker")

        with patch.object(SparMapperLocal, "_link_fa", die):
            self.run_turns()
        self.env.invalidate_all()
        self.assertIn("had no effect", self.row.reason)

    # === ANSWERS === #

    def test_unreadable_answer_is_not_retried(self):
        self.run_turns()
        self.poison("sealed_answer", b"rubbish")
        with mute_logger(CALLBACK_WORKER_LOGGER, ALARM_LOGGER):
            self.run_schedule("spar.callback", "_cron_send")
        self.env.invalidate_all()
        self.assertEqual(self.row.callback_ids.state, "failed")
        self.assertIn("no longer be unsealed", self.row.callback_ids.problem_text)

    def test_unreadable_answer_does_not_block_a_decision(self):
        higher = self.make_participant(
            "higher.example",
            authority="programme",
            may_link=True,
            may_update=True,
            may_resolve=True,
        )
        self.run_turns()
        items = build_items("decided", fa="account:{}@BANK")
        self.ask(higher, "link", items)
        message = self.build("update", "decided", fa="account:new{}@BANK")
        self.queue("update", message)
        self.run_turns()
        kept = self.get_messages(message_id=self.get_id(message))
        self.row = kept
        self.poison("sealed_answer", b"rubbish")
        change = self.env["spar.change"].search([("state", "=", "waiting")])
        with mute_logger(ALARM_LOGGER):
            self.env["spar.message"]._on_changes_ended(change.ids)
        self.assertEqual(len(kept.callback_ids), 1)
