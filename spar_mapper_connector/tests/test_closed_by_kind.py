"""What an administrator of Odoo may not write of Odoo's own models, kind by kind."""

import base64
import functools
import os
from types import SimpleNamespace
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.modules import loading
from odoo.service.model import call_kw
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import config, mute_logger, safe_eval
from odoo.tools.misc import limited_field_access_token

from .. import expressions
from ..expressions import scheduled
from ..loaded_files import ITSELF
from .loading_case import loading_addon
from .test_two_accounts import ServedRequest

NAMES = "odoo.addons.spar_mapper_connector.models.customising.ir_model_data"
#: The smallest picture.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
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
class TestFiles(ByAdministrator):
    """A website's form creates rows of any model, as superuser."""

    def test_only_a_field_keeps_its_file(self):
        provider = self.env["spar.fsp"].sudo().create({"name": "x", "code": "LOGO"})
        place = {"res_model": "spar.fsp", "res_field": "logo", "res_id": provider.id}
        attachments = self.env["ir.attachment"].sudo()
        with self.refused():
            attachments.create({"name": "x", "raw": PIXEL, **place})
        loose = attachments.create({"name": "x", "raw": PIXEL})
        with self.refused():
            loose.write(place)
        other = {**place, "res_model": "res.partner", "res_field": "image_1920"}
        loose.write({**other, "res_id": self.admin.partner_id.id})
        provider.logo = base64.b64encode(PIXEL)
        self.assertTrue(provider.logo)
        domain = [(name, "=", value) for name, value in place.items()]
        self.assertEqual(attachments.search(domain).raw, PIXEL)


