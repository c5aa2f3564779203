"""What an administrator of Odoo may not write of Odoo's own models, kind by kind."""

import os
from types import SimpleNamespace
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.modules import loading
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import config, mute_logger, safe_eval

from ..expressions import scheduled
from .loading_case import loading_addon

NAMES = "odoo.addons.spar_mapper_connector.models.customising.ir_model_data"
#: An addon that is not installed in the tests.
OTHER = "base_geolocalize"


class ByAdministrator(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = new_test_user(
            cls.env, "test_kinds", groups="base.group_user,base.group_system"
        )
        # A test is no command of the operator.
        cls.enterClassContext(scheduled())
        cls.env = cls.env(user=cls.admin)

    def refused(self):
        return self.assertRaises(UserError)


@tagged("-at_install", "post_install")
class TestJobs(ByAdministrator):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        jobs = cls.env["ir.cron"]
        cls.ours = jobs.search([("model_id.model", "=like", "spar.%")], limit=1)
        cls.other = jobs.search([("model_id.model", "=", "ir.autovacuum")], limit=1)

    def test_nobody_makes_a_job_of_ours_fail(self):
        """Odoo switches off a job that failed for a week, and skips one that hung."""
        for values in (
            {"failure_count": 4, "first_failure_date": "2020-01-01 00:00:00"},
            {"active": False},
            {"lastcall": "2020-01-01 00:00:00"},
            {"cron_name": "x"},
        ):
            with self.subTest(**values), self.refused():
                self.ours.write(values)
        self.ours.write({"priority": 4})
        self.other.write({"failure_count": 1})

    def test_nobody_notes_that_a_job_of_ours_hung(self):
        notes = self.env["ir.cron.progress"]
        hung = {"timed_out_counter": 3}
        with self.refused():
            notes.create({"cron_id": self.ours.id, **hung})
        own = notes.create({"cron_id": self.other.id, **hung})
        with self.refused():
            own.cron_id = self.ours
        with (
            mute_logger("odoo.addons.spar_mapper_connector.expressions"),
            self.assertRaises(Exception),  # noqa: B017  (wrapped by safe_eval)
        ):
            safe_eval.safe_eval(
                "env['ir.cron.progress'].sudo().create({'cron_id': job})",
                {"env": self.env, "job": self.ours.id},
            )
        kept = notes.sudo().create({"cron_id": self.ours.id})
        with self.refused():
            kept.sudo(False).unlink()

    def test_no_addon_is_added_that_waits(self):
        """All scheduled jobs of a database stop while one does."""
        addons = self.env["ir.module.module"]
        for state in ("to install", "to upgrade", "to remove", "installed"):
            with self.subTest(state), self.refused():
                addons.create({"name": "x_evil", "state": state})
            with self.subTest(state, by="default"), self.refused():
                addons.with_context(default_state=state).create({"name": "x_evil"})
        addons.create({"name": "x_found"})

    def test_no_addon_excludes_ours(self):
        base = self.env.ref("base.module_base")
        with self.refused():
            self.env["ir.module.module.exclusion"].create(
                {"module_id": base.id, "name": "spar_mapper_connector"}
            )


@tagged("-at_install", "post_install")
class TestNames(ByAdministrator):
    def list_shipped(self):
        """Yield a record of each model of Odoo that decides what staff may do."""
        for model, name in (
            ("ir.rule", "spar_%"),
            ("ir.model.access", "spar_%"),
            ("ir.cron", "spar_%"),
            ("ir.ui.menu", "spar_%"),
            ("ir.actions.act_window", "spar_%"),
            ("ir.ui.view", "spar_%"),
            ("ir.ui.view", "web"),
            ("ir.actions.report", "base"),
        ):
            found = self.env["ir.model.data"].search(
                [("model", "=", model), ("module", "=like", name)], limit=1
            )
            if found:
                yield found

    def test_no_record_of_an_addon_gets_a_name_of_another(self):
        """Installing that addon overwrites it, and uninstalling it deletes it."""
        names = self.env["ir.model.data"]
        count = 0
        for shipped in self.list_shipped():
            values = {"name": "x", "model": shipped.model, "res_id": shipped.res_id}
            for noupdate in (True, False):
                with self.subTest(shipped.complete_name), self.refused():
                    names.create({"module": OTHER, "noupdate": noupdate, **values})
            with self.subTest(shipped.complete_name, by="import"), self.refused():
                record = self.env[shipped.model].browse(shipped.res_id)
                names._update_xmlids([{"xml_id": f"{OTHER}.x", "record": record}])
            count += 1
        self.assertGreaterEqual(count, 6)
        own = names.create({"module": OTHER, "name": "y", **self.build_own()})
        with self.refused():
            own.write({"model": shipped.model, "res_id": shipped.res_id})

    def build_own(self) -> dict:
        tag = self.env["res.partner.category"].create({"name": "Own"})
        return {"model": tag._name, "res_id": tag.id}

    def test_names_of_an_import_or_an_addons_own_records_are_free(self):
        names = self.env["ir.model.data"]
        for addon in (OTHER, "__export__", "of_the_ministry"):
            names.create({"module": addon, "name": "x", **self.build_own()})
        menu = self.env["ir.model.data"].search(
            [("model", "=", "ir.ui.menu"), ("module", "=", "base")], limit=1
        )
        again = {"model": menu.model, "res_id": menu.res_id}
        names.create({"module": "of_the_ministry", "name": "y", **again})

    def test_what_was_named_before_is_not_deleted(self):
        shipped = next(self.list_shipped())
        self.env.cr.execute(
            """INSERT INTO ir_model_data (module, name, model, res_id)
               VALUES (%s, 'x', %s, %s)""",
            [OTHER, shipped.model, shipped.res_id],
        )
        with self.assertLogs(NAMES, level="ERROR"):
            self.env["ir.model.data"]._module_data_uninstall([OTHER])
        self.assertTrue(self.env[shipped.model].browse(shipped.res_id).exists())


@tagged("-at_install", "post_install")
class TestScreensByKind(ByAdministrator):
    def test_actions_of_others_are_not_in_the_menus_of_our_lists(self):
        ours = self.env["ir.model"]._get("spar.setting.change")
        contacts = self.env["ir.model"]._get("res.partner")
        report = {"model": "res.partner", "report_name": "x.y"}
        kinds = (
            ("ir.actions.act_url", {"url": "https://evil.example"}),
            ("ir.actions.act_window", {"res_model": "res.partner"}),
            ("ir.actions.client", {"tag": "reload"}),
            ("ir.actions.server", {"model_id": contacts.id, "state": "code"}),
            ("ir.actions.report", report),
        )
        for kind, values in kinds:
            actions = self.env[kind]
            values = {"name": "Click me", **values}
            with self.subTest(kind), self.refused():
                actions.create({**values, "binding_model_id": ours.id})
            own = actions.create({**values, "binding_model_id": contacts.id})
            with self.subTest(kind, by="write"), self.refused():
                own.binding_model_id = ours

    def test_reports_of_our_records_are_for_addons(self):
        reports = self.env["ir.actions.report"]
        values = {"name": "x", "report_name": "x.y"}
        with self.refused():
            reports.create({**values, "model": "spar.setting.change"})
        own = reports.create({**values, "model": "res.partner"})
        with self.refused():
            own.model = "spar.setting.change"

    def test_our_templates_are_for_addons(self):
        """A person takes home what one of them says."""
        views = self.env["ir.ui.view"]
        layout = self.env.ref("spar_mapper_connector.layout")
        with self.refused():
            layout.arch = layout.arch
        extension = {
            "name": "x",
            "type": "qweb",
            "mode": "extension",
            "inherit_id": layout.id,
            "arch": '<data><xpath expr="//*[1]" position="inside"><b/></xpath></data>',
        }
        with self.refused():
            views.create(extension)
        with self.refused():
            views.create(
                {
                    "name": "x",
                    "type": "qweb",
                    "key": "spar_mapper_connector.layout",
                    "arch": '<t t-name="x"/>',
                }
            )

    def test_sql_that_changes_one_is_named(self):
        layout = self.env.ref("spar_mapper_connector.layout")
        views = self.env["ir.ui.view"]
        self.assertNotIn(layout.id, views._find_foreign())
        self.env.cr.execute(
            """UPDATE ir_ui_view SET arch_db = '{"en_US": "<t><b/></t>"}'
                WHERE id = %s""",
            [layout.id],
        )
        self.env.invalidate_all()
        self.assertIn(layout.id, views._find_foreign())

    def test_what_themes_have_is_for_addons(self):
        """Odoo makes scripts, views and files of it, as it loads addons."""
        for model, values in (
            ("theme.ir.asset", {"bundle": "web.assets_backend", "path": "/x.js"}),
            ("theme.ir.attachment", {"key": "x", "url": "/web/assets/x.min.js"}),
            ("theme.ir.ui.view", {"arch": "<data/>"}),
        ):
            if model not in self.env:
                self.skipTest("there is no website")
            with self.subTest(model), self.refused():
                self.env[model].create({"name": "x", **values})
            self.assertTrue(self.env[model].browse().write({"name": "x"}))

    def test_staffs_screens_load_what_addons_ship(self):
        """Neither a theme's variables, nor a row that came past the checks."""
        assets = self.env["ir.asset"]
        path = "/web/static/src/core/utils/xml.js"
        with loading_addon(self.registry, "web"):
            assets.create(
                {"name": "x", "bundle": "web.assets_backend", "path": "https://x/x.js"}
            )
            assets.create({"name": "x", "bundle": "web.assets_frontend", "path": path})
            shipped = assets.create(
                {"name": "x", "bundle": "web.assets_backend", "path": "https://y/y.js"}
            )
            self.env["ir.model.data"].create(
                {
                    "module": "web",
                    "name": "x_shipped",
                    "model": "ir.asset",
                    "res_id": shipped.id,
                }
            )
        for bundle in ("web.assets_web", "web.assets_backend"):
            with self.subTest(bundle):
                paths = [row[0] for row in assets._get_asset_paths(bundle, {})]
                self.assertNotIn("https://x/x.js", paths)
                self.assertIn("https://y/y.js", paths)
        paths = [row[0] for row in assets._get_asset_paths("web.assets_frontend", {})]
        self.assertIn(path, paths)
        for values in ({"path": "/x.js"}, {"bundle": "web.assets_frontend"}):
            with self.subTest(**values), self.refused():
                shipped.write(values)
        with self.refused():
            self.env["ir.model.data"].create(
                {
                    "module": "web",
                    "name": "y",
                    "model": "ir.asset",
                    "res_id": assets.search([("path", "=", path)], limit=1).id,
                }
            )

    def test_the_operator_leaves_out_what_is_missing(self):
        assets = self.env["ir.asset"]
        missing = {"name": "x", "directive": "remove", "bundle": "web.assets_backend"}
        shipped = "/web/static/src/core/utils/xml.js"
        with loading_addon(self.registry, "web"):
            for path in ("x/missing.js", shipped):
                assets.create({**missing, "path": path})
        found = assets._get_related_assets(
            [("bundle", "=", "web.assets_backend")], spar_only_shipped=True
        )
        self.assertIn("x/missing.js", found.mapped("path"))
        self.assertNotIn(shipped, found.mapped("path"))


@tagged("-at_install", "post_install")
class TestData(ByAdministrator):
    def test_a_country_with_providers_stays(self):
        """Its code decides to which provider an account number belongs."""
        country = self.env["res.country"].create({"name": "Tavoria", "code": "X1"})
        provider = {"name": "P", "code": "TESTP", "country_id": country.id}
        self.env["spar.fsp"].sudo().create(provider)
        with self.refused():
            country.code = "X2"
        with self.refused():
            country.unlink()
        country.write({"name": "Tavoria and the Isles", "code": "X1"})
        other = self.env["res.country"].create({"name": "Elsewhere", "code": "X3"})
        other.code = "X4"
        other.unlink()

    def test_no_default_decides_who_may_do_what(self):
        """A role that an addon brings would have the members of the default."""
        fields = self.env["ir.model.fields"]
        defaults = self.env["ir.default"]
        for model, name in (
            ("res.groups", "user_ids"),
            ("res.groups", "implied_by_ids"),
            ("res.users", "group_ids"),
            ("ir.rule", "active"),
            ("ir.model.access", "group_id"),
            ("ir.cron", "active"),
        ):
            values = {"field_id": fields._get(model, name).id, "json_value": "[]"}
            with self.subTest(model, field=name), self.refused():
                defaults.create(values)
        own = defaults.create(
            {"field_id": fields._get("res.users", "tz").id, "json_value": '"UTC"'}
        )
        with self.refused():
            own.field_id = fields._get("res.groups", "user_ids")

    def test_an_addon_is_loaded_without_such_defaults(self):
        groups = self.env["res.groups"].sudo()
        with loading_addon(self.registry, "spar_mapper_connector"):
            self.env["ir.default"].sudo().set(
                "res.groups", "user_ids", [[4, self.admin.id]]
            )
            role = groups.create({"name": "Role of an addon"})
            self.env["ir.default"].sudo().set("res.partner", "lang", "en_US")
            kept = self.env["ir.default"]._get_model_defaults("res.partner")
        self.assertFalse(role.user_ids)
        self.assertEqual(kept["lang"], "en_US")

    def test_nobody_loads_demo_data_in_odoo(self):
        """It has accounts with every role, and whoever sets passwords is them all."""
        with self.refused():
            self.env["ir.demo"].create({}).install_demo()
        package = SimpleNamespace(name="x", manifest={"demo": ["x.xml"]}, id=1)
        with patch.object(loading, "load_data") as load:
            self.assertFalse(loading.load_demo(self.env, package, {}, "update"))
        load.assert_not_called()


@tagged("-at_install", "post_install")
class TestDemoByCommand(TransactionCase):
    def load_demo_of(self, addon) -> bool:
        """Return whether a command loads an addon's demo data."""
        package = SimpleNamespace(name=addon, manifest={"demo": ["x.xml"]}, id=1)
        with patch.object(loading, "load_data") as load:
            loading.load_demo(self.env, package, {}, "update")
        return load.called

    def test_a_command_loads_it(self):
        self.assertTrue(self.load_demo_of("x"))
        self.assertTrue(self.load_demo_of("spar_mapper"))

    def test_a_command_loads_ours_only_if_it_is_asked_to(self):
        """Odoo's table of addons may say that they have it."""
        with (
            patch.dict(os.environ, {"SPAR_DEMO": ""}),
            patch.dict(config.options, {"with_demo": False}),
        ):
            self.assertFalse(self.load_demo_of("spar_mapper"))
            self.assertTrue(self.load_demo_of("x"))
            config.options["with_demo"] = True
            self.assertTrue(self.load_demo_of("spar_mapper"))
