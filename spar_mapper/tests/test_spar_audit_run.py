from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.lib import audit_walk
from odoo.addons.spar_mapper.store import opening

from .test_audit_findings import ALARM_LOGGER, AuditCase


class TestAuditRun(AuditCase):
    """A check in committed pieces that reports how much it covered."""

    def setUp(self):
        super().setUp()
        self.runs = self.env["spar.audit.run"]
        small = {name: part._replace(size=2) for name, part in audit_walk.PARTS.items()}
        self.startPatcher(patch.dict(audit_walk.PARTS, small))

    def run_cron(self, seconds=None):
        """Run the scheduled job; ``seconds`` is the time left after the first piece."""
        cron = type(self.env["ir.cron"])
        left = patch.object(cron, "_commit_progress", return_value=seconds)
        with mute_logger(ALARM_LOGGER), self.enter_registry_test_mode():
            if seconds is None:
                return self.env["spar.audit"]._cron_check()
            with left:
                return self.env["spar.audit"]._cron_check()

    def test_run_reports_its_coverage(self):
        self.run_cron(seconds=1.0)
        run = self.runs.search([], limit=1)
        self.assertTrue(run.finished_at)
        self.assertTrue(run.is_nightly)
        self.assertEqual(run.subjects_checked, run.subjects_total)
        self.assertEqual(run.findings, 0)

    def test_it_goes_on_where_time_ended(self):
        turns = 0
        self.run_cron(seconds=0)
        run = self.runs.search([], limit=1)
        self.assertFalse(run.finished_at)
        while not run.finished_at:
            self.run_cron(seconds=0)
            self.assertEqual(self.runs.search([], limit=1), run)
            turns += 1
        self.assertGreater(turns, len(audit_walk.PARTS))
        self.assertEqual(run.subjects_checked, run.subjects_total)

    def test_next_night_is_a_new_run(self):
        self.run_cron(seconds=1.0)
        first = self.runs.search([], limit=1)
        self.run_cron(seconds=1.0)
        self.assertNotEqual(self.runs.search([], limit=1), first)

    def test_check_by_hand_does_not_end_the_nightly_one(self):
        self.run_cron(seconds=0)
        nightly = self.runs.search([], limit=1)
        self.assertEqual(self.check(), [])
        self.assertFalse(nightly.finished_at)
        self.assertEqual(self.runs._get_nightly(), nightly)

    def test_findings_are_counted_and_are_alarms(self):
        a = self.mapping_of("audit-a")
        self.tamper("UPDATE spar_mapping SET state = 'suspended' WHERE id = %s", a.id)
        self.run_cron(seconds=1.0)
        self.assertEqual(self.runs.search([], limit=1).findings, 1)
        alarm = self.env["spar.alarm"].search([("row_id", "=", a.id)])
        self.assertEqual(alarm.problem, opening.HEAD_ALTERED)

    def test_pieces_find_the_same_as_one_pass(self):
        a = self.mapping_of("audit-a")
        event_id, subject_id = a.event_ids.id, a.subject_id.id
        self.tamper("DELETE FROM spar_notice WHERE event_id = %s", event_id)
        self.tamper("DELETE FROM spar_mapping WHERE id = %s", a.id)
        b = self.mapping_of("audit-b")
        self.tamper("UPDATE spar_mapping SET origin = 'x' WHERE id = %s", b.id)
        found = {(table, row_id) for table, row_id, _problem in self.check()}
        self.assertEqual(
            found,
            {
                ("spar_event", event_id),
                ("spar_subject", subject_id),
                ("spar_mapping", b.id),
            },
        )

    def test_runs_are_readable_by_staff_and_writable_by_no_one(self):
        self.run_cron(seconds=1.0)
        run = self.runs.search([], limit=1)
        for role in ("auditor", "supervisor", "administrator"):
            person = self.create_user(role, f"{role}-of-runs")
            self.assertTrue(run.with_user(person).started_at)
            with self.assertRaises(AccessError):
                run.with_user(person).write({"findings": 0})
        viewer = self.create_user("viewer", "viewer-of-runs")
        with self.assertRaises(AccessError):
            run.with_user(viewer).read(["findings"])
