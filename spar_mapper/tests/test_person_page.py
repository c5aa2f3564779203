"""One page per person: whether money is paid, where to, and what was before."""

from dataclasses import replace
from datetime import timedelta

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.spar_mapper_connector.lib.contract import (
    Details,
    ObjectionRequest,
    Operation,
    Outcome,
)
from odoo.addons.spar_mapper_connector.models.mapper.spar_person_source import (
    SourcePerson,
)

from .common import CANONICAL, FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase

#: The roles that see people.
READERS = ("viewer", "officer", "supervisor", "auditor")
PAGE_MODELS = (
    "spar.subject",
    "spar.find.wizard",
    "spar.find.wizard.line",
    "spar.person.date.wizard",
    "spar.reveal.wizard",
)
#: What the page says and lists, whoever opens it.
SHOWN = {
    "pay_text",
    "lock_text",
    "others_text",
    "waiting_ids",
    "period_ids",
    "late_text",
    "provisional_reference",
    "representative_text",
    "representative_ids",
}
#: The roles that find a button on the page, by the button's method.
BUTTONS = {
    "action_on_date": set(READERS),
    "action_who_did_what": set(READERS),
    "action_complaints": set(READERS),
    "action_who_looked": {"auditor"},
    "action_reveal_id": {"auditor"},
    "action_reveal_address": {"auditor"},
    "action_show_witnesses": {"supervisor", "auditor"},
    "action_review_id": {"supervisor"},
    "action_update": {"officer"},
    "action_suspend": {"officer"},
    "action_resume": {"officer"},
    "action_not_me": {"officer"},
    "action_not_paid": {"officer"},
    "action_stop": {"officer"},
    "action_add_id": {"officer"},
    "action_add_representative": {"officer"},
}