@tagged("-at_install", "post_install")
class TestJobs(ByAdministrator):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        jobs = cls.env["ir.cron"]
        cls.ours = jobs.search([("model_id.model", "=like", "spar.%")], limit=1)
        cls.cleaning = cls.env.ref("base.autovacuum_job")
        contacts = cls.env["ir.model"]._get_id("res.partner")
        cls.other = jobs.create({"name": "Other", "model_id": contacts, "code": "True"})

    def test_nobody_makes_a_job_of_ours_fail(self):
        """Odoo switches off a job that failed for a week, and skips one that hung."""
        for values in (
            {"failure_count": 4, "first_failure_date": "2020-01-01 00:00:00"},
            {"active": False},
            {"lastcall": "2020-01-01 00:00:00"},
            {"cron_name": "x"},
        ):
            for job in (self.ours, self.cleaning):
                with self.subTest(job.name, **values), self.refused():
                    job.write(values)
        self.ours.write({"priority": 4})
        self.cleaning.write({"priority": 4})
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
        with loading_addon(self.registry, "web"):
            assets.create(
                {"name": "x", "bundle": "web.assets_backend", "path": "https://x/x.js"}
            )
            assets.create(
                {"name": "x", "bundle": "web.assets_frontend", "path": "https://z/z.js"}
            )
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
        for bundle in ("web.assets_frontend", "web.assets_frontend_lazy"):
            with self.subTest(bundle):
                paths = [row[0] for row in assets._get_asset_paths(bundle, {})]
                self.assertNotIn("https://z/z.js", paths)
        if "website" in self.env:
            website = {"website_id": self.env["website"].search([], limit=1).id}
            rows = assets._get_asset_paths("web.assets_frontend", website)
            self.assertIn("https://z/z.js", [row[0] for row in rows])
        for values in ({"path": "/x.js"}, {"bundle": "web.assets_frontend"}):
            with self.subTest(**values), self.refused():
                shipped.write(values)
        with self.refused():
            self.env["ir.model.data"].create(
                {
                    "module": "web",
                    "name": "y",
                    "model": "ir.asset",
                    "res_id": assets.search([("path", "=", "https://z/z.js")]).id,
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


@tagged("-at_install", "post_install")
class TestForms(ByAdministrator):
    """Forms of ours that somebody else opens, and fills in."""

    WINDOW = {
        "type": "ir.actions.act_window",
        "name": "Approve",
        "res_model": "spar.keyring.key",
        "views": [[False, "form"]],
    }

    def run_action(self, result):
        action = self.env["ir.actions.server"].create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "code",
                "code": f"action = {result!r}",
            }
        )
        return action.run()

    def test_actions_of_others_open_no_form_of_ours(self):
        window = self.WINDOW
        notified = {"type": "ir.actions.client", "tag": "display_notification"}
        for result in (
            window,
            {**notified, "params": {"next": window}},
            {**notified, "params": {"next": [{"actions": (window,)}]}},
            {**window, "res_model": b"spar.keyring.key"},
        ):
            with self.subTest(result), self.refused():
                self.run_action(result)
        other = {**window, "res_model": "res.partner"}
        self.assertEqual(self.run_action(other), other)

    def test_nobody_gives_rights_on_ours_or_on_accounts(self):
        """Who may write providers exchanges the bank that an officer chooses."""
        rights = self.env["ir.model.access"]
        group = self.env["res.groups"].create({"name": "HR"})
        for model, names in (
            ("spar.fsp", ("perm_read",)),
            ("spar.fa.strategy", ("perm_write",)),
            ("spar.setting.change", ("perm_read",)),
            ("res.users", ("perm_write",)),
            ("res.groups", ("perm_create",)),
        ):
            values = {
                "name": "x",
                "model_id": self.env["ir.model"]._get_id(model),
                "group_id": group.id,
                "perm_read": False,
                **dict.fromkeys(names, True),
            }
            with self.subTest(model), self.refused(), self.env.cr.savepoint():
                rights.create(values)
        other = rights.create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get_id("res.country"),
                "group_id": group.id,
                "perm_write": True,
            }
        )
        with self.refused(), self.env.cr.savepoint():
            other.model_id = self.env["ir.model"]._get_id("res.users")
        ours = rights.search([("model_id.model", "=", "spar.fsp")], limit=1)
        with self.refused(), self.env.cr.savepoint():
            ours.model_id = self.env["ir.model"]._get_id("res.country")

    def test_a_tab_of_one_s_own_compares_nothing(self):
        """Odoo shows whether its domain is true for any record, as superuser."""
        tabs = self.env["ir.embedded.actions"]
        action = self.env.ref("base.action_partner_form").id
        values = {
            "name": "x",
            "parent_action_id": action,
            "action_id": action,
            "parent_res_model": "res.partner",
            "user_id": self.admin.id,
        }
        with patch.object(expressions, "request", ServedRequest(self.admin.id)):
            for domain in ("[('id', '>', 0)]", "[(1, '=', 1)]"):
                with self.subTest(domain), self.refused(), self.env.cr.savepoint():
                    tabs.create({**values, "domain": domain})
            for domain in ("[]", False):
                tab = tabs.create({**values, "domain": domain})
            with self.refused(), self.env.cr.savepoint():
                tab.domain = "[('id', '>', 0)]"

    def test_parameters_of_an_action_open_no_form_of_ours(self):
        action = self.env["ir.actions.client"].create({"name": "x", "tag": "reload"})
        for model, is_kept in (("res.partner", True), ("spar.keyring.key", False)):
            action.params = {"next": {**self.WINDOW, "res_model": model}}
            action.invalidate_recordset()
            with self.subTest(model):
                self.assertEqual(bool(action.params), is_kept)
        # It is evaluated for each user.
        action.params_store = "{'next': {'res_model': 'spar' + '.keyring.key'}}"
        action.invalidate_recordset()
        self.assertFalse(action.params)

    def test_nobody_fills_in_what_a_form_computes(self):
        """What a second person is shown would not be what takes effect."""
        for name, model in self.registry.items():
            if not name.startswith("spar.") or not model._transient:
                continue
            computed = [name for name, field in model._fields.items() if field.compute]
            forged = {f"default_{field}": False for field in computed}
            forms = self.env[name].with_context(**forged)
            with self.subTest(name):
                self.assertFalse(set(computed) & set(forms.default_get(computed)))
        country = self.env.ref("base.ke")
        form = self.env["spar.bank.load.wizard"].with_context(
            default_country_id=country.id, default_bank_count=7
        )
        found = form.default_get(["country_id", "bank_count"])
        self.assertEqual(found, {"country_id": country.id})

    def test_no_default_of_a_caller_completes_what_superuser_code_creates(self):
        """An archived record, for one, is in no list of staff."""
        country = self.env.ref("base.ke")
        values = {"name": "Bank of the Lake", "code": "LAKE", "country_id": country.id}
        forged = self.env["spar.fsp"].with_context(default_active=False)
        self.assertTrue(forged.sudo().create(values).active)


