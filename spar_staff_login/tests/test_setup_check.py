from odoo.tests import tagged

from .common import StaffCase


@tagged("post_install", "-at_install")
class TestSetupCheck(StaffCase):
    """Administrators see which settings the operator has not made."""

    def get_warnings(self):
        user = self.env["res.users"].create(
            {
                "name": "A",
                "login": "test_administrator_of_spar",
                "group_ids": [
                    (4, self.env.ref("spar_fa_directory.group_administrator").id)
                ],
            }
        )
        check = self.env["spar.setup.check"].with_user(user).create({})
        user.unlink()
        return check.sudo().setup_warnings

    def test_missing_staff_host_and_second_factor_are_reported(self):
        self.set_environment(host="", factor="off", code="off")
        warnings = self.get_warnings()
        self.assertIn("SPAR_STAFF_HOST", warnings)
        self.assertIn("SPAR_SECOND_FACTOR", warnings)
        self.assertIn("SPAR_ADDON_CODE_ONLY", warnings)
        steps = self.env["spar.first.steps"].create({})
        self.assertEqual(steps.setup_warnings, warnings)

    def test_complete_set_up_has_no_warnings(self):
        self.set_environment(host="staff.example.org", factor="on", code="on")
        self.assertFalse(self.get_warnings())