@tagged("post_install", "-at_install")
class TestPersonPage(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: cls.create_user(role, login=f"page_{role}")
            for role in (*READERS, "administrator")
        }

    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def page_of(self, id_value=ID, role="officer"):
        self.env.invalidate_all()
        return self.subject_of(id_value).with_user(self.users[role])

    # === IS MONEY PAID? === #

    def test_active_address_is_paid(self):
        page = self.page_of()
        self.assertTrue(page.is_paid)
        self.assertEqual(page.pay_state, "active")
        self.assertRegex(page.pay_text, "^Yes")

    def assert_not_paid(self, state, id_value=ID):
        page = self.page_of(id_value)
        self.assertFalse(page.is_paid)
        self.assertEqual(page.pay_state, state)
        self.assertRegex(page.pay_text, "^No")

    def test_suspended_ended_and_stopped_addresses_are_not_paid(self):
        self.suspend(ID)
        self.assert_not_paid("suspended")
        self.unlink(ID)
        self.assert_not_paid("ended")
        self.link(OTHER_ID, OTHER_FA)
        self.set_subject(OTHER_ID, pay_stop=True)
        self.assert_not_paid("stopped", OTHER_ID)

    def test_proposed_first_address_is_not_paid(self):
        self.hold_everything()
        self.link(OTHER_ID, OTHER_FA)
        self.assert_not_paid("proposed", OTHER_ID)
        self.assertEqual(len(self.page_of(OTHER_ID).waiting_ids), 1)

    def test_closed_provider_is_not_paid(self):
        self.bank.closed_on = "2020-01-01"
        self.assert_not_paid("closed")

    def test_record_that_does_not_open_is_not_paid(self):
        self.tamper(
            "UPDATE spar_mapping SET state = 'active', mac = '\\x00' WHERE id = %s",
            self.mapping_of(ID).id,
        )
        with self.catch_alarms():
            self.assert_not_paid("unreadable")

    def test_without_keys_nothing_is_paid_and_nothing_is_shown(self):
        page = self.page_of()
        with self.keyring_away():
            self.assertFalse(page.is_paid)
            self.assertEqual(page.fa_masked, "Encryption keys unavailable")

    # === WHERE TO === #

    def test_id_and_address_are_masked(self):
        page = self.page_of()
        for shown, clear in ((page.id_masked, "Ada1815"), (page.fa_masked, "1111000")):
            self.assertTrue(shown)
            self.assertNotIn(clear, shown)

    def test_the_known_contact_is_masked(self):
        self.assertFalse(self.page_of().contact_masked)
        self.link(OTHER_ID, OTHER_FA, details=Details(phone_number="+46701234567"))
        shown = self.page_of(OTHER_ID).contact_masked
        self.assertTrue(shown.endswith("567"))
        self.assertNotIn("4670", shown)

    def test_each_role_reads_who_may_do_the_rest(self):
        officer, auditor = self.page_of(), self.page_of(role="auditor")
        self.assertNotIn("officer", officer.others_text)
        self.assertIn("auditor", officer.others_text)
        self.assertIn("officer", auditor.others_text)
        self.assertNotIn("supervisor", officer.others_text)
        self.hold_everything()
        self.update(ID, OTHER_FA)
        self.assertIn("supervisor", self.page_of().others_text)
        self.assertNotIn("supervisor", self.page_of(role="supervisor").others_text)

    def test_each_role_finds_the_buttons_of_its_work_on_the_page(self):
        for role in READERS:
            arch = self.page_of(role=role).get_view(view_type="form")["arch"]
            tree = etree.fromstring(arch)
            fields = tree.xpath("//field[not(@invisible='1' or @invisible='True')]")
            self.assertEqual(SHOWN - {field.get("name") for field in fields}, set())
            for button, roles in BUTTONS.items():
                with self.subTest(role, button=button):
                    is_there = bool(tree.xpath(f"//button[@name='{button}']"))
                    self.assertEqual(is_there, role in roles)

    def test_name_and_household_come_from_the_registry_of_people(self):
        source = type(self.env["spar.person.source"])
        asked = []

        def describe(_self, id_value):
            asked.append(id_value)
            return SourcePerson("Ada", "Lovelace")

        self.patch(source, "_describe", describe)
        page = self.page_of()
        self.assertEqual((page.person_name, page.household_name), ("Ada", "Lovelace"))
        self.assertEqual(asked, [CANONICAL])
        # The browser keeps titles in its history.
        self.assertRegex(page.display_name, "^Person [0-9a-f]{8}$")

    def test_without_a_registry_of_people_there_is_no_name(self):
        self.assertFalse(self.page_of().person_name)

    def test_the_title_names_no_id(self):
        self.assertRegex(self.page_of().display_name, "^Person [0-9a-f]{8}$")

    def test_the_place_for_any_purpose_comes_first(self):
        self.link(ID, OTHER_FA, purpose="school")
        page = self.page_of()
        self.assertEqual(page.place_count, 2)
        self.assertEqual(page.place_id.purpose, "")
        self.unlink(ID)
        self.assertEqual(self.page_of().place_id.purpose, "school")

    # === WHAT WAITS AND WHAT WAS === #

    def test_waiting_change_is_shown_until_it_is_over(self):
        self.hold_everything()
        self.update(ID, OTHER_FA)
        waiting = self.page_of().waiting_ids
        self.assertEqual(waiting.operation, Operation.UPDATE.value)
        self.assertTrue(self.page_of().is_paid)
        self.mapper._end_change(self.call, waiting.id, "cancelled")
        self.assertFalse(self.page_of().waiting_ids)

    def test_open_case_is_shown_until_it_is_closed(self):
        self.assertFalse(self.page_of().case_ids)
        event = self.mapping_of(ID).event_ids
        request = ObjectionRequest(ID, event.period_id.address_uuid, event.seq)
        self.mapper._object_to(self.owner, request)
        (case,) = self.page_of().case_ids
        self.assert_not_paid("disputed")
        self.assertIn("closes cases", self.page_of().others_text)
        self.mapper._close_objection(self.supervisor, case.id, False)
        self.assertFalse(self.page_of().case_ids)
        self.assertTrue(self.page_of().is_paid)

    def test_time_line_is_one_for_all_addresses_newest_first(self):
        self.update(ID, OTHER_FA)
        self.unlink(ID)
        self.link(ID, THIRD_FA)
        self.link(ID, OTHER_FA, purpose="school")
        self.link(OTHER_ID, OTHER_FA)
        periods = self.page_of().period_ids
        self.assertEqual(periods, self.periods_of(ID).sorted("id", reverse=True))
        self.assertEqual(len(periods), 5)
        self.assertEqual(len(periods.mapping_id), 2)

    def test_lock_is_explained(self):
        self.assertFalse(self.page_of().lock_text)
        self.set_subject(ID, change_lock="owner")
        self.assertRegex(self.page_of().lock_text, "beneficiary")
        self.set_subject(ID, change_lock="objection")
        self.assertRegex(self.page_of().lock_text, "^Nobody can change it until")

    def test_form_of_a_locked_person_says_that_it_is_refused(self):
        """What a form forecasts is what the mapper does, whatever the lock."""
        staff = self.mapper.with_user(self.users["officer"])._build_staff_call("x")
        for lock in ("none", "staff", "owner", "objection"):
            self.set_subject(ID, change_lock=lock)
            for operation in ("update", "unlink", "suspend"):
                with self.subTest(lock, operation=operation):
                    form = self.open_form(operation)
                    is_refused = lock == "objection"
                    self.assertEqual("is refused" in form.forecast, is_refused)
                    self.assertEqual("case first" in form.forecast, is_refused)
            outcome = self.update(ID, OTHER_FA, staff).outcome
            self.assertEqual(outcome is Outcome.LOCKED, lock == "objection", lock)
            self.set_subject(ID, change_lock="none")
            for waiting in self.page_of().waiting_ids:
                self.mapper._end_change(self.call, waiting.id, "refused")
        self.set_subject(ID, change_lock="staff")
        form = self.open_form("update", has_evidence=False)
        self.assertIn("is refused: changes are locked", form.forecast)

    def open_form(self, operation, **values):
        mapping = self.mapping_of(ID)
        values = {
            "operation": operation,
            "mapping_id": mapping.id,
            "seen_version": mapping.version,
            "has_evidence": True,
            **values,
        }
        forms = self.env["spar.mapping.wizard"].with_user(self.users["officer"])
        return forms.create(values)

    def test_page_says_what_was_refused_and_why_for_a_month(self):
        self.hold_everything()
        for end, is_shown in (("cancelled", False), ("refused", True)):
            self.update(ID, OTHER_FA)
            (waiting,) = self.page_of().waiting_ids
            call = replace(self.call, reason="The name differs")
            self.mapper._end_change(call, waiting.id, end)
            with self.subTest(end):
                undone = self.page_of().undone_ids
                self.assertEqual(undone, waiting if is_shown else waiting.browse())
        self.assertEqual(undone.decision_reason, "The name differs")
        self.assertFalse(undone.current_masked)
        self.let_pass(days=31)
        self.assertFalse(self.page_of().undone_ids)

    def test_merged_record_shows_nothing_and_leads_to_the_other(self):
        self.link(OTHER_ID, OTHER_FA)
        kept, merged = self.subject_of(ID), self.subject_of(OTHER_ID)
        self.merge(OTHER_ID, into=ID)
        page = self.env["spar.subject"].browse(merged.id)
        page = page.with_user(self.users["officer"])
        self.assertEqual(page.pay_state, "merged")
        self.assertFalse(page.is_paid or page.id_masked or page.fa_masked)
        self.assertEqual(page.action_open_merged()["res_id"], kept.id)
        self.assertFalse(page.place_id or page.provider_id or page.last_by)
        for action in ("update", "suspend", "resume", "unlink"):
            with self.subTest(action), self.assertRaisesRegex(UserError, "was merged"):
                getattr(page, f"action_{action}")()

    def test_page_says_what_its_main_address_says(self):
        page, place = self.page_of(), self.mapping_of(ID)
        for name in (
            "id_masked",
            "fa_masked",
            "provider_id",
            "state_since",
            "last_kind",
        ):
            with self.subTest(name):
                self.assertTrue(page[name])
                self.assertEqual(page[name], place[name])
        self.suspend(ID)
        self.env.invalidate_all()
        self.assertEqual((page.place_state, page.last_kind), ("suspended",) * 2)

    # === ON A DATE === #

    def ask(self, day, role="viewer", id_value=ID):
        action = self.page_of(id_value, role).action_on_date()
        wizards = self.env[action["res_model"]].with_user(self.users[role])
        return wizards.with_context(**action["context"]).create({"day": day})

    def test_address_of_a_date_is_found_after_it_ended(self):
        today = fields.Date.today()
        self.let_pass(days=10)
        self.update(ID, OTHER_FA)
        self.let_pass(days=10)
        self.unlink(ID)
        first, second = self.periods_of(ID).sorted("id")[:2]
        for days, expected in ((0, first), (5, first), (15, second)):
            with self.subTest(days):
                # Until the days have come, they are in the future.
                asked = self.ask(today + timedelta(days=days))
                self.assertEqual(asked.period_ids, expected)
        self.assertFalse(self.ask(today + timedelta(days=30)).period_ids)

    def test_answer_appears_while_the_form_is_not_saved(self):
        action = self.page_of().action_on_date()
        wizards = self.env[action["res_model"]].with_user(self.users["officer"])
        with Form(wizards.with_context(**action["context"])) as form:
            form.day = fields.Date.today()
            self.assertIn("this address was in force", form.answer)
        copies = wizards.new({"subject_id": self.subject_of(ID).id, "day": form.day})
        period = copies.period_ids.new(origin=self.periods_of(ID))
        self.assertEqual(period.fa_masked, self.page_of().fa_masked)

    def test_mistyped_date_is_pointed_out(self):
        for day, words in (("0202-03-01", "no address yet"), ("2999-01-01", "future")):
            with self.subTest(day):
                asked = self.ask(day)
                self.assertTrue(asked.is_mistyped)
                self.assertIn(words, asked.answer)
                self.assertIn("Check the date", asked.answer)

    def test_day_without_an_address_says_so(self):
        self.suspend(ID)
        self.tamper(
            "UPDATE spar_mapping_period SET state_since = state_since - interval '9 d'"
        )
        asked = self.ask(fields.Date.today() - timedelta(days=2))
        self.assertFalse(asked.period_ids or asked.is_mistyped)
        self.assertIn("nothing was paid", asked.answer)

    def test_date_of_somebody_elses_question_is_refused(self):
        asked = self.ask("2020-01-01")
        with self.assertRaises(AccessError):
            asked.with_user(self.users["auditor"]).read(["answer"])
        with self.assertRaises(AccessError):
            self.ask("2020-01-01", role="administrator")

    # === WHO SEES AND DOES WHAT === #

    def test_every_reader_opens_the_page(self):
        for role in READERS:
            with self.subTest(role):
                form = Form(
                    self.page_of(role=role), "spar_mapper.spar_subject_view_form"
                )
                self.assertTrue(form.is_paid)

    def test_others_are_refused_the_page(self):
        other = self.env["res.users"].create({"name": "Else", "login": "page_else"})
        for user in (self.users["administrator"], other):
            page = self.subject_of(ID).with_user(user)
            for name in ("pay_text", "fa_masked", "period_ids", "waiting_ids"):
                with (
                    self.subTest(user.login, field=name),
                    self.assertRaises(AccessError),
                ):
                    page.read([name])

    def test_users_without_a_role_are_refused_each_model_and_operation(self):
        users = {
            "portal": new_test_user(
                self.env, "page_portal", groups="base.group_portal"
            ),
            "contacts": new_test_user(
                self.env,
                "page_contacts",
                groups="base.group_user,base.group_partner_manager",
            ),
            "settings": new_test_user(
                self.env, "page_settings", groups="base.group_system"
            ),
            "administrator": self.users["administrator"],
        }
        for name, user in users.items():
            for model in PAGE_MODELS:
                for operation in ("read", "create", "write", "unlink"):
                    with self.subTest(name, model=model, operation=operation):
                        records = self.env[model].with_user(user)
                        self.assertFalse(records.has_access(operation))

    def test_no_role_writes_a_person_or_what_a_search_found(self):
        for role in READERS:
            user = self.users[role]
            for operation in ("create", "write", "unlink"):
                with self.subTest(role, operation=operation):
                    people = self.env["spar.subject"].with_user(user)
                    self.assertFalse(people.has_access(operation))
            lines = self.env["spar.find.wizard.line"].with_user(user)
            self.assertFalse(lines.has_access("write"))

    def test_people_of_another_office_are_refused(self):
        office = self.env["spar.office"].create(
            {"name": "Theirs", "member_ids": [(4, self.users["supervisor"].id)]}
        )
        self.env["spar.office"].create(
            {"name": "Ours", "member_ids": [(4, self.users["officer"].id)]}
        )
        mapper = self.mapper.with_user(self.users["supervisor"])
        call = mapper._build_staff_call("as the ministry says")
        mapper._move_to_office(call, self.subject_of(ID).ids, office)
        with self.assertRaises(AccessError):
            self.page_of().read(["fa_masked"])
        self.assertTrue(self.page_of(role="supervisor").fa_masked)

    def test_only_officers_act_from_the_page(self):
        action = self.page_of().action_update()
        self.assertEqual(
            action["context"]["default_mapping_id"], self.mapping_of(ID).id
        )
        for role in ("viewer", "supervisor", "auditor"):
            wizard = self.env["spar.mapping.wizard"].with_user(self.users[role])
            with self.subTest(role), self.assertRaises(AccessError):
                wizard.create({"operation": "update"})
