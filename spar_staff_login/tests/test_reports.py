from unittest.mock import patch

from odoo.http import root
from odoo.tests import tagged

from odoo.addons.base.models.ir_actions_report import IrActionsReport

from ..models import ir_actions_report
from .common import StaffCase


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
