"""The daily limits of an officer, and the list of what they did."""

from dataclasses import replace

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Outcome,
)

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, type_address
from .test_spar_lookup import LookupCase


@tagged("post_install", "-at_install")
class TestStaffAct(LookupCase):
    def setUp(self):
        super().setUp()
        self.officer = self.users["officer"]
        self.acting = self.mapper.with_user(self.officer)._build_staff_call("came in")

    def acts(self, user=None):
        acts = self.env["spar.staff.act"]
        return (acts.with_user(user) if user else acts).search([], order="id")

    def give(self, number, fa, call=None):
        """Link a new person as the officer."""
        return self.link(f"token:{number:010}@nationalId", fa, call or self.acting)

    def assert_limit(self, problem, change, *args):
        with self.catch_alarms() as alarms:
            result = change(*args, call=self.acting)
        self.assertEqual((result.outcome, result.problem), (Outcome.FORBIDDEN, problem))
        self.assertIn(("res_users", self.officer.id), alarms)

    def test_more_changes_than_a_day_has_are_refused(self):
        self.set_limit("officer_changes", 3)
        self.update(ID, THIRD_FA, self.acting)
        self.suspend(ID, self.acting)
        self.resume(ID, self.acting)
        self.assert_limit("day_changes", self.update, ID, OTHER_FA)
        self.assertEqual(self.get_fa(ID), THIRD_FA)
        with self.catch_alarms() as alarms:
            result = self.suspend(ID, self.acting)
        self.assertEqual(result.outcome, Outcome.SUSPENDED)
        self.assertIn(("res_users", self.officer.id), alarms)
        self.let_pass(hours=25)
        self.assertEqual(self.resume(ID, self.acting).outcome, Outcome.RESUMED)

    def test_each_row_is_named_by_its_action_and_the_person_behind_it(self):
        self.update(ID, THIRD_FA, self.acting)
        act = self.acts()[-1]
        labels = dict(act._fields["operation"]._description_selection(self.env))
        self.assertEqual(
            (act.display_name, labels[act.operation]), ("Change", "Change")
        )
        self.assertNotIn("resolve", labels)
        self.assertEqual(act.actor_name, self.officer.name)
        self.assertEqual(act.id_masked, self.mapping_of(ID).id_masked)
        own = self.env["spar.staff.act"].with_user(self.officer)
        self.assertEqual(own.search([("is_own", "=", True)]), act)
        groups = own.formatted_read_group([], ["actor"], ["__count"])
        self.assertEqual([group["actor"] for group in groups], [self.officer.name])

    def test_more_people_than_a_day_has_are_not_moved_to_one_provider(self):
        self.set_limit("officer_people_to_provider", 2)
        for number in range(2):
            fa = f"account:55550000{number:04}@BR01.TESTBANK"
            self.assertEqual(self.give(number, fa).outcome, Outcome.LINKED)
        self.assert_limit("day_provider", self.update, ID, THIRD_FA)
        again = self.update("token:0000000001@nationalId", THIRD_FA, self.acting)
        self.assertEqual(again.outcome, Outcome.UPDATED)

    def test_more_people_than_a_day_has_are_not_moved_to_one_account(self):
        self.set_limit("officer_people_to_account", 2)
        self.give(1, THIRD_FA)
        self.give(2, "account: 3333-0000 3333@BR01.TESTBANK")
        self.assert_limit("day_account", self.update, ID, THIRD_FA)
        result = self.update(ID, OTHER_FA, self.acting)
        self.assertEqual(result.outcome, Outcome.UPDATED)

    def test_branches_and_leading_zeros_do_not_make_it_another_account(self):
        self.set_limit("officer_people_to_account", 2)
        self.give(1, THIRD_FA)
        self.give(2, THIRD_FA.replace("BR01", "BR02"))
        for fa in (
            THIRD_FA,
            THIRD_FA.replace(":", ":0"),
            THIRD_FA.replace(":", ":000").replace("BR01", "BR02"),
        ):
            with self.subTest(fa):
                self.assert_limit("day_account", self.update, ID, fa)
        result = self.update(ID, THIRD_FA.replace(":", ":1"), self.acting)
        self.assertEqual(result.outcome, Outcome.UPDATED)

    def test_what_a_programme_s_user_stops_and_resumes_by_hand_counts(self):
        self.set_limit("officer_changes", 2)
        user = f"user:{self.users['viewer'].id}"
        call = CallContext("registry", "registry", Authority.PROGRAMME, "", user)
        self.suspend(ID, call)
        self.resume(ID, call)
        self.assertEqual(self.acts()[-1].actor, user)
        with self.catch_alarms() as alarms:
            # No suspension is refused: it protects the person.
            self.suspend(ID, call)
            result = self.resume(ID, call)
        self.assertEqual(result.problem, "day_changes")
        self.assertIn(("res_users", self.users["viewer"].id), alarms)
        # Somebody else's acts, and accounts that come in files, are not counted.
        self.assertEqual(self.update(ID, THIRD_FA, call).outcome, Outcome.UPDATED)
        other = replace(call, on_behalf_of=f"user:{self.users['auditor'].id}")
        self.assertEqual(self.resume(ID, other).outcome, Outcome.RESUMED)

    def test_waiting_change_counts(self):
        self.set_limit("officer_people_to_account", 1)
        self.add_rule("approve")
        self.assertEqual(self.update(ID, THIRD_FA, self.acting).outcome, Outcome.HELD)
        self.assertTrue(self.acts()[-1:].is_waiting)
        self.assert_limit("day_account", self.update, OTHER_ID, THIRD_FA)

    def complain(self, id_value, kind="not_me"):
        wizards = self.env["spar.complaint.wizard"].with_user(self.officer)
        subject = self.subject_of(id_value)
        wizards.create({"subject_id": subject.id, "kind": kind}).action_record()

    def test_complaints_that_lock_people_count_as_changes(self):
        """One officer could otherwise lock the changes of everybody."""
        self.set_limit("officer_changes", 1)
        self.complain(ID)
        act = self.acts()[-1]
        self.assertEqual(
            (act.operation, act.subject_id), ("object", self.subject_of(ID))
        )
        self.assertEqual(act.display_name, "Complaint: this was not me")
        with self.catch_alarms() as alarms, self.assertRaisesRegex(UserError, "Ask a"):
            self.complain(OTHER_ID)
        self.assertIn(("res_users", self.officer.id), alarms)
        self.assertEqual(self.subject_of(OTHER_ID).change_lock, "none")
        self.assert_limit("day_changes", self.update, OTHER_ID, THIRD_FA)
        self.let_pass(hours=25)
        self.complain(OTHER_ID)
        self.assertNotEqual(self.subject_of(OTHER_ID).change_lock, "none")

    def test_other_complaints_lock_nobody_and_are_not_limited(self):
        self.set_limit("officer_changes", 1)
        self.update(ID, THIRD_FA, self.acting)
        wizards = self.env["spar.complaint.wizard"].with_user(self.officer)
        values = {"kind": "not_paid", "missed_on": fields.Date.today()}
        for each in (ID, OTHER_ID):
            subject = self.subject_of(each)
            wizards.create({**values, "subject_id": subject.id}).action_record()
        self.assertEqual(len(self.acts()), 1)

    def test_others_go_on(self):
        self.set_limit("officer_changes", 1)
        self.give(1, FA)
        colleague = self.create_user("officer", login="colleague")
        call = self.mapper.with_user(colleague)._build_staff_call("came in")
        self.assertEqual(self.give(2, FA, call).outcome, Outcome.LINKED)
        self.assertEqual(self.give(3, FA, self.call).outcome, Outcome.LINKED)
        self.assertEqual(self.give(4, FA, self.owner).outcome, Outcome.LINKED)

    def test_limit_error_states_what_to_do(self):
        self.set_limit("officer_changes", 1)
        self.give(1, FA)
        wizards = self.env["spar.mapping.wizard"].with_user(self.officer)
        values = {"operation": "link", "id_value": "2007760999"}
        values |= type_address(THIRD_FA)
        wizard = wizards.create({**values, "reason": "came in", "has_evidence": True})
        with self.catch_alarms(), self.assertRaisesRegex(UserError, "Ask a colleague"):
            wizard.action_confirm()

    # === THE LIST === #

    def test_an_officer_sees_their_own_and_a_supervisor_everybody_s(self):
        self.give(1, FA)
        colleague = self.create_user("officer", login="colleague")
        call = self.mapper.with_user(colleague)._build_staff_call("came in")
        self.give(2, FA, call)
        for user in (self.officer, colleague):
            self.assertEqual(set(self.acts(user).mapped("actor")), {f"user:{user.id}"})
        for role in ("supervisor", "auditor"):
            actors = self.acts(self.users[role]).mapped("actor")
            self.assertLessEqual(
                {f"user:{self.officer.id}", f"user:{colleague.id}"}, {*actors}
            )
        for role in ("viewer", "administrator"):
            acts = self.env["spar.staff.act"].with_user(self.users[role])
            self.assertFalse(acts.has_access("read"))

    def test_list_shows_operation_and_masked_person(self):
        self.update(ID, THIRD_FA, self.acting)
        act = self.acts(self.officer)[-1:]
        self.assertEqual(
            (act.operation, act.subject_id, act.provider_id, act.actor_name),
            ("update", self.subject_of(ID), self.bank, self.officer.name),
        )
        self.assertTrue(act.is_own)
        self.assertIn("•", act.id_masked)
        self.assertEqual(self.find_clear(ID, THIRD_FA), [])

    def test_refused_change_is_not_listed(self):
        before = self.acts()
        self.link(ID, FA, self.acting)
        self.update("token:Nemo@nationalId", FA, self.acting)
        self.assertEqual(self.acts(), before)

    def test_rows_cannot_be_rewritten_or_removed(self):
        self.give(1, FA)
        for statement in (
            "UPDATE spar_staff_act SET actor = 'user:1'",
            "DELETE FROM spar_staff_act",
        ):
            with self.subTest(statement), mute_logger("odoo.sql_db"):
                with self.assertRaisesRegex(Exception, "what staff did is not"):
                    with self.env.cr.savepoint():
                        self.env.cr.execute(statement)
