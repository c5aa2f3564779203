"""Replacement of the sealing key with every table of the store in use."""

import os
import shutil
from pathlib import Path
from unittest.mock import patch

from odoo.addons.spar_mapper_connector.exceptions import (
    KeyringMismatch,
    KeyringUnavailable,
)
from odoo.addons.spar_mapper_connector.lib import keyring as keys
from odoo.addons.spar_mapper_connector.lib.contract import (
    Details,
    LinkRequest,
    Outcome,
    ResolveRequest,
)
from odoo.addons.spar_mapper_connector.models import spar_keyring

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase

SEALED = ("spar_change", "spar_mapping", "spar_notice", "spar_subject_id")
DETAILS = Details("Ada", "+15551815", ({"a": 1},))


class RotationCase(StoreCase):
    """A store with keys of its own, and rows in every sealed table."""

    def setUp(self):
        super().setUp()
        self.path = self.use_new_keyring()
        self.link(ID, FA, details=DETAILS)
        self.update(ID, OTHER_FA, details=DETAILS)
        self.link(OTHER_ID, FA)
        self.rule = self.add_rule("approve")
        self.update(ID, THIRD_FA)
        self.rule.active = False
        self.old = self.keyring.roles.seal_key

    def count_sealed_with(self, key_id):
        """Return how many rows of each table are sealed with the key."""
        return {
            storage._table: storage._count_sealed_with([key_id])
            for storage in self.keyrings._get_sealed_models()
            if storage._table in SEALED
        }

    def rotate(self):
        new = self.keyrings._start_rotation()
        for _done in self.keyrings._reseal_steps():
            pass
        return new, self.keyrings._finish_rotation()

    def drop_key(self, key_id):
        """Remove the key from the file."""
        ring = keys.read_file(self.path)
        left = [key for key in ring.keys.values() if key.key_id != key_id]
        keys.write_file(self.path, keys.Keyring(left), replace=True)

    def assert_all_opens(self):
        found = self.resolve(ID)
        self.assertEqual((found.fa, found.details), (OTHER_FA, DETAILS))
        self.assertEqual(self.get_fa(OTHER_ID), FA)
        self.assertEqual(self.resolve(fa=OTHER_FA).outcome, Outcome.FOUND)
        periods = self.mapper._history(self.call, ID)
        self.assertEqual([period.fa for period in periods], [OTHER_FA, FA])
        self.assertEqual(self.env["spar.audit"]._check_store(), [])


