"""The login of a member of staff opens their account, on whatever website."""

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.settings_seal import (
    LOGIN_TAKEN,
    OF_A_WEBSITE,
)
from odoo.addons.spar_mapper_connector.tests.common import KeyringCase
from odoo.addons.spar_staff_login.tests.common import PASSWORD, StaffCase

THEIRS = "a password of somebody else"
STAFF_HOST = "localhost:8069"
LOGINS = "odoo.addons.base.models.res_users"
SIGN_UP = "odoo.addons.auth_signup.controllers.main"


@tagged("post_install", "-at_install")
class TestLoginOfStaff(StaffCase, KeyringCase):
    def setUp(self):
        super().setUp()
        self.website = self.env["website"].get_current_website()

    def open_sign_up(self) -> None:
        self.website.write(
            {"specific_user_account": True, "auth_signup_uninvited": "b2c"}
        )

    def sign_up(self, login):
        self.authenticate(None, None)
        form = {
            "login": login,
            "name": "Somebody",
            "password": THEIRS,
            "confirm_password": THEIRS,
            "csrf_token": self.get_token(),
        }
        with mute_logger(SIGN_UP, "odoo.sql_db"):
            return self.open("/web/signup", data=form)

    def add_from_before(self, login, **values):
        """Add a visitor's account with a login that is refused now."""
        user = new_test_user(
            self.env,
            "somebody",
            groups="base.group_portal",
            password=THEIRS,
            website_id=self.website.id,
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_users SET login = %s WHERE id = %s", (login, user.id)
        )
        self.env.invalidate_all()
        return user

    def is_logged_in(self, login, password) -> bool:
        with mute_logger(LOGINS):
            return self.log_in(login, password).status_code == 303

    # === THE LOGIN IS THEIRS === #

    def test_nobody_signs_up_with_the_login_of_staff(self):
        self.open_sign_up()
        users = self.env["res.users"]
        for login in (
            self.officer.login,
            self.officer.login.upper(),
            f" {self.officer.login}",
            self.employee.login,
        ):
            with self.subTest(login):
                count = users.search_count([])
                answer = self.sign_up(login)
                self.assertEqual(answer.status_code, 200)
                self.assertEqual(users.search_count([]), count)
        self.assertEqual(self.sign_up("somebody-else").status_code, 303)
        for user in (self.officer, self.employee):
            self.assertTrue(self.is_logged_in(user.login, PASSWORD))

    def test_no_account_comes_to_have_it(self):
        self.officer.active = False
        portal = new_test_user(
            self.env,
            "somebody",
            groups="base.group_portal",
            website_id=self.website.id,
        )
        for login in (self.officer.login, self.officer.login.title()):
            with self.subTest(login):
                with self.assertRaises(ValidationError):
                    portal.login = login
                with self.assertRaises(ValidationError):
                    portal.copy({"login": login, "website_id": self.website.id})

    def test_no_member_of_staff_comes_to_have_another_s(self):
        portal = new_test_user(
            self.env,
            "somebody",
            groups="base.group_portal",
            website_id=self.website.id,
        )
        with self.assertRaises(ValidationError):
            self.employee.login = portal.login.upper()
        with self.assertRaises(ValidationError):
            new_test_user(self.env, portal.login, groups="base.group_user")
        second = self.env["website"].create({"name": "Second"})
        other = portal.copy({"login": portal.login, "website_id": second.id})
        other.partner_id.website_id = False
        with self.assertRaises(ValidationError):
            other.group_ids = [Command.set(self.env.ref("base.group_user").ids)]

    def test_visitors_of_two_websites_share_one(self):
        """Odoo lets them, and it concerns nobody else."""
        portal = new_test_user(
            self.env,
            "somebody",
            groups="base.group_portal",
            website_id=self.website.id,
        )
        second = self.env["website"].create({"name": "Second"})
        other = portal.copy({"login": portal.login, "website_id": second.id})
        self.assertEqual(other.login, portal.login)

    def test_staff_belong_to_no_website(self):
        for user in (self.officer, self.employee):
            with self.subTest(user.login), self.assertRaises(ValidationError):
                user.partner_id.website_id = self.website
            with self.subTest(user.login, own=True), self.assertRaises(UserError):
                user.website_id = self.website

    # === FROM BEFORE === #

    def test_staff_are_found_before_an_account_of_the_website(self):
        impostor = self.add_from_before(self.officer.login)
        self.env.cr.execute(
            "UPDATE res_users SET website_id = NULL WHERE id = %s", (self.officer.id,)
        )
        self.set_environment(factor="off")
        self.assertTrue(self.is_logged_in(self.officer.login, PASSWORD))
        self.assertEqual(self.get_session().uid, self.officer.id)
        self.assertFalse(self.is_logged_in(self.officer.login, THEIRS))
        self.set_environment(host=STAFF_HOST)
        answer = self.log_in(self.officer.login, PASSWORD, Host=STAFF_HOST)
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(self.get_session().uid, self.officer.id)
        self.assertTrue(impostor.exists())

    def test_one_who_belongs_to_another_website_is_found(self):
        """An administrator could have moved them there."""
        other = self.env["website"].create({"name": "Second", "sequence": 99})
        self.env.flush_all()
        for table, row in (
            ("res_users", self.officer),
            ("res_partner", self.officer.partner_id),
        ):
            self.env.cr.execute(
                f"UPDATE {table} SET website_id = %s WHERE id = %s",  # noqa: S608
                (other.id, row.id),
            )
        self.env.invalidate_all()
        self.assertTrue(self.is_logged_in(self.officer.login, PASSWORD))
        found = self.env["spar.settings.seal"].sudo()._check_all()
        self.assertIn(("res_users", self.officer.id, OF_A_WEBSITE), found)

    def test_one_from_before_is_named(self):
        check = self.env["spar.settings.seal"].sudo()._check_all
        self.assertNotIn(LOGIN_TAKEN, [problem for *_row, problem in check()])
        impostor = self.add_from_before(self.officer.login.upper())
        named = [row_id for _t, row_id, problem in check() if problem == LOGIN_TAKEN]
        self.assertEqual(named, impostor.ids)

    def test_its_failures_delay_nobody_else(self):
        users = self.env["res.users"]
        impostor = self.add_from_before(self.officer.login.upper())
        for attempt in (impostor.login, impostor.id):
            with self.subTest(attempt):
                counted = users._get_counted_login(attempt)
                self.assertEqual(counted, f"user #{impostor.id}")
        for attempt in (self.officer.login, self.officer.id, "unknown"):
            with self.subTest(attempt):
                counted = users._get_counted_login(attempt)
                self.assertIn(counted, (self.officer.login, "unknown"))

    def test_staff_get_the_link_to_set_a_password(self):
        impostor = self.add_from_before("somebody")
        impostor.email = self.officer.email = "officer@staff.example"
        sent = []
        self.patch(
            type(self.officer), "action_reset_password", lambda user: sent.append(user)
        )
        self.env["res.users"]._send_password_link("officer@staff.example")
        self.assertEqual(sent, [self.officer])
