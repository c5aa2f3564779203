"""Who reads the registry's records as superuser."""

import sys
from contextlib import nullcontext
from functools import partial
from types import ModuleType
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger, safe_eval

from odoo.addons.bus.websocket import WebsocketRequest

from .. import expressions
from ..exceptions import CalledFromExpression
from ..expressions import scheduled
from ..server import left_work, readers, reading
from .test_two_accounts import ServedRequest

ALARMS = (
    "odoo.addons.spar_mapper_connector.expressions",
    "odoo.addons.spar_mapper_connector.server.reading",
)
LOGO = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
#: What an addon of Odoo does for its users, as superuser.
CODE = """
def search(model):
    return model.sudo().search([])

def count(model):
    return model.sudo().search_count([("code", "!=", "x")])

def group(model):
    return model.sudo()._read_group([], ["active"], ["__count"])

def read(record):
    return record.sudo().name

def show(record):
    return record.sudo().display_name

def show_own(record):
    return record.display_name

def list_for_user(model):
    return model.search([])
"""


@tagged("-at_install", "post_install")
class TestReading(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A test is no command of the operator.
        cls.enterClassContext(scheduled())
        cls.record = cls.env.ref("spar_mapper_connector.id_type_national_id")
        cls.model = cls.record.browse()

    def setUp(self):
        super().setUp()
        self.env.flush_all()
        self.env.invalidate_all()

    def load(self, addon):
        """Return code of an addon."""
        name = f"odoo.addons.{addon}.models.work"
        module = ModuleType(name)
        sys.modules[name] = module
        self.addCleanup(sys.modules.pop, name)
        exec(CODE, vars(module))  # noqa: S102
        return module

    def test_other_addons_do_not(self):
        work = self.load("some_recycling")
        for name in ("search", "count", "group"):
            with self.subTest(name), mute_logger(*ALARMS):
                with self.assertRaises(AccessError):
                    getattr(work, name)(self.model)
        for name in ("read", "show"):
            with self.subTest(name), mute_logger(*ALARMS):
                self.env.invalidate_all()
                with self.assertRaises(AccessError):
                    getattr(work, name)(self.record)

    def test_other_addons_do_as_their_user(self):
        work = self.load("some_recycling")
        user = self.env.ref("base.user_admin")
        user.group_ids += self.env.ref("spar_fa_directory.group_administrator")
        model = self.model.with_user(user)
        self.assertIn(self.record, work.list_for_user(model).sudo())

    def test_an_addon_that_belongs_together_with_ours_does(self):
        self.assertLessEqual({"web", "mail"}, self.env["base"]._spar_related)
        self.assertNotIn("some_recycling", self.record._spar_related)
        work = self.load("web")
        self.assertIn(self.record, work.search(self.model))
        self.assertTrue(work.read(self.record))

    def test_it_reads_what_is_sealed_for_staff_only(self):
        """Cover the name of a document in an error message, say."""
        work = self.load("mail")
        clerk = new_test_user(self.env, "test_clerk", groups="base.group_user")
        viewer = new_test_user(
            self.env,
            "test_viewer",
            groups="base.group_user,spar_fa_directory.group_viewer",
        )
        for user, is_open in ((viewer, True), (clerk, False)):
            served = ServedRequest(user.id)
            with (
                self.subTest(user.login),
                patch.object(expressions, "request", served),
                patch.object(readers, "request", served),
                mute_logger(*ALARMS),
            ):
                self.env.invalidate_all()
                self.assertTrue(work.show(self.record))
                kind = self.registry[self.record._name]
                with patch.object(kind, "_sealed_columns", ("x",), create=True):
                    self.env.invalidate_all()
                    if is_open:
                        self.assertTrue(work.show(self.record))
                        continue
                    with self.assertRaises(AccessError):
                        work.show(self.record)

    def test_it_reads_in_the_name_of_somebody_else_what_its_user_may_read(self):
        """An expression leaves records of any user in a value that Odoo reads."""
        work = self.load("website")
        self.registry["base"]._spar_related |= {"website"}
        clerk = new_test_user(self.env, "test_clerk", groups="base.group_user")
        viewer, auditor = (
            new_test_user(
                self.env,
                f"test_{role}",
                groups=f"base.group_user,spar_fa_directory.group_{role}",
            )
            for role in ("viewer", "auditor")
        )
        kind = self.registry[self.record._name]
        for user, is_open in ((clerk, False), (viewer, True)):
            served = ServedRequest(user.id)
            with (
                self.subTest(user.login),
                patch.object(expressions, "request", served),
                patch.object(readers, "request", served),
                patch.object(kind, "_sealed_columns", ("x",), create=True),
                mute_logger(*ALARMS),
                nullcontext() if is_open else self.assertRaises(AccessError),
            ):
                self.env.invalidate_all()
                theirs = self.record.with_user(auditor)
                self.assertTrue(work.show_own(theirs))
                self.assertTrue(work.list_for_user(theirs))

    def test_a_message_of_a_websocket_is_somebody_s(self):
        """It is no request, but its user sees what an addon finds for them."""
        clerk = new_test_user(self.env, "test_clerk", groups="base.group_user")
        work, record = self.load("mail"), self.record.with_user(clerk)
        kind = self.registry[record._name]
        with patch.object(kind, "_sealed_columns", ("x",), create=True):
            self.assertTrue(work.show(record))
            self.env.invalidate_all()
            message = WebsocketRequest(self.env.cr.dbname, None, None)
            with message, mute_logger(*ALARMS), self.assertRaises(AccessError):
                work.show(record)
            self.env.invalidate_all()
            self.assertTrue(work.show(record))

    def test_no_helper_of_odoo_reads_for_an_expression_behind_our_own_method(self):
        """Our overrides of Odoo's methods call on what Odoo's other addons made."""
        work, name = self.load("web"), "odoo.addons.spar_mapper_connector.models.work"
        override = ModuleType(name)
        override.search = work.search
        exec("def web_read_group(self): return search(self)", vars(override))  # noqa: S102
        kind = self.registry[self.record._name]
        with patch.object(kind, "web_read_group", override.web_read_group):
            self.assertIn(self.record, self.model.web_read_group())
            with mute_logger(*ALARMS), self.assertRaisesRegex(ValueError, "Expression"):
                safe_eval.safe_eval("rows.web_read_group()", {"rows": self.model})

    def test_what_was_done_is_left_no_longer(self):
        field = self.record._fields["display_name"]
        row_ids = left_work._RowIds([2])
        safe_eval.safe_eval("leave([1, 3])", {"leave": row_ids.update})
        with patch.dict(self.env.transaction.tocompute, {field: row_ids}):
            rows = self.record.browse((1, 2, 3))
            self.assertEqual(left_work.filter_left(field, rows).ids, [1, 3])
            row_ids.difference_update([1])
            row_ids.update([1])
            self.assertEqual(left_work.filter_left(field, rows).ids, [3])

    def test_no_callback_that_an_expression_left_reads(self):
        """Odoo's mail notes at the end of a transaction what has changed."""
        work, callbacks = self.load("mail"), self.env.cr.precommit
        leave = partial(callbacks.add, partial(work.show, self.record))
        leave()
        callbacks.run()
        self.env.invalidate_all()
        with mute_logger(*ALARMS), self.assertRaises(CalledFromExpression):
            safe_eval.safe_eval("leave()", {"leave": leave})
            callbacks.run()

    def test_no_expression_changes_a_file_of_ours(self):
        provider = self.env["spar.fsp"].create({"name": "Bank", "code": "FILEBANK"})
        provider.logo = LOGO
        self.env.flush_all()
        files = (
            self.env["ir.attachment"]
            .sudo()
            .search(
                [
                    ("res_model", "=", "spar.fsp"),
                    ("res_field", "=", "logo"),
                    ("res_id", "=", provider.id),
                ]
            )
        )
        self.assertTrue(files)
        for code in ("files.write({'raw': b'x'})", "files.unlink()"):
            with self.subTest(code), mute_logger(*ALARMS):
                with self.assertRaisesRegex(ValueError, "CalledFromExpression"):
                    safe_eval.safe_eval(code, {"files": files})
        provider.logo = False
        self.assertFalse(files.exists())

    def test_what_names_people_is_about_people(self):
        """Cover the history, which names a mapping only, and what staff did."""
        about = {
            name
            for name in self.registry
            if name.startswith("spar.")
            and reading._is_about_people(self.registry, name, set())
        }
        found = {"spar.event", "spar.staff.act", "spar.subject", "spar.group.log"}
        self.assertLessEqual(found & self.registry.keys(), about)
        self.assertIn("spar.group.log", about)
        settings = {"spar.id.type", "spar.fa.type", "spar.mapper.backend", "spar.limit"}
        self.assertFalse(settings & about)

    def test_no_expression_does(self):
        for code in (
            "record.search([])",
            "record.search_count([])",
            "record.name",
            "record.display_name",
            "record.read(['name'])",
            "list(map(lambda one: one.name, [record]))",
            "env['spar.settings.seal'].sudo().search([])",
            # Helpers of Odoo stand between the expression and the record.
            "record.web_read({'name': {}})",
            "record.sudo().web_read({'display_name': {}})",
            "record.sudo().web_search_read([], {'name': {}})",
            "record.sudo().formatted_read_group([], ['active'], ['__count'])",
            "record.sudo().name_search('')",
            "env['ir.qweb.field'].record_to_html(record, 'name', {})",
        ):
            with self.subTest(code), mute_logger(*ALARMS):
                self.env.invalidate_all()
                with self.assertRaisesRegex(ValueError, "CalledFromExpression"):
                    safe_eval.safe_eval(code, {"env": self.env, "record": self.record})

    def test_code_of_ours_does_below_an_expression(self):
        """Cover an automation on contacts, say: what it changes has effects here."""
        user = new_test_user(self.env, "test_reading", groups="base.group_user")
        safe_eval.safe_eval("user.write({'name': 'Another name'})", {"user": user})
        self.assertEqual(user.name, "Another name")
