from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import ROLES, KeyringCase

READERS = {
    "spar.keyring.key": {"auditor", "administrator"},
    "spar.keyring.phase": {"auditor"},
    "spar.mapper.backend": {"viewer", "officer", "administrator"},
    "spar.id.type": {"viewer", "officer", "supervisor", "auditor", "administrator"},
}
WRITERS = {
    "spar.keyring.key": set(),
    "spar.keyring.phase": set(),
    "spar.mapper.backend": {"administrator"},
    "spar.id.type": {"administrator"},
}


class TestRights(KeyringCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {role: cls.create_user(role) for role in ROLES}

    def may(self, user, model, operation):
        return self.env[model].with_user(user).has_access(operation)

    def test_each_role_reads_what_it_needs(self):
        for model, readers in READERS.items():
            allowed = {
                r for r, user in self.users.items() if self.may(user, model, "read")
            }
            with self.subTest(model):
                self.assertEqual(allowed, readers)

    def test_only_the_administrator_sets_up(self):
        for model, writers in WRITERS.items():
            for operation in ("create", "write", "unlink"):
                allowed = {
                    role
                    for role, user in self.users.items()
                    if self.may(user, model, operation)
                }
                with self.subTest(model=model, operation=operation):
                    self.assertEqual(allowed, writers)

    def test_a_user_without_a_role_reads_nothing(self):
        outsiders = (
            self.create_user(login="test_nobody"),
            new_test_user(self.env, "test_portal", groups="base.group_portal"),
            new_test_user(self.env, "test_system", groups="base.group_system"),
            self.env.ref("base.public_user"),
            self.create_channel(),
        )
        for user in outsiders:
            for model in READERS:
                with self.subTest(user=user.login, model=model):
                    with self.assertRaises(AccessError):
                        self.env[model].with_user(user).search([])

    def test_no_role_of_the_backend_is_a_channel(self):
        channel = "spar_mapper_connector.group_channel"
        for role, user in self.users.items():
            with self.subTest(role):
                self.assertFalse(user.has_group(channel))
