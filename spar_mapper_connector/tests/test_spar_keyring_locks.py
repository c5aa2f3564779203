"""The keys in use between transactions: each on a connection of its own."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable, SerializationFailure
from psycopg2.extensions import (
    ISOLATION_LEVEL_READ_COMMITTED,
    ISOLATION_LEVEL_REPEATABLE_READ,
)

from odoo.modules import module
from odoo.sql_db import db_connect
from odoo.tools import mute_logger

from ..exceptions import KeyringUnavailable
from ..models.spar_keyring import KEYRING_VARIABLE, get_path
from ..transactions import is_read_committed, use_read_committed
from .common import KeyringCase


class ConnectionsCase(KeyringCase):
    """Every test reads a copy of the keyring file, which a rotation may extend."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "keyring.json"
        shutil.copy2(get_path(self.env), path)
        self.startPatcher(patch.dict(os.environ, {KEYRING_VARIABLE: str(path)}))

    @contextlib.contextmanager
    def connect(self, read_committed=True):
        """Yield the keyring in a transaction of its own, rolled back at the end."""
        with contextlib.closing(db_connect(self.env.cr.dbname).cursor()) as cr:
            if read_committed:
                self.begin_read_committed(cr)
            cr.execute("SET lock_timeout = '200ms'")
            cr.commit()  # pylint: disable=invalid-commit
            try:
                yield self.env(cr=cr)["spar.keyring"]
            finally:
                cr.rollback()
                cr.execute("RESET lock_timeout")
                cr.commit()  # pylint: disable=invalid-commit

    @staticmethod
    def begin_read_committed(cr):
        with patch.object(module, "current_test", None):
            use_read_committed(cr)

    def get_locks(self, keyrings):
        """Return the modes of the advisory locks that the transaction has."""
        keyrings.env.cr.execute(
            """SELECT mode FROM pg_locks
                WHERE locktype = 'advisory' AND pid = pg_backend_pid()"""
        )
        return sorted(mode for (mode,) in keyrings.env.cr.fetchall())

    def has_written(self, keyrings):
        keyrings.env.cr.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        return keyrings.env.cr.fetchone()[0]

    def set_generation(self, generation):
        """Commit another generation of the keys in use."""
        with self.connect() as keyrings:
            keyrings.env.cr.execute(
                "UPDATE spar_keyring_phase SET generation = %s", [generation]
            )
            keyrings.env.cr.commit()

    def assert_waits(self, function, *arguments):
        with mute_logger("odoo.sql_db"):
            self.assert_refused(LockNotAvailable, function, *arguments)


class TestLocks(ConnectionsCase):
    def test_a_writer_that_sees_commits_shares_a_lock_and_writes_nothing(self):
        with self.connect() as writer:
            writer._open(for_write=True)
            self.assertEqual(self.get_locks(writer), ["ShareLock"])
            self.assertFalse(self.has_written(writer))

    def test_a_writer_with_one_snapshot_locks_the_row_instead(self):
        with self.connect(read_committed=False) as writer:
            writer._open(for_write=True)
            self.assertEqual(self.get_locks(writer), [])
            self.assertTrue(self.has_written(writer))

    def test_reading_takes_no_lock(self):
        for read_committed in (True, False):
            with self.connect(read_committed) as reader, self.connect() as other:
                reader._open()
                self.assertEqual(self.get_locks(reader), [])
                self.assertFalse(self.has_written(reader))
                self.assertTrue(other._start_rotation())

    def test_writers_do_not_wait_for_each_other(self):
        for first in (True, False):
            for second in (True, False):
                with (
                    self.subTest(first=first, second=second),
                    self.connect(first) as one,
                    self.connect(second) as another,
                ):
                    roles = one._open(for_write=True).roles
                    self.assertEqual(another._open(for_write=True).roles, roles)

    def test_a_rotation_takes_its_lock_alone(self):
        with self.connect() as rotation:
            rotation._start_rotation()
            self.assertEqual(self.get_locks(rotation), ["ExclusiveLock"])

    def test_a_writer_makes_a_rotation_wait_until_its_transaction_ends(self):
        for read_committed in (True, False):
            with (
                self.subTest(read_committed=read_committed),
                self.connect(read_committed) as writer,
                self.connect() as rotation,
            ):
                before = writer._open(for_write=True).roles.seal_key
                self.assert_waits(rotation._start_rotation)
                rotation.env.cr.rollback()
                writer.env.cr.commit()
                self.assertNotEqual(rotation._start_rotation(), before)

    def test_a_rotation_makes_writers_wait_and_readers_not(self):
        for read_committed in (True, False):
            with (
                self.subTest(read_committed=read_committed),
                self.connect() as rotation,
                self.connect(read_committed) as writer,
            ):
                started = rotation._start_rotation()
                self.assertNotEqual(writer._open().roles.seal_key, started)
                self.assert_waits(writer._open, True)
                writer.env.cr.rollback()
                rotation.env.cr.rollback()
                self.assertTrue(writer._open(for_write=True))

    def test_a_second_rotation_waits_for_the_first(self):
        with self.connect() as first, self.connect() as second:
            first._start_rotation()
            self.assert_waits(second._start_rotation)

    def test_a_refused_rotation_releases_its_lock(self):
        with self.connect() as rotation, self.connect() as writer:
            get_path(rotation.env).unlink()
            self.assert_refused(KeyringUnavailable, rotation._start_rotation)
            self.assertEqual(self.get_locks(rotation), ["ExclusiveLock"])
            self.assert_waits(writer._lock_phase)
            writer.env.cr.rollback()
            rotation.env.cr.rollback()
            self.assertTrue(writer._lock_phase())


