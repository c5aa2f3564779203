import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.exceptions import HistoryDiffers, WritersStayOpen
from odoo.addons.spar_mapper.lib import checkpoint, checkpoint_file, settling
from odoo.addons.spar_mapper.models.audit import spar_checkpoint

from .test_audit_findings import ALARM_LOGGER, AuditCase


class CheckpointCase(AuditCase):
    """A separate file of checkpoints, with chunks of a few events."""

    def setUp(self):
        super().setUp()
        self.checkpoints = self.env["spar.checkpoint"]
        self.checkpoints._record_line(0, "")
        self.path = spar_checkpoint.get_path(self.env)
        self.path.unlink(missing_ok=True)
        self.startPatcher(patch.object(checkpoint, "CHUNK", 4))
        # No line is split because earlier tests have used up many ids.
        self.startPatcher(patch.object(spar_checkpoint, "CHUNKS_OF_A_LINE", 10**9))

    def take(self):
        with self.enter_registry_test_mode():
            return self.checkpoints._take()

    def run_cron(self):
        with mute_logger(ALARM_LOGGER), self.enter_registry_test_mode():
            with self.registry.cursor() as cr:
                self.env(cr=cr)["spar.checkpoint"]._cron_take()
        self.env.invalidate_all()

    def get_lines(self):
        return list(checkpoint_file.read_lines(self.path))

    def parse(self, place=-1):
        return checkpoint.parse(self.get_lines()[place], self.keyring)

    def write_lines(self, *lines):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(f"{line}\n" for line in lines))

    def get_newest(self):
        return settling.get_newest(self.env.cr)

    def get_alarms(self, table="spar_event"):
        domain = [("table_name", "=", table)]
        return self.env["spar.alarm"].search(domain).mapped("problem")

    def cut_newest(self):
        """Remove the newest event with its person; the rest is consistent in itself."""
        newest = self.get_newest()
        self.remove_subject(self.env["spar.event"].browse(newest).subject_id)
        return newest

    def assertOnly(self, table, row_id, problem):
        self.assertEqual(self.check(), [(table, row_id, problem)])


