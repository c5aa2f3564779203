from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.tests.common import ALARM_LOGGER

from ..lib import delivery
from .common import (
    CALLBACK_WORKER_LOGGER,
    EVERY_RIGHT,
    MESSAGE_WORKER_LOGGER,
    build_items,
    seal_settings,
)
from .test_asynchronous import CALLBACK, AsynchronousCase

MINE = "https://mine.example/spar"


@tagged("post_install", "-at_install")
class TestAlteredMessages(AsynchronousCase):
    """Plain columns that SQL altered: the message does not run, nothing is sent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.make_participant("mine.example", **EVERY_RIGHT)
        cls.env.cr.execute(
            "UPDATE spar_participant SET callback_url = %s WHERE id = %s",
            (MINE, cls.other.id),
        )
        seal_settings(cls.env, "spar.participant")

    def prepare(self, operation, key, **members):
        """Return the row of a new waiting message."""
        message = self.build(operation, key, **members)
        self.queue(operation, message)
        return self.get_messages(message_id=message["header"]["message_id"])

    def alter(self, table, row, **values):
        """Write ``values`` past the ORM, as the owner of the tables can."""
        columns = ", ".join(f"{name} = %s" for name in values)
        query = f"UPDATE {table} SET {columns} WHERE id = %s"  # noqa: S608
        self.env.cr.execute(query, [*values.values(), row.id])
        self.env.invalidate_all()

    def run_altered(self):
        with mute_logger(MESSAGE_WORKER_LOGGER, ALARM_LOGGER):
            self.run_worker()

    def send_due(self):
        """Send what is due; return the calls that were made."""
        sent = []

        def answer(method, url, **words):
            sent.append((url, words))
            return delivery.outgoing.HttpResponse(500, {}, b"")

        with patch.object(delivery.outgoing, "send", answer):
            with mute_logger(CALLBACK_WORKER_LOGGER, ALARM_LOGGER):
                self.run_schedule("spar.callback", "_cron_send")
        return sent

    def get_alarms(self, table, row):
        domain = [("table_name", "=", table), ("row_id", "=", row.id)]
        return self.env["spar.alarm"].search(domain)

    def assertEnded(self, row):
        self.env.invalidate_all()
        self.assertIn(row.state, ("done", "refused"))
        self.assertTrue(row.reason)
        self.assertTrue(self.get_alarms("spar_message", row))

    # === WHAT A MESSAGE DOES, AND IN WHOSE NAME === #

    def test_answered_resolve_does_not_run_as_an_update_of_another(self):
        self.link("victim")
        row = self.prepare("resolve", "victim", fa="account:thief@BANK")
        self.run_worker()
        self.assertEqual(row.state, "done")
        self.alter(
            "spar_message",
            row,
            state="waiting",
            action="update",
            participant_id=self.other.id,
            attempts=0,
        )
        self.run_altered()
        self.assertEqual(self.resolve_fa("victim"), "account:victim@BANK")
        self.assertEnded(row)

    def test_waiting_message_with_an_altered_column_does_not_run(self):
        self.link("kept")
        for name, value in {
            "participant_id": self.other.id,
            "action": "update",
            "mode": "sync",
            "message_id": "another",
            "correlation_id": "another",
            "callback": f"{CALLBACK}/deeper",
            "uuid": "another",
        }.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                row = self.prepare("resolve", "kept", fa="account:thief@BANK")
                self.alter("spar_message", row, **{name: value})
                self.run_altered()
                self.assertEnded(row)
                self.assertIn("can no longer be read", row.reason)
                self.assertEqual(self.resolve_fa("kept"), "account:kept@BANK")
                savepoint.rollback()
            self.env.invalidate_all()

    def test_message_behind_an_altered_one_runs(self):
        row = self.prepare("link", "altered")
        self.prepare("link", "behind")
        self.alter("spar_message", row, correlation_id="another")
        self.run_altered()
        self.assertIsNone(self.resolve_fa("altered"))
        self.assertEqual(self.resolve_fa("behind"), "account:behind@BANK")

    # === NOTHING RUNS TWICE === #

    def test_answered_message_does_not_run_again(self):
        row = self.prepare("link", "twice")
        self.run_worker()
        self.ask(self.full, "unlink", build_items("twice"))
        for sealed in ("sealed_answer", "NULL"):
            with self.subTest(sealed), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute(
                    f"""UPDATE spar_message SET state = 'waiting', attempts = 0,
                               next_try = NULL, sealed_answer = {sealed}
                         WHERE id = %s""",  # noqa: S608
                    [row.id],
                )
                self.env.invalidate_all()
                self.run_altered()
                self.assertIsNone(self.resolve_fa("twice"))
                self.assertEnded(row)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_rejected_message_does_not_run_later(self):
        row = self.prepare("link", "later")
        self.full.action_disable()
        self.run_worker()
        self.full.action_activate()
        self.alter("spar_message", row, state="waiting", attempts=0)
        self.run_altered()
        self.assertIsNone(self.resolve_fa("later"))

    def test_message_ended_without_an_answer_does_not_run_later(self):
        row = self.prepare("link", "ended")
        messages = self.env["spar.message"]
        waiting = messages._get_next(self.full.id)
        messages._end_without_answer(waiting, "it failed")
        self.env.invalidate_all()
        self.assertEqual(row.state, "refused")
        self.alter("spar_message", row, state="waiting", attempts=0)
        self.run_altered()
        self.assertIsNone(self.resolve_fa("ended"))

    def test_answer_put_in_place_of_the_request_does_not_run(self):
        row = self.prepare("link", "swapped")
        self.run_worker()
        self.env.cr.execute(
            """UPDATE spar_message SET state = 'waiting', sealed_answer = NULL,
                      sealed_request = sealed_answer WHERE id = %s""",
            [row.id],
        )
        self.env.invalidate_all()
        self.run_altered()
        self.assertEnded(row)

    # === TO WHOM AN ANSWER GOES === #

    def test_answer_is_not_sent_to_another_participant(self):
        self.link("private")
        row = self.prepare("resolve", "private")
        self.run_worker()
        callback = row.callback_ids
        stolen = {"participant_id": self.other.id, "url": f"{MINE}/on-resolve"}
        for with_message in (False, True):
            with self.subTest(with_message), self.env.cr.savepoint() as savepoint:
                self.alter("spar_callback", callback, state="waiting", **stolen)
                if with_message:
                    self.alter("spar_message", row, participant_id=self.other.id)
                self.assertEqual(self.send_due(), [])
                self.env.invalidate_all()
                self.assertEqual(callback.state, "failed")
                self.assertEqual(callback.problem, "unreadable")
                self.assertTrue(self.get_alarms("spar_callback", callback))
                savepoint.rollback()
            self.env.invalidate_all()

    def test_callback_with_an_altered_column_is_not_sent(self):
        self.link("private")
        row = self.prepare("resolve", "private")
        theirs = self.prepare("resolve", "others")
        self.run_worker()
        callback = row.callback_ids
        for name, value in {
            "message_id": theirs.id,
            "uuid": "another",
            "url": f"{CALLBACK}/../admin",
            "sealed": None,
        }.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute(
                    "UPDATE spar_callback SET next_try = since + interval '1 day'"
                    " WHERE id != %s",
                    [callback.id],
                )
                self.alter("spar_callback", callback, **{name: value})
                self.assertEqual(self.send_due(), [])
                self.env.invalidate_all()
                self.assertEqual(callback.problem, "unreadable")
                savepoint.rollback()
            self.env.invalidate_all()

    def test_unaltered_answer_is_sent_to_its_participant(self):
        self.link("private")
        self.prepare("resolve", "private")
        self.run_worker()
        ((url, words),) = self.send_due()
        self.assertEqual(url, f"{CALLBACK}/on-resolve")
        self.assertIn(b"account:private@BANK", words["body"])