@tagged("-at_install", "post_install")
class TestDeletingByContext(ByAdministrator):
    """A word in the context of a call switches off what deleting refuses."""

    def get_flagged(self, record):
        return record.with_context(_force_unlink=True)

    def test_what_deleting_refuses_is_refused(self):
        rule = self.env["ir.rule"].search(
            [("model_id.model", "=like", "spar.%")], limit=1
        )
        right = self.env["ir.model.access"].search(
            [("model_id.model", "=like", "spar.%")], limit=1
        )
        field = self.env["ir.model.fields"]._get("spar.setting.change", "state")
        for record in (
            rule,
            right,
            field,
            self.env.ref("spar_fa_directory.menu_root"),
            self.env["ir.model.data"].search(
                [("module", "=", "spar_fa_directory"), ("model", "=", "res.groups")],
                limit=1,
            ),
        ):
            for kind, env in (("user", self.env), ("superuser", self.env(su=True))):
                with self.subTest(record._name, by=kind), self.refused():
                    self.get_flagged(record.with_env(env)).unlink()
            self.assertTrue(record.exists())

    def test_only_odoo_itself_sets_the_word(self):
        self.assertNotIn("_force_unlink", self.get_flagged(self.env.user).env.context)
        context = {"_force_unlink": True, "lang": "en_US"}
        self.assertEqual(self.env(context=context).context, {"lang": "en_US"})
        with loading_addon(self.registry, ITSELF):
            self.assertIn("_force_unlink", self.get_flagged(self.env.user).env.context)

    def test_archived_records_are_found_by_methods_that_read(self):
        """A method that decides would go by rules that are no longer in force."""
        context = {"active_test": False, "lang": "en_US"}
        seen = []
        self.patch(
            type(self.env["spar.fsp"]),
            "action_open_branches",
            lambda self, *_args: seen.append(self.env.context),
        )
        call_kw(
            self.env["spar.fsp"], "action_open_branches", [[]], {"context": context}
        )
        self.assertEqual(seen, [{"lang": "en_US"}])
        country = self.env.ref("base.ke")
        values = {"name": "Bank of the Lake", "code": "LAKE", "country_id": country.id}
        provider = self.env["spar.fsp"].sudo().create({**values, "active": False})
        administrator = self.env.ref("spar_fa_directory.group_administrator")
        self.admin.sudo().group_ids += administrator
        for context, found in (({}, []), ({"active_test": False}, provider.ids)):
            domain = [("id", "=", provider.id)]
            read = call_kw(
                self.env["spar.fsp"],
                "search_read",
                [domain, ["id"]],
                {"context": context},
            )
            self.assertEqual([row["id"] for row in read], found)