class TestTaking(CheckpointCase):
    def test_checkpoint_covers_everything_and_the_check_agrees(self):
        self.take()
        self.assertEqual(self.parse().last_event_id, self.get_newest())
        self.assertEqual(self.parse().number, 1)
        self.assertEqual(self.check(), [])

    def test_next_line_holds_only_new_events(self):
        self.take()
        first = self.parse()
        for number in range(6):
            self.link(f"more-{number}", "account:1111@BR01.DEMO")
        self.take()
        second = self.parse()
        self.assertEqual((second.number, second.previous), (2, first.mac))
        self.assertGreaterEqual(min(second.chunks), max(first.chunks))
        self.assertEqual(self.check(), [])

    def test_nothing_new_gets_no_line(self):
        self.take()
        self.take()
        self.assertEqual(len(self.get_lines()), 1)

    def test_backlog_gets_several_lines(self):
        with patch.object(spar_checkpoint, "CHUNKS_OF_A_LINE", 1):
            newest = self.get_newest()
            self.write_lines(self.build_line(1, newest - 9).sign(self.keyring))
            self.note(1, self.get_lines()[-1])
            self.run_cron()
        self.assertGreater(len(self.get_lines()), 2)
        self.assertEqual(self.parse().last_event_id, newest)
        self.assertEqual(self.check(), [])

    def build_line(self, number, until):
        return checkpoint.CheckpointLine(
            number=number,
            kind=checkpoint.CHECKPOINT,
            taken_at="2026-01-01 00:00:00",
            last_event_id=until,
            chunks=self.checkpoints._hash_chunks(0, until),
        )

    def note(self, number, text):
        self.checkpoints._record_line(number, text)

    def test_history_that_differs_gets_no_new_checkpoint(self):
        self.take()
        self.cut_newest()
        before = self.path.read_text()
        with self.assertRaises(HistoryDiffers):
            self.take()
        self.assertEqual(self.path.read_text(), before)

    def test_removed_row_raises_one_alarm_across_checks(self):
        self.link("audit-c", "account:7777@BR01.DEMO")
        self.take()
        newest = self.cut_newest()
        for _time in range(3):
            self.run_cron()
        self.assertEqual(self.get_alarms(), [spar_checkpoint.EVENTS_DIFFER])
        first = newest // checkpoint.CHUNK * checkpoint.CHUNK
        self.assertOnly("spar_event", first, spar_checkpoint.EVENTS_DIFFER)

    def test_event_brought_in_behind_is_named(self):
        self.take()
        event_id = self.get_newest()
        self.tamper(
            "UPDATE spar_event SET id = %s WHERE id = %s", event_id - 8, event_id
        )
        differing = {
            row_id for table, row_id, _p in self.check() if table == "spar_event"
        }
        chunks = {n // 4 * 4 for n in (event_id, event_id - 8)}
        self.assertLessEqual(chunks, differing)

    def test_file_is_for_its_owner_only(self):
        self.take()
        self.assertEqual(self.path.stat().st_mode & 0o077, 0)

    def test_checkpoint_that_waits_too_long_is_overdue(self):
        refusing = patch.object(settling, "wait_for_writers", return_value=False)
        with refusing, self.assertRaises(WritersStayOpen):
            self.take()
        with refusing:
            self.run_cron()
        self.assertEqual(self.get_alarms("spar_checkpoint"), [])
        self.let_time_pass()
        with refusing:
            self.run_cron()
        problem = spar_checkpoint.OVERDUE
        self.assertEqual(self.get_alarms("spar_checkpoint"), [problem])

    def let_time_pass(self):
        late = fields.Datetime.now() - spar_checkpoint.OVERDUE_AFTER
        self.env.cr.execute(
            "UPDATE spar_checkpoint SET looked_at = %s", (late - timedelta(1),)
        )

    def test_overdue_checkpoints_are_named_by_the_check(self):
        self.take()
        self.let_time_pass()
        self.assertOnly("spar_checkpoint", 0, spar_checkpoint.NOT_TAKEN)
        self.take()
        self.assertEqual(self.check(), [])

    def test_own_transaction_is_not_waited_for(self):
        self.assertEqual(settling.get_writers(self.env.cr), set())


class TestFile(CheckpointCase):
    def take_three(self):
        for number in range(3):
            self.link(f"line-{number}", "account:1111@BR01.DEMO")
            self.take()

    def test_missing_file_is_named_and_gets_no_successor(self):
        self.take()
        self.path.unlink()
        self.assertOnly("spar_checkpoint", 1, checkpoint.MISSING)
        self.run_cron()
        self.assertFalse(self.path.exists())
        self.assertEqual(self.get_alarms("spar_checkpoint"), [checkpoint.MISSING])

    def test_shortened_file_is_named(self):
        self.take_three()
        self.write_lines(*self.get_lines()[:2])
        self.assertOnly("spar_checkpoint", 2, checkpoint.SHORTENED)

    def test_emptied_file_is_named(self):
        self.take()
        self.path.write_text("")
        self.assertOnly("spar_checkpoint", 1, checkpoint.MISSING)

    def test_gap_is_named(self):
        self.take_three()
        first, _second, third = self.get_lines()
        self.write_lines(first, third)
        self.assertOnly("spar_checkpoint", 3, checkpoint.GAP)

    def test_lines_in_another_order_are_named(self):
        self.take_three()
        first, second, third = self.get_lines()
        self.write_lines(second, first, third)
        self.assertIn(("spar_checkpoint", 1, checkpoint.UNRELATED), self.check())

    def test_forged_lines_are_named(self):
        self.take_three()
        lines = self.get_lines()
        document = json.loads(lines[1])
        document["last_event_id"] = 0
        for forged in (json.dumps(document), "[]", "nothing", '{"mac": 1}'):
            self.write_lines(lines[0], forged, lines[2])
            self.assertIn(("spar_checkpoint", 2, checkpoint.FORGED), self.check())

    def test_forged_last_line_gets_no_successor(self):
        self.take()
        self.write_lines(*self.get_lines(), "[]")
        self.assertOnly("spar_checkpoint", 2, checkpoint.FORGED)
        with self.assertRaises(HistoryDiffers):
            self.take()

    def test_line_that_the_database_does_not_know_is_adopted(self):
        """The process seems to have been killed between the file and the database."""
        self.take()
        self.link("killed", "account:1111@BR01.DEMO")
        with patch.object(type(self.checkpoints), "_record_line"):
            self.take()
        self.assertEqual(self.checkpoints._get_record().number, 1)
        self.assertEqual(self.check(), [])
        self.take()
        self.assertEqual(self.checkpoints._get_record().number, 2)
        self.assertEqual(len(self.get_lines()), 2)
        self.link("afterwards", "account:1111@BR01.DEMO")
        self.take()
        self.assertEqual(self.parse().number, 3)
        self.assertEqual(self.check(), [])

    def test_line_cut_off_while_it_was_written_is_taken_away(self):
        self.take()
        self.link("torn", "account:1111@BR01.DEMO")
        with self.path.open("a") as file:
            file.write('{"number": 2, "ki')
        self.assertEqual(self.check(), [])
        self.take()
        self.assertEqual([self.parse(0).number, self.parse(1).number], [1, 2])

    def test_database_older_than_its_file_is_named(self):
        self.take_three()
        self.checkpoints._record_line(1, self.get_lines()[0])
        self.assertOnly("spar_checkpoint", 3, checkpoint.OLDER)
        with self.assertRaises(HistoryDiffers):
            self.take()

    def test_another_true_last_line_is_named(self):
        self.take()
        line = checkpoint.CheckpointLine(1, checkpoint.CHECKPOINT, "2026-01-01", 0, {})
        self.write_lines(line.sign(self.keyring))
        self.assertOnly("spar_checkpoint", 1, checkpoint.REPLACED)

    def test_row_that_was_removed_is_not_taken_for_a_fresh_database(self):
        self.take()
        self.tamper("DELETE FROM spar_checkpoint")
        self.assertOnly("spar_checkpoint", 1, checkpoint.OLDER)

    @mute_logger("odoo.addons.spar_mapper.models.audit.spar_checkpoint")
    def test_file_that_cannot_be_written_is_an_alarm(self):
        with patch.object(checkpoint_file, "append", side_effect=PermissionError):
            self.run_cron()
        problem = spar_checkpoint.NOT_WRITTEN
        self.assertEqual(self.get_alarms("spar_checkpoint"), [problem])

    def test_two_hosts_do_not_write_the_same_number(self):
        self.take()
        text = self.get_lines()[-1]
        checkpoint_file.append(self.path, "of another host", after=text)
        with self.assertRaises(checkpoint_file.FileMoved):
            checkpoint_file.append(self.path, "too late", after=text)


class TestFirstFormat(CheckpointCase):
    """Files from before lines had numbers."""

    def setUp(self):
        super().setUp()
        self.link("audit-c", "account:7777@BR01.DEMO")
        self.write_lines(self.build_old_line(self.get_newest()))

    def build_old_line(self, until):
        chunks = self.checkpoints._hash_chunks(0, until)
        document = {
            "taken_at": "2026-01-01 00:00:00",
            "last_event_id": until,
            "chunks": {str(number): list(chunk) for number, chunk in chunks.items()},
        }
        body = json.dumps(document, sort_keys=True)
        mac = self.keyring.mac("checkpoint", body.encode()).hex()
        return json.dumps({**document, "mac": mac}, sort_keys=True)

    def test_it_is_still_compared(self):
        self.assertEqual(self.check(), [])
        newest = self.cut_newest()
        first = newest // checkpoint.CHUNK * checkpoint.CHUNK
        self.assertOnly("spar_event", first, spar_checkpoint.EVENTS_DIFFER)

    def test_the_next_line_goes_on_from_it(self):
        old = self.parse()
        self.link("new", "account:1111@BR01.DEMO")
        self.take()
        self.assertEqual((self.parse().number, self.parse().previous), (1, old.mac))
        self.assertGreaterEqual(min(self.parse().chunks), max(old.chunks))
        self.assertEqual(self.check(), [])

    def test_the_newest_of_several_counts(self):
        self.link("new", "account:1111@BR01.DEMO")
        self.write_lines(*self.get_lines(), self.build_old_line(self.get_newest()))
        self.assertEqual(self.check(), [])

    def test_it_is_not_cut_away_afterwards(self):
        self.link("new", "account:1111@BR01.DEMO")
        self.take()
        self.write_lines(self.get_lines()[-1])
        self.assertIn(("spar_checkpoint", 1, checkpoint.UNRELATED), self.check())


class TestCopies(CheckpointCase):
    def setUp(self):
        super().setUp()
        self.take()
        self.copy = self.path.with_suffix(".copy")

    def tearDown(self):
        self.copy.unlink(missing_ok=True)
        super().tearDown()

    def test_copy_follows_the_file(self):
        checkpoint_file.send(self.path, self.copy)
        self.link("sent", "account:1111@BR01.DEMO")
        self.take()
        checkpoint_file.send(self.path, self.copy)
        self.assertEqual(self.copy.read_bytes(), self.path.read_bytes())

    def test_copy_is_not_overwritten_by_a_shortened_file(self):
        checkpoint_file.send(self.path, self.copy)
        before = self.copy.read_bytes()
        self.path.write_text("")
        with self.assertRaises(checkpoint_file.CopyDiffers):
            checkpoint_file.send(self.path, self.copy)
        self.assertEqual(self.copy.read_bytes(), before)

    def test_half_a_line_is_not_sent(self):
        whole = self.path.read_bytes()
        self.path.write_bytes(whole + b"{")
        checkpoint_file.send(self.path, self.copy)
        self.assertEqual(self.copy.read_bytes(), whole)

    def test_last_line_longer_than_a_block_is_read_whole(self):
        long = "x" * 200_000
        self.write_lines("short", long)
        self.assertEqual(checkpoint_file.read_last(self.path), long)
        self.write_lines(long)
        self.assertEqual(checkpoint_file.read_last(self.path), long)
