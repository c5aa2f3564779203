import contextlib
import os
import shutil
from unittest.mock import patch

import psycopg2

from odoo.tools import mute_logger

from ..exceptions import KeyringExists, KeyringMismatch, KeyringUnavailable
from ..lib import keyring as keys
from ..models.spar_keyring import KEYRING_VARIABLE, add_seal_key, get_path
from .common import KeyringCase


class NewKeyringCase(KeyringCase):
    """Every test has keys of its own."""

    def setUp(self):
        super().setUp()
        self.path = self.use_new_keyring()

    def write_file(self, *file_keys):
        keys.write_file(self.path, keys.Keyring(list(file_keys)), replace=True)

    def get_file_keys(self):
        return list(keys.read_file(self.path).keys.values())

    def get_states(self):
        self.env.invalidate_all()
        records = self.env["spar.keyring.key"].search([("kind", "=", "seal")])
        return {record.key_id: record.state for record in records}


class TestOpening(NewKeyringCase):
    def test_opening_costs_one_statement_a_transaction_and_one_to_write(self):
        self.keyrings._open()
        self.keyrings._forget_phase()
        for for_write, count in ((False, 1), (False, 0), (True, 1), (True, 0)):
            with self.subTest(for_write=for_write, count=count):
                found = self.count_statements(self.keyrings._open, for_write)
                self.assertEqual(found, count)

    def test_a_lock_released_by_a_savepoint_is_taken_again(self):
        with contextlib.suppress(ZeroDivisionError), self.env.cr.savepoint():
            self.keyrings._open(for_write=True)
            raise ZeroDivisionError
        self.assertEqual(self.count_statements(self.keyrings._open, True), 1)

    def test_an_open_keyring_is_kept_until_its_file_changes(self):
        opened = self.keyrings._open()
        self.assertIs(self.keyrings._open(), opened)
        os.utime(self.path, ns=(1, 1))
        self.assertIsNot(self.keyrings._open(), opened)

    def test_an_open_keyring_is_kept_until_the_keys_in_use_change(self):
        opened = self.keyrings._open()
        self.keyrings._start_rotation()
        self.assertNotEqual(self.keyrings._open().roles, opened.roles)

    def test_the_variable_may_name_the_database(self):
        pattern = str(self.path.parent / "{database}.json")
        expected = self.path.parent / f"{self.env.cr.dbname}.json"
        shutil.copy2(self.path, expected)
        with patch.dict(os.environ, {KEYRING_VARIABLE: pattern}):
            self.assertEqual(get_path(self.env), expected)
            self.assertTrue(self.keyrings._open())

    def test_a_copy_of_the_file_opens_as_well(self):
        copy = self.path.with_name("copy.json")
        shutil.copy2(self.path, copy)
        sealed = self.keyring.seal("fa", "text", b"")
        with patch.dict(os.environ, {KEYRING_VARIABLE: str(copy)}):
            self.assertEqual(self.keyring.unseal("fa", sealed, b""), "text")

    def test_more_keys_in_the_file_do_not_matter(self):
        self.write_file(*self.get_file_keys(), keys.make_key("seal"))
        self.assertTrue(self.keyrings._open())

    def test_a_retired_key_need_not_be_in_the_file(self):
        self.keyrings._start_rotation()
        retiring = self.keyrings._get_retiring_keys()
        self.keyrings._finish_rotation()
        self.write_file(*[k for k in self.get_file_keys() if k.key_id not in retiring])
        self.assertTrue(self.keyrings._open())

    def test_without_the_variable_nothing_opens(self):
        for value in ("", None):
            with self.subTest(value=value), patch.dict(os.environ):
                os.environ.pop(KEYRING_VARIABLE)
                if value is not None:
                    os.environ[KEYRING_VARIABLE] = value
                error = self.assert_refused(KeyringUnavailable, self.keyrings._open)
                self.assertIn("is not set", str(error))

    def test_a_file_that_is_gone_is_noticed_though_it_was_open(self):
        self.keyrings._open()
        self.path.unlink()
        self.assert_refused(KeyringUnavailable, self.keyrings._open)
        self.assertFalse(self.path.exists(), "opening makes no keys")

    def test_a_file_that_comes_back_opens_again(self):
        aside = self.path.rename(self.path.with_name("aside.json"))
        self.assert_refused(KeyringUnavailable, self.keyrings._open)
        aside.rename(self.path)
        self.assertTrue(self.keyrings._open())

    def test_a_file_that_others_can_read_is_refused_though_it_was_open(self):
        self.keyrings._open()
        self.path.chmod(0o640)
        self.assert_refused(KeyringUnavailable, self.keyrings._open)
        self.path.chmod(0o600)
        self.assertTrue(self.keyrings._open())

    def test_a_damaged_file_is_refused_though_it_was_open(self):
        self.keyrings._open()
        self.path.write_text("{")
        self.assert_refused(KeyringUnavailable, self.keyrings._open)

    def test_a_file_with_other_keys_is_refused(self):
        self.write_file(*[keys.make_key(kind) for kind in keys.KINDS])
        self.assert_refused(KeyringMismatch, self.keyrings._open)

    def test_a_file_that_lacks_a_key_is_refused(self):
        complete = self.get_file_keys()
        for missing in complete:
            with self.subTest(missing.kind):
                self.write_file(*[key for key in complete if key is not missing])
                self.assert_refused(KeyringMismatch, self.keyrings._open)

    def test_a_key_with_the_right_id_and_other_material_is_refused(self):
        first, *others = self.get_file_keys()
        self.write_file(
            keys.KeyringKey(first.key_id, first.kind, b"\x00" * 32), *others
        )
        self.assert_refused(KeyringMismatch, self.keyrings._open)

    def test_a_database_without_keys_has_nothing_to_open(self):
        self.forget_keys()
        error = self.assert_refused(KeyringUnavailable, self.keyrings._open)
        self.assertIn("no keys yet", str(error))
        self.assert_refused(KeyringUnavailable, self.keyrings._start_rotation)


