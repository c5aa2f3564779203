"""Guardians and collectors: until a day, by two people, sealed and never removed."""

import base64
from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..exceptions import DirectWriteRefused
from .common import FA, ID, OTHER_FA, OTHER_ID, StoreCase

NAME, NUMBER, PHONE = "Grace Hopper", "GH-19061209", "+447911123456"
PROOF = "Order 77 of the court"
ROLES = ("viewer", "officer", "supervisor", "auditor", "administrator")


class RepresentativeCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: cls.create_user(role, login=f"represent_{role}") for role in ROLES
        }
        cls.users["second"] = cls.create_user("supervisor", login="represent_second")
        cls.guardian = cls.env.ref("spar_mapper.representative_kind_guardian")
        cls.today = fields.Date.context_today(cls.env.user)

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.person = self.subject_of(ID)

    def fill(self, user="officer", **values):
        wizards = self.env["spar.representative.wizard"].with_user(self.users[user])
        common = {
            "subject_id": self.person.id,
            "kind_id": self.guardian.id,
            "full_name": NAME,
            "identifier": NUMBER,
            "phone": PHONE,
            "until": self.today + timedelta(days=300),
            "proof": PROOF,
            "has_seen": True,
        }
        return wizards.create({**common, **values})

    def propose(self, **values):
        self.fill(**values).action_record()
        return self.env["spar.representative"].search([], limit=1)

    def reveal(self, row, user="supervisor"):
        action = row.with_user(self.users[user]).action_reveal()
        windows = self.env["spar.representative.reveal"].with_user(self.users[user])
        self.assertEqual(action["res_model"], windows._name)
        self.assertNotIn(NAME, str(action))
        return windows.create({"representative_id": row.id})

    def approve(self, row, user="supervisor"):
        self.reveal(row, user)
        row.with_user(self.users[user]).action_approve()
        self.env.invalidate_all()
        return row

    def answer(self, row, user, reason="no longer needed"):
        answers = self.env["spar.representative.answer"].with_user(self.users[user])
        answer = answers.create({"representative_id": row.id, "reason": reason})
        answer.action_confirm()
        self.env.invalidate_all()

    def get_events(self):
        return [kind for kind in self.events_of(ID) if kind.startswith("represent")]

    def pass_days(self, days):
        """Let days pass for what reads the calendar."""
        later = self.today + timedelta(days=days)
        self.patch(fields.Date, "context_today", lambda *_: later)
        self.patch(fields.Date, "today", lambda *_: later)
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestRepresentative(RepresentativeCase):
    def test_it_counts_only_after_a_second_person_saw_and_approved_it(self):
        row = self.propose()
        self.assertEqual((row.state, row.standing), ("waiting", "waiting"))
        self.assertIn("does not count", row.standing_text.lower())
        with self.assertRaisesRegex(UserError, "Reveal the name and the ID first"):
            row.with_user(self.users["supervisor"]).action_approve()
        self.approve(row)
        self.assertEqual(row.standing, "active")
        self.assertEqual(row.decider_name, self.users["supervisor"].name)
        self.assertEqual(
            self.get_events(), ["representative_proposed", "representative_approved"]
        )
        self.assertEqual(self.get_fa(ID), FA)

    def test_nobody_enters_or_approves_themselves(self):
        for role, name in (("officer", "Grace  HOPPER"), ("supervisor", NAME)):
            self.users[role].name = name
            with self.subTest(role), self.assertRaisesRegex(UserError, "your own"):
                self.approve(self.propose())
            self.users[role].name = role
        self.assertEqual(self.approve(self.propose()).state, "active")

    def test_whoever_entered_or_approved_a_collector_closes_no_complaint(self):
        self.approve(self.propose())
        call = self.mapper.with_user(self.users["second"])._build_staff_call("came in")
        complaint = self.env["spar.complaint"]._insert(call, self.person, "not_paid")
        for role, may_decide in (
            ("officer", False),
            ("supervisor", False),
            ("second", True),
        ):
            with self.subTest(role):
                own = complaint.with_user(self.users[role])
                self.assertEqual(own.may_decide, may_decide)

    def test_page_and_date_show_it_masked(self):
        row = self.approve(self.propose())
        page = self.person.with_user(self.users["viewer"])
        self.assertRegex(page.representative_text, "^Guardian •+per: Until")
        wizards = self.env["spar.person.date.wizard"].with_user(self.users["viewer"])
        day = wizards.create({"subject_id": self.person.id, "day": self.today})
        self.assertEqual(day.representative_ids, row)
        shown = str([page.read(), row.with_user(self.users["viewer"]).read()])
        for text in (NAME, NUMBER, PHONE, PROOF):
            self.assertNotIn(text, shown)
        self.assertRegex(row.name_masked, "^•+per$")
        before = wizards.create(
            {"subject_id": self.person.id, "day": self.today - timedelta(days=1)}
        )
        self.assertFalse(before.representative_ids)

    def test_reveal_is_recorded_and_shown_only_to_whoever_looked(self):
        row = self.propose()
        window = self.reveal(row, "officer")
        texts = (window.full_name, window.identifier, window.phone, window.proof)
        self.assertEqual(texts, (NAME, NUMBER, PHONE, PROOF))
        lookup = self.env["spar.lookup"].search([], limit=1)
        self.assertEqual(lookup.kind, "representative")
        self.assertEqual(lookup.subject_id, self.person)
        looks = self.env["spar.look"].search([("subject_id", "=", self.person.id)])
        look = looks.filtered(lambda look: look.kind == "representative")
        self.assertEqual((look.reveals, look.searches), (1, 0))
        others = self.env["spar.representative.reveal"]
        for user in ("supervisor", "auditor"):
            other = others.with_user(self.users[user])
            self.assertFalse(other.create({"representative_id": row.id}).full_name)

    def test_reveal_is_hidden_again_after_some_minutes(self):
        window = self.reveal(self.propose(), "officer")
        self.let_pass(minutes=11)
        self.env.invalidate_all()
        self.assertFalse(window.full_name)

    def test_end_and_refusal_have_a_reason_and_stay_in_the_history(self):
        row = self.approve(self.propose())
        self.answer(row, "officer", "the child came of age")
        self.assertEqual(row.standing, "ended")
        self.assertIn("came of age", row.standing_text)
        self.answer(self.propose(), "supervisor", "the letter is not signed")
        self.answer(self.propose(), "officer", "typed for the wrong person")
        rows = self.person.representative_ids.sorted("id")
        self.assertEqual(rows.mapped("state"), ["ended", "refused", "refused"])
        self.assertEqual(rows.mapped("standing"), ["ended", "refused", "refused"])
        events = self.person.event_ids.sorted("seq")
        self.assertIn("came of age", "".join(filter(None, events.mapped("reason"))))
        self.assertFalse(self.person.representative_text)

    def test_expired_one_says_so_and_payments_go_on(self):
        row = self.approve(self.propose())
        self.pass_days(300)
        self.assertEqual(row.standing, "active")
        self.pass_days(301)
        self.assertEqual(row.standing, "expired")
        self.assertRegex(self.person.representative_text, "Expired on .* Ask for a new")
        found = self.env["spar.representative"].search([("is_over", "=", True)])
        self.assertEqual(found, row)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertTrue(self.person.is_paid)

    def test_reminders_name_nobody_and_end_with_what_they_are_about(self):
        activities = self.env["mail.activity"]
        row = self.propose()
        rows = self.env["spar.representative"]
        rows._cron_remind()
        rows._cron_remind()
        first = activities.browse(row.activity_number)
        self.assertTrue(first.user_id.has_group("spar_fa_directory.group_supervisor"))
        self.approve(row)
        self.assertFalse(first.exists())
        rows._cron_remind()
        self.assertFalse(row.activity_number)
        self.pass_days(269)
        rows._cron_remind()
        self.assertFalse(row.activity_number)
        self.pass_days(270)
        rows._cron_remind()
        second = activities.browse(row.activity_number)
        self.assertEqual(second.user_id, self.users["officer"])
        self.assertEqual(second.date_deadline, row.until)
        for text in (NAME, NUMBER, "Ada", "1815"):
            self.assertNotIn(text, f"{second.summary} {second.note}")
        self.answer(row, "supervisor")
        self.assertFalse(second.exists())

    def test_document_is_stored_sealed_with_it(self):
        data = base64.b64encode(b"%PDF-1.7 the order of the court")
        row = self.propose(document=data)
        evidence = self.env["spar.evidence"].search([("uuid", "=", row.uuid)])
        self.assertEqual(evidence.subject_id, self.person)
        with self.assertRaisesRegex(UserError, "attach a PDF"):
            self.fill(document=base64.b64encode(b"<script>"))

    def test_a_document_of_another_person_is_not_shown_as_theirs(self):
        """Its number would have to be the same, which nobody chooses."""
        row = self.propose()
        self.link(OTHER_ID, OTHER_FA)
        other, data = self.subject_of(OTHER_ID), base64.b64encode(b"%PDF-1.7").decode()
        self.env["spar.evidence"]._store(self.staff, row.uuid, data, other)
        self.env.invalidate_all()
        self.assertFalse(row.with_user(self.users["supervisor"]).evidence_id)

    def test_second_person_sees_the_document_and_who_acts_already(self):
        first = self.approve(self.propose())
        data = base64.b64encode(b"%PDF-1.7 the order of the court")
        row = self.propose(document=data)
        seen = row.with_user(self.users["supervisor"])
        self.assertRegex(seen.others_text, "^Guardian •+per: Until")
        action = seen.action_show_document()
        self.assertEqual(action["res_model"], "spar.evidence.wizard")
        kinds = self.env["spar.lookup"].search([]).mapped("kind")
        self.assertIn("evidence", kinds)
        self.assertIn("Does not count", first.others_text)
        for name in ("viewer", "officer", "administrator"):
            with self.subTest(name), self.assertRaises(UserError):
                row.with_user(self.users[name]).action_show_document()

    def test_confirm_sent_twice_counts_once(self):
        wizard = self.fill()
        wizard.action_record()
        self.assertRegex(wizard.action_record()["params"]["message"], "once")
        self.assertEqual(self.get_events(), ["representative_proposed"])

    def test_nothing_typed_is_stored_in_clear(self):
        row = self.approve(self.propose())
        self.fill(full_name="Somebody Unsaved")
        self.answer(row, "officer")
        texts = (NAME, NUMBER, PHONE, PROOF, "Somebody Unsaved")
        self.assertEqual(self.find_clear(*texts), [])

    def test_form_opens_for_an_officer(self):
        wizards = self.env["spar.representative.wizard"].with_user(
            self.users["officer"]
        )
        form = Form(wizards.with_context(default_subject_id=self.person.id))
        form.full_name, form.identifier, form.proof = NAME, NUMBER, PROOF
        form.until, form.has_seen = self.today + timedelta(days=9), True
        form.save().action_record()
        self.assertEqual(self.get_events(), ["representative_proposed"])


