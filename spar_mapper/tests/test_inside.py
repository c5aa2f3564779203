"""Access by web designers, authors of mail templates and Odoo's administrator.

The table of attempts is in ``test_expressions``; here are the channels that a website
adds. They are tried if one is installed, with the pages of the beneficiaries.
"""

import re

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import FA, ID, StoreCase
from .test_expressions import CHANGING, READING

GUARD = "odoo.addons.spar_mapper_connector.expressions"
#: Ways to reach what one of our pages does, by the page's own function.
ENDPOINTS = {
    "overview": "env['spar.my.address']._get_overview()",
    "agent's page": (
        "[rule.endpoint for rule in env['ir.http'].routing_map().iter_rules()"
        " if rule.rule == '/spar/agent'][0]()"
    ),
    "own address": (
        "[rule.endpoint for rule in env['ir.http'].routing_map().iter_rules()"
        " if rule.rule == '/spar/address'][0]().get_data()"
    ),
    "rerouted": "request.reroute('/spar/address') or request._serve_db().get_data()",
    "another user": (
        "request.update_env(user=2) or"
        " request.env['spar.mapping'].search([]).mapped('fa_masked')"
    ),
}


@tagged("-at_install", "post_install")
class TestInside(StoreCase, HttpCase):
    def setUp(self):
        super().setUp()
        if "spar.my.address" not in self.env:
            self.skipTest("there is no website")
        self.open_names()
        self.officer = self.create_user("officer", "expr-officer")
        self.link(ID, FA)
        self.env.flush_all()

    def read_state(self):
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT (SELECT count(*) FROM spar_event),
                      (SELECT string_agg(state, ',' ORDER BY id) FROM spar_mapping),
                      (SELECT count(*) FROM spar_id_type WHERE active)"""
        )
        return self.env.cr.fetchone()

    def show_page(self, expression) -> str:
        """Return what visitors see of a page that a designer has written."""
        view = self.env["ir.ui.view"].create(
            {
                "name": "x",
                "type": "qweb",
                "key": "website.attempt",
                "arch": f'<p t-name="x">begin<t t-out="str({expression})"/>end</p>',
            }
        )
        page = self.env["website.page"].create(
            {"url": "/attempt", "view_id": view.id, "is_published": True}
        )
        # Pages are rendered in read-only transactions: some attempts end there.
        loggers = ("odoo.http", "odoo.sql_db", "odoo.addons.website.models.ir_http")
        with mute_logger(GUARD, *loggers):
            text = self.url_open("/attempt").text
        page.unlink()
        view.unlink()
        return text

    def test_a_web_page_reads_and_changes_nothing(self):
        before = self.read_state()
        for login in (None, "expr-officer"):
            self.authenticate(login, login)
            for name, expression in {**READING, **CHANGING, **ENDPOINTS}.items():
                with self.subTest(name, visitor=login):
                    text = self.show_page(expression)
                    shown = "".join(re.findall("begin(.*)end", text, re.DOTALL))
                    self.assertFalse([s for s in (ID, FA, FA[-4:]) if s in shown])
                    self.assertEqual(self.read_state(), before)

    def test_web_page_does_not_show_the_visitors_session(self):
        self.authenticate("expr-officer", "expr-officer")
        for expression in (
            "request.httprequest.cookies.get('session_id')",
            "request.cookies.get('session_id')",
            "request.httprequest.headers.get('Cookie')",
            "'{0.httprequest.environ}'.format(request)",
        ):
            with self.subTest(expression):
                text = self.show_page(expression)
                self.assertIn("begin", text)
                self.assertNotIn(self.session.sid, text)

    def render_mail(self, expression) -> str:
        """Return the body of a mail template, or the text of its refusal."""
        values = {
            "name": "x",
            "model_id": self.env["ir.model"]._get("res.partner").id,
            "body_html": f'<p t-out="str({expression})"/>',
        }
        loggers = ("mail_template", "mail_render_mixin")
        muted = [f"odoo.addons.mail.models.{name}" for name in loggers]
        with mute_logger(GUARD, *muted):
            try:
                with self.env.cr.savepoint():
                    template = self.env["mail.template"].create(values)
                    people = self.env.user.partner_id.ids
                    return str(template._render_field("body_html", people))
            # Any refusal counts: pylint: disable-next=broad-except
            except Exception as error:
                return repr(error)

    def test_a_mail_template_reads_nothing(self):
        for name, expression in READING.items():
            with self.subTest(name):
                self.env.invalidate_all()
                text = self.render_mail(expression)
                self.assertFalse([s for s in (ID, FA, FA[-4:]) if s in text])

    def test_an_administrator_of_odoo_reads_nothing_by_rpc(self):
        admin = self.env.ref("base.user_admin")
        admin.group_ids -= admin.group_ids.filtered(
            lambda group: group.privilege_id.name == "SPAR"
        )
        for model in ("spar.mapping", "spar.mapping.period", "spar.subject.id"):
            for method, args in (("search_read", [[]]), ("export_data", [["id"]])):
                with self.subTest(model, method=method), mute_logger("odoo.http"):
                    self.authenticate("admin", "admin")
                    answer = self.url_open(
                        f"/web/dataset/call_kw/{model}/{method}",
                        json={
                            "jsonrpc": "2.0",
                            "params": {
                                "model": model,
                                "method": method,
                                "args": args,
                                "kwargs": {},
                            },
                        },
                    )
                    self.assertNotIn("result", answer.json())
