"""What an administrator of Odoo may not change of staff's screens."""

import builtins
from pathlib import Path
from unittest.mock import patch

from markupsafe import Markup

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import (
    convert_file,
    file_open_temporary_directory,
    mute_logger,
    safe_eval,
)

from ..expressions import scheduled
from ..loaded_files import ITSELF
from .loading_case import loading_addon
from .test_closed_by_kind import ByAdministrator

NAMES = "odoo.addons.spar_mapper_connector.models.customising.ir_model_data"
SCHEMA = "odoo.addons.spar_mapper_connector.models.customising.ir_model_schema"
#: Expressions whose format would read what they may not name.
FORMATS = (
    "'{0.transaction.field_data}'.format(env)",
    "'{0._field_cache_memo}'.format(env)",
    "'{0[0].cr}'.format([env])",
    "'{:{0.cr}}'.format(env)",
    "'{0!s:{1.cr}}'.format(1, env)",
    "'{e.cr}'.format(e=env)",
    "'{e.cr}'.format_map({'e': env})",
    "str.format('{0.cr}', env)",
    "[f(env) for f in ['{0.cr}'.format]]",
    "list(map('{0.cr}'.format, [env]))",
    "('{0.c' + 'r}').format(env)",
    "(lambda text: text.format(env))('{0.cr}')",
    "'{0.\uff43r}'.format(env)",
    "'{0.cr}'.\uff46ormat(env)",
)


@tagged("-at_install", "post_install")
class TestFormats(TransactionCase):
    """A format string reads no attribute that an expression may not name."""

    def render(self, expression):
        arch = f'<t t-name="x"><t t-out="str({expression})"/></t>'
        view = self.env["ir.ui.view"].create(
            {"name": "x", "type": "qweb", "arch": arch}
        )
        return str(self.env["ir.qweb"]._render(view.id, {"env": self.env}))

    def evaluate(self, expression):
        return str(safe_eval.safe_eval(expression, {"env": self.env}))

    def execute(self, expression):
        values = {"env": self.env}
        safe_eval.safe_eval(f"shown = str({expression})", values, mode="exec")
        return values["shown"]

    def test_closed_names_are_refused(self):
        for channel in (self.render, self.evaluate, self.execute):
            for expression in FORMATS:
                with self.subTest(expression, channel=channel.__name__):
                    # QWeb wraps what went wrong.
                    with self.assertRaisesRegex(
                        Exception, "forbidden name|no attribute"
                    ):
                        channel(expression)

    def test_other_formats_work(self):
        for channel in (self.render, self.evaluate, self.execute):
            for expression, shown in (
                ("'{:.1f}|{:>3}'.format(1.25, 7)", "1.2|  7"),
                ("'{0.uid}'.format(env)", str(self.env.uid)),
                ("'{a[b]}'.format_map({'a': {'b': 5}})", "5"),
                ("', '.join(map('{:02}'.format, [1, 2]))", "01, 02"),
                ("env.company.currency_id.format(1.5)[-4:]", "1.50"),
            ):
                with self.subTest(expression, channel=channel.__name__):
                    self.assertIn(shown, channel(expression))

    def test_markup_still_escapes(self):
        values = {"text": Markup("<b>{}</b>")}
        shown = safe_eval.safe_eval("text.format('<i>')", values)
        self.assertEqual(shown, Markup("<b>&lt;i&gt;</b>"))


@tagged("-at_install", "post_install")
class TestFieldWrites(TransactionCase):
    """A field's own ``write`` is no way around the refusal of expressions."""

    def test_it_is_refused(self):
        provider = self.env["spar.fsp"].create({"name": "P", "code": "TESTP"})
        for expression in (
            "record._fields['name'].write(record, 'Q')",
            "list(map(record._fields['name'].write, [record], ['Q']))",
            "record._fields['name'].create([(record, 'Q')])",
        ):
            with self.subTest(expression):
                with self.assertLogs(level="ERROR"), self.assertRaises(ValueError):
                    safe_eval.safe_eval(expression, {"record": provider})
        self.assertEqual(provider.name, "P")

    def test_it_is_refused_for_views(self):
        view = self.env.ref("base.view_partner_form")
        before = view.arch_db
        with self.assertLogs(level="ERROR"), self.assertRaises(ValueError):
            safe_eval.safe_eval(
                "record._fields['arch_db'].write(record, '<form/>')", {"record": view}
            )
        self.assertEqual(view.arch_db, before)

    def test_reading_a_computed_field_writes_it(self):
        provider = self.env["spar.fsp"].create({"name": "P", "code": "TESTP"})
        self.env.invalidate_all()
        seen = safe_eval.safe_eval("record.is_closed", {"record": provider})
        self.assertFalse(seen)