class TestMaking(NewKeyringCase):
    def setUp(self):
        super().setUp()
        self.forget_keys()
        self.path.unlink()

    def test_the_first_keys_are_one_of_each_kind(self):
        self.assertEqual(self.keyrings._initialise(), self.path)
        self.assertEqual([key.kind for key in self.get_file_keys()], list(keys.KINDS))
        known = self.env["spar.keyring.key"].search([])
        self.assertEqual(sorted(known.mapped("kind")), sorted(keys.KINDS))
        self.assertEqual(set(known.mapped("state")), {"active"})

    def test_the_database_holds_no_material(self):
        self.keyrings._initialise()
        self.env.cr.execute(
            """SELECT (SELECT string_agg(k::text, ' ') FROM spar_keyring_key k)
                   || (SELECT string_agg(p::text, ' ') FROM spar_keyring_phase p)"""
        )
        kept = self.env.cr.fetchone()[0]
        for key in self.get_file_keys():
            with self.subTest(key.kind):
                self.assertIn(key.key_id, kept)
                self.assertNotIn(key.material.hex(), kept)
                self.assertNotIn(key.material.hex()[:16], kept)

    def test_a_host_that_got_its_copy_first_keeps_it(self):
        self.write_file(*[keys.make_key(kind) for kind in keys.KINDS])
        before = self.path.read_bytes()
        self.keyrings._initialise()
        self.assertEqual(self.path.read_bytes(), before)
        self.assertTrue(self.keyrings._open())

    def test_of_several_keys_the_newest_is_taken(self):
        older, newer = keys.make_key("seal"), keys.make_key("seal")
        others = [keys.make_key(kind) for kind in keys.KINDS if kind != "seal"]
        self.write_file(older, newer, *others)
        self.keyrings._initialise()
        self.assertEqual(self.keyring.roles.seal_key, newer.key_id)

    def test_a_second_time_is_refused_and_changes_nothing(self):
        self.keyrings._initialise()
        before = self.path.read_bytes(), self.keyring.roles
        self.assert_refused(KeyringExists, self.keyrings._initialise)
        self.assertEqual((self.path.read_bytes(), self.keyring.roles), before)

    def test_a_lost_file_is_not_made_anew(self):
        self.keyrings._initialise()
        self.path.unlink()
        self.assert_refused(KeyringExists, self.keyrings._initialise)
        self.assertFalse(self.path.exists())

    def test_a_file_without_a_key_of_each_kind_is_refused(self):
        self.write_file(keys.make_key("seal"), keys.make_key("index"))
        self.assert_refused(KeyringMismatch, self.keyrings._initialise)
        self.assertFalse(self.env["spar.keyring.key"].search([]))

    def test_without_the_variable_no_key_is_made(self):
        with patch.dict(os.environ):
            os.environ.pop(KEYRING_VARIABLE)
            self.assert_refused(KeyringUnavailable, self.keyrings._initialise)
        self.assertFalse(self.env["spar.keyring.key"].search([]))

    def test_a_second_row_of_keys_in_use_is_refused_by_the_database(self):
        self.keyrings._initialise()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                """INSERT INTO spar_keyring_phase (generation, seal_key, read_column,
                                                   audit_key, token_key)
                   SELECT 'x', seal_key, read_column, audit_key, token_key
                     FROM spar_keyring_phase"""
            )


