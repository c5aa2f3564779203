from unittest.mock import Mock, patch

from odoo.http import root
from odoo.tests import tagged

from odoo.addons.base.models.ir_actions_report import IrActionsReport

from ..models import ir_actions_report, ir_http
from .common import PASSWORD, StaffCase


class Served:
    """A request that is being served."""

    def __init__(self, session):
        self.session = session

    def _get_current_object(self):
        return self


@tagged("-at_install", "post_install")
class TestReports(StaffCase):
    def print_as(self, user) -> dict:
        """Return what the session holds while a file is made."""
        session = root.session_store.new()
        session["uid"] = user.id
        served = Served(session)
        seen = {}

        def run(_reports, *_args, **_kwargs):
            seen.update(served.session)

        with (
            patch.object(ir_actions_report, "request", served),
            patch.object(IrActionsReport, "_run_wkhtmltopdf", run),
        ):
            self.env["ir.actions.report"].with_user(user)._run_wkhtmltopdf(["<p/>"])
        self.assertIs(served.session, session)
        return seen

    def test_a_file_is_made_without_the_session_of_staff(self):
        """A script in its template would act as the officer who prints it."""
        self.assertEqual(self.print_as(self.employee).get("uid"), self.employee.id)
        self.assertIsNone(self.print_as(self.officer).get("uid"))

    def test_a_page_of_a_report_runs_no_script(self):
        """Odoo's administrator writes its template, and an officer opens the link."""
        self.env["ir.ui.view"].create(
            {
                "name": "x",
                "key": "x.report",
                "type": "qweb",
                "arch": "<t t-name='x.report'><script>steal()</script></t>",
            }
        )
        self.env["ir.actions.report"].create(
            {
                "name": "x",
                "model": "res.users",
                "report_name": "x.report",
                "report_type": "qweb-html",
            }
        )
        self.env.flush_all()
        path = f"/report/html/x.report/{self.employee.id}"
        for user, is_staff in ((self.officer, True), (self.employee, False)):
            with self.subTest(user.login):
                self.authenticate(user.login, PASSWORD)
                page = self.url_open(path)
                self.assertIn("<script>", page.text)
                policy = page.headers.get("Content-Security-Policy", "")
                self.assertEqual("script-src 'none'" in policy, is_staff)
                self.assertEqual(page.headers["Cache-Control"], "no-store")

    def test_no_other_document_runs_a_script(self):
        """Only the media types count: a policy for listed paths leaves others open."""
        answer = Mock(mimetype="", headers={})
        served = Mock(is_frontend=False, env=self.env, db=self.env.cr.dbname)
        served.httprequest.path = "/some/page"
        http = self.env["ir.http"]
        for media_type, is_frontend, user, is_closed in (
            ("text/html", False, self.officer, True),
            ("image/svg+xml", False, self.officer, True),
            ("application/xhtml+xml", False, self.officer, True),
            ("text/xml", False, self.officer, True),
            ("application/json", False, self.officer, False),
            ("text/html", True, self.officer, False),
            ("text/html", False, self.employee, False),
        ):
            answer.mimetype = media_type
            served.is_frontend, served.session.uid = is_frontend, user.id
            served.env = self.env
            with self.subTest(media_type, user=user.login, website=is_frontend):
                with patch.object(ir_http, "request", served):
                    found = type(http)._is_document_for_staff(answer)
                self.assertEqual(found, is_closed)
