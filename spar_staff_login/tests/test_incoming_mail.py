from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged

MAIL = "From: a@example.org\nTo: b@example.org\nMessage-Id: <{}@x>\n\nHello"


@tagged("-at_install", "post_install")
class TestIncomingMail(TransactionCase):
    """A mail that somebody passes on creates nothing with that person's values."""

    def pass_on(self, login, model, values):
        user = self.env["res.users"].search([("login", "=", login)])
        threads = self.env["mail.thread"].with_user(user)
        return threads.message_process(model, MAIL.format(model), values)

    def test_users_create_neither_jobs_nor_actions_nor_contacts(self):
        roles = "base.group_user,spar_fa_directory.group_officer"
        new_test_user(self.env, "test_officer", groups=roles)
        new_test_user(self.env, "test_employee", groups="base.group_user")
        model = self.env["ir.model"]._get("res.partner").id
        code = {"name": "x", "model_id": model, "state": "code", "code": "True"}
        for login in ("test_officer", "test_employee"):
            for name, values in (
                ("ir.cron", code),
                ("ir.actions.server", code),
                ("res.partner", {"name": "x"}),
            ):
                with self.subTest(login, model=name), self.assertRaises(AccessError):
                    self.pass_on(login, name, values)

    def test_the_administrator_passes_on_mail(self):
        new_test_user(self.env, "test_system", groups="base.group_system")
        created = self.pass_on("test_system", "res.partner", {"name": "Passed on"})
        self.assertEqual(self.env["res.partner"].browse(created).name, "Passed on")
