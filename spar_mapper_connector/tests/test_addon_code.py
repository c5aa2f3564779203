"""Code comes from addons only: nobody who uses the running server adds any."""

import os
from contextlib import contextmanager
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..lib.addon_code import VARIABLE, is_addon_code_only
from ..lib.settings_seal import CODE_FOREIGN
from ..server.addon_code import CODE
from .test_closed_by_kind import ByAdministrator

_PAGE = '<t t-name="test_code.shipped"><p t-if="x">{}</p><t t-call="a.b" c="d"/></t>'
#: These are in one table with other actions.
_NOT_NAMED = ("ir.actions.actions", "ir.actions.act_window_close")
_BLOCK = '<t t-snippet="website.s_1-2" t-thumbnail="/a.png"/>'


@tagged("-at_install", "post_install")
class TestAddonCode(ByAdministrator):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        contacts = cls.env["ir.model"]._get("res.partner").id
        action = {"name": "x", "model_id": contacts, "state": "code", "code": "True"}
        cls.new = {
            "ir.actions.server": action,
            "ir.cron": action,
            "ir.rule": {"name": "x", "model_id": contacts, "domain_force": "[]"},
            "ir.model": {"name": "x", "model": "x_code"},
            "ir.model.fields": {
                "name": "x_code",
                "model_id": contacts,
                "ttype": "char",
                "compute": "for record in self: record['x_code'] = record.name",
                "depends": "name",
                "store": False,
            },
            "ir.actions.report": {
                "name": "x",
                "model": "res.partner",
                "report_name": "base.x",
            },
            "ir.actions.act_window": {
                "name": "x",
                "res_model": "res.partner",
                "context": "{'default_parent_id': 1}",
            },
            "ir.actions.act_url": {"name": "x", "url": "https://example.org"},
            "ir.actions.client": {"name": "x", "tag": "reload"},
            "ir.actions.act_window_close": {"name": "x"},
            "ir.actions.actions": {"name": "x", "type": "ir.actions.act_url"},
            "ir.ui.menu": {"name": "x"},
        }
        cls.report = cls.env.ref("base.ir_module_reference_print")
        cls.page = cls.add_view("test_code.shipped", _PAGE.format("Yes"))
        cls.startClassPatcher(patch.dict(os.environ, {VARIABLE: "on"}))

    @classmethod
    def add_view(cls, key, arch, **values):
        views = cls.env["ir.ui.view"]
        return views.create(
            {"name": key, "type": "qweb", "key": key, "arch": arch, **values}
        )

    @contextmanager
    def refused(self):
        with self.assertRaisesRegex(UserError, "people's accounts"):
            with self.env.cr.savepoint():
                yield

    @contextmanager
    def switched_off(self):
        with patch.dict(os.environ, {VARIABLE: "off"}):
            yield

    # === SETTING === #

    def test_only_off_switches_it_off(self):
        for word, is_on in (
            ("off", False),
            (" OFF ", False),
            ("", True),
            ("no", True),
            ("of", True),
        ):
            with self.subTest(word), patch.dict(os.environ, {VARIABLE: word}):
                self.assertEqual(is_addon_code_only(), is_on)
        with patch.dict(os.environ):
            del os.environ[VARIABLE]
            self.assertTrue(is_addon_code_only())

    def test_off_lets_an_administrator_add_code(self):
        with self.switched_off():
            for name, values in self.new.items():
                with self.subTest(name):
                    self.assertTrue(self.env[name].create(values))

    # === ROWS === #

    def test_nobody_adds_code(self):
        for name, values in self.new.items():
            for kind, env in (("user", self.env), ("superuser", self.env(su=True))):
                with self.subTest(name, by=kind), self.refused():
                    env[name].create(values)

    def test_nobody_changes_code(self):
        with self.switched_off():
            job = self.env["ir.cron"].create(self.new["ir.cron"])
            field = self.env["ir.model.fields"].create(self.new["ir.model.fields"])
            action = self.env["ir.actions.server"].create(self.new["ir.actions.server"])
        changes = {
            action: {"code": "1", "state": "object_write", "model_id": field.model_id},
            job: {"user_id": self.admin.id},
            self.env.ref("base.res_partner_rule"): {
                "domain_force": "[]",
                "active": False,
                "groups": False,
            },
            field: {"compute": "True", "depends": False},
            self.env.ref("base.action_partner_form"): {
                "context": "{'default_parent_id': 1}",
                "domain": "[('id', '=', 1)]",
            },
            self.env.ref("base.menu_administration"): {"action": False, "name": "x"},
            self.report: {"report_name": "base.x", "print_report_name": "user"},
        }
        for record, values in changes.items():
            for name, value in values.items():
                with self.subTest(record._name, field=name), self.refused():
                    record.write({name: value})

    def test_nobody_changes_code_from_the_side_of_another_record(self):
        group = self.env["res.groups"].create({"name": "Test"})
        linked = {
            "rule_groups": self.env.ref("base.res_partner_rule"),
            "menu_access": self.env.ref("base.menu_administration"),
            "view_access": self.page,
        }
        for name, record in linked.items():
            for command in (Command.link, Command.unlink, Command.delete):
                commands = [command(record.id)]
                with self.subTest(name, command=command.__name__), self.refused():
                    group.write({name: commands})
            groups, commands = self.env["res.groups"], [[4, record.id]]
            with self.subTest(name, by="value"), self.refused():
                groups.create({"name": "x", name: commands})
            with self.subTest(name, by="default"), self.refused():
                groups.with_context(**{f"default_{name}": commands}).create(
                    {"name": "x"}
                )
        parent = self.env["ir.actions.actions"].browse(
            self.env.ref("base.action_partner_form").id
        )
        for name in ("help", "path", "binding_model_id"):
            with self.subTest(name), self.refused():
                parent.write({name: False})
        rule = self.env["ir.rule"].search(
            [("model_id.model", "=like", "spar.%")], limit=1
        )
        menu = self.env.ref("spar_fa_directory.menu_root")
        for name, record in (("rule_groups", rule), ("menu_access", menu)):
            with self.subTest(name, of="ours"), self.switched_off():
                with self.assertRaises(ValidationError):
                    group.write({name: [Command.link(record.id)]})
                with self.assertRaises(ValidationError):
                    groups.create({"name": "x", name: [Command.link(record.id)]})
        group.write({"user_ids": [Command.link(self.admin.id)]})
        self.assertIn(self.admin, group.user_ids)

    def test_nobody_deletes_what_an_addon_brought(self):
        for name in ("base.res_partner_rule", "base.action_partner_form"):
            record = self.env.ref(name)
            for way in (record.unlink, record.sudo().unlink):
                with self.subTest(name), self.refused():
                    way()
        with self.switched_off():
            added = self.env["ir.rule"].create(self.new["ir.rule"])
        added.unlink()
        self.assertFalse(added.exists())

    def test_what_is_no_code_is_free(self):
        with self.switched_off():
            job = self.env["ir.cron"].create(self.new["ir.cron"])
        job.write({"interval_number": 2, "name": "Remind"})
        self.assertEqual(job.ir_actions_server_id.name, "Remind")
        self.report.name = "Overview"
        self.assertEqual(self.report.name, "Overview")

    def test_free_fields_are_fields(self):
        for name in CODE.keys() & self.env.registry.keys():
            with self.subTest(name):
                self.assertLessEqual(CODE[name], self.env[name]._fields.keys())

    # === DEFAULTS === #

    def set_default(self, user_id):
        field = self.env["ir.model.fields"]._get("res.partner", "city")
        return self.env["ir.default"].create(
            {"field_id": field.id, "json_value": '"x"', "user_id": user_id}
        )

    def test_nobody_chooses_a_default_for_others(self):
        for user_id in (False, self.env.ref("base.user_root").id):
            with self.subTest(user=user_id), self.refused():
                self.set_default(user_id)
        with self.refused():
            self.env["ir.default"].set("res.partner", "city", "x")
        own = self.set_default(self.admin.id)
        with self.refused():
            own.user_id = False

    def test_settings_set_the_defaults_that_they_show(self):
        defaults = self.env["ir.default"].sudo()
        defaults.set("res.partner", "lang", "en_US")
        self.assertEqual(defaults._get("res.partner", "lang"), "en_US")

    # === VIEWS === #

    def test_nobody_repeats_what_a_view_extends(self):
        once = '<xpath expr="//p" position="replace"><p><b>$0</b></p></xpath>'
        twice = once.replace("</b>", "</b><i>$0</i>")
        values = {"name": "x", "type": "qweb", "inherit_id": self.page.id}
        views = self.env["ir.ui.view"]
        with self.refused():
            views.create({**values, "arch": twice})
        view = views.create({**values, "arch": once})
        with self.refused():
            view.arch = twice
        price = self.add_view("test_code.price", "<p><b>$0</b><b>$0</b></p>")
        with self.refused():
            price.arch = price.arch.replace("<b>", "<b t-if='x'>")

    def test_nobody_adds_code_to_a_view(self):
        page, call = _PAGE.format("Yes"), 't-call="a.b" c="d"'
        for added in (
            page.replace("Yes", '<t t-out="user"/>'),
            page.replace("Yes", '<b t-att-title="user">Yes</b>'),
            page.replace("Yes", '<b t-attf-title="{{user}}">Yes</b>'),
            page.replace('t-if="x"', 't-if="x or user"'),
            page.replace(call, 't-call="a.b" c="user.login"'),
            page.replace(call, 't-call="a.b" c="d" e.f="{{user}}"'),
            page.replace(call, 't-call="{{user}}"'),
            page.replace("Yes", '<b t-set="x" t-value="user"/>'),
            page.replace("Yes", '<t t-snippet-call="a.b" c="user.login"/>'),
            page.replace("Yes", '<t t-snippet-call="{{user}}"/>'),
            page.replace("Yes", '<t t-snippet="a.b" c="user.login"/>'),
            page.replace("Yes", '<t t-snippet="a.b" t-thumbnail="/a" t-if="user"/>'),
            page.replace(
                "Yes", '<x:t xmlns:x="x" t-snippet-call="a.b" c="user.login"/>'
            ),
            page.replace("Yes", '<b t-placeholder="user"/>'),
            page.replace("Yes", '<b t-att-x.f="user"/>'),
            page.replace("Yes", '<b t-att-x.translate="user"/>'),
            page.replace("Yes", '<t id="z" c="user()"/>'),
            page.replace("Yes", '<t id="z" c="user.login"/>'),
            page.replace("Yes", '<t id="z" c.f="{{user}}"/>'),
            page.replace("Yes", '<t id="z" c="records"/>'),
            page.replace("Yes", '<t id="z" c="None or records"/>'),
            page.replace("Yes", '<t id="z" c="Pop or records"/>'),
            page.replace("Yes", '<t id="z" c="True and records"/>'),
        ):
            with self.subTest(added):
                with self.refused():
                    self.page.arch = added
                with self.refused():
                    self.page.write({"arch_db": added})
                with self.refused():
                    self.add_view("test_code.new", added)

    def test_nobody_adds_code_by_a_view_that_changes_another(self):
        for change in (
            '<attribute name="t-if">user</attribute>',
            '<attribute name="c">user</attribute>',
            '<attribute name="t-if" add="user" separator=" or "/>',
        ):
            arch = f'<xpath expr="//p" position="attributes">{change}</xpath>'
            with self.subTest(change), self.refused():
                self.add_view("test_code.more", arch, inherit_id=self.page.id)

    def test_nobody_adds_code_by_a_translation(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        before = self.page._list_code()
        # Odoo leaves such terms out.
        terms = {"fr_FR": {"Yes": '<b t-att-title="user">Oui</b>'}}
        self.page.update_field_translations("arch_db", terms)
        self.assertEqual(self.page._list_code(), before)
        self.page.update_field_translations("arch_db", {"fr_FR": {"Yes": "Oui"}})
        self.assertIn("Oui", self.page.with_context(lang="fr_FR").arch)

    def test_the_key_of_a_view_is_no_code(self):
        for key in ("website.k', 'x': user, 'y': '", "website.{{user}}", "a.b()"):
            with self.subTest(key):
                with self.refused():
                    self.add_view(key, "<p>New</p>")
                with self.refused():
                    self.page.key = key

    def test_a_text_of_the_context_is_not_compiled(self):
        seen = []

        def compile_expr(qweb, *args, **options):
            seen.append(qweb.env.context)
            return "''"

        code = "' + user.login + '"
        context = {"snippet_lang": code, "website_id": 1, "lang": "en_US"}
        qweb = self.env["ir.qweb"].with_context(**context)
        with patch.object(self.registry["ir.qweb"], "_compile_expr", compile_expr):
            qweb._generate_code(self.page.id)
        self.assertTrue(seen)
        for compiled in seen:
            self.assertEqual(compiled["website_id"], 1)
            self.assertEqual(compiled["lang"], "en_US")
            self.assertNotIn("snippet_lang", compiled)

    @mute_logger("odoo.addons.base.models.ir_ui_view")
    def test_nobody_names_the_file_of_a_view(self):
        """The check compares a view with its file."""
        for path in ("web/static/img/logo.png", "nosuch/views/x.xml"):
            with self.subTest(path):
                with self.refused():
                    self.page.arch_fs = path
                with self.refused():
                    self.add_view("test_code.file", "<p>New</p>", arch_fs=path)
                with self.switched_off():
                    self.page.arch_fs = path
                self.env["spar.settings.seal"].sudo()._check_all()
                self.page.arch = _PAGE.format("Still edited")
                self.page.arch_fs = False

    def test_nobody_chooses_the_default_favourite_of_others(self):
        values = {"name": "x", "model_id": "res.partner", "domain": "[]"}
        own = {"user_ids": [self.admin.id], "is_default": True}
        favourites = self.env["ir.filters"]
        with self.assertRaises(UserError):
            favourites.create({**values, "user_ids": [], "is_default": True})
        shared = favourites.create({**values, "user_ids": []})
        with self.assertRaises(UserError):
            shared.is_default = True
        self.assertTrue(favourites.create({**values, **own}))

    def test_nobody_adds_a_tour_by_defaults(self):
        tours = self.env["web_tour.tour"]
        for context in ({}, {"default_name": "x", "default_url": "/odoo"}):
            with self.subTest(context), self.assertRaises(UserError):
                tours.with_context(**context).create({})

    def test_texts_and_copies_are_free(self):
        for text in ("No", "<b class='a'>No</b>", "<img src='/a.png'/>", _BLOCK):
            with self.subTest(text):
                self.page.arch = _PAGE.format(text)
        copied = self.page.copy({"key": "test_code.copied"})
        copied.arch = copied.arch.replace("test_code.shipped", "test_code.copied")
        fewer = self.add_view("test_code.fewer", '<div><p t-if="x">New</p></div>')
        self.assertTrue(copied and fewer)

    # === APPS === #

    def test_only_the_operator_installs_apps(self):
        addons = self.env["ir.module.module"]
        other = addons.search([("state", "=", "uninstalled")], limit=1)
        installed = addons.search([("state", "=", "installed")], limit=1)
        for press in (
            other.button_install,
            installed.button_upgrade,
            installed.button_uninstall,
        ):
            with self.subTest(press.__name__), self.refused():
                press()

    # === CHECK === #

    def test_the_check_names_nothing_of_addons(self):
        self.page.unlink()
        found = self.env["spar.settings.seal"].sudo()._check_all()
        self.assertEqual([row for row in found if row[-1] == CODE_FOREIGN], [])

    def test_the_check_names_code_that_no_addon_brought(self):
        with self.switched_off():
            rows = [self.env[name].create(self.new[name]) for name in self.new]
            rows.append(self.add_view("test_code.user", '<p t-out="user"/>'))
            shipped = self.env.ref("base.contact")
            shipped.arch = f'<t>{shipped.arch}<t t-out="user"/></t>'
            rows.append(shipped)
        found = self.env["spar.settings.seal"].sudo()._check_all()
        named = [row for row in rows if not row._name.startswith(_NOT_NAMED)]
        for row in named:
            with self.subTest(row._name):
                self.assertIn((row._table, row.id, CODE_FOREIGN), found)
        with self.switched_off():
            found = self.env["spar.settings.seal"].sudo()._check_all()
        self.assertNotIn(CODE_FOREIGN, [problem for *_row, problem in found])
