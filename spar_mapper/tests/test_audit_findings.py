import os
import tempfile
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.lib import audit
from odoo.addons.spar_mapper.models import spar_audit, spar_checkpoint

from .common import StoreCase

ALARM_LOGGER = "odoo.addons.spar_mapper.models.spar_alarm"


@tagged("post_install", "-at_install")
class AuditCase(StoreCase):
    """Two people with a history, and SQL that goes past every guard."""

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

    def tamper(self, query, *values):
        """Run ``query`` as somebody who rules the database: no trigger, no key."""
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET LOCAL session_replication_role = replica")
        self.env.cr.execute(query, values)
        self.env.cr.execute("SET LOCAL session_replication_role = origin")
        self.env.invalidate_all()

    def check(self):
        """The findings, without the noise they make on purpose."""
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
        self.assertIn(("spar_mapping", a.id, audit.FA_DOES_NOT_OPEN), findings)
        self.assertIn(("spar_mapping", b.id, audit.FA_DOES_NOT_OPEN), findings)

    def test_changed_id_digests_are_named(self):
        a, b = self.mapping_of("audit-a"), self.mapping_of("audit-b")
        ids = (a.identifier_id.id, b.identifier_id.id)
        self.tamper(
            "UPDATE spar_subject_id SET digest_a = sha256(digest_a) WHERE id IN %s",
            ids,
        )
        findings = self.check()
        for row_id in ids:
            self.assertIn(("spar_subject_id", row_id, audit.ID_DIGEST), findings)

    def test_changed_address_digest_is_named(self):
        a = self.mapping_of("audit-a")
        self.tamper(
            "UPDATE spar_mapping SET fa_digest_a = sha256(fa_digest_a) WHERE id = %s",
            a.id,
        )
        self.assertFound("spar_mapping", a.id, audit.FA_DIGEST)

    def test_state_set_by_hand_is_named(self):
        a = self.mapping_of("audit-a")
        self.tamper("UPDATE spar_mapping SET state = 'suspended' WHERE id = %s", a.id)
        self.assertFound("spar_mapping", a.id, audit.FA_DOES_NOT_OPEN)

    def test_lifted_payment_stop_is_named(self):
        a = self.mapping_of("audit-a")
        self.tamper(
            "UPDATE spar_subject SET pay_stop = true WHERE id = %s", a.subject_id.id
        )
        self.assertFound("spar_subject_id", a.identifier_id.id, audit.ID_DOES_NOT_OPEN)

    def test_mapping_moved_to_another_person_is_named(self):
        a, b = self.mapping_of("audit-a"), self.mapping_of("audit-b")
        self.tamper(
            "UPDATE spar_mapping SET subject_id = %s, rank = 2 WHERE id = %s",
            a.subject_id.id,
            b.id,
        )
        self.assertFound("spar_mapping", b.id, audit.FA_DOES_NOT_OPEN)

    def test_older_row_brought_back_is_named(self):
        a = self.mapping_of("audit-a")
        self.env.cr.execute("SELECT sealed FROM spar_mapping WHERE id = %s", (a.id,))
        older = bytes(self.env.cr.fetchone()[0])
        self.suspend("audit-a")
        self.tamper("UPDATE spar_mapping SET sealed = %s WHERE id = %s", older, a.id)
        self.assertFound("spar_mapping", a.id, audit.FA_DOES_NOT_OPEN)

    def test_whole_row_brought_back_without_its_last_event_is_named(self):
        a = self.mapping_of("audit-a")
        self.env.cr.execute(
            "SELECT sealed, last_seq, last_mac FROM spar_mapping WHERE id = %s", (a.id,)
        )
        sealed, seq, mac = self.env.cr.fetchone()
        self.suspend("audit-a")
        self.tamper(
            """UPDATE spar_mapping SET sealed = %s, last_seq = %s, last_mac = %s,
                      state = 'active', version = 1 WHERE id = %s""",
            sealed,
            seq,
            mac,
            a.id,
        )
        self.assertFound("spar_mapping", a.id, audit.LAST_EVENT)

    def test_provider_set_by_hand_is_named(self):
        a = self.mapping_of("audit-a")
        self.tamper("UPDATE spar_mapping SET origin = 'x' WHERE id = %s", a.id)
        self.assertFound("spar_mapping", a.id, audit.NOT_AS_SAID)

    def test_altered_event_is_named(self):
        event = self.mapping_of("audit-a").event_ids
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
        self.assertFound("spar_mapping", a.id, audit.LAST_EVENT)

    def test_last_event_cut_with_the_mapping_rewound_is_named(self):
        self.suspend("audit-a")
        a = self.mapping_of("audit-a")
        last = a.event_ids.filtered(lambda event: event.seq == 2)
        self.tamper(
            """UPDATE spar_mapping SET last_seq = 1, last_mac = e.previous_mac
                 FROM spar_event e WHERE e.id = %s AND spar_mapping.id = %s""",
            last.id,
            a.id,
        )
        self.tamper("DELETE FROM spar_event WHERE id = %s", last.id)
        self.assertFound("spar_mapping", a.id, audit.NOT_AS_SAID)

    def test_removed_mapping_is_named_by_its_events(self):
        a = self.mapping_of("audit-a")
        event_id = a.event_ids.id
        self.tamper("DELETE FROM spar_mapping WHERE id = %s", a.id)
        self.assertFound("spar_event", event_id, spar_audit.MAPPING_REMOVED)

    def test_removed_id_is_named_by_its_mapping(self):
        a = self.mapping_of("audit-a")
        row_id = a.id
        self.tamper("DELETE FROM spar_subject_id WHERE id = %s", a.identifier_id.id)
        self.assertFound("spar_mapping", row_id, spar_audit.ID_REMOVED)

    def test_altered_terms_of_a_waiting_change_are_named(self):
        self.hold_everything()
        self.update("audit-a", "account:9999@BR01.DEMO")
        change = self.mapping_of("audit-a").change_ids
        self.tamper(
            "UPDATE spar_change SET effective_at = '2020-01-01' WHERE id = %s",
            change.id,
        )
        self.assertFound("spar_change", change.id, spar_audit.CHANGE_DOES_NOT_OPEN)

    def test_findings_become_alarms(self):
        a = self.mapping_of("audit-a")
        self.tamper("UPDATE spar_mapping SET state = 'suspended' WHERE id = %s", a.id)
        self.check()
        alarm = self.env["spar.alarm"].search(
            [("table_name", "=", "spar_mapping"), ("row_id", "=", a.id)]
        )
        self.assertEqual(alarm.problem, audit.FA_DOES_NOT_OPEN)
