import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.orm.model_classes import add_to_registry
from odoo.tests import TransactionCase, new_test_user

from ..exceptions import ServiceUnavailable
from ..lib import keyring as keys
from ..lib.contract import Authority, CallContext
from ..models.spar_keyring import KEYRING_VARIABLE
from .checked_views import find_foreign_once

NAMES = "odoo.addons.spar_mapper_connector.server.expression_names"
ROLES = ("viewer", "officer", "supervisor", "auditor", "administrator")


def build_open_keyring(*more_keys, **roles):
    """Return an open keyring of new keys, with ``more_keys`` in its file."""
    first = {kind: keys.make_key(kind) for kind in keys.KINDS}
    file = keys.Keyring([*first.values(), *more_keys])
    values = {
        "seal_key": first["seal"].key_id,
        "index_keys": {"a": first["index"].key_id},
        "read_column": "a",
        "audit_key": first["audit"].key_id,
        "token_key": first["token"].key_id,
    }
    return keys.OpenKeyring(file, keys.KeyRoles(**{**values, **roles}))


def add_model(case: type[TransactionCase], model: type) -> None:
    """Add a model of the tests to the registry, until the class's tests have ended."""
    add_to_registry(case.registry, model)
    case.registry._setup_models__(case.env.cr, [model._name])
    case.addClassCleanup(case.registry.__delitem__, model._name)


class KeyringCase(TransactionCase):
    """A database with keys: its own, or keys that are made for the test.

    A test that changes keys calls ``use_new_keyring`` first: the file that the database
    came with is never written.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        views = cls.registry["ir.ui.view"]
        cls.startClassPatcher(patch.object(views, "_find_foreign", find_foreign_once))
        cls.keyrings = cls.env["spar.keyring"]
        cls.call = CallContext(
            "participant:payer.example",
            "rest",
            Authority.PROGRAMME,
            "bearer",
            message_reference="message-1",
        )
        try:
            cls.keyrings._open()
        except ServiceUnavailable:
            cls.use_new_keyring()

    @classmethod
    def use_new_keyring(cls) -> Path:
        """Give the database new keys in a file of the test, until the test ends."""
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        path = Path(folder.name) / "keyring.json"
        cls.startClassPatcher(patch.dict(os.environ, {KEYRING_VARIABLE: str(path)}))
        cls.forget_keys()
        cls.keyrings._initialise()
        return path

    def open_names(self) -> None:
        """Let expressions of this test contain any name.

        This tests the refusal of expressions by their place among the callers.
        """
        self.startPatcher(patch(f"{NAMES}.is_closed", lambda name: False))

    @classmethod
    def seal_settings(cls, *names: str) -> None:
        """Seal these models' settings as they are, as if two people had approved."""
        for name in names:
            cls.env["spar.settings.seal"]._seal_as_it_is(cls.env[name])

    @classmethod
    def forget_keys(cls) -> None:
        """Make the database one that has no keys yet."""
        cls.env.cr.execute("DELETE FROM spar_keyring_phase")
        cls.env["spar.keyring"]._forget_phase()
        cls.env.cr.execute("DELETE FROM spar_keyring_key")

    def approve_waiting(self, login: str = "approving") -> None:
        """Approve every pending change, as an administrator who had no part in it."""
        users = self.env["res.users"]
        user = users.search([("login", "=", login)])
        user = user or self.create_user("administrator", login)
        changes = self.env["spar.setting.change"]
        waiting = changes.search([("state", "=", "waiting")], order="id")
        waiting.with_user(user).action_approve()
        self.env.invalidate_all()

    @property
    def keyring(self):
        """Return the open keyring, as it is now."""
        return self.keyrings._open()

    @classmethod
    def create_user(cls, role: str | None = None, login: str | None = None):
        """Return an internal user with one of the roles, or with none."""
        groups = "base.group_user"
        if role:
            groups += f",spar_fa_directory.group_{role}"
        return new_test_user(cls.env, login or f"test_{role}", groups=groups)

    @classmethod
    def create_channel(cls, login: str = "test_channel"):
        """Return a channel's service user, with no other right."""
        groups = "base.group_user,spar_mapper_connector.group_channel"
        return new_test_user(cls.env, login, groups=groups)

    def count_statements(self, function, *arguments) -> int:
        """Return how many statements the call sends to the database."""
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        function(*arguments)
        return self.env.cr.sql_log_count - before

    def assert_sealed_as(self, record, purpose: str, *parts) -> None:
        """Assert that the record's value is sealed for ``purpose`` and these parts.

        Tests write both out, as they were when the first rows were sealed: a row that
        an earlier version sealed has to open.
        """
        context = keys.bind(*parts)
        record._store_sealed(self.keyring.seal(purpose, "sealed before", context))
        self.assertEqual(record._read_sealed(), "sealed before")
        self.assertEqual(record._read_sealed_rows(), {record.id: "sealed before"})
        record._write_sealed("sealed now")
        sealed = record._fetch_sealed()[record.id]
        self.assertEqual(self.keyring.unseal(purpose, sealed, context), "sealed now")

    def assert_refused(self, exception, function, *arguments):
        """Assert that the call raises ``exception``; return the exception."""
        with self.assertRaises(exception) as caught:
            function(*arguments)
        return caught.exception