class TestOneTransaction(ConnectionsCase):
    def test_a_writer_locks_again_in_its_next_transaction(self):
        for end in ("commit", "rollback"):
            with self.subTest(end), self.connect() as writer:
                writer._open(for_write=True)
                getattr(writer.env.cr, end)()
                self.assertEqual(self.get_locks(writer), [])
                writer._open(for_write=True)
                self.assertEqual(self.get_locks(writer), ["ShareLock"])

    def test_a_rollback_to_a_savepoint_unlocks_and_the_next_writer_locks(self):
        with self.connect() as writer:
            writer._open()
            with contextlib.suppress(ZeroDivisionError), writer.env.cr.savepoint():
                writer._open(for_write=True)
                self.assertEqual(self.get_locks(writer), ["ShareLock"])
                raise ZeroDivisionError
            self.assertEqual(self.get_locks(writer), [])
            writer._open(for_write=True)
            self.assertEqual(self.get_locks(writer), ["ShareLock"])

    def test_a_savepoint_that_is_kept_keeps_the_lock(self):
        with self.connect() as writer:
            with writer.env.cr.savepoint():
                writer._open(for_write=True)
            before = writer.env.cr.sql_log_count
            writer._open(for_write=True)
            self.assertEqual(writer.env.cr.sql_log_count, before)
            self.assertEqual(self.get_locks(writer), ["ShareLock"])

    def test_keys_of_a_rotation_that_is_undone_are_forgotten(self):
        with self.connect() as rotation:
            before = rotation._open(for_write=True).roles
            with contextlib.suppress(ZeroDivisionError), rotation.env.cr.savepoint():
                self.assertEqual(
                    rotation._start_rotation(), rotation._open().roles.seal_key
                )
                self.assertNotEqual(rotation._open(for_write=True).roles, before)
                raise ZeroDivisionError
            self.assertEqual(rotation._open().roles, before)
            self.assertEqual(rotation._open(for_write=True).roles, before)


class TestCommittedChanges(ConnectionsCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.set_generation, self.keyrings._get_phase()["generation"])

    def test_a_writer_that_sees_commits_reads_the_change_behind_its_lock(self):
        with self.connect() as writer:
            self.assertNotEqual(writer._get_phase()["generation"], "changed")
            self.set_generation("changed")
            self.assertNotEqual(writer._get_phase()["generation"], "changed")
            self.assertEqual(writer._lock_phase()["generation"], "changed")
            self.assertEqual(writer._get_phase()["generation"], "changed")

    def test_a_writer_with_one_snapshot_is_refused_when_the_keys_changed(self):
        with self.connect(read_committed=False) as writer:
            writer._open()
            self.set_generation("changed")
            with mute_logger("odoo.sql_db"):
                self.assert_refused(SerializationFailure, writer._open, True)
            writer.env.cr.rollback()
            self.assertEqual(writer._lock_phase()["generation"], "changed")

    def test_a_change_is_seen_in_a_readers_next_transaction(self):
        for end in ("commit", "rollback"):
            with self.subTest(end), self.connect() as reader:
                reader._open()
                self.set_generation(end)
                self.assertNotEqual(reader._get_phase()["generation"], end)
                getattr(reader.env.cr, end)()
                self.assertEqual(reader._get_phase()["generation"], end)


class TestReadCommitted(ConnectionsCase):
    def get_isolation(self, cr):
        cr.execute("SHOW transaction_isolation")
        return cr.fetchone()[0]

    def test_every_transaction_that_follows_on_the_cursor_is_read_committed(self):
        with self.connect(read_committed=False) as keyrings:
            cr = keyrings.env.cr
            self.assertEqual(self.get_isolation(cr), "repeatable read")
            self.assertFalse(is_read_committed(cr))
            self.begin_read_committed(cr)
            self.assertTrue(is_read_committed(cr))
            for end in (cr.commit, cr.rollback, cr.commit):
                self.assertEqual(self.get_isolation(cr), "read committed")
                end()

    def test_it_costs_no_statement_and_undoes_pending_changes(self):
        with self.connect(read_committed=False) as keyrings:
            cr = keyrings.env.cr
            before = keyrings._get_phase()["generation"]
            cr.execute("UPDATE spar_keyring_phase SET generation = 'pending'")
            count = cr.sql_log_count
            self.begin_read_committed(cr)
            self.assertEqual(cr.sql_log_count, count)
            self.assertEqual(keyrings._get_phase()["generation"], before)

    def test_a_reused_connection_has_the_usual_isolation(self):
        with self.connect() as keyrings:
            level = keyrings.env.cr.connection.isolation_level
            self.assertEqual(level, ISOLATION_LEVEL_READ_COMMITTED)
        with contextlib.closing(db_connect(self.env.cr.dbname).cursor()) as cr:
            level = cr.connection.isolation_level
            self.assertEqual(level, ISOLATION_LEVEL_REPEATABLE_READ)
            self.assertEqual(self.get_isolation(cr), "repeatable read")

    def test_a_test_keeps_its_one_transaction(self):
        self.forget_keys()
        use_read_committed(self.env.cr)
        self.assertFalse(is_read_committed(self.env.cr))
        self.assert_refused(KeyringUnavailable, self.keyrings._open, True)