class TestSparRotation(RotationCase):
    def test_every_sealed_table_is_known(self):
        tables = {s._table for s in self.keyrings._get_sealed_models()}
        self.assertLessEqual(set(SEALED), tables)
        for table, count in self.count_sealed_with(self.old).items():
            with self.subTest(table):
                self.assertGreater(count, 0)

    def test_afterwards_nothing_is_sealed_with_the_old_key(self):
        new, left = self.rotate()
        self.assertEqual(left, 0)
        self.assertEqual(set(self.count_sealed_with(self.old).values()), {0})
        for table, count in self.count_sealed_with(new).items():
            with self.subTest(table):
                self.assertGreater(count, 0)

    def test_afterwards_a_file_without_the_old_key_opens_everything(self):
        self.rotate()
        self.drop_key(self.old)
        self.assert_all_opens()
        self.mapper._approve_change(self.supervisor, self.change_of(ID).id)
        self.assertEqual(self.get_fa(ID), THIRD_FA)

    def test_afterwards_a_copy_of_the_old_file_opens_nothing(self):
        aside = self.path.with_name("before.json")
        shutil.copy2(self.path, aside)
        self.rotate()
        with patch.dict(os.environ, SPAR_KEYRING=str(aside)):
            self.assert_refused(KeyringMismatch, self.resolve, ID)

    def test_notices_keep_their_contact_afterwards(self):
        self.rotate()
        self.drop_key(self.old)
        notices = self.env["spar.notice"].search([("state", "=", "queued")])
        contexts = notices._get_seal_contexts(self.keyring, notices.ids)
        self.env.cr.execute(
            "SELECT id, sealed FROM spar_notice WHERE id IN %s", (tuple(notices.ids),)
        )
        for row_id, sealed in self.env.cr.fetchall():
            purpose, context = contexts[row_id]
            contact = self.keyring.unseal(purpose, bytes(sealed), context)
            self.assertEqual(contact, DETAILS.phone_number)

    def test_in_between_everything_opens_and_writers_use_the_new_key(self):
        new = self.keyrings._start_rotation()
        with patch.object(spar_keyring, "RESEAL_BATCH", 2):
            for number, done in enumerate(self.keyrings._reseal_steps()):
                self.assertLessEqual(done, 2)
                self.assert_all_opens()
                id_value = f"token:{number}@nationalId"
                self.link(id_value, FA)
                self.assertEqual(self.get_fa(id_value), FA)
        self.assertGreater(number, 3)
        self.assertEqual(self.keyrings._finish_rotation(), 0)
        self.assertEqual(self.keyring.roles.seal_key, new)

    def test_a_row_changed_in_between_is_sealed_with_the_new_key(self):
        new = self.keyrings._start_rotation()
        before = self.count_sealed_with(new)["spar_mapping"]
        self.update(OTHER_ID, THIRD_FA, self.owner)
        self.assertEqual(self.count_sealed_with(new)["spar_mapping"], before + 1)

    def test_interrupted_it_goes_on_where_it_was(self):
        new = self.keyrings._start_rotation()
        with patch.object(spar_keyring, "RESEAL_BATCH", 1):
            steps = self.keyrings._reseal_steps()
            next(steps)
            next(steps)
            steps.close()
        done = sum(self.count_sealed_with(new).values())
        self.assertGreaterEqual(done, 2)
        self.assertGreater(self.keyrings._finish_rotation(), 0)
        self.assertEqual(self.keyrings._get_retiring_keys(), [self.old])
        again, left = self.rotate()
        self.assertEqual((again, left), (new, 0))
        self.assert_all_opens()

    def test_a_second_rotation_begins_when_the_first_has_ended(self):
        first, _left = self.rotate()
        second, left = self.rotate()
        self.assertNotEqual(first, second)
        self.assertEqual(left, 0)
        self.drop_key(first)
        self.assert_all_opens()

    def test_the_schedule_brings_it_to_its_end(self):
        self.keyrings._start_rotation()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.keyring"]._cron_reseal()
        self.assertEqual(self.keyrings._get_retiring_keys(), [])
        self.drop_key(self.old)
        self.assert_all_opens()

    def test_versions_and_events_are_as_before(self):
        before = self.events_of(ID), self.mappings_of(ID).mapped("version")
        self.rotate()
        after = self.events_of(ID), self.mappings_of(ID).mapped("version")
        self.assertEqual(after, before)

    def test_broken_value_prevents_retiring_the_old_key(self):
        mapping = self.mapping_of(OTHER_ID)
        query = "UPDATE spar_mapping SET address_version = 9 WHERE id = %s"
        self.tamper(query, mapping.id)
        _new, left = self.rotate()
        self.assertEqual(left, 1)
        self.assertEqual(self.keyrings._get_retiring_keys(), [self.old])
        found = self.resolve(ID)
        self.assertEqual(found.fa, OTHER_FA)

    def test_a_key_retired_too_early_would_be_missed(self):
        self.keyrings._start_rotation()
        self.drop_key(self.old)
        self.assert_refused(KeyringMismatch, self.resolve, ID)


class TestWithoutKeyring(RotationCase):
    """The keyring is unavailable: nothing can be done, and nothing is written."""

    def count_rows(self):
        counts = {}
        for table in (*SEALED, "spar_subject", "spar_event"):
            self.env.cr.execute(f"SELECT count(*) FROM {table}")
            counts[table] = self.env.cr.fetchone()[0]
        return counts

    def assert_nothing_works(self, exception):
        before = self.count_rows()
        change = self.change_of(ID)
        for word in (
            lambda: self.link("new", FA),
            lambda: self.update(ID, FA),
            lambda: self.unlink(ID),
            lambda: self.suspend(ID),
            lambda: self.resume(ID),
            lambda: self.resolve(ID),
            lambda: self.resolve(fa=FA),
            lambda: self.mapper._history(self.call, ID),
            lambda: self.mapper._approve_change(self.supervisor, change.id),
            lambda: self.mapper._end_change(self.supervisor, change.id, "refused"),
            lambda: self.mapper._link_fa(self.call, [LinkRequest("", "")]),
            lambda: self.mapper._resolve_fa(self.call, [ResolveRequest()]),
        ):
            self.assert_refused(exception, word)
        self.assertEqual(self.count_rows(), before)

    def change_of(self, id_value):
        """Return the pending change, found without any key."""
        return self.env["spar.change"].search([("state", "=", "waiting")])

    def test_without_its_file_nothing_works_until_it_is_back(self):
        aside = self.path.rename(self.path.with_name("aside.json"))
        self.assert_nothing_works(KeyringUnavailable)
        self.assertFalse(self.path.exists())
        aside.rename(self.path)
        self.assert_all_opens()

    def test_with_a_file_that_others_can_read_nothing_works(self):
        self.path.chmod(0o644)
        self.assert_nothing_works(KeyringUnavailable)

    def test_with_another_file_nothing_works(self):
        other = Path(f"{self.path}.other")
        keys.write_file(other, keys.Keyring([keys.make_key(k) for k in keys.KINDS]))
        with patch.dict(os.environ, SPAR_KEYRING=str(other)):
            self.assert_nothing_works(KeyringMismatch)
        self.assert_all_opens()