@tagged("-at_install", "post_install")
class TestScreens(ByAdministrator):
    def test_views_of_the_web_client_are_for_addons(self):
        views = self.env["ir.ui.view"]
        for model in ("spar.fsp", "res.partner", "res.users"):
            for kind in ("form", "list", "kanban", "search"):
                with self.subTest(model, kind=kind), self.refused():
                    views.create(
                        {
                            "name": "x",
                            "model": model,
                            "type": kind,
                            "arch": f"<{kind}/>",
                        }
                    )
        view = self.env.ref("base.view_users_form_simple_modif")
        with self.refused():
            view.arch = view.arch
        with self.refused():
            views.create(
                {
                    "name": "x",
                    "inherit_id": view.id,
                    "arch": '<field name="name" position="after"><b/></field>',
                }
            )

    def test_views_of_addons_are_not_deleted(self):
        for name in (
            "web.webclient_bootstrap",
            "web.login",
            "base.view_partner_category_list",
            "spar_mapper_connector.res_users_view_form",
            "spar_mapper_connector.layout",
        ):
            with self.subTest(name), self.refused():
                self.env.ref(name).unlink()
        page = self.env["ir.ui.view"].create(
            {"name": "x", "type": "qweb", "key": "website.x", "arch": "<t t-name='x'/>"}
        )
        page.unlink()
        self.assertFalse(page.exists())

    def test_no_field_of_a_view_of_staff_is_written(self):
        """Groups that staff are not in make their screens fail."""
        groups = {"group_ids": [Command.set(self.env.ref("base.group_system").ids)]}
        for name in ("web.webclient_bootstrap", "spar_fa_directory.spar_fsp_view_list"):
            view = self.env.ref(name)
            for values in (groups, {"name": "x"}, {"priority": 1}):
                with self.subTest(name, **values), self.refused():
                    view.write(values)
        page = self.env["ir.ui.view"].create(
            {"name": "x", "type": "qweb", "key": "website.x", "arch": "<t t-name='x'/>"}
        )
        page.write(groups)
        self.assertTrue(page.group_ids)

    def test_websites_pages_stay_editable(self):
        view = self.env["ir.ui.view"].create(
            {"name": "x", "type": "qweb", "arch": '<t t-name="x"><p/></t>'}
        )
        view.arch = '<t t-name="x"><b/></t>'
        self.assertIn("<b/>", view.arch)

    def test_scripts_and_styles_of_staff_are_for_addons(self):
        assets = self.env["ir.asset"]
        for values in (
            {"bundle": "web.assets_web", "path": "/x/x.js"},
            {"bundle": "web.assets_web", "path": "/x/x.css"},
            {"bundle": "web.assets_backend", "path": "/x/x.scss"},
            {
                "bundle": "web.assets_web",
                "directive": "include",
                "path": "website.evil.css",
            },
            {"bundle": "website.evil.css", "path": "/x/x.js"},
            {"bundle": "web._assets_primary_variables", "path": "/x/x.js"},
            {"bundle": "web._assets_primary_variables", "path": "/x/x.scss"},
        ):
            with self.subTest(values), self.refused():
                assets.create({"name": "x", **values})
        style = assets.create(
            {"name": "x", "bundle": "web.assets_frontend", "path": "/x/x.css"}
        )
        with self.refused():
            style.bundle = "web.assets_web"
        theme = {
            "name": "x",
            "bundle": "web._assets_primary_variables",
            "directive": "replace",
            "path": "/_custom/web.assets_frontend/website/x.scss",
            "target": "/website/static/src/scss/x.scss",
        }
        assets.create(theme)

    def test_dashboards_are_for_their_own_user(self):
        view = self.env["ir.ui.view"].search([("type", "=", "form")], limit=1)
        values = {"ref_id": view.id, "arch": "<form/>"}
        other = self.env.ref("base.user_root")
        boards = self.env["ir.ui.view.custom"].sudo()
        boards.create({**values, "user_id": self.admin.id})
        with self.refused():
            boards.create({**values, "user_id": other.id})

    def test_filters_of_ours_are_for_their_own_user(self):
        filters = self.env["ir.filters"]
        values = {"name": "x", "model_id": "spar.fsp", "is_default": True}
        for users in ([], self.env.ref("base.user_root").ids):
            with self.subTest(users), self.refused():
                filters.create({**values, "user_ids": [Command.set(users)]})
        filters.create({**values, "user_ids": [Command.set(self.admin.ids)]})
        filters.create({"name": "x", "model_id": "res.partner"})

    def test_menus_actions_and_labels_stay(self):
        menu = self.env["ir.ui.menu"].search([("parent_id", "=", False)])
        ours = menu.filtered(
            lambda found: found.get_external_id()[found.id].startswith("spar_")
        )[:1]
        label = self.env["ir.model.fields"]._get("spar.fsp", "bic")
        kind = self.env["ir.model.fields"]._get("spar.fsp", "kind")
        for record, name in (
            (ours, "name"),
            (label, "field_description"),
            (kind.selection_ids[:1], "name"),
            (self.env["ir.model"]._get("spar.fsp"), "name"),
        ):
            with self.subTest(str(record)):
                self.assertTrue(record)
                with self.refused():
                    record.write({name: "Other"})
                with self.refused():
                    record.update_field_translations(name, {"en_US": "Other"})
        with self.refused():
            self.env["ir.ui.menu"].create({"name": "x", "parent_id": ours.id})
        action = self.env["ir.actions.act_window"].search(
            [("res_model", "=", "spar.fsp")], limit=1
        )
        for guarded in (action, self.env["ir.actions.actions"].browse(action.id)):
            with self.subTest(str(guarded)), self.refused():
                guarded.sudo().write({"name": "Other"})
        with self.refused():
            self.env["ir.actions.act_window.view"].create(
                {"act_window_id": action.id, "view_mode": "kanban", "sequence": 0}
            )
        partner = self.env["ir.model"]._get("res.partner")
        partner.write(
            {"field_id": [Command.create({"name": "x_own", "ttype": "char"})]}
        )
        own = self.env["ir.ui.menu"].create({"name": "x"})
        with self.refused():
            own.parent_id = ours
        own.name = "y"

    def test_tabs_are_for_their_own_user(self):
        """A tab calls a method as the user who clicks it."""
        action = self.env["ir.actions.act_window"].search(
            [("res_model", "=", "res.partner")], limit=1
        )
        tabs = self.env["ir.embedded.actions"]
        for model in ("spar.setting.change", "res.partner"):
            values = {
                "name": "Print",
                "parent_action_id": action.id,
                "parent_res_model": model,
                "python_method": "action_approve",
            }
            for user in (False, self.env.ref("base.user_root").id):
                with self.subTest(model, user=user), self.refused():
                    tabs.create({**values, "user_id": user})
            own = tabs.create({**values, "user_id": self.admin.id})
            with self.refused():
                own.user_id = False

    def test_names_of_roles_stay(self):
        """The second person reads them."""
        names = ("spar_fa_directory.group_officer", "base.group_system")
        for group in map(self.env.ref, names):
            with self.subTest(group.name):
                with self.refused():
                    group.write({"name": "Viewer"})
                with self.refused():
                    group.update_field_translations("name", {"en_US": "Viewer"})
        with self.refused():
            self.env.ref("spar_fa_directory.privilege").name = "Newsletter"
        own = self.env["res.groups"].create({"name": "x"})
        own.name = "y"

    def test_external_ids_stay(self):
        """What belongs to SPAR is known by its external ID."""
        found = self.env["ir.model.data"].search(
            [("module", "in", ("base", "spar_mapper_connector"))]
        )
        for name in ("group_user", "user_root", "id_type_national_id"):
            (data,) = found.filtered(lambda each, name=name: each.name == name)
            with self.subTest(name):
                with self.refused():
                    data.write({"res_id": self.admin.id})
                with self.refused():
                    data.unlink()
        own = self.env["ir.model.data"].create(
            {"module": "__import__", "name": "x", "model": "res.users", "res_id": 1}
        )
        own.res_id = self.admin.id

    def test_an_import_gives_no_external_ids_of_addons(self):
        """Odoo writes the names of imported records by SQL."""
        partners = self.env["res.partner"]
        loaded = partners.load(["id", "name"], [["__import__.x", "X"]])
        self.assertTrue(loaded["ids"])
        for model, name in (("res.partner", "spar_mapper.x"), ("res.groups", "base.x")):
            with self.subTest(name), mute_logger("odoo.models"):
                answer = self.env[model].load(["id", "name"], [[name, "X"]])
                self.assertFalse(answer["ids"])
                self.assertIn("external IDs", answer["messages"][0]["message"])

    def test_records_of_ours_get_no_name_of_another_addon(self):
        """Uninstalling that addon would delete them."""
        provider = self.env["spar.fsp"].sudo().create({"name": "P", "code": "TESTP"})
        values = {"name": "x", "model": provider._name, "res_id": provider.id}
        names = self.env["ir.model.data"]
        with self.refused():
            names.create({"module": "base_geolocalize", **values})
        names.create({"module": "__export__", **values})
        insert = """INSERT INTO ir_model_data (module, name, model, res_id)
                    VALUES ('base_geolocalize', 'y', %s, %s)"""
        values_of_record = [provider._name, provider.id]
        self.env.cr.execute(insert, values_of_record)
        with self.assertLogs(NAMES, level="ERROR"):
            names._process_end(["base_geolocalize"])
        self.env.cr.execute(insert, values_of_record)
        with self.assertLogs(NAMES, level="ERROR"):
            names._module_data_uninstall(["base_geolocalize"])
        self.assertTrue(provider.exists())
        left = names.search([("model", "=", "spar.fsp"), ("name", "in", ("x", "y"))])
        self.assertEqual(left.mapped("name"), ["x"])

    def test_what_an_addon_noted_before_is_not_dropped_with_it(self):
        """Odoo drops it while an addon is being uninstalled, when all is open."""
        addon = self.env.ref("base.module_base_geolocalize")
        kind = self.env["ir.model"]._get("spar.setting.change")
        constraint = self.env["ir.model.constraint"].search(
            [("name", "=", "spar_setting_change_two_people")]
        )
        self.env.cr.execute(
            """INSERT INTO ir_model_relation (name, model, module)
               VALUES ('spar_setting_change', %(model)s, %(addon)s),
                      ('x_of_its_own', %(model)s, %(addon)s) RETURNING id;
               CREATE TABLE x_of_its_own ();
               UPDATE ir_model_constraint SET module = %(addon)s WHERE id = %(id)s""",
            {"model": kind.id, "addon": addon.id, "id": constraint.id},
        )
        self.env.invalidate_all()
        notes = self.env["ir.model.relation"].search([("module", "=", addon.id)])
        self.assertEqual(len(notes), 2)
        with (
            loading_addon(self.registry, ITSELF),
            self.assertLogs(SCHEMA, level="ERROR"),
        ):
            notes._module_data_uninstall()
            constraint.unlink()
        self.env.cr.execute(
            """SELECT to_regclass('spar_setting_change') IS NOT NULL,
                      to_regclass('x_of_its_own') IS NOT NULL,
                      EXISTS (SELECT FROM pg_constraint
                               WHERE conname = 'spar_setting_change_two_people')"""
        )
        self.assertEqual(self.env.cr.fetchone(), (True, False, True))

    def test_constraints_and_tables_stay(self):
        """Deleting a note of Odoo on a constraint drops it; a note drops a table."""
        constraint = self.env["ir.model.constraint"].search(
            [("name", "=", "spar_setting_change_two_people")]
        )
        relations = self.env["ir.model.relation"]
        addon = self.env.ref("base.module_base_geolocalize")
        model = self.env["ir.model"]._get("res.partner")
        values = {"name": "spar_event", "model": model.id, "module": addon.id}
        for way in (
            constraint.unlink,
            lambda: constraint.write({"name": "x"}),
            lambda: relations.create(values),
            lambda: relations.search([], limit=1).write({"name": "spar_event"}),
            lambda: relations.search([], limit=1).unlink(),
        ):
            with self.refused():
                way()
        self.env.cr.execute(
            "SELECT count(*) FROM pg_constraint WHERE conname = %s", [constraint.name]
        )
        self.assertEqual(self.env.cr.fetchone(), (1,))

    def test_superuser_code_writes_no_code_for_others(self):
        """Some methods of Odoo create whatever record their caller names."""
        clerk = new_test_user(self.env, "test_clerk", groups="base.group_user")
        values = {
            "name": "x",
            "model_id": self.env["ir.model"]._get("res.partner").id,
            "state": "code",
            "code": "model.search([])",
        }
        jobs = self.env["ir.cron"].with_user(clerk).sudo()
        actions = self.env["ir.actions.server"].with_user(clerk).sudo()
        for way in (jobs.create, actions.create):
            with self.subTest(str(way)), self.assertRaises(AccessError):
                way(values)
        own = self.env["ir.actions.server"].sudo().create(values)
        with self.assertRaises(AccessError):
            own.with_user(clerk).sudo().write({"code": "model.create({})"})

    def test_sql_that_changes_a_bundle_is_named(self):
        attachments = self.env["ir.attachment"].sudo()
        bundle = self.env["ir.qweb"]._get_asset_bundle(
            "web.assets_web", css=False, assets_params={}
        )
        stored = bundle.js()
        self.assertEqual(attachments._find_foreign_bundles(), [])
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ir_attachment SET store_fname = NULL, db_datas = %s WHERE id = %s",
            [stored.raw + b";steal()", stored.id],
        )
        self.env.invalidate_all()
        self.assertEqual(attachments._find_foreign_bundles(), [stored.id])

    def test_sql_that_changes_a_view_is_named(self):
        views = self.env["ir.ui.view"].sudo()
        self.assertEqual(views._find_foreign(), [])
        card = self.env.ref("base.view_partner_form")
        frame = self.env.ref("web.webclient_bootstrap")
        self.env.cr.execute(
            "UPDATE ir_ui_view SET arch_db = jsonb_build_object('en_US', "
            "replace(arch_db->>'en_US', '<t ', '<t data-x=\"1\" ')) WHERE id = %s",
            [frame.id],
        )
        self.env.cr.execute(
            """INSERT INTO ir_ui_view (name, type, model, mode, priority,
                                       arch_db, active)
               SELECT 'x', type, model, mode, 1, arch_db, true
                 FROM ir_ui_view WHERE id = %s RETURNING id""",
            [card.id],
        )
        (added,) = self.env.cr.fetchone()
        self.env.invalidate_all()
        self.assertEqual(views._find_foreign(), sorted([frame.id, added]))