@tagged("-at_install", "post_install")
class TestNobodys(ByAdministrator):
    """Models of Odoo to which no addon gives anybody a right."""

    NOBODYS = ("bus.bus", "auth.totp.rate.limit.log", "auth_totp.device")

    def give(self, model, **rights):
        return self.env["ir.model.access"].create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get_id(model),
                "group_id": self.env.ref("base.group_system").id,
                **rights,
            }
        )

    def test_nobody_gives_rights_that_no_addon_gives(self):
        for model in filter(self.registry.__contains__, self.NOBODYS):
            for right in ("perm_write", "perm_create", "perm_unlink"):
                with self.subTest(model, right=right), self.refused():
                    self.give(model, **{right: True})
            kept = self.give(model, perm_read=True)
            with self.subTest(model, by="write"), self.refused():
                kept.perm_unlink = True
        kept = self.give("res.partner", perm_write=True)
        with self.assertRaises(UserError):
            kept.model_id = self.env["ir.model"]._get_id("ir.model.inherit")
        kept.write({"perm_create": True, "name": "y"})

    def test_own_models_get_rights(self):
        own = self.env["ir.model"].create({"name": "x", "model": "x_test_own"})
        kept = self.give(own.model, perm_write=True, perm_create=True)
        kept.perm_unlink = True

    def test_expressions_forget_no_attempts(self):
        if "auth.totp.rate.limit.log" not in self.env:
            self.skipTest("there are no one-time codes")
        with (
            mute_logger("odoo.addons.spar_mapper_connector.expressions"),
            self.assertRaises(Exception),  # noqa: B017  (wrapped by safe_eval)
        ):
            safe_eval.safe_eval(
                "env['auth.totp.rate.limit.log'].sudo().search([]).unlink()",
                {"env": self.env},
            )

    def test_a_right_from_before_forgets_no_attempts(self):
        if "auth.totp.rate.limit.log" not in self.env:
            self.skipTest("there are no one-time codes")
        values = {"user_id": self.admin.id, "limit_type": "code_check"}
        kept = self.env["auth.totp.rate.limit.log"].sudo().create(values)
        with self.assertRaises(AccessError):
            kept.sudo(False).unlink()
        kept.unlink()

    def test_only_odoo_writes_to_the_browsers_of_staff(self):
        if "bus.bus" not in self.env:
            self.skipTest("there is no bus")
        bus = self.env["bus.bus"].sudo()
        row = {"channel": '["x"]', "message": '{"type": "simple_notification"}'}
        with self.assertRaises(AccessError):
            bus.create(row)
        bus._sendone("x", "simple_notification", {})
        self.env.cr.precommit.run()
        with self.assertRaises(AccessError):
            bus.search([], limit=1).write(row)


@tagged("-at_install", "post_install")
class TestParameters(ByAdministrator):
    def test_the_secret_and_the_name_of_the_database_stay(self):
        """Attempts to log in are counted under the secret."""
        parameters = self.env["ir.config_parameter"]
        for key in ("database.secret", "database.uuid"):
            kept = parameters.search([("key", "=", key)])
            with self.subTest(key), self.refused():
                parameters.set_param(key, "x")
            with self.subTest(key, by="write"), self.refused():
                kept.value = "x"
            with self.subTest(key, by="unlink"), self.refused():
                kept.unlink()
            other = parameters.create({"key": f"x.{key}", "value": "x"})
            with self.subTest(key, by="rename"), self.refused():
                other.key = key
        other.value = "y"

    def test_a_signed_link_opens_no_file_of_ours(self):
        """Odoo's administrator reads the secret, and signs any link."""
        binary = self.env["ir.binary"]
        provider = self.env["spar.fsp"].sudo().create({"name": "P", "code": "TESTP"})
        for record, field, opens in (
            (self.admin.partner_id, "image_128", True),
            (provider.sudo(False), "logo", False),
        ):
            name = record._name
            token = limited_field_access_token(record, field, scope="binary")
            visitor = binary.with_user(self.env.ref("base.public_user"))
            find = functools.partial(
                visitor._find_record, None, name, record.id, token, field
            )
            with self.subTest(name):
                if opens:
                    self.assertEqual(find(), record)
                else:
                    self.assertRaises(AccessError, find)
