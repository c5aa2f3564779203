import os
import tempfile
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.lib import audit
from odoo.addons.spar_mapper.models.audit import spar_checkpoint
from odoo.addons.spar_mapper.store import opening

from .common import ALARM_LOGGER, StoreCase


@tagged("post_install", "-at_install")
class AuditCase(StoreCase):
    """Two people with a history, and SQL that bypasses every guard."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        variables = {spar_checkpoint.CHECKPOINT_VARIABLE: f"{folder.name}/checkpoints"}
        cls.startClassPatcher(patch.dict(os.environ, variables))

    def setUp(self):
        super().setUp()
        self.audit = self.env["spar.audit"]
        self.link("audit-a", "account:1111@BR01.DEMO")
        self.link("audit-b", "account:2222@BR02.DEMO")
        self.update("audit-b", "account:3333@BR02.DEMO")

    def check(self):
        """Return the findings, without the noise that they intentionally make."""
        with mute_logger(ALARM_LOGGER), self.enter_registry_test_mode():
            return self.audit._check_store()

    def assertFound(self, table, row_id, problem):
        self.assertIn((table, row_id, problem), self.check())


class TestAuditFindings(AuditCase):
    def test_untouched_store_has_no_findings(self):
        self.assertEqual(self.check(), [])

    def test_swapped_addresses_are_named_on_both_rows(self):
        a, b = self.mapping_of("audit-a"), self.mapping_of("audit-b")
        self.tamper(
            """UPDATE spar_mapping m SET sealed = o.sealed FROM spar_mapping o
                WHERE (m.id, o.id) IN ((%s, %s), (%s, %s))""",
            a.id,
            b.id,
            b.id,
            a.id,
        )
        findings = self.check()
        self.assertIn(("spar_mapping", a.id, opening.HEAD_ALTERED), findings)
        self.assertIn(("spar_mapping", b.id, opening.HEAD_ALTERED), findings)

    def test_changed_id_digests_are_named(self):
        ids = (
            self.identifier_of("audit-a").id,
            self.identifier_of("audit-b").id,
        )
        self.tamper(
            "UPDATE spar_subject_id SET digest_a = sha256(digest_a) WHERE id IN %s",
            ids,
        )
        findings = self.check()
        for row_id in ids:
            self.assertIn(("spar_subject_id", row_id, audit.ID_DIGEST), findings)

    def test_changed_address_digest_is_named(self):
        period = self.periods_of("audit-a")
        self.tamper(
            """UPDATE spar_mapping_period SET fa_digest_a = sha256(fa_digest_a)
                WHERE id = %s""",
            period.id,
        )
        self.assertFound("spar_mapping_period", period.id, audit.FA_DIGEST)

    def test_state_set_by_hand_is_named(self):
        a = self.mapping_of("audit-a")
        self.tamper("UPDATE spar_mapping SET state = 'suspended' WHERE id = %s", a.id)
        self.assertFound("spar_mapping", a.id, opening.HEAD_ALTERED)

    def test_lifted_payment_stop_is_named(self):
        a = self.mapping_of("audit-a")
        self.tamper(
            "UPDATE spar_subject SET pay_stop = true WHERE id = %s", a.subject_id.id
        )
        self.assertFound("spar_subject", a.subject_id.id, opening.SUBJECT_ALTERED)

    def test_mapping_moved_to_another_person_is_named(self):
        a, b = self.mapping_of("audit-a"), self.mapping_of("audit-b")
        self.tamper(
            "UPDATE spar_mapping SET subject_id = %s, rank = 2 WHERE id = %s",
            a.subject_id.id,
            b.id,
        )
        self.assertFound("spar_mapping", b.id, opening.HEAD_ALTERED)

    def test_older_address_brought_back_is_named(self):
        a = self.mapping_of("audit-a")
        self.env.cr.execute("SELECT sealed FROM spar_mapping WHERE id = %s", (a.id,))
        older = bytes(self.env.cr.fetchone()[0])
        self.update("audit-a", "account:4444@BR01.DEMO")
        self.tamper("UPDATE spar_mapping SET sealed = %s WHERE id = %s", older, a.id)
        self.assertFound("spar_mapping", a.id, opening.HEAD_ALTERED)

    def test_whole_row_brought_back_is_named(self):
        a = self.mapping_of("audit-a")
        self.tamper("CREATE TEMP TABLE kept AS SELECT * FROM spar_mapping")
        self.suspend("audit-a")
        self.tamper(
            """UPDATE spar_mapping m
                  SET sealed = k.sealed, last_seq = k.last_seq, mac = k.mac,
                      state = k.state, version = k.version, period_id = k.period_id,
                      state_since = k.state_since
                 FROM kept k WHERE k.id = m.id AND m.id = %s""",
            a.id,
        )
        self.assertFound("spar_mapping", a.id, opening.HEAD_OLD)

    def test_origin_set_by_hand_is_named(self):
        a = self.mapping_of("audit-a")
        self.tamper("UPDATE spar_mapping SET origin = 'x' WHERE id = %s", a.id)
        self.assertFound("spar_mapping", a.id, opening.HEAD_ALTERED)

    def test_period_altered_by_hand_is_named(self):
        self.update("audit-a", "account:4444@BR01.DEMO")
        _new, old = self.periods_of("audit-a")
        for assignment in ("origin = 'x'", "authority = 1", "version = 9"):
            with self.subTest(assignment), self.env.cr.savepoint(flush=False) as point:
                query = f"UPDATE spar_mapping_period SET {assignment} WHERE id = %s"
                self.tamper(query, old.id)
                self.assertFound("spar_mapping_period", old.id, audit.NOT_AS_RECORDED)
                point.rollback()

    def test_removed_period_is_named_by_its_event(self):
        self.update("audit-a", "account:4444@BR01.DEMO")
        _new, old = self.periods_of("audit-a")
        event = self.subject_of("audit-a").event_ids.sorted("seq")[0]
        self.tamper("DELETE FROM spar_mapping_period WHERE id = %s", old.id)
        self.assertFound("spar_event", event.id, audit.PERIOD_MISSING)

    def test_altered_event_is_named(self):
        event = self.subject_of("audit-a").event_ids
        self.tamper("UPDATE spar_event SET actor = 'user:1' WHERE id = %s", event.id)
        self.assertFound("spar_event", event.id, audit.EVENT_ALTERED)

    def test_event_removed_from_the_middle_is_named(self):
        self.suspend("audit-a")
        self.resume("audit-a")
        a = self.mapping_of("audit-a")
        middle = a.event_ids.filtered(lambda event: event.seq == 2)
        last = a.event_ids.filtered(lambda event: event.seq == 3)
        self.tamper("DELETE FROM spar_event WHERE id = %s", middle.id)
        self.assertFound("spar_event", last.id, audit.EVENT_GAP)

    def test_last_event_cut_is_named(self):
        self.suspend("audit-a")
        a = self.mapping_of("audit-a")
        last = a.event_ids.filtered(lambda event: event.seq == 2)
        self.tamper("DELETE FROM spar_event WHERE id = %s", last.id)
        self.assertFound("spar_subject", a.subject_id.id, opening.SUBJECT_BEHIND)

    def test_last_event_cut_with_the_person_rewound_is_named(self):
        self.suspend("audit-a")
        a = self.mapping_of("audit-a")
        last = a.event_ids.filtered(lambda event: event.seq == 2)
        self.tamper(
            """UPDATE spar_subject SET last_seq = 1, last_mac = e.previous_mac
                 FROM spar_event e WHERE e.id = %s AND spar_subject.id = %s""",
            last.id,
            a.subject_id.id,
        )
        self.tamper("DELETE FROM spar_event WHERE id = %s", last.id)
        self.assertFound("spar_subject", a.subject_id.id, opening.SUBJECT_ALTERED)

    def test_removed_mapping_is_named_by_its_person(self):
        a = self.mapping_of("audit-a")
        subject = a.subject_id
        self.tamper("DELETE FROM spar_mapping WHERE id = %s", a.id)
        self.assertFound("spar_subject", subject.id, audit.ROW_MISSING)

    def test_removed_id_is_named_by_its_person(self):
        subject = self.subject_of("audit-a")
        row_id = self.identifier_of("audit-a").id
        self.tamper("DELETE FROM spar_subject_id WHERE id = %s", row_id)
        self.assertFound("spar_subject", subject.id, audit.ROW_MISSING)

    def test_removed_person_is_named_by_their_rows(self):
        a, event = self.mapping_of("audit-a"), self.subject_of("audit-a").event_ids
        identifier = self.identifier_of("audit-a")
        self.tamper("DELETE FROM spar_subject WHERE id = %s", a.subject_id.id)
        findings = self.check()
        for row in (a, event, identifier):
            problem = (row._table, row.id, audit.SUBJECT_REMOVED)
            self.assertIn(problem, findings)

    def test_altered_terms_of_a_waiting_change_are_named(self):
        self.hold_everything()
        self.update("audit-a", "account:9999@BR01.DEMO")
        change = self.mapping_of("audit-a").change_ids
        self.tamper(
            "UPDATE spar_change SET effective_at = '2020-01-01' WHERE id = %s",
            change.id,
        )
        self.assertFound("spar_change", change.id, audit.CHANGE_DOES_NOT_OPEN)

    def test_findings_become_alarms(self):
        a = self.mapping_of("audit-a")
        self.tamper("UPDATE spar_mapping SET state = 'suspended' WHERE id = %s", a.id)
        self.check()
        alarm = self.env["spar.alarm"].search(
            [("table_name", "=", "spar_mapping"), ("row_id", "=", a.id)]
        )
        self.assertEqual(alarm.problem, opening.HEAD_ALTERED)
