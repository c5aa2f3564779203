"""Complaints that staff record: what they lock, who answers, and who may not."""

from datetime import timedelta
from pathlib import Path
from runpy import run_path

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Remedy

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA
from .test_spar_objection import ObjectionCase

ANSWER = {
    "decision": "upheld",
    "reason": "seen with her card",
    "answer": "We ended that address.",
    "answered_how": "present",
}


class ComplaintCase(ObjectionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        names = {
            "clerk": "officer",
            "colleague": "officer",
            "boss": "supervisor",
            "deputy": "supervisor",
            "viewer": "viewer",
            "auditor": "auditor",
            "administrator": "administrator",
        }
        cls.users = {
            name: cls.create_user(role, f"complaint-{name}")
            for name, role in names.items()
        }
        cls.users["nobody"] = cls.create_user(None, "complaint-nobody")

    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def call_of(self, name):
        mapper = self.mapper.with_user(self.users[name])
        return mapper._build_staff_call("came in")

    def record(self, kind, user="clerk", id_value=ID, **values):
        """Record a complaint in the window; return the complaint and the message."""
        wizards = self.env["spar.complaint.wizard"].with_user(self.users[user])
        subject = self.subject_of(id_value)
        wizard = wizards.create({"subject_id": subject.id, "kind": kind, **values})
        message = wizard.action_record()["params"]["message"]
        domain = [("subject_id", "=", subject.id)]
        complaints = self.env["spar.complaint"].with_user(self.users[user])
        return complaints.search(domain, order="id desc", limit=1), message

    def answer(self, complaint, user="boss", **values):
        wizards = self.env["spar.complaint.answer"].with_user(self.users[user])
        wizard = wizards.create({"complaint_id": complaint.id, **ANSWER, **values})
        return wizard.action_answer()


class TestHandedOver(ComplaintCase):
    """A supervisor makes somebody else responsible."""

    def hand(self, complaint, to, by="boss"):
        wizards = self.env["spar.complaint.assign.wizard"].with_user(self.users[by])
        wizard = wizards.create(
            {"complaint_id": complaint.id, "user_id": self.users[to].id}
        )
        wizard.action_assign()
        self.env.invalidate_all()

    def test_a_supervisor_hands_a_complaint_to_a_colleague(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        self.assertEqual(complaint.owner_id, self.users["clerk"])
        self.hand(complaint, "colleague")
        self.assertEqual(complaint.sudo().owner_id, self.users["colleague"])
        self.answer(complaint, "colleague")
        with self.assertRaisesRegex(UserError, "already closed"):
            self.hand(complaint, "deputy")

    def test_who_cannot_close_it_does_not_get_it(self):
        self.update(ID, OTHER_FA, self.call_of("colleague"))
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        for name in ("colleague", "viewer", "auditor", "administrator", "nobody"):
            with self.subTest(name), self.assertRaisesRegex(UserError, "may not close"):
                self.hand(complaint, name)
        disputed, _message = self.record("not_me")
        with self.assertRaisesRegex(UserError, "may not close"):
            self.hand(disputed, "clerk")
        self.assertEqual(complaint.owner_id, self.users["clerk"])

    def test_only_supervisors_hand_it_over(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        for name in ("clerk", "viewer", "auditor", "administrator", "nobody"):
            with self.subTest(name), self.assertRaises(AccessError):
                self.hand(complaint, "colleague", by=name)
            with self.subTest(name), self.assertRaises(AccessError):
                complaint.with_user(self.users[name])._hand_to(self.users["colleague"])

    def test_history_says_who_answers_it_from_now_on(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        complaint.with_user(self.users["boss"]).action_take()
        self.hand(complaint, "colleague")
        events = self.subject_of(ID).event_ids.sorted("id")[-2:]
        says = f"Complaint {complaint.reference}: {{}} answers it"
        boss, colleague = self.users["boss"], self.users["colleague"]
        self.assertEqual(
            [(event.kind, event.actor, event.reason) for event in events],
            [
                ("complaint_taken_over", f"user:{boss.id}", says.format(boss.name)),
                (
                    "complaint_handed_over",
                    f"user:{boss.id}",
                    says.format(colleague.name),
                ),
            ],
        )
        self.assertTrue(all(event.happened_at for event in events))
        self.assertIn("Complaint handed over", events[1].display_name)
        notices = self.env["spar.notice"].search([("event_id", "in", events.ids)])
        self.assertFalse(notices, "the person is not written to")
        self.assert_sound()

    def test_who_answers_it_already_makes_no_event(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        before = self.events_of(ID)
        complaint.with_user(self.users["clerk"]).action_take()
        self.hand(complaint, "clerk")
        self.assertEqual(self.events_of(ID), before)

    def test_a_refused_attempt_makes_no_event(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        before = self.events_of(ID)
        for name in ("viewer", "auditor", "administrator", "nobody"):
            with self.subTest(name), self.assertRaises(UserError):
                complaint.with_user(self.users[name]).action_take()
        for name in ("clerk", "colleague", "viewer", "auditor", "administrator"):
            with self.subTest(name), self.assertRaises(AccessError):
                complaint.with_user(self.users[name])._hand_to(self.users["boss"])
        with self.assertRaisesRegex(UserError, "may not close"):
            self.hand(complaint, "viewer")
        self.assertEqual(self.events_of(ID), before)
        self.assertEqual(complaint.sudo().owner_id, self.users["clerk"])

    def test_whoever_answers_a_complaint_may_close_it_still(self):
        """Taking it over is no change of the person's, which one would answer for."""
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        complaint.with_user(self.users["boss"]).action_take()
        self.answer(complaint)
        self.assertEqual(complaint.sudo().state, "upheld")

    def test_a_complaint_about_a_merged_record_is_refused(self):
        self.link(OTHER_ID, THIRD_FA)
        self.merge(OTHER_ID, into=ID)
        for kind in ("not_me", "not_paid", "stop"):
            with self.subTest(kind), self.assertRaisesRegex(UserError, "was merged"):
                self.record(kind, id_value=OTHER_ID, missed_on=fields.Date.today())

    def test_stop_is_recorded_while_an_objection_locks_the_person(self):
        self.update(ID, OTHER_FA)
        case, _message = self.record("not_me", "colleague")
        complaint, message = self.record("stop")
        self.assertEqual(complaint.owner_id, case.owner_id)
        self.assertEqual(self.events_of(ID)[-1], "complaint_handed_over")
        self.assertIn("nothing is suspended now", message)
        self.assertEqual(self.mapping_of(ID).state, "active")
        self.assertFalse(self.mapping_of(ID).change_ids)
        self.assert_sound()


class TestNotMe(ComplaintCase):
    def test_it_locks_changes_and_neither_undoes_nor_stops_anything(self):
        self.update(ID, OTHER_FA)
        complaint, message = self.record("not_me", statement="I know nothing of it")
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assertEqual(self.case_of(ID).remedy, "frozen")
        self.assertEqual(self.update(ID, THIRD_FA).outcome, Outcome.LOCKED)
        self.assertEqual(complaint.objection_id, self.case_of(ID))
        self.assertIn(complaint.reference, message)
        self.assertEqual(complaint.reference, self.case_of(ID).reference)
        self.assertEqual(self.events_of(ID)[-1], "objected")

    def test_a_statement_stops_no_payment_whatever_a_link_does(self):
        self.env.ref("spar_mapper.limit_objection_link_stops_payments").is_on = True
        self.record("not_me", is_identified=True)
        self.assertEqual(self.get_fa(ID), FA)

    def test_the_last_change_is_proposed_and_another_can_be_chosen(self):
        self.update(ID, OTHER_FA)
        self.update(ID, THIRD_FA)
        wizards = self.env["spar.complaint.wizard"].with_user(self.users["clerk"])
        values = {"subject_id": self.subject_of(ID).id, "kind": "not_me"}
        wizard = wizards.create(values)
        self.assertEqual(wizard.event_id, self.find_event(ID, "updated"))
        first = self.find_event(ID, "linked")
        complaint, _message = self.record("not_me", event_id=first.id)
        self.assertEqual(complaint.objection_id.event_id, first)

    def test_what_waited_and_was_refused_is_not_proposed(self):
        self.update(ID, OTHER_FA)
        self.add_rule("approve", sequence=0, operation="update")
        self.update(ID, THIRD_FA)
        self.assertEqual(self.change_of(ID).state, "waiting")
        wizards = self.env["spar.complaint.wizard"].with_user(self.users["clerk"])
        values = {"subject_id": self.subject_of(ID).id, "kind": "not_me"}
        waiting = wizards.create(values).event_id
        self.assertIn(waiting.kind, ("held", "proposed"))
        change = self.change_of(ID).with_user(self.users["boss"])
        change.action_refuse("the bank says no")
        self.env.invalidate_all()
        proposed = wizards.create(values).event_id
        self.assertEqual(proposed, self.find_event(ID, "updated"))

    def test_a_second_person_undoes_it_at_once(self):
        self.update(ID, OTHER_FA)
        complaint, _message = self.record("not_me")
        notice = complaint.with_user(self.users["boss"]).action_undo()
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(notice["params"]["message"], "Previous address restored")
        self.assertEqual(self.case_of(ID).remedy, Remedy.RESTORED.value)
        self.assertEqual(complaint.state, "open")
        self.assert_sound()

    def test_it_is_undone_once(self):
        self.update(ID, OTHER_FA)
        complaint, _message = self.record("not_me")
        boss = complaint.with_user(self.users["boss"])
        boss.action_undo()
        with self.assertRaisesRegex(UserError, "nothing to undo"):
            boss.action_undo()

    def test_a_complaint_without_a_case_has_nothing_to_undo(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        with self.assertRaisesRegex(UserError, "nothing to undo"):
            complaint.with_user(self.users["boss"]).action_undo()

    def test_who_may_not_undo_it(self):
        call = self.call_of("clerk")
        self.update(ID, OTHER_FA, call)
        complaint, _message = self.record("not_me", "colleague")
        for name in ("clerk", "colleague", "viewer", "auditor", "administrator"):
            with self.subTest(name), self.assertRaises(AccessError):
                complaint.with_user(self.users[name]).action_undo()
        self.users["clerk"].group_ids += self.env.ref(
            "spar_fa_directory.group_supervisor"
        )
        with self.assertRaisesRegex(UserError, "made or decided"):
            complaint.with_user(self.users["clerk"]).action_undo()
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_upheld_the_disputed_address_ends_and_the_person_is_reached(self):
        complaint, _message = self.record("not_me")
        self.answer(complaint)
        self.assertIsNone(self.get_fa(ID))
        self.assertEqual(complaint.state, "upheld")
        self.assertEqual(self.case_of(ID).state, "upheld")
        self.assertEqual(complaint.answer, "We ended that address.")
        self.assertEqual(complaint.closer_name, self.users["boss"].name)
        self.assertTrue(complaint.answered_at)
        self.assert_sound()

    def test_rejected_nothing_has_changed(self):
        complaint, _message = self.record("not_me")
        self.answer(complaint, decision="rejected")
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(complaint.state, "rejected")
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.UPDATED)

    def test_whoever_recorded_it_does_not_decide_it(self):
        """One person's word would end an address."""
        self.users["clerk"].group_ids += self.env.ref(
            "spar_fa_directory.group_supervisor"
        )
        complaint, _message = self.record("not_me")
        with self.assertRaisesRegex(UserError, "You recorded"):
            self.answer(complaint, "clerk")
        with self.assertRaisesRegex(UserError, "You recorded"):
            complaint.objection_id.with_user(self.users["clerk"])._close(True, "mine")
        self.assertEqual(self.get_fa(ID), FA)

    def test_whoever_approved_the_change_does_not_close_the_case(self):
        self.add_rule("approve")
        self.update(ID, OTHER_FA)
        self.mapper._approve_change(self.call_of("boss"), self.change_of(ID).id)
        for kind in ("updated", "held"):
            event = self.find_event(ID, kind)
            with self.subTest(kind), self.undone():
                complaint, _message = self.record("not_me", event_id=event.id)
                with self.assertRaisesRegex(UserError, "made or decided"):
                    self.answer(complaint)
                case = complaint.objection_id.with_user(self.users["boss"])
                with self.assertRaisesRegex(UserError, "made or approved"):
                    case._close(False, "looks fine to me")
                self.answer(complaint, "deputy")
                self.assertEqual(complaint.state, "upheld")

    def test_an_approver_of_an_earlier_change_may_close_the_case(self):
        rule = self.add_rule("approve")
        self.update(ID, OTHER_FA)
        self.mapper._approve_change(self.call_of("boss"), self.change_of(ID).id)
        rule.active = False
        self.update(ID, THIRD_FA)
        self.object_to(ID, "updated")
        case = self.case_of(ID).with_user(self.users["boss"])
        case._close(True, "seen with her card")
        self.assertEqual(case.state, "upheld")

    def test_the_page_says_why_a_user_may_not_close_it(self):
        self.update(ID, OTHER_FA, self.call_of("boss"))
        complaint, _message = self.record("not_me")
        texts = {
            "clerk": "A supervisor must close",
            "colleague": "A supervisor must close",
            "boss": "You made or decided a change",
            "deputy": "",
        }
        for name, text in texts.items():
            with self.subTest(name):
                seen = complaint.with_user(self.users[name])
                self.assertEqual(seen.may_decide, not text)
                self.assertTrue((seen.obstacle or "").startswith(text))
                self.assertEqual(bool(seen.obstacle), bool(text))
        self.answer(complaint, "deputy")
        complaint.invalidate_recordset()
        self.assertFalse(complaint.with_user(self.users["clerk"]).obstacle)

    def test_only_supervisors_close_it(self):
        complaint, _message = self.record("not_me")
        with self.assertRaisesRegex(UserError, "supervisor"):
            self.answer(complaint, "colleague")
        for name in ("viewer", "auditor", "administrator", "nobody"):
            with self.subTest(name), self.assertRaises(AccessError):
                self.answer(complaint, name)
        self.assertEqual(complaint.state, "open")

    def test_an_objection_of_the_person_is_a_complaint_too(self):
        self.update(ID, OTHER_FA)
        self.object_to(ID, "updated")
        complaint = self.env["spar.complaint"].search(
            [("objection_id", "=", self.case_of(ID).id)]
        )
        self.assertEqual((complaint.kind, complaint.state), ("not_me", "open"))
        self.assertEqual(complaint.actor_name, "The beneficiary")
        self.assertTrue(complaint.owner_id)
        self.close(ID, is_upheld=False)
        self.assertEqual(complaint.state, "rejected")
        self.assertFalse(complaint.answered_at)

    def test_the_same_change_is_recorded_once(self):
        self.record("not_me")
        with self.assertRaisesRegex(UserError, "already recorded"):
            self.record("not_me", "colleague")
        self.assertEqual(self.events_of(ID).count("objected"), 1)

    def test_a_decided_change_is_not_disputed_again(self):
        complaint, _message = self.record("not_me")
        self.answer(complaint, decision="rejected")
        with self.assertRaisesRegex(UserError, "already been decided"):
            self.record("not_me")

    def test_a_change_of_somebody_else_is_refused(self):
        self.link(OTHER_ID, OTHER_FA)
        theirs = self.find_event(OTHER_ID, "linked")
        with self.assertRaisesRegex(UserError, "one of the list"):
            self.record("not_me", event_id=theirs.id)
        self.assertFalse(self.case_of(OTHER_ID))


class TestOtherComplaints(ComplaintCase):
    def test_not_paid_shows_where_the_payment_of_that_day_went(self):
        today = fields.Date.today()
        complaint, message = self.record("not_paid", missed_on=today)
        self.assertEqual(complaint.paid_to, self.mapping_of(ID).fa_masked)
        self.assertIn(complaint.reference, message)
        self.assertEqual(self.events_of(ID)[-1], "complaint_recorded")
        self.assertEqual(self.get_fa(ID), FA)
        earlier, _message = self.record("not_paid", missed_on=today - timedelta(30))
        self.assertIn("No address", earlier.paid_to)
        self.assert_sound()

    def test_not_paid_needs_a_day_that_has_come(self):
        with self.assertRaisesRegex(UserError, "enter the day"):
            self.record("not_paid")
        tomorrow = fields.Date.today() + timedelta(2)
        with self.assertRaisesRegex(UserError, "future"):
            self.record("not_paid", missed_on=tomorrow)
        self.assertFalse(self.env["spar.complaint"].search([]).filtered("missed_on"))

    def test_stop_goes_the_way_of_every_suspension(self):
        complaint, message = self.record("stop", statement="lost her card")
        (event,) = self.subject_of(ID).event_ids.sorted("id")[-1:]
        self.assertIn(event.kind, ("suspended", "held"))
        self.assertEqual(event.reason, "lost her card")
        self.assertEqual(complaint.kind, "stop")
        self.assertTrue(message)

    def test_stop_of_somebody_who_is_not_paid_is_refused_whole(self):
        self.unlink(ID)
        with self.assertRaisesRegex(UserError, "nothing to stop"), self.undone():
            self.record("stop")

    def test_refused_suspension_says_why(self):
        self.add_rule("refuse", operation="suspend", channel="staff")
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.record("stop")
        self.assertEqual(self.events_of(ID)[-1], "linked")

    def test_an_officer_closes_it_and_the_person_is_reached_later(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        self.answer(complaint, "clerk", answered_how="not_reached")
        self.assertEqual((complaint.state, complaint.answered_at), ("upheld", False))
        self.assertEqual(self.events_of(ID)[-1], "complaint_closed")
        self.answer(complaint, "colleague", answered_how="phone")
        self.assertTrue(complaint.answered_at)
        with self.assertRaisesRegex(UserError, "already answered"):
            self.answer(complaint, "colleague", answered_how="letter")
        self.assertEqual(complaint.answered_how, "phone")

    def test_the_officer_complained_about_does_not_close_it(self):
        self.update(ID, OTHER_FA, self.call_of("clerk"))
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        self.assertFalse(complaint.may_decide)
        with self.assertRaisesRegex(UserError, "Another person"):
            self.answer(complaint, "clerk")
        with self.assertRaisesRegex(UserError, "Another person"):
            complaint.action_take()
        self.answer(complaint, answered_how="not_reached")
        with self.assertRaisesRegex(UserError, "Another person"):
            self.answer(complaint, "clerk", answer="All is well.")
        self.assertEqual(complaint.answer, ANSWER["answer"])
        self.answer(complaint, "colleague", answered_how="letter")
        self.assertTrue(complaint.answered_at)
        self.assertEqual(complaint.state, "upheld")

    def test_a_closed_complaint_stays_closed(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        self.answer(complaint)
        boss = complaint.with_user(self.users["boss"])
        with self.assertRaisesRegex(UserError, "already closed"):
            boss._close(False, "again", "no", "phone")
        self.assertEqual(complaint.state, "upheld")

    def test_an_answer_needs_its_words(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        for values in ({"answer": " "}, {"reason": ""}, {"decision": False}):
            with self.subTest(values), self.assertRaises(UserError):
                self.answer(complaint, **values)
        self.assertEqual(complaint.state, "open")


class TestComplaint(ComplaintCase):
    def test_deadline_is_a_setting(self):
        self.set_limit("complaint_days", 3)
        today = self.mapper._get_now().date()
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        self.assertEqual(complaint.deadline, today + timedelta(days=3))
        self.assertFalse(complaint.is_overdue)
        overdue = [("is_overdue", "=", True), ("id", "=", complaint.id)]
        self.assertFalse(complaint.search_count(overdue))
        self.env.cr.execute("UPDATE spar_complaint SET deadline = %s", ("2020-01-01",))
        self.env.invalidate_all()
        self.assertTrue(complaint.is_overdue)
        self.assertEqual(complaint.search_count(overdue), 1)
        self.answer(complaint)
        self.assertEqual(complaint.search_count(overdue), 0)

    def test_somebody_who_may_close_it_is_responsible(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        self.assertEqual(complaint.owner_id, self.users["clerk"])
        complaint.with_user(self.users["boss"]).action_take()
        self.assertEqual(complaint.owner_id, self.users["boss"])
        self.update(ID, OTHER_FA, self.call_of("clerk"))
        other, _message = self.record("not_me")
        self.assertTrue(other.owner_id.has_group("spar_fa_directory.group_supervisor"))

    def test_only_officers_record_complaints(self):
        for name in ("boss", "viewer", "auditor", "administrator", "nobody"):
            user = self.users[name]
            with self.subTest(name), self.assertRaises(AccessError):
                self.record("not_me", name)
            complaints = self.env["spar.complaint"].with_user(user)
            with self.subTest(f"{name}, past the window"):
                with self.assertRaises(AccessError):
                    complaints._record(
                        self.subject_of(ID), "not_paid", self.env["spar.event"]
                    )
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_who_reads_complaints(self):
        readers = {
            name
            for name, user in self.users.items()
            if self.env["spar.complaint"].with_user(user).has_access("read")
        }
        expected = {"clerk", "colleague", "boss", "deputy", "viewer", "auditor"}
        self.assertEqual(readers, expected)
        for name, user in self.users.items():
            for operation in ("create", "write", "unlink"):
                with self.subTest(name, operation=operation):
                    model = self.env["spar.complaint"].with_user(user)
                    self.assertFalse(model.has_access(operation))

    def test_nobody_writes_a_complaint_directly(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        with self.assertRaisesRegex(Exception, "spar.complaint"):
            complaint.sudo().write({"state": "rejected"})
        with self.assertRaisesRegex(Exception, "complaints are not deleted"):
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                self.env.cr.execute("DELETE FROM spar_complaint")

    def test_a_text_may_not_name_the_account(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        texts = ({"statement": "111100001111 is not mine"}, {"answer": "1111 00001111"})
        with self.assertRaises(UserError):
            self.record("not_me", **texts[0])
        with self.assertRaises(UserError):
            self.answer(complaint, **texts[1])
        self.assertEqual(self.find_clear("111100001111", tables="spar_complaint%"), [])
        self.assertEqual(complaint.state, "open")

    def test_a_text_may_not_name_the_account_of_another_purpose(self):
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        self.link(ID, "account:555500005555@HO.TESTB", purpose="school")
        with self.assertRaises(UserError):
            self.record("stop", statement="555500005555 is not mine")
        for values in ({"answer": "5555 00005555"}, {"reason": "555500005555"}):
            with self.subTest(**values), self.assertRaises(UserError):
                self.answer(complaint, **values)
        self.assertEqual(self.find_clear("555500005555", tables="spar_complaint%"), [])

    def test_open_cases_of_the_previous_version_become_complaints(self):
        self.update(ID, OTHER_FA)
        self.object_to(ID, "updated")
        self.object_to(ID, "linked")
        self.close(ID, is_upheld=False)
        with self.past_triggers():
            self.env.cr.execute("DELETE FROM spar_complaint")
        path = Path(__file__).parents[1] / "migrations" / "19.0.2.9.0"
        script = run_path(str(path / "post-complaints.py"))
        for _again in range(2):
            script["migrate"](self.env.cr, "19.0.2.8.0")
        complaint = self.env["spar.complaint"].search(
            [("subject_id", "=", self.subject_of(ID).id)]
        )
        self.assertEqual(complaint.objection_id.state, "open")
        self.assertEqual(complaint.kind, "not_me")
        self.assertFalse(complaint.is_overdue)

    def test_people_of_another_office_are_not_concerned(self):
        office = self.env["spar.office"].create(
            {"name": "North", "member_ids": [(6, 0, self.users["colleague"].ids)]}
        )
        far = self.env["spar.office"].create(
            {"name": "South", "member_ids": [(6, 0, self.users["deputy"].ids)]}
        )
        complaint, _message = self.record("not_paid", missed_on=fields.Date.today())
        mapper = self.mapper.with_user(self.users["boss"])
        call = mapper._build_staff_call("as the ministry says")
        mapper._move_to_office(call, self.subject_of(ID).ids, far)
        self.env.invalidate_all()
        self.assertEqual(office.member_ids, self.users["colleague"])
        with self.assertRaises(AccessError):
            complaint.with_user(self.users["colleague"]).read(["kind"])
        with self.assertRaises(AccessError):
            self.record("not_me", "colleague")
        with self.assertRaises(AccessError):
            self.answer(complaint, "colleague")