class TestStartingARotation(NewKeyringCase):
    def test_a_new_key_seals_from_now_on(self):
        old = self.keyring.roles.seal_key
        new = self.keyrings._start_rotation()
        self.assertNotEqual(new, old)
        self.assertEqual(self.keyring.roles.seal_key, new)
        self.assertEqual(self.get_states(), {old: "retiring", new: "active"})

    def test_values_sealed_with_the_old_key_still_open(self):
        sealed = self.keyring.seal("fa", "text", b"")
        self.keyrings._start_rotation()
        self.assertEqual(self.keyring.unseal("fa", sealed, b""), "text")

    def test_only_the_sealing_key_changes(self):
        before = self.keyring.roles
        self.keyrings._start_rotation()
        after = self.keyring.roles
        self.assertEqual(after.index_keys, before.index_keys)
        self.assertEqual(after.audit_key, before.audit_key)
        self.assertEqual(after.token_key, before.token_key)

    def test_the_new_key_is_in_the_file_beside_the_old_ones(self):
        before = {key.key_id for key in self.get_file_keys()}
        new = self.keyrings._start_rotation()
        self.assertEqual({k.key_id for k in self.get_file_keys()}, before | {new})
        self.assertEqual(self.path.stat().st_mode & 0o077, 0)

    def test_a_key_that_was_added_before_is_taken(self):
        added = add_seal_key(self.env)
        self.assertEqual(self.get_states(), {self.keyring.roles.seal_key: "active"})
        self.assertEqual(self.keyrings._start_rotation(), added.key_id)
        self.assertEqual(len(keys.read_file(self.path).of_kind("seal")), 2)

    def test_a_rotation_that_has_begun_goes_on_instead_of_another(self):
        new = self.keyrings._start_rotation()
        before = self.path.read_bytes()
        self.assertEqual(self.keyrings._start_rotation(), new)
        self.assertEqual(self.path.read_bytes(), before)
        self.assertEqual(len(self.keyrings._get_retiring_keys()), 1)

    def test_with_nothing_sealed_it_ends_at_once(self):
        old = self.keyring.roles.seal_key
        self.keyrings._start_rotation()
        self.assertEqual(sum(self.keyrings._reseal_steps()), 0)
        self.assertEqual(self.keyrings._finish_rotation(), 0)
        self.assertEqual(self.get_states()[old], "retired")

    def test_two_rotations_one_after_the_other(self):
        first = self.keyrings._start_rotation()
        self.keyrings._finish_rotation()
        second = self.keyrings._start_rotation()
        self.assertNotEqual(first, second)
        self.assertEqual(self.get_states()[first], "retiring")

    def test_without_its_file_no_rotation_begins(self):
        self.path.unlink()
        self.assert_refused(KeyringUnavailable, self.keyrings._start_rotation)
        self.assertFalse(self.path.exists())
        self.assertEqual(set(self.get_states().values()), {"active"})

    def test_with_a_wrong_file_no_rotation_begins(self):
        self.write_file(*[keys.make_key(kind) for kind in keys.KINDS])
        before = self.path.read_bytes()
        self.assert_refused(KeyringMismatch, self.keyrings._start_rotation)
        self.assertEqual(self.path.read_bytes(), before)

    def test_the_schedule_does_nothing_without_a_rotation(self):
        before = self.get_states()
        self.keyrings._cron_reseal()
        self.assertEqual(self.get_states(), before)

    def test_the_schedule_ends_a_rotation_that_was_left(self):
        old = self.keyring.roles.seal_key
        self.keyrings._start_rotation()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.keyring"]._cron_reseal()
        self.assertEqual(self.get_states()[old], "retired")