@tagged("-at_install", "post_install")
class TestOtherCode(TransactionCase):
    """Code of Odoo that writes any record, for whoever asks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(scheduled())
        cls.provider = cls.env["spar.fsp"].create({"name": "P", "code": "TESTP"})

    def refused(self):
        return self.assertRaises(UserError)

    def run_as(self, module, code, **values):
        """Run code as that of an addon's module, with Python's own builtins."""
        space = {"__name__": module, "__builtins__": builtins, **values}
        exec(compile(code, "code of another addon", "exec"), space)  # noqa: S102

    def test_other_addons_do_not_write_as_superuser(self):
        for code in (
            "def act(record): record.sudo().write({'active': False})\nact(record)",
            "def act(record): record.sudo().active = False\nact(record)",
            "def act(record): record.sudo().unlink()\nact(record)",
            "def act(record): record.sudo().create({'name': 'N', 'code': 'NEW'})\n"
            "act(record)",
            "def act(record): record.sudo().action_archive()\nact(record)",
        ):
            with self.subTest(code):
                with self.assertRaises(AccessError):
                    self.run_as(
                        "odoo.addons.data_recycle.x", code, record=self.provider
                    )
        self.assertTrue(self.provider.active)

    def test_odoo_deletes_forms_that_people_left(self):
        left = self.env["spar.first.steps"].create({})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE spar_first_steps SET create_date = '2020-01-01', write_date = "
            "'2020-01-01' WHERE id = %s",
            [left.id],
        )
        self.env.invalidate_all()
        code = "def act(model): model._transient_clean_rows_older_than(60)\nact(model)"
        self.run_as("odoo.addons.base.models.ir_autovacuum", code, model=left)
        self.assertFalse(left.exists())

    def test_our_own_addons_do(self):
        code = "def act(record): record.sudo().write({'name': 'Q'})\nact(record)"
        self.run_as("odoo.addons.spar_more.x", code, record=self.provider)
        self.assertEqual(self.provider.name, "Q")

    def test_uploaded_data_files_are_refused(self):
        data = b"<odoo><function model='res.users' name='search' eval='[[]]'/></odoo>"
        with file_open_temporary_directory(self.env) as folder:
            Path(folder, "x").mkdir()
            path = Path(folder, "x", "d.xml")
            path.write_bytes(data)
            with self.assertRaisesRegex(UserError, "Uploaded modules"):
                convert_file(self.env, "x", "d.xml", {}, pathname=str(path))

    def test_translations_are_not_uploaded(self):
        values = {"name": "x", "code": "en_US", "filename": "x.po", "data": b"eA=="}
        wizard = self.env["base.language.import"].create(values)
        with self.assertRaises(UserError):
            wizard.import_lang()
        view = self.env.ref("base.view_users_form_simple_modif")
        with self.assertRaises(UserError):
            view._update_field_translations("arch_db", {"en_US": {"Language": "x"}})

    def test_lists_of_fields_stay(self):
        field = self.env["spar.setting.change"]._fields["state"]
        before = list(field.selection)
        for act in ("reverse()", "clear()", "append(('x', 'y'))", "pop()"):
            with self.subTest(act), self.assertRaises(ValueError):
                safe_eval.safe_eval(f"field.selection.{act}", {"field": field})
        self.assertEqual(field.selection, before)
        self.assertTrue(self.env["spar.setting.change"].fields_get(["state"]))

    @mute_logger("odoo.addons.spar_mapper_connector.expressions")
    def test_expressions_do_not_lead_mail_elsewhere(self):
        role = "base.group_user,spar_fa_directory.group_auditor"
        user = new_test_user(self.env, "test_mail_role", groups=role)
        values = {"env": self.env(su=True), "partner": user.partner_id.sudo()}
        for expression in (
            "partner.write({'email': 'x@example.com'})",
            "partner.user_ids.write({'email': 'x@example.com'})",
            "partner.user_ids.write({'partner_id': env.user.partner_id.id})",
            "env['ir.mail_server'].create({'name': 'x', 'smtp_host': 'x'})",
        ):
            with self.subTest(expression), self.assertRaises(ValueError):
                safe_eval.safe_eval(expression, dict(values))

    def test_expressions_change_nothing_while_an_addon_is_upgraded(self):
        """Odoo computes fields then, whose code an administrator wrote."""
        contacts = self.env["ir.model"]._get_id("res.partner")
        field = {"field_description": "x", "state": "manual", "ttype": "char"}
        mapped = self.env["ir.model"]._get_id("spar.id.type")
        view = {"name": "x", "model": "spar.fsp", "type": "list", "arch": "<list/>"}
        for model, values in (
            ("ir.ui.view", view),
            ("ir.ui.view", {**view, "model": "res.partner"}),
            ("ir.model.fields", {**field, "name": "x_a", "model_id": mapped}),
            (
                "ir.model.fields",
                {
                    **field,
                    "name": "x_b",
                    "model_id": contacts,
                    "ttype": "many2many",
                    "relation": "res.partner",
                    "relation_table": "spar_group_log",
                },
            ),
            (
                "ir.model.data",
                {"module": "spar_x", "name": "x", "model": "res.partner", "res_id": 1},
            ),
        ):
            values = {"env": self.env, "model": model, "values": values}
            with (
                self.subTest(model),
                loading_addon(self.registry, "spar_mapper_connector"),
                self.refused(),
                self.env.cr.savepoint(),
            ):
                safe_eval.safe_eval("env[model].sudo().create([values])", values)
        found = self.env["ir.model.fields"].search([("name", "in", ("x_a", "x_b"))])
        self.assertFalse(found)

    def test_tours_are_for_addons(self):
        """Their words and pointers are shown on staff's screens."""
        if "web_tour.tour" not in self.env:
            self.skipTest("there are no tours")
        tours = self.env["web_tour.tour"]
        with self.refused():
            tours.create({"name": "x", "url": "/odoo"})
        tour = tours.search([], limit=1)
        for values in ({"url": "/odoo/x"}, {"rainbow_man_message": "x"}):
            with self.subTest(values), self.refused():
                tour.write(values)
        with self.refused():
            self.env["web_tour.tour.step"].create(
                {"tour_id": tour.id, "trigger": "body", "content": "Click here"}
            )
        tours.consume(tour.name)

    def test_our_fields_on_other_models_have_no_default(self):
        field = self.env["ir.model.fields"]._get("res.partner", "ref")
        known = self.registry["res.partner"]._fields["ref"]
        values = {"field_id": field.id, "json_value": '"x"'}
        with patch.object(known, "_modules", ("spar_test",)), self.refused():
            self.env["ir.default"].create(values)
        self.env["ir.default"].create(values)

    def add_field(self, **values):
        """Add a custom field to contacts, as Odoo's administrator does."""
        kept = {
            "name": "x_test",
            "field_description": values.get("name", "x_test"),
            "model_id": self.env["ir.model"]._get_id("res.partner"),
            "state": "manual",
        }
        return self.env["ir.model.fields"].create({**kept, **values})

    def test_related_fields_do_not_show_ours(self):
        """Odoo reads them as superuser."""
        provider = self.env["ir.model"]._get_id("spar.fsp")
        owner = {"ttype": "many2one", "relation": "res.users"}
        field = self.registry["res.partner"]._fields["ref"]
        with patch.object(field, "_modules", ("spar_test",)), self.refused():
            self.add_field(ttype="char", related="parent_id.ref")
        with self.refused():
            self.add_field(model_id=provider, ttype="char", related="name")
        self.add_field(ttype="char", related="parent_id.ref")
        self.add_field(name="x_other", related="user_id", **owner)

    def test_related_fields_do_not_show_what_nobody_reads(self):
        """A stored copy would be in clear, and stays when it is related no more."""
        field = self.registry["res.partner"]._fields["ref"]
        with patch.object(field, "groups", NO_ACCESS):
            for values in ({"store": True}, {"store": False}):
                with self.subTest(**values), self.refused():
                    self.add_field(ttype="char", related="parent_id.ref", **values)
        added = self.add_field(ttype="char", related="parent_id.ref")
        self.assertNotIn(added.id, added._find_foreign())
        with patch.object(field, "groups", NO_ACCESS):
            self.assertIn(added.id, added._find_foreign())

    def test_related_fields_through_our_models(self):
        related = self.registry["auth.oauth.provider"]._fields.get("id_type_id")
        if related is None:
            self.skipTest("no model of another addon refers to one of ours")
        model = self.env["ir.model"]._get_id("auth.oauth.provider")
        with self.refused():
            self.add_field(model_id=model, ttype="char", related="id_type_id.name")

    def test_many2many_fields_have_tables_of_their_own(self):
        """Odoo reads, fills and empties their tables by SQL, and drops them."""
        names = {
            "ttype": "many2many",
            "relation": "res.partner",
            "column1": "actor_id",
            "column2": "user_id",
        }
        for table in ("spar_group_log", "res_groups_users_rel", "no_table_yet"):
            with self.subTest(table), self.refused():
                self.add_field(relation_table=table, **names)
        own = self.add_field(relation_table="x_test_rel", **names)
        with self.refused():
            own.relation_table = "spar_group_log"

    def test_a_field_from_before_is_named_and_stays(self):
        """The table of a many2many field would be dropped with it."""
        field = self.add_field(
            ttype="many2many", relation="res.partner", relation_table="x_test_rel"
        )
        self.assertNotIn(field.id, field._find_foreign())
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ir_model_fields SET relation_table = 'spar_group_log'"
            " WHERE id = %s",
            [field.id],
        )
        self.env.invalidate_all()
        self.assertIn(field.id, field._find_foreign())
        with self.refused():
            field.unlink()

    def test_contacts_of_accounts_with_a_role_are_not_merged(self):
        role = "base.group_user,spar_fa_directory.group_auditor"
        user = new_test_user(self.env, "test_merge_role", groups=role)
        other = self.env["res.partner"].create({"name": "x"})
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        with self.assertRaisesRegex(UserError, "role"):
            wizard._merge((user.partner_id | other).ids, other)