@tagged("post_install", "-at_install")
class TestRefusedRepresentative(RepresentativeCase):
    def test_what_is_missing_or_impossible_is_refused(self):
        wrong = {
            "Kind: choose": {"kind_id": False},
            "Name: enter": {"full_name": " "},
            "Their ID: enter it, or": {"identifier": False, "phone": False},
            "Nobody acts without an end": {"until": False},
            "What proves it: enter": {"proof": False},
            "a day after today": {"until": self.today},
            "at most 3 years": {"until": self.today + timedelta(days=1200)},
            "that you saw both": {"has_seen": False},
        }
        for text, values in wrong.items():
            with self.subTest(values), self.assertRaisesRegex(UserError, text):
                self.fill(**values).action_record()
        self.assertEqual(self.get_events(), [])

    def test_nobody_approves_what_they_entered(self):
        both = self.users["supervisor"]
        both.sudo().group_ids += self.env.ref("spar_fa_directory.group_officer")
        row = self.propose(user="supervisor")
        self.reveal(row)
        with self.assertRaisesRegex(UserError, "Another supervisor"):
            row.with_user(both).action_approve()
        self.assertEqual(self.approve(row, "second").standing, "active")

    def test_other_roles_and_users_are_refused(self):
        """Table: who may do what."""
        row = self.propose()
        people = {
            **self.users,
            "employee": new_test_user(self.env, "represent-employee"),
            "portal": new_test_user(
                self.env, "represent-portal", groups="base.group_portal"
            ),
        }
        acts = {
            "read": ("viewer", "officer", "supervisor", "second", "auditor"),
            "action_reveal": ("officer", "supervisor", "second", "auditor"),
            "action_approve": ("supervisor", "second"),
        }
        for act, may in acts.items():
            for name, user in people.items():
                with self.subTest(act=act, user=name), self.undone():
                    if name in may and act == "action_approve":
                        row.with_user(user).action_reveal()
                    if name in may:
                        getattr(row.with_user(user), act)()
                        continue
                    with self.assertRaises(UserError):
                        getattr(row.with_user(user), act)()
        for name in ("viewer", "supervisor", "auditor", "administrator"):
            with self.subTest(name), self.assertRaises(AccessError), self.undone():
                self.fill(user=name).action_record()
        for name in ("viewer", "auditor", "administrator"):
            with self.subTest(name), self.assertRaises(AccessError), self.undone():
                self.answer(row, name)

    def test_another_officer_does_not_withdraw_it(self):
        row = self.propose()
        self.users["colleague"] = self.create_user("officer", login="represent_other")
        with self.assertRaises(AccessError):
            self.answer(row, "colleague")
        self.assertEqual(row.state, "waiting")

    def test_people_of_another_office_are_not_reached(self):
        row = self.propose()
        offices = self.env["spar.office"]
        here = offices.create({"name": "Here"})
        staff = self.users["officer"] + self.users["second"]
        offices.create({"name": "Elsewhere", "member_ids": [(6, 0, staff.ids)]})
        mapper = self.mapper.with_user(self.users["supervisor"])
        call = mapper._build_staff_call("moved")
        mapper._move_to_office(call, self.person.ids, here)
        self.env.invalidate_all()
        for name in ("officer", "second"):
            with self.subTest(name), self.assertRaises(AccessError):
                row.with_user(self.users[name]).action_reveal()
        with self.assertRaises(AccessError):
            self.fill().action_record()

    def test_steps_out_of_turn_are_refused(self):
        row = self.propose()
        with self.undone():
            self.answer(row, "supervisor")
            for step in (self.approve, lambda row: row._end("again")):
                with self.assertRaisesRegex(UserError, "in the meantime"):
                    step(row)
        self.approve(row)
        with self.assertRaisesRegex(UserError, "in the meantime"):
            self.approve(row, "second")
        with self.assertRaisesRegex(UserError, "Enter a reason"):
            self.answer(row, "officer", " ")
        with self.assertRaisesRegex(UserError, "leave out the ID"):
            self.answer(row, "officer", "for Ada-1815")

    def test_one_whose_last_day_passed_while_it_waited_is_not_approved(self):
        row = self.propose(until=self.today + timedelta(days=2))
        self.reveal(row)
        self.pass_days(3)
        with self.assertRaisesRegex(UserError, "The last day has passed"):
            row.with_user(self.users["supervisor"]).action_approve()

    def test_row_that_sql_changed_is_not_shown_and_raises_an_alarm(self):
        row = self.approve(self.propose())
        self.link(OTHER_ID, OTHER_FA)
        changes = {
            "until = until + 400": (),
            "state = 'waiting'": (),
            "kind_id = %s": (
                self.env.ref("spar_mapper.representative_kind_collector").id,
            ),
            "decided_by = 'user:1'": (),
            "subject_id = %s": (self.subject_of(OTHER_ID).id,),
            "sealed = NULL": (),
        }
        for change, values in changes.items():
            with self.subTest(change), self.undone(), self.catch_alarms() as alarms:
                query = f"UPDATE spar_representative SET {change}"
                self.tamper(query, *values)
                self.assertEqual(row.standing, "unreadable")
                self.assertFalse(row.name_masked)
            with self.subTest(change):
                self.assertIn(("spar_representative", row.id), alarms)

    def test_ended_one_that_sql_set_back_is_not_shown(self):
        row = self.approve(self.propose())
        self.answer(row, "officer")
        with self.catch_alarms() as alarms:
            self.tamper(
                """UPDATE spar_representative SET state = 'active', ended_by = NULL,
                          ended_at = NULL, reason = NULL"""
            )
            self.assertEqual(row.standing, "unreadable")
            with self.assertRaises(UserError):
                self.answer(row, "officer")
        self.assertIn(("spar_representative", row.id), alarms)

    @mute_logger("odoo.sql_db")
    def test_nobody_removes_or_writes_one(self):
        row = self.propose()
        with self.assertRaises(DirectWriteRefused):
            row.unlink()
        for user in ("officer", "supervisor", "administrator"):
            mine = row.with_user(self.users[user])
            with self.subTest(user), self.assertRaises(DirectWriteRefused):
                mine.write({"state": "active"})
            with self.subTest(user), self.assertRaises(AccessError):
                mine.unlink()
        with self.assertRaises(psycopg2.Error), self.env.cr.savepoint():
            self.env.cr.execute("DELETE FROM spar_representative")
        self.assertEqual(row.exists().state, "waiting")

    def test_only_administrators_add_a_kind(self):
        kinds = self.env["spar.representative.kind"]
        for role in ("viewer", "officer", "supervisor", "auditor"):
            with self.subTest(role), self.assertRaises(AccessError):
                kinds.with_user(self.users[role]).create({"name": "Neighbour"})
        kinds.with_user(self.users["administrator"]).create({"name": "Neighbour"})

    def test_history_is_whole_afterwards(self):
        self.answer(self.approve(self.propose()), "supervisor")
        with self.catch_alarms() as alarms:
            self.assertEqual(self.env["spar.audit"]._check_store(), [])
        self.assertFalse(alarms)
