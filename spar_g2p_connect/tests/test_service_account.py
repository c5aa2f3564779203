"""The account of the REST server is nobody's."""

from odoo.exceptions import AccessDenied
from odoo.tests import TransactionCase, new_test_user, tagged

_PASSWORD = "a long password of a test"


@tagged("post_install", "-at_install")
class TestServiceAccount(TransactionCase):
    def log_in(self, user):
        credential = {"login": user.login, "password": _PASSWORD, "type": "password"}
        env = {"interactive": True}
        return user.with_user(user)._check_credentials(credential, env)

    def test_nobody_logs_in_as_the_server(self):
        service = self.env.ref("spar_g2p_connect.user_service")
        service.password = _PASSWORD
        with self.assertRaises(AccessDenied):
            self.log_in(service)

    def test_others_do(self):
        user = new_test_user(self.env, "test_service", password=_PASSWORD)
        self.assertEqual(self.log_in(user)["uid"], user.id)
