"""Forms filled in on paper during an outage are entered later, and marked late."""

from datetime import timedelta

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..exceptions import DirectWriteRefused
from .common import FA, OTHER_FA, THIRD_FA
from .test_desk_entry import ID, NEW_ID, NUMBER, EntryCase

LATE = "Entered late, from paper form N-0042 of "


class PaperCase(EntryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = cls.create_user("officer", login="paper_colleague")
        cls.colleague.name = "Carla Colleague"
        cls.supervisor = cls.create_user("supervisor", login="paper_supervisor")
        cls.today = fields.Date.context_today(cls.env.user)

    def get_paper(self, days_ago=0, **values):
        return {
            "is_on_paper": True,
            "paper_date": self.today - timedelta(days=days_ago),
            "paper_number": "N-0042",
            "paper_by_id": self.colleague.id,
            **values,
        }

    def is_asked(self, action):
        return action.get("res_model") == "spar.mapping.wizard"

    def get_forms(self):
        return self.env["spar.paper.form"].search([])


@tagged("post_install", "-at_install")
class TestPaperForm(PaperCase):
    def test_link_and_change_are_marked_late_everywhere(self):
        self.link(ID, FA)
        self.let_pass(days=5)
        self.open_link(**self.get_paper()).action_confirm()
        number = {"paper_number": "N 0043"}
        paper = self.get_paper(**number)
        paper["paper_date"] += timedelta(days=1)
        self.patch(fields.Date, "context_today", lambda *_: paper["paper_date"])
        self.open_change(OTHER_FA, **paper).action_confirm()
        event = self.mapping_of(NEW_ID).event_ids
        self.assertIn(LATE, event.reason)
        self.assertRegex(event.reason, "filled in by Carla Colleague$")
        self.assertRegex(event.late_text, f"^{LATE}")
        self.assertEqual(self.subject_of(NEW_ID).late_text, event.late_text)
        receipt = self.env["report.spar_mapper.receipt"]._build_receipt(event)
        self.assertEqual(receipt["late_text"], event.late_text)
        html = self.env["ir.qweb"]._render(
            "spar_mapper.receipt", {"receipts": [receipt], "docs": event}
        )
        self.assertIn("Paper form", html)
        self.assertIn("N 0043", self.subject_of(ID).late_text)
        late = self.get_forms().mapped("number")
        self.assertEqual(late, ["N 0043", "N-0042"])

    def test_what_is_not_entered_from_paper_says_nothing(self):
        self.open_link().action_confirm()
        event = self.mapping_of(NEW_ID).event_ids
        self.assertFalse(event.late_text)
        self.assertFalse(self.get_forms())

    def test_wrong_dates_numbers_and_people_are_refused(self):
        portal = new_test_user(self.env, "paper-portal", groups="base.group_portal")
        stranger = new_test_user(self.env, "paper-stranger", groups="base.group_user")
        wrong = {
            "enter it.": {"paper_date": False},
            "in the future": {"paper_date": self.today + timedelta(days=1)},
            "more than 30 days ago": {"paper_date": self.today - timedelta(days=31)},
            "printed on the form": {"paper_number": "  "},
            "at most 20": {"paper_number": "<b>1</b>"},
            "at most 7 digits": {"paper_number": "12345678"},
            "nor an account": {"paper_number": "BR01", **self.get_account("BR01")},
            "Filled in by: choose": {"paper_by_id": False},
            "Filled in by": {"paper_by_id": portal.id},
            "the member of staff": {"paper_by_id": stranger.id},
        }
        for text, values in wrong.items():
            with self.subTest(values), self.assertRaisesRegex(UserError, text):
                self.open_link(**{**self.get_paper(), **values}).action_confirm()
        self.assertIsNone(self.get_fa(NEW_ID))
        self.assertFalse(self.get_forms())

    def get_account(self, text):
        fa = f"account:{text}@BR01.TESTBANK"
        return {"fa_text": fa, "fa_text_again": fa}

    def test_the_last_day_of_the_setting_still_counts(self):
        self.set_limit("paper_form_days", 3)
        with self.assertRaisesRegex(UserError, "more than 3 days"):
            self.open_link(**self.get_paper(4)).action_confirm()
        self.open_link(**self.get_paper(3)).action_confirm()
        self.assertEqual(self.get_fa(NEW_ID), THIRD_FA)

    def test_number_counts_once_in_an_office_however_it_is_written(self):
        self.open_link(**self.get_paper()).action_confirm()
        for number in ("N-0042", "n 0042", "N0042"):
            wizard = self.open_link(
                OTHER_FA,
                **self.get_paper(paper_number=number, id_value="2007760629"),
            )
            with (
                self.subTest(number),
                self.assertRaisesRegex(UserError, f"{number} was already entered on"),
            ):
                wizard.action_confirm()
        office = {"name": "Other", "member_ids": [(4, self.officer.id)]}
        self.env["spar.office"].create(office)
        paper = self.get_paper(id_value="2007760629")
        self.open_link(OTHER_FA, **paper).action_confirm()
        self.assertEqual(len(self.get_forms()), 2)

    def test_refused_change_leaves_no_form(self):
        self.link(NEW_ID, FA)
        with self.assertRaises(RedirectWarning), self.env.cr.savepoint():
            self.open_link(**self.get_paper(1)).action_confirm()
        self.assertFalse(self.get_forms())

    def test_form_shows_the_part_only_where_it_belongs(self):
        form = Form(self.wizards.with_context(default_operation="link"))
        form.id_value, form.reason = NUMBER, "came in"
        with self.assertRaises(AssertionError):
            form.paper_date = self.today
        form.is_on_paper = True
        form.paper_date = self.today
        form = Form(self.wizards.with_context(default_operation="suspend"))
        with self.assertRaises(AssertionError):
            form.is_on_paper = True


@tagged("post_install", "-at_install")
class TestOvertakenPaper(PaperCase):
    """The account was changed after the form was filled in."""

    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def open_late(self, **values):
        wizard = self.open_change(**self.get_paper(2), **values)
        return wizard, wizard.action_confirm()

    def test_it_stops_with_what_is_newer_and_by_whom(self):
        wizard, action = self.open_late()
        self.assertTrue(self.is_asked(action))
        self.assertRegex(wizard.newer_text, "^Linked on .* by participant:x|^Linked on")
        self.assertIn("after the form was filled in", wizard.newer_text)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertFalse(self.get_forms())

    def test_confirming_again_without_the_tick_is_not_enough(self):
        wizard, _action = self.open_late(is_review_wanted=True)
        self.assertTrue(self.is_asked(wizard.action_confirm()))
        self.assertEqual(self.get_fa(ID), FA)

    def test_a_supervisor_decides(self):
        wizard, _action = self.open_late()
        wizard.is_review_wanted = True
        self.assertFalse(self.is_asked(wizard.action_confirm()))
        self.assertEqual(self.get_fa(ID), FA)
        change = self.change_of(ID)
        self.assertTrue(change.needs_approval)
        self.assertIn("paper form", change.why_text)
        self.assertRegex(change.reason_text, "Entered late.* filled in by ")
        self.assertEqual(change.contact_masked, "Nobody: notices go by letter")
        self.assertTrue(self.get_forms().is_overtaken)
        with self.assertRaises(UserError):
            change.with_user(self.officer).action_approve()
        self.compare(change.with_user(self.supervisor)).action_approve()
        self.assertEqual(self.get_fa(ID), THIRD_FA)
        self.assertRegex(self.subject_of(ID).late_text, f"^{LATE}")

    def test_answer_counts_only_for_the_change_it_was_given_for(self):
        wizard, _action = self.open_late()
        wizard.is_review_wanted = True
        self.update(ID, OTHER_FA)
        wizard.seen_version = self.mapping_of(ID).version
        self.assertTrue(self.is_asked(wizard.action_confirm()))
        self.assertRegex(wizard.newer_text, "^Changed on")
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_changes_before_the_form_do_not_stop_it(self):
        self.let_pass(days=5)
        paper = self.get_paper()
        paper["paper_date"] += timedelta(days=3)
        self.patch(fields.Date, "context_today", lambda *_: paper["paper_date"])
        self.assertFalse(self.is_asked(self.open_change(**paper).action_confirm()))
        self.assertEqual(self.get_fa(ID), THIRD_FA)

    def test_rule_that_refuses_still_refuses(self):
        self.add_rule("refuse", operation="update")
        wizard, _action = self.open_late()
        wizard.is_review_wanted = True
        with self.assertRaises(UserError):
            wizard.action_confirm()


@tagged("post_install", "-at_install")
class TestWhoSeesPaperForms(PaperCase):
    def setUp(self):
        super().setUp()
        self.open_link(**self.get_paper()).action_confirm()
        self.form = self.get_forms()

    def test_supervisors_and_auditors_list_them_and_nobody_else(self):
        may = {"supervisor": self.supervisor, "auditor": self.create_user("auditor")}
        for name, user in may.items():
            with self.subTest(name):
                form = self.form.with_user(user)
                self.assertEqual(form.actor_name, self.officer.name)
                self.assertEqual(form.filler_name, "Carla Colleague")
                self.assertNotIn(NUMBER, str(form.read()))
                page = form.action_open_person()
                self.assertEqual(page["res_id"], self.subject_of(NEW_ID).id)
        others = {
            "officer": self.officer,
            "viewer": self.create_user("viewer"),
            "administrator": self.create_user("administrator"),
            "employee": new_test_user(self.env, "paper-employee"),
            "portal": new_test_user(
                self.env, "paper-portal", groups="base.group_portal"
            ),
        }
        for name, user in others.items():
            with self.subTest(name), self.assertRaises(AccessError):
                self.form.with_user(user).read()

    def test_supervisor_of_another_office_does_not(self):
        offices = self.env["spar.office"]
        here = offices.create({"name": "Here"})
        elsewhere = {"name": "Elsewhere", "member_ids": [(4, self.supervisor.id)]}
        offices.create(elsewhere)
        mapper = self.mapper.with_user(self.create_user("supervisor", login="head"))
        call = mapper._build_staff_call("moved")
        mapper._move_to_office(call, self.subject_of(NEW_ID).ids, here)
        self.env.invalidate_all()
        forms = self.env["spar.paper.form"].with_user(self.supervisor)
        self.assertFalse(forms.search([]))

    @mute_logger("odoo.sql_db")
    def test_nobody_rewrites_or_removes_one(self):
        reader = self.form.with_user(self.supervisor)
        for form in (self.form, reader):
            with self.assertRaises(DirectWriteRefused):
                form.write({"number": "x"})
        with self.assertRaises(DirectWriteRefused):
            self.form.unlink()
        with self.assertRaises(AccessError):
            reader.unlink()
        for query in (
            "UPDATE spar_paper_form SET number = 'x'",
            "DELETE FROM spar_paper_form",
        ):
            with (
                self.subTest(query),
                self.assertRaises(psycopg2.Error),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(query)
        self.assertEqual(self.form.exists().number, "N-0042")

    def test_no_number_is_stored_in_clear(self):
        typed = (NUMBER, "333300003333")
        for tables in ("spar_paper%", "spar_mapping%", "spar_event"):
            self.assertEqual(self.find_clear(*typed, tables=tables), [])
