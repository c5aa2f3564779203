from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.exceptions import HistoryDiffers
from odoo.addons.spar_mapper.lib import checkpoint
from odoo.addons.spar_mapper.models.audit import spar_checkpoint_restore

from .test_spar_checkpoint import CheckpointCase


class TestDeclaredRestore(CheckpointCase):
    """The newest events are lost: two people declare it, and checkpoints continue."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.create_user("administrator", "first")
        cls.second = cls.create_user("administrator", "second")
        cls.auditor = cls.create_user("auditor", "reader")

    def setUp(self):
        super().setUp()
        self.take()
        self.kept = self.get_newest()
        for number in range(6):
            self.link(f"lost-{number}", "account:1111@BR01.DEMO")
        self.take()
        self.newest = self.get_newest()
        self.restore_database()

    def restore_database(self):
        """Remove everything that came after the first checkpoint."""
        lost = self.env["spar.event"].search([("id", ">", self.kept)])
        for subject in lost.subject_id:
            self.remove_subject(subject)

    def declare(self):
        Restore = self.env["spar.checkpoint.restore"].with_user(self.first)
        restore = Restore.create({"reason": "the disk failed"})
        restore.action_declare()
        self.env.invalidate_all()
        return restore.sudo()

    def approve(self, restore):
        restore.setting_change_ids.with_user(self.second).action_approve()
        self.env.invalidate_all()

    def test_lost_range_is_listed_for_the_approver(self):
        restore = self.declare()
        self.assertEqual(restore.lost, [[self.kept + 1, self.newest]])
        self.assertIn(f"{self.kept + 1} to {self.newest}", restore.lost_text)
        summary = restore.setting_change_ids.with_user(self.second).summary
        self.assertIn(f"{self.kept + 1} to {self.newest}", summary)
        self.assertIn("the disk failed", summary)

    def test_after_two_people_checkpoints_go_on(self):
        self.assertNotEqual(self.check(), [])
        restore = self.declare()
        self.approve(restore)
        self.run_cron()
        restore.invalidate_recordset()
        self.assertEqual(restore.state, "written")
        lines = [self.parse(place) for place in range(4)]
        kinds = [line.kind for line in lines]
        self.assertEqual(kinds, ["checkpoint", "checkpoint", "restore", "checkpoint"])
        self.assertEqual([line.number for line in lines], [1, 2, 3, 4])
        self.assertEqual(lines[2].declaration.lost, restore.lost)
        self.assertEqual(
            (lines[2].declaration.declared_by, lines[2].declaration.confirmed_by),
            (f"user:{self.first.id}", f"user:{self.second.id}"),
        )
        self.assertEqual(self.check(), [])

    def test_events_removed_after_a_restore_are_named(self):
        self.approve(self.declare())
        self.run_cron()
        self.cut_newest()
        self.assertNotEqual(self.check(), [])

    def test_database_restored_with_its_checkpoint_record(self):
        self.checkpoints._record_line(1, self.get_lines()[0])
        restore = self.declare()
        self.assertEqual(restore.number, 2)
        self.approve(restore)
        self.run_cron()
        self.assertEqual(self.parse(2).number, 3)
        self.assertEqual(self.check(), [])

    def test_lost_file_is_declared_the_same_way(self):
        self.path.unlink()
        self.approve(self.declare())
        self.run_cron()
        self.assertEqual([self.parse(0).kind, self.parse(0).number], ["restore", 3])
        self.assertEqual(self.check(), [])

    def test_forged_file_is_declared_the_same_way(self):
        self.write_lines(*self.get_lines(), "[]")
        self.approve(self.declare())
        self.run_cron()
        self.assertEqual(self.check(), [])

    def test_killed_between_file_and_database_it_is_not_written_twice(self):
        restore = self.declare()
        self.approve(restore)
        self.checkpoints._record_line(1, self.get_lines()[0])
        with (
            patch.object(
                type(self.checkpoints), "_record_line", side_effect=KeyboardInterrupt
            ),
            self.assertRaises(KeyboardInterrupt),
        ):
            self.take()
        self.env.invalidate_all()
        self.run_cron()
        kinds = [self.parse(place).kind for place in range(len(self.get_lines()))]
        self.assertEqual(kinds.count("restore"), 1)
        self.assertEqual(self.check(), [])

    # === REFUSALS === #

    def test_one_person_alone_declares_nothing(self):
        restore = self.declare()
        with self.assertRaises(UserError):
            restore.setting_change_ids.with_user(self.first).action_approve()
        self.assertFalse(restore.confirmed)
        with self.assertRaises(HistoryDiffers):
            self.take()

    def test_an_auditor_reads_and_declares_nothing(self):
        restore = self.declare().with_user(self.auditor)
        self.assertTrue(restore.lost_text)
        with self.assertRaises(AccessError):
            restore.action_declare()
        with self.assertRaises(AccessError):
            restore.create({"reason": "x"})

    def test_code_as_superuser_declares_nothing(self):
        restore = self.declare()
        with self.assertRaises(AccessError):
            restore.write({"confirmed": True})

    def test_nothing_of_it_is_written_by_hand(self):
        restore = self.declare().with_user(self.first)
        for values in ({"reason": "x"}, {"lost": []}, {"mac": "x"}, {"number": 1}):
            with self.assertRaises(AccessError):
                restore.write(values)
        made = restore.create({"reason": "x", "lost": [], "confirmed": True})
        self.assertEqual((made.lost, made.confirmed), (restore.lost, False))

    def test_restore_set_by_sql_is_no_declaration(self):
        restore = self.declare()
        self.tamper(
            """UPDATE spar_checkpoint_restore SET confirmed = true,
                      confirmed_by_id = %s WHERE id = %s""",
            self.second.id,
            restore.id,
        )
        self.run_cron()
        problem = spar_checkpoint_restore.DECLARATION_FORGED
        self.assertEqual(self.get_alarms("spar_checkpoint_restore"), [problem])
        self.assertEqual(len(self.get_lines()), 2)

    def test_lost_range_set_by_sql_is_no_declaration(self):
        restore = self.declare()
        self.approve(restore)
        self.tamper("UPDATE spar_checkpoint_restore SET lost = '[[1, 2]]'")
        self.run_cron()
        self.assertEqual(len(self.get_lines()), 2)

    def test_more_lost_than_was_declared_is_not_covered_up(self):
        restore = self.declare()
        self.approve(restore)
        self.cut_newest()
        self.run_cron()
        restore.invalidate_recordset()
        self.assertEqual(restore.state, "stale")
        self.assertEqual(len(self.get_lines()), 2)

    def test_declaration_is_used_once(self):
        restore = self.declare()
        self.approve(restore)
        self.run_cron()
        self.cut_newest()
        self.tamper("UPDATE spar_checkpoint_restore SET state = 'new'")
        with mute_logger("odoo.addons.spar_mapper.models.audit.spar_alarm"):
            self.run_cron()
        kinds = [self.parse(place).kind for place in range(len(self.get_lines()))]
        self.assertEqual(kinds.count(checkpoint.RESTORE), 1)
        self.assertNotEqual(self.check(), [])

    def test_closed_declaration_is_not_declared_again(self):
        restore = self.declare()
        self.approve(restore)
        self.run_cron()
        restore.invalidate_recordset()
        with self.assertRaises(UserError):
            restore.with_user(self.first).action_declare()
