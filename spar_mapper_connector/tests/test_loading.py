"""What Odoo does of rows that somebody prepared, while it loads addons.

Files of addons are exempt from the refusals, rows are not. The tests run as the loader
does: as superuser, on the command line, with a registry that is not ready.
"""

from types import SimpleNamespace
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.modules import loading
from odoo.modules.migration import MigrationManager
from odoo.tests import TransactionCase, new_test_user, tagged

from .. import expressions, loaded_files
from ..server import expression_names
from .loading_case import load_by_file, loaded_rows, loading_addon

#: An addon of Odoo without ours, and one of ours.
OTHER, OURS = "base_geolocalize", "spar_mapper_connector"


class Loading(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kind = cls.env["ir.model"]._get("spar.setting.change")
        cls.job = cls.env["ir.cron"].search(
            [("model_id.model", "=like", "spar.%")], limit=1
        )
        cls.menu = cls.env["ir.model.data"].search(
            [("module", "=like", "spar_%"), ("model", "=", "ir.ui.menu")], limit=1
        )
        cls.right = cls.env["ir.model.access"].search(
            [("model_id", "=", cls.kind.id)], limit=1
        )
        cls.layout = cls.env.ref("web.layout")
        cls.tag = cls.env["res.partner.category"].create({"name": "Own"})
        cls.own_menu = cls.env["ir.ui.menu"].create({"name": "Own"})

    def refused(self):
        return self.assertRaises(UserError)

    def bring(self, model, /, **values):
        return lambda: self.env[model].create(values)

    def name(self, addon, record):
        return self.bring(
            "ir.model.data",
            module=addon,
            name=f"x_prepared_{record._table}",
            model=record._name,
            res_id=record.id,
        )

    def list_ours(self):
        """Yield what only addons of SPAR do, by what it changes."""
        values = {"name": "x", "model_id": self.kind.id}
        yield "a rule", self.bring("ir.rule", **values)
        yield "a right", self.bring("ir.model.access", **values)
        yield "a right that is taken", lambda: self.right.unlink()
        yield "an action", self.bring("ir.actions.server", **values, state="code")
        yield (
            "a field",
            self.bring("ir.model.fields", **values | {"name": "x_a", "ttype": "char"}),
        )
        yield (
            "a form",
            self.bring("ir.ui.view", name="x", model=self.kind.model, arch="<form/>"),
        )
        yield "a job", lambda: self.job.write({"active": False})
        yield "a menu", lambda: self.browse_menu().write({"name": "x"})
        yield "a name of SPAR", self.name("spar_mapper", self.tag)

    def browse_menu(self):
        return self.env["ir.ui.menu"].browse(self.menu.res_id)

    def list_shipped(self):
        """Yield what the files of any addon do."""
        script = {"name": "x", "bundle": "web.assets_backend", "path": "/x.js"}
        yield "a script", self.bring("ir.asset", **script)
        yield (
            "a bundle",
            self.bring("ir.attachment", name="x", url="/web/assets/x.min.js"),
        )
        yield (
            "a view",
            self.bring(
                "ir.ui.view", name="x", model="res.partner.category", arch="<form/>"
            ),
        )
        arch = '<data><xpath expr="//*[1]" position="inside"><b/></xpath></data>'
        yield (
            "the frame of screens",
            self.bring(
                "ir.ui.view",
                name="x",
                type="qweb",
                mode="extension",
                inherit_id=self.layout.id,
                arch=arch,
            ),
        )
        yield "a name of a group", self.name(OTHER, self.env.ref("base.group_user"))
        yield "a second name", self.name(OTHER, self.env.ref("base.main_company"))


@tagged("-at_install", "post_install")
class TestRows(Loading):
    def test_what_rows_say_is_refused_while_addons_are_loaded(self):
        """Also in an upgrade by the operator, who does not know what rows say."""
        cases = [*self.list_ours(), *self.list_shipped()]
        self.assertGreaterEqual(len(cases), 15)
        for what, attempt in cases:
            with (
                self.subTest(what),
                loaded_rows(self.registry),
                self.refused(),
                self.env.cr.savepoint(),
            ):
                attempt()

    def test_addons_of_others_do_not_change_ours(self):
        """A prepared name leads their files to a record of SPAR."""
        for what, attempt in self.list_ours():
            with self.subTest(what), self.refused(), self.env.cr.savepoint():
                load_by_file(self.env, OTHER, attempt)

    def test_files_of_addons_bring_what_they_have(self):
        for what, attempt in self.list_shipped():
            with self.subTest(what):
                load_by_file(self.env, OTHER, attempt)
        for what, attempt in self.list_ours():
            with self.subTest(what):
                load_by_file(self.env, OURS, attempt)

    def test_a_role_has_the_members_that_our_files_give(self):
        """Neither those of a default, nor those of a template of another addon."""
        user = new_test_user(self.env, "test_loading")
        role = self.env.ref("spar_fa_directory.group_viewer")
        editors = self.env.ref("base.group_erp_manager")

        def give(group):
            return lambda: user.write({"group_ids": [Command.link(group.id)]})

        log = self.env.registry["spar.group.log"]
        with patch.object(log, "_is_set_up", lambda *_args: True):
            with self.refused(), loaded_rows(self.registry):
                give(role)()
            with self.refused(), loaded_rows(self.registry):
                give(editors)()
            with self.refused():
                load_by_file(self.env, OTHER, give(role))
            load_by_file(self.env, OTHER, give(editors))
            load_by_file(self.env, OURS, give(role))
        self.assertIn(role, user.group_ids)

    def test_no_default_of_a_row_completes_what_is_loaded(self):
        groups, defaults = self.env["res.groups"], self.env["ir.default"]
        user = new_test_user(self.env, "test_loading")
        with loading_addon(self.registry, OURS):
            defaults.set("res.groups", "user_ids", [[4, user.id]])
            defaults.set("spar.fsp", "name", "Prepared")
        with loaded_rows(self.registry):
            self.assertFalse(groups.create({"name": "Of rows"}).user_ids)
            self.assertFalse(defaults._get_model_defaults("spar.fsp"))
        load_by_file(
            self.env,
            OURS,
            lambda: self.assertFalse(groups.create({"name": "Of a file"}).user_ids),
        )

    def test_a_name_of_odoo_does_not_delete_a_record_of_ours(self):
        """Also where Odoo upgrades one of the addons that ours need."""
        self.env.cr.execute(
            """INSERT INTO ir_model_data (module, name, model, res_id)
               VALUES ('base', 'x_prepared', 'ir.cron', %s)""",
            [self.job.id],
        )
        names = self.env["ir.model.data"]
        with self.assertLogs(names._forget_foreign.__module__, level="ERROR"):
            names._forget_foreign(["base"])
        self.assertFalse(names.search([("name", "=", "x_prepared")]))


@tagged("-at_install", "post_install")
class TestLoader(Loading):
    """Which addon's files Odoo is carrying out."""

    def find(self):
        with loaded_rows(self.registry):
            return expressions.is_loading(self.env), loaded_files.find_loaded_addon()

    def test_data_files_count_while_addons_are_loaded(self):
        found = []
        load_by_file(self.env, OTHER, lambda: found.append(self.find()))
        self.assertEqual(found, [(True, OTHER)])
        # At run time, buttons of Odoo load data files, too.
        package = SimpleNamespace(
            name=OTHER, manifest={"data": ["x"], "init_xml": (), "demo": ()}
        )
        asked = lambda *_args, **_kwargs: found.append(  # noqa: E731
            expressions.is_loading(self.env)
        )
        with patch.object(loading, "convert_file", asked):
            loading.load_data(self.env, {}, "init", kind="data", package=package)
        self.assertIs(found[-1], False)

    def test_scripts_of_migrations_count(self):
        found = []
        package = SimpleNamespace(
            name=OURS,
            load_state="to upgrade",
            load_version="19.0.1.0.0",
            manifest={"version": "19.0.2.0.0"},
        )
        manager = MigrationManager.__new__(MigrationManager)
        manager.cr, manager.graph = self.env.cr, [package]
        scripts = {"19.0.2.0.0": ["/x/post-x.py"]}
        manager.migrations = {OURS: {"module": scripts}}
        with patch(
            "odoo.modules.migration.exec_script",
            lambda *_args: found.append(self.find()),
        ):
            manager.migrate_module(package, "post")
        self.assertEqual(found, [(True, OURS)])

    def test_hooks_count_and_methods_of_models_do_not(self):
        """The loader writes the state of an addon: a theme's rows take effect then."""

        def call(function):
            return function()

        with patch.object(loaded_files, "_LOADERS", frozenset((id(call.__code__),))):
            self.assertEqual(call(ask_as_hook), OURS)
            self.assertIsNone(call(self.ask_as_method))
        self.assertIsNone(call(ask_as_hook))

    def ask_as_method(self):
        return loaded_files.find_loaded_addon()

    def test_what_odoo_itself_notes_and_deletes_counts(self):
        found = []
        asked = lambda *_args: found.append(self.find())  # noqa: E731
        names = self.env.registry["ir.model.data"]
        self.env.cr.execute(
            """INSERT INTO ir_model_data (module, name, model, res_id)
               VALUES ('x_gone', 'x', 'res.partner.category', %s)""",
            [self.tag.id],
        )
        with patch.object(names, "_process_end_unlink_record", asked):
            self.env["ir.model.data"]._process_end(["x_gone"])
        self.assertEqual(found, [(True, loaded_files.ITSELF)])

    def test_a_command_counts_once_all_addons_are_loaded(self):
        self.assertTrue(expressions.is_by_operator(self.env))
        with loaded_rows(self.registry):
            self.assertFalse(expressions.is_by_operator(self.env))
            self.assertTrue(expressions.is_at_run_time(self.env))

    def test_only_names_of_loaded_addons_open_in_expressions(self):
        with loaded_rows(self.registry):
            self.assertTrue(expression_names.is_closed("_send_reminder"))
        self.assertEqual(loaded_files.list_loaded_addons(), set())

    def test_addons_that_need_ours_are_ours(self):
        for addon, expected in (
            (loaded_files.ITSELF, True),
            ("spar_anything", True),
            ("base", False),
            (OTHER, False),
            ("no_such_addon", False),
        ):
            with self.subTest(addon):
                self.assertIs(loaded_files.is_ours(addon), expected)


def ask_as_hook():
    return loaded_files.find_loaded_addon()
