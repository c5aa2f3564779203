"""Templates of mails hold the placeholders of their addon, and those for everybody."""

import os
from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.spar_mapper_connector.expressions import scheduled
from odoo.addons.spar_mapper_connector.lib.addon_code import VARIABLE

_CODE = ("object.env.user.login", "user", "object.sudo().child_ids", "1 + 1")
_FREE = "object.name"


@tagged("-at_install", "post_install")
class TestMailCode(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "base.group_system,mail.group_mail_template_editor"
        admin = new_test_user(cls.env, "test_mail_code", groups=groups)
        # A test is no command of the operator.
        cls.enterClassContext(scheduled())
        cls.env = cls.env(user=admin)
        cls.model = cls.env["ir.model"]._get("res.partner")
        cls.contact = admin.partner_id
        cls.template = cls.add_template(
            subject="{{ object.env.company.name }}",
            body_html='<p t-if="object.ref and user">Old</p>',
        )
        cls.startClassPatcher(patch.dict(os.environ, {VARIABLE: "on"}))

    @classmethod
    def add_template(cls, **values):
        values = {"name": "Test", "model_id": cls.model.id, **values}
        return cls.env["mail.template"].create(values)

    @contextmanager
    def refused(self):
        with self.assertRaisesRegex(UserError, "people's accounts"):
            with self.env.cr.savepoint():
                yield

    def test_nobody_adds_an_expression(self):
        for code in _CODE:
            for values in (
                {"subject": f"To {{{{ {code} }}}}"},
                {"body_html": f'<p><t t-out="{code}"/></p>'},
                {"body_html": f'<p t-if="{code}">Old</p>'},
                {"body_html": f'<p t-att-x.f="{code}">Old</p>'},
                {"body_html": f'<t t-snippet-call="base.x" c="{code}"/>'},
                {"email_to": f"{{{{{code}}}}}"},
            ):
                with self.subTest(values):
                    with self.refused():
                        self.template.write(values)
                    with self.refused():
                        self.add_template(**values)

    def test_nobody_adds_an_expression_by_a_translation(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.add_template(subject="Hello", body_html="<p>Hello</p>")
        for code in _CODE:
            subject = f"{{{{ {code} }}}}"
            with self.subTest(code):
                with self.refused():
                    template.update_field_translations("subject", {"fr_FR": subject})
                with self.refused():
                    template.with_context(lang="fr_FR").subject = subject
        template.update_field_translations("subject", {"fr_FR": "Bonjour"})
        self.assertEqual(template.with_context(lang="fr_FR").subject, "Bonjour")

    def test_texts_and_placeholders_for_everybody_are_free(self):
        self.template.body_html = '<p t-if="object.ref and user">New</p>'
        self.template.subject = "{{ object.env.company.name }}: new"
        free = self.add_template(
            subject=f"{{{{ {_FREE} }}}}", body_html=f'<p><t t-out="{_FREE}"/></p>'
        )
        shown = free._render_field("subject", self.contact.ids)
        self.assertEqual(shown, {self.contact.id: self.contact.name})

    def test_a_stored_template_is_rendered(self):
        shown = self.template._render_field("subject", self.contact.ids)
        self.assertEqual(shown, {self.contact.id: self.env.company.name})

    def test_the_text_of_a_mail_is_not_evaluated(self):
        mails = self.env["mail.render.mixin"]
        for code in _CODE:
            for text, engine in (
                (f'<p><t t-out="{code}"/></p>', "qweb"),
                (f"{{{{ {code} }}}}", "inline_template"),
            ):
                with self.subTest(text), self.refused():
                    mails._render_template(
                        text, "res.partner", self.contact.ids, engine=engine
                    )
        text = f"{{{{ {_FREE} }}}}"
        shown = mails._render_template(text, "res.partner", self.contact.ids)
        self.assertEqual(shown, {self.contact.id: self.contact.name})

    def test_the_check_names_expressions_that_no_addon_brought(self):
        shipped = self.env.ref("auth_signup.set_password_email")
        templates = self.env["mail.template"]
        self.assertEqual(templates._find_foreign_code(), [self.template.id])
        with patch.dict(os.environ, {VARIABLE: "off"}):
            shipped.subject = "{{ object.sudo().login }}"
        found = templates._find_foreign_code()
        self.assertEqual(found, sorted((self.template.id, shipped.id)))

    def test_nobody_names_the_file_of_a_template(self):
        """The check compares a template with its file."""
        with self.refused():
            self.template.template_fs = "nosuch/data/x.xml"
        with self.refused():
            self.add_template(template_fs="nosuch/data/x.xml")
        shipped = self.env.ref("auth_signup.set_password_email")
        with patch.dict(os.environ, {VARIABLE: "off"}):
            shipped.template_fs = "nosuch/data/x.xml"
        found = self.env["mail.template"]._find_foreign_code()
        self.assertIn(shipped.id, found)
