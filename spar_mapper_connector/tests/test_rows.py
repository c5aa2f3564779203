"""What Odoo evaluates as superuser, because its administrator wrote it as a row."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger, safe_eval

from ..lib.settings_seal import NAMES_CLOSED
from ..server.naming import find_naming
from .other_addon import AUTOMATION, load_addon
from .test_closed_by_kind import ByAdministrator

ALARMS = (
    "odoo.addons.spar_mapper_connector.expressions",
    "odoo.addons.spar_mapper_connector.server.reading",
)
PASSWORD = "Their-own-word-25"
#: Forms of Odoo in which people type passwords, and their fields.
FORMS = {
    "change.password.own": ("new_password", "confirm_password"),
    "change.password.user": ("new_passwd",),
    "res.users.identitycheck": ("password",),
}


@tagged("-at_install", "post_install")
class TestCredentials(ByAdministrator):
    """People's passwords, in the forms in which they type them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(cls.env, "test_rows", groups="base.group_user")
        cls.own = cls.env["change.password.own"].with_user(cls.clerk)
        cls.form = cls.own.create(
            {"new_password": PASSWORD, "confirm_password": PASSWORD}
        )

    def test_no_row_is_about_such_a_form(self):
        for model in (*FORMS, "change.password.wizard"):
            model_id = self.env["ir.model"]._get_id(model)
            for name, values in (
                ("ir.actions.server", {"model_id": model_id, "state": "code"}),
                ("ir.rule", {"model_id": model_id, "domain_force": "[(1, '=', 1)]"}),
                ("ir.model.access", {"model_id": model_id, "perm_read": True}),
                (
                    "ir.model.fields",
                    {"model_id": model_id, "field_description": "x", "ttype": "char"},
                ),
            ):
                with self.subTest(model, row=name), self.refused():
                    self.env[name].create({"name": "x_row", **values})

    def test_no_automation_reads_what_was_typed(self):
        work = load_addon(self, AUTOMATION)
        for ask in (
            lambda: work.filter_by(self.form, [("new_password", "=like", "Their%")]),
            lambda: work.find(self.form, [("new_password", "=like", "Their%")]),
            lambda: work.show(self.form, "confirm_password"),
            lambda: work.show_to_user(self.form, "new_password"),
            lambda: work.order_by(self.form, "new_password"),
            lambda: work.group_by(self.form, "new_password"),
            lambda: work.count(self.form, "new_password"),
        ):
            with self.subTest(ask.__code__.co_consts), mute_logger(*ALARMS):
                with self.assertRaises(AccessError):
                    ask()

    def test_no_expression_reads_it(self):
        for code in (
            "form.new_password",
            "form.read(['new_password'])",
            "form.filtered(lambda one: one.new_password == 'x')",
            "form.search([('new_password', '=like', 'T%')])",
            "form.search([], order='new_password')",
            "form.export_data(['new_password'])",
        ):
            with self.subTest(code), mute_logger(*ALARMS):
                with self.assertRaisesRegex(ValueError, "CalledFromExpression"):
                    safe_eval.safe_eval(code, {"form": self.form.sudo()})

    def test_their_user_sees_and_uses_the_form(self):
        web = load_addon(self, "web")
        self.assertEqual(web.show_to_user(self.form, "new_password"), [PASSWORD])
        # Past the question for the present password, which needs a request.
        type(self.form).change_password.__wrapped__(self.form)
        found = self.clerk.with_user(self.clerk)._check_credentials(
            {"type": "password", "password": PASSWORD}, {"interactive": True}
        )
        self.assertEqual(found["auth_method"], "password")

    def test_an_action_still_makes_an_account(self):
        code = (
            "env['res.users'].create({'name': 'x', 'login': 'test_made', "
            f"'password': '{PASSWORD}'}})"
        )
        safe_eval.safe_eval(code, {"env": self.env(su=True)}, mode="exec")
        made = self.env["res.users"].search([("login", "=", "test_made")])
        self.assertTrue(made)

    def test_no_copy_of_a_password_in_the_cache(self):
        work = load_addon(self, AUTOMATION)
        self.clerk.sudo()._fields["password"]._update_cache(self.clerk, PASSWORD)
        with mute_logger(*ALARMS), self.assertRaises(AccessError):
            work.filter_by(self.clerk, [("password", "=", PASSWORD)])


@tagged("-at_install", "post_install")
class TestNaming(ByAdministrator):
    """Rows that name fields which no row may read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Rows, each with a field that may not name a secret.
        users = {"model_id": cls.env["ir.model"]._get_id("res.users")}
        cls.rows = (
            (cls.build_row("ir.rule", **users), "domain_force"),
            (cls.build_row("ir.actions.server", **users, state="code"), "code"),
        )
        # A stand-in: the addon of authenticator apps may not be installed.
        base = cls.registry["base"]
        cls.addClassCleanup(setattr, base, "_spar_unnamed", base._spar_unnamed)
        base._spar_unnamed = base._spar_unnamed | {"signature"}

    @classmethod
    def build_row(cls, model, **values):
        return cls.env[model].create({"name": "x_row", **values})

    def test_no_row_names_a_secret(self):
        for row, field in self.rows:
            for text in (
                "[('signature', '=like', 'A%')]",
                "[('create_uid.signature', '!=', False)]",
                '[["user_id.signature", "!=", 1]]',
            ):
                with self.subTest(row._name, text=text):
                    with self.assertRaisesRegex(UserError, "You cannot use"):
                        row[field] = text
        for name in ("depends", "related"):
            with self.subTest(name), self.assertRaises(UserError):
                self.build_row(
                    "ir.model.fields",
                    model_id=self.rows[0][0].model_id.id,
                    ttype="char",
                    field_description="x",
                    **{name: "create_uid.signature"},
                )

    def test_a_new_row_names_no_secret(self):
        with self.assertRaisesRegex(UserError, "You cannot use"):
            self.build_row(
                "ir.rule",
                model_id=self.rows[0][0].model_id.id,
                domain_force="[('signature', '!=', False)]",
            )

    def test_other_names_are_free(self):
        for row, field in self.rows:
            with self.subTest(row._name):
                row[field] = "[('name', '=', 'my_signature')]"

    def test_a_favourite_is_read_as_its_user(self):
        kept = self.build_row(
            "ir.filters",
            model_id="res.users",
            domain="[('signature', '=', 'x')]",
            user_ids=[self.env.uid],
        )
        self.assertTrue(kept)

    def test_rows_from_before_are_named(self):
        rows = self.rows
        self.env.flush_all()
        self.assertEqual(find_naming(self.env), [])
        for row, field in rows:
            self.env.cr.execute(
                f"UPDATE {row._table} SET {field} = %s WHERE id = %s",  # noqa: S608
                ["[('signature', '=', 'x')]", row.id],
            )
        self.env.invalidate_all()
        named = sorted((row._table, row.id) for row, _field in rows)
        self.assertEqual(find_naming(self.env), named)
        found = self.env["spar.settings.seal"].sudo()._check_all()
        self.assertLessEqual({(*row, NAMES_CLOSED) for row in named}, {*found})
