"""Who has to act: assigning, deputies, e-mails, and each one's own work."""

from datetime import timedelta
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_mail_server import MailDeliveryException

from .common import ID, OTHER_FA, OTHER_ID, THIRD_FA
from .test_spar_change import WaitingCase

ROLES = ("viewer", "officer", "supervisor", "auditor", "administrator")


@tagged("post_install", "-at_install")
class TestAssignment(WaitingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        group = cls.env.ref("spar_fa_directory.group_supervisor")
        group.all_user_ids.active = False
        cls.users = {
            role: cls.create_user(role, login=f"work_{role}") for role in ROLES
        }
        cls.first = cls.users["supervisor"]
        cls.second = cls.create_user("supervisor", login="work_second")
        cls.supervisors = cls.first + cls.second
        for user in cls.supervisors:
            user.email = f"{user.login}@example.org"
        cls.assignments = cls.env["spar.change.assignment"]

    def setUp(self):
        super().setUp()
        self.link(OTHER_ID, THIRD_FA)
        self.add_rule("approve")
        self.sent = []
        servers = type(self.env["ir.mail_server"])
        self.patch(servers, "send_email", lambda _self, mail: self.sent.append(mail))

    def propose(self, id_value=ID, user=None, fa=OTHER_FA):
        user = user or self.users["officer"]
        call = self.mapper.with_user(user)._build_staff_call("moved")
        self.update(id_value, fa, call)
        return self.change_of(id_value)

    def assign(self):
        self.assignments._cron_assign()
        self.env.invalidate_all()

    def be_away(self, user, deputy=None, **days):
        today = fields.Date.today()
        return self.env["spar.deputy"].create(
            {
                "user_id": user.id,
                "deputy_id": deputy.id if deputy else False,
                "date_from": today - timedelta(days=days.get("since", 0)),
                "date_to": today + timedelta(days=days.get("until", 1)),
            }
        )

    def reassign(self, changes, user, by=None):
        action = changes.with_user(by or self.first).action_assign()
        wizards = self.env["spar.change.assign.wizard"].with_user(by or self.first)
        wizard = wizards.with_context(**action["context"]).create({"user_id": user.id})
        return wizard.action_assign()

    def search(self, user, *domain):
        return self.env["spar.change"].with_user(user).search(list(domain))

    # === WHO GETS IT === #

    def test_changes_are_shared_out(self):
        changes = self.propose() + self.propose(OTHER_ID)
        self.assertFalse(changes.assignee_id)
        self.assign()
        self.assertEqual(changes.assignee_id, self.supervisors)

    def test_the_proposer_gets_no_own_change(self):
        self.first.group_ids += self.env.ref("spar_fa_directory.group_officer")
        change = self.propose(user=self.first)
        self.assign()
        self.assertEqual(change.assignee_id, self.second)
        with self.assertRaisesRegex(UserError, "may not decide"):
            self.reassign(change, self.first, by=self.second)

    def test_a_change_that_waits_for_its_time_is_assigned_to_nobody(self):
        self.add_rule("hold", sequence=0)
        change = self.propose()
        self.assign()
        self.assertFalse(change.assignee_id or self.sent)

    def test_a_supervisor_of_the_person_s_office_gets_it(self):
        offices = self.env["spar.office"]
        north, south = offices.create([{"name": "North"}, {"name": "South"}])
        north.member_ids, south.member_ids = self.first, self.second
        self.seal_settings("spar.office")
        call = self.mapper._build_staff_call("came")
        subject = self.subject_of(ID)
        self.mapper._assign_office(call, subject.ids, south)
        change = self.propose()
        self.assign()
        self.assertEqual(change.assignee_id, self.second)
        with self.assertRaises(AccessError):
            self.reassign(change, self.first, by=self.first)
        with self.assertRaisesRegex(UserError, "may not decide"):
            self.reassign(change, self.first, by=self.second)

    def test_without_a_supervisor_it_waits_for_one(self):
        self.supervisors.active = False
        change = self.propose()
        self.assign()
        self.assertFalse(change.assignee_id)
        self.second.active = True
        self.assign()
        self.assertEqual(change.assignee_id, self.second)

    def test_a_role_taken_away_takes_the_work_away(self):
        change = self.propose()
        self.assign()
        self.assertEqual(change.assignee_id, self.first)
        self.first.group_ids -= self.env.ref("spar_fa_directory.group_supervisor")
        self.assign()
        self.assertEqual(change.assignee_id, self.second)

    # === DEPUTIES === #

    def test_the_deputy_gets_what_waits(self):
        """Others who have as little to decide get none of it."""
        deputy = self.create_user("supervisor", login="work_deputy")
        change = self.propose()
        self.assign()
        self.assertEqual(change.assignee_id, self.first)
        self.be_away(self.first, deputy)
        self.assign()
        self.assertEqual(change.assignee_id, deputy)

    def test_a_deputy_who_is_away_or_proposed_it_does_not_get_it(self):
        self.second.group_ids += self.env.ref("spar_fa_directory.group_officer")
        third = self.create_user("supervisor", login="work_third")
        own, other = self.propose(user=self.second), self.propose(OTHER_ID)
        absences = self.be_away(self.second) + self.be_away(third)
        self.assign()
        self.assertEqual((own + other).assignee_id, self.first)
        absences.unlink()
        self.be_away(self.first, self.second)
        self.assign()
        self.assertEqual((own.assignee_id, other.assignee_id), (third, self.second))
        self.be_away(self.second, self.first)
        self.assign()
        self.assertEqual((own + other).assignee_id, third)

    def test_nobody_who_is_away_gets_anything(self):
        self.be_away(self.first)
        changes = self.propose() + self.propose(OTHER_ID)
        self.assign()
        self.assertEqual(changes.assignee_id, self.second)

    def test_an_absence_that_is_over_counts_no_longer(self):
        self.be_away(self.first, since=3, until=-1)
        changes = self.propose() + self.propose(OTHER_ID)
        self.assign()
        self.assertEqual(changes.assignee_id, self.supervisors)

    def test_a_supervisor_enters_only_their_own_absence(self):
        deputies = self.env["spar.deputy"].with_user(self.first)
        days = {"date_from": "2026-01-01", "date_to": "2026-01-05"}
        own = deputies.create({"deputy_id": self.second.id, **days})
        self.assertEqual(own.user_id, self.first)
        with self.assertRaises(AccessError):
            deputies.create({"user_id": self.second.id, **days})
        with self.assertRaises(AccessError):
            own.with_user(self.second).date_to = "2026-02-01"
        with self.assertRaises(AccessError):
            own.with_user(self.second).unlink()

    def test_only_supervisors_are_deputies(self):
        with self.assertRaisesRegex(ValidationError, "Only supervisors"):
            self.be_away(self.first, self.users["officer"])
        for values in ({"until": -1}, {"deputy": self.first}):
            with self.subTest(values), mute_logger("odoo.sql_db"):
                with self.assertRaises(IntegrityError), self.env.cr.savepoint():
                    self.be_away(self.first, **values)

    # === E-MAILS === #

    def test_an_e_mail_has_a_link_and_no_personal_data(self):
        change = self.propose()
        self.assign()
        (mail,) = self.sent
        self.assertIn(self.first.email, mail["To"])
        text = mail.get_body(("plain",)).get_content()
        self.assertIn("/odoo/spar-my-work", text)
        for hidden in ("222200002222", "Ada", change.uuid, change.id_masked):
            self.assertNotIn(hidden, text)
            self.assertNotIn(hidden, mail["Subject"])

    def test_each_change_is_notified_once_and_reminded_of_later(self):
        self.propose()
        self.assign()
        self.assign()
        self.assertEqual(len(self.sent), 1)
        self.let_pass(days=2)
        self.assign()
        self.assertEqual(len(self.sent), 1)
        self.let_pass(days=2)
        self.assign()
        self.assertEqual(len(self.sent), 2)

    def test_one_e_mail_names_the_number_of_changes(self):
        self.be_away(self.second)
        self.propose()
        self.propose(OTHER_ID)
        self.assign()
        (mail,) = self.sent
        self.assertIn("decision: 2.", mail.get_body(("plain",)).get_content())

    def test_a_decided_change_is_not_reminded_of(self):
        self.propose()
        self.assign()
        self.end("refused")
        self.let_pass(days=9)
        self.assign()
        self.assertEqual(len(self.sent), 1)

    def test_without_a_mail_server_it_is_tried_again(self):
        change = self.propose()
        servers = type(self.env["ir.mail_server"])
        with patch.object(servers, "send_email", side_effect=MailDeliveryException):
            self.assign()
        self.assertTrue(change.assignee_id)
        self.assertFalse(change.assignment_ids.notified_at)
        self.assign()
        self.assertEqual(len(self.sent), 1)

    def test_without_an_address_nothing_is_sent(self):
        self.supervisors.email = False
        change = self.propose()
        self.assign()
        self.assertTrue(change.assignee_id)
        self.assertFalse(self.sent)

    # === ACTIVITIES === #

    def activities(self, user):
        if "mail.activity" not in self.env:
            self.skipTest("Odoo's addon for mail is not installed")
        return self.env["mail.activity"].search([("user_id", "in", user.ids)])

    def test_the_supervisor_gets_an_activity_without_personal_data(self):
        change = self.propose()
        self.assign()
        self.assign()
        activity = self.activities(self.first)
        self.assertEqual(len(activity), 1)
        self.assertEqual(activity.date_deadline, fields.Date.today())
        self.assertIn(change.uuid[:8], activity.summary)
        text = f"{activity.summary} {activity.note}"
        self.assertIn("/odoo/spar-my-work", text)
        for hidden in ("222200002222", "Ada", change.id_masked, change.fa_masked):
            self.assertNotIn(hidden, text)

    def test_a_decided_change_leaves_no_activity(self):
        for how in ("cancelled", "refused"):
            self.propose()
            self.assign()
            self.assertTrue(self.activities(self.supervisors))
            self.end(how)
            self.assertFalse(self.activities(self.supervisors))

    def test_the_activity_goes_with_the_change(self):
        change = self.propose()
        self.assign()
        self.reassign(change, self.second)
        self.assertFalse(self.activities(self.first))
        self.assign()
        self.assertEqual(len(self.activities(self.second)), 1)

    # === REASSIGNING === #

    def test_a_supervisor_reassigns(self):
        change = self.propose()
        self.assign()
        self.reassign(change, self.second)
        self.assertEqual(change.assignee_id, self.second)
        self.assign()
        self.assertEqual(change.assignee_id, self.second)
        self.assertEqual(len(self.sent), 2)

    def test_others_do_not_reassign(self):
        change = self.propose()
        for role in ROLES:
            user = self.users[role]
            if role == "supervisor":
                continue
            with self.subTest(role), self.assertRaises(AccessError):
                self.reassign(change, self.second, by=user)
            with self.subTest(role), self.assertRaises(AccessError):
                self.assignments.with_user(user)._reassign(
                    change.with_user(user), self.second
                )

    def test_nobody_gets_a_change_who_may_not_decide(self):
        change = self.propose()
        with self.assertRaisesRegex(UserError, "may not decide"):
            self.reassign(change, self.users["officer"])
        self.end("refused")
        with self.assertRaisesRegex(UserError, "no longer waiting"):
            self.reassign(change, self.second)

    # === MY WORK === #

    def test_waiting_for_me_and_mine_that_wait(self):
        mine, other = self.propose(), self.propose(OTHER_ID)
        self.assertEqual(
            self.search(self.first, ("is_for_me", "=", True)), mine + other
        )
        self.assign()
        self.assertEqual(self.search(self.first, ("is_for_me", "=", True)), mine)
        self.assertEqual(self.search(self.second, ("is_for_me", "=", True)), other)
        officer = self.users["officer"]
        self.assertFalse(self.search(officer, ("is_for_me", "=", True)))
        self.assertEqual(self.search(officer, ("is_mine", "=", True)), mine + other)
        self.assertFalse(self.search(self.first, ("is_mine", "=", True)))
        for user, for_me, is_mine in (
            (self.first, True, False),
            (self.second, False, False),
            (officer, False, True),
        ):
            seen = mine.with_user(user)
            with self.subTest(user.login):
                self.assertEqual((seen.is_for_me, seen.is_mine), (for_me, is_mine))

    def test_what_one_proposed_does_not_wait_for_oneself(self):
        self.first.group_ids += self.env.ref("spar_fa_directory.group_officer")
        change = self.propose(user=self.first)
        self.assertFalse(self.search(self.first, ("is_for_me", "=", True)))
        self.assertEqual(self.search(self.second, ("is_for_me", "=", True)), change)

    def test_the_age_is_shown_until_it_was_decided(self):
        change = self.propose()
        self.let_pass(days=5, hours=1)
        change.invalidate_recordset()
        self.assertEqual(change.age_days, 5)
        self.end("refused")
        self.let_pass(days=20)
        change.invalidate_recordset()
        self.assertEqual(change.age_days, 5)

    # === RIGHTS === #

    def test_who_reads_and_writes(self):
        rights = {
            "spar.change.assignment": (
                {"viewer", "officer", "supervisor", "auditor"},
                set(),
            ),
            "spar.deputy": ({"supervisor", "auditor"}, {"supervisor"}),
            "spar.change.assign.wizard": ({"supervisor"}, {"supervisor"}),
            "spar.complaint.assign.wizard": ({"supervisor"}, {"supervisor"}),
            "spar.change.wizard": ({"supervisor"}, {"supervisor"}),
        }
        for model, (readers, writers) in rights.items():
            for role in ROLES:
                own = self.env[model].with_user(self.users[role])
                with self.subTest(model=model, role=role):
                    self.assertEqual(own.has_access("read"), role in readers)
                    self.assertEqual(own.has_access("create"), role in writers)
                    self.assertEqual(own.has_access("write"), role in writers)
