"""An expression reads nothing that somebody typed into a request."""

import json

from odoo.http import Request
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

_SECRET = "a secret that is typed"
#: What an expression tries: the name of what it reads -> the expression.
_READING = {
    "parameters": "request.params",
    "form": "request.httprequest.form",
    "values": "request.httprequest.values",
    "files": "request.httprequest.files",
    "data": "request.httprequest.data",
    "body": "request.httprequest.get_data()",
    "JSON": "request.httprequest.get_json()",
    "parsed JSON": "request.get_json_data()",
    "dispatcher": "request.dispatcher.jsonrequest",
    "cookies": "request.cookies",
    "cookies of the browser": "request.httprequest.cookies",
    "headers": "request.httprequest.headers",
    "proxy": "request._get_current_object().params",
}


@tagged("-at_install", "post_install")
class TestTyped(HttpCase):
    def setUp(self):
        super().setUp()
        self.env["ir.ui.view"].create(
            {
                "name": "x",
                "type": "qweb",
                "key": "test_typed.page",
                "arch": '<t t-name="test_typed.page"><p/></t>',
                "group_ids": self.env.ref("base.group_user").ids,
            }
        )
        new_test_user(self.env, "test_typed", password="test_typed_password")
        self.authenticate("test_typed", "test_typed_password")

    def show(self, expression, values):
        """Return what a template shows that is rendered in the request of a user."""
        view = self.env["ir.ui.view"].search([("key", "=", "test_typed.page")])
        view.arch = f'<t t-name="test_typed.page"><p t-out="{expression}"/></t>'
        self.env.flush_all()
        words = {
            "model": "ir.ui.view",
            "method": "render_public_asset",
            "args": ["test_typed.page", values],
            "kwargs": {},
        }
        with mute_logger("odoo.http"):
            answer = self.url_open(
                "/web/dataset/call_kw",
                data=json.dumps({"params": words}),
                headers={"Content-Type": "application/json"},
            )
        return answer.text

    def test_the_attack_reaches_the_template(self):
        self.assertIn("<p>2</p>", self.show("1 + 1", {}))
        self.assertIn(_SECRET, self.show("given", {"given": _SECRET}))

    def test_expressions_read_nothing_that_was_typed(self):
        session = self.session.sid
        for name, expression in _READING.items():
            with self.subTest(name):
                shown = self.show(f"str({expression})", {"given": _SECRET})
                self.assertNotIn(_SECRET, shown)
                self.assertNotIn(session, shown)

    def test_expressions_read_the_address(self):
        for expression, value in (
            ("request.httprequest.path", "/web/dataset/call_kw"),
            ("request.httprequest.method", "POST"),
            ("len(request.params)", "0"),
        ):
            with self.subTest(expression):
                self.assertIn(f"<p>{value}</p>", self.show(expression, {}))

    def test_code_of_the_server_reads_everything(self):
        class Sent:
            args = {"a": "1"}
            cookies = {"b": "2"}

        request = Request.__new__(Request)
        request.httprequest, request.params = Sent, {"c": "3"}
        self.assertIs(request.httprequest, Sent)
        self.assertEqual(request.params, {"c": "3"})
        with self.assertRaises(AttributeError):
            Request.__new__(Request).params  # noqa: B018
