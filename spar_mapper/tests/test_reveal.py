from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import CANONICAL, FA, ID, OTHER_FA, OTHER_ID, StoreCase


@tagged("post_install", "-at_install")
class TestReveal(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.auditor = cls.create_user("auditor")

    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def open(self, id_value=ID, user=None, **values):
        wizards = self.env["spar.reveal.wizard"].with_user(user or self.auditor)
        mapping = self.mapping_of(id_value)
        given = {"mapping_id": mapping.id, "reason": "Complaint 17", **values}
        if "event_number" in values:
            with self.assertRaises(AccessError):
                wizards.create(given)
        # Whoever got past that sees nothing either.
        return wizards._as_code().create(given).with_env(wizards.env)

    def reveal(self, wizard):
        with self.enter_registry_test_mode():
            wizard.action_reveal()
        wizard.invalidate_recordset()
        self.env.invalidate_all()

    def test_an_auditor_sees_one_at_a_time_behind_its_own_trace(self):
        for what, shown in (("fa", (False, FA)), ("id", (CANONICAL, False))):
            wizard = self.open(what=what)
            self.assertFalse(wizard.fa_value or wizard.id_value)
            self.reveal(wizard)
            self.assertEqual((wizard.id_value, wizard.fa_value), shown)
        events = self.mapping_of(ID).event_ids.filtered(lambda e: e.kind == "revealed")
        self.assertEqual(events.mapped("message_reference"), ["id", "address"])
        self.assertEqual(set(events.mapped("actor")), {f"user:{self.auditor.id}"})
        self.assertEqual(set(events.mapped("reason")), {"Complaint 17"})

    def test_a_trace_of_the_address_does_not_show_the_id(self):
        wizard = self.open()
        self.reveal(wizard)
        wizard.what = "id"
        self.assertFalse(wizard.id_value or wizard.fa_value)
        reused = self.open(what="id", event_number=wizard.event_number)
        self.assertFalse(reused.id_value)

    def test_a_trace_of_one_address_does_not_show_another(self):
        self.update(ID, OTHER_FA)
        present, past = self.periods_of(ID)
        for traced, wanted in ((past, present), (present, past)):
            for named in (wanted, wanted.browse()) if wanted == present else (wanted,):
                with self.subTest(traced=traced, named=named):
                    wizard = self.open(period_id=traced.id)
                    self.reveal(wizard)
                    self.assertEqual(
                        wizard.fa_value, FA if traced == past else OTHER_FA
                    )
                    number = wizard.event_number
                    other = self.open(period_id=named.id, event_number=number)
                    self.assertFalse(other.fa_value)

    def test_the_page_of_a_person_opens_it_for_either(self):
        page = self.subject_of(ID).with_user(self.auditor)
        for action, what in (
            (page.action_reveal_id(), "id"),
            (page.action_reveal_address(), "fa"),
        ):
            self.assertEqual(action["context"]["default_what"], what)
            self.assertEqual(
                action["context"]["default_mapping_id"], self.mapping_of(ID).id
            )

    def test_a_reveal_changes_neither_state_nor_version(self):
        before = self.mapping_of(ID).version
        self.reveal(self.open())
        self.assertEqual(self.mapping_of(ID).version, before)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.env["spar.audit"]._check_store(), [])

    def test_an_ended_period_can_be_revealed(self):
        self.unlink(ID)
        wizard = self.open()
        self.reveal(wizard)
        self.assertEqual(wizard.fa_value, FA)
        self.assertEqual(self.env["spar.audit"]._check_store(), [])

    def test_others_may_not_reveal(self):
        for role in ("viewer", "officer", "supervisor", "administrator"):
            user = self.create_user(role, login=f"reveal_{role}")
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.open(user=user)
            mapper = self.mapper.with_user(user)
            with self.subTest(role=role), self.assertRaises(AccessError):
                mapper._log_reveal(self.staff, self.mapping_of(ID).id)

    def test_somebody_elses_trace_shows_nothing(self):
        wizard = self.open()
        self.reveal(wizard)
        other = self.create_user("auditor", login="other_auditor")
        stolen = self.open(user=other, event_number=wizard.event_number)
        self.assertFalse(stolen.fa_value)

    def test_a_trace_of_another_mapping_shows_nothing(self):
        self.link(OTHER_ID, OTHER_FA)
        wizard = self.open()
        self.reveal(wizard)
        reused = self.open(OTHER_ID, event_number=wizard.event_number)
        self.assertFalse(reused.fa_value)

    def test_a_trace_of_another_period_shows_nothing(self):
        (ended,) = self.mapping_of(ID).period_ids
        self.update(ID, OTHER_FA)
        of_ended, of_current = self.open(period_id=ended.id), self.open()
        for wizard, shown in ((of_ended, FA), (of_current, OTHER_FA)):
            self.reveal(wizard)
            self.assertEqual(wizard.fa_value, shown)
        past, now = of_ended.event_number, of_current.event_number
        self.assertFalse(self.open(event_number=past).fa_value)
        self.assertFalse(self.open(period_id=ended.id, event_number=now).fa_value)

    def test_a_trace_does_not_cover_the_address_that_comes_next(self):
        wizard = self.open()
        self.reveal(wizard)
        self.update(ID, OTHER_FA)
        wizard.invalidate_recordset()
        self.assertFalse(wizard.fa_value)

    def test_an_event_of_another_kind_shows_nothing(self):
        event = self.mapping_of(ID).event_ids
        self.assertFalse(self.open(event_number=event.id).fa_value)

    def test_an_old_trace_shows_nothing(self):
        wizard = self.open()
        earlier = self.mapper._get_now() - timedelta(minutes=11)
        self.patch(type(self.mapper), "_get_now", lambda _self: earlier)
        self.reveal(wizard)
        self.assertFalse(wizard.fa_value)

    def test_without_the_keyring_nothing_is_shown_or_recorded(self):
        wizard = self.open()
        with self.keyring_away(), self.assertRaisesRegex(UserError, "keys are missing"):
            self.reveal(wizard)
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_what_does_not_open_is_refused(self):
        mapping = self.mapping_of(ID)
        self.tamper(
            "UPDATE spar_mapping SET state = 'suspended' WHERE id = %s", mapping.id
        )
        with self.catch_alarms(), self.assertRaises(UserError):
            self.open().action_reveal()

    def test_a_reason_that_names_the_account_is_refused_and_kept_nowhere(self):
        for reason in ("why 1111 0000 1111?", "It is ada-1815"):
            with self.assertRaises(UserError):
                self.open(reason=reason)
        self.assertEqual(self.find_clear("1111 0000 1111", "ada-1815"), [])

    def test_no_table_holds_revealed_values(self):
        self.reveal(self.open())
        self.assertEqual(self.find_clear(ID, FA, "Ada-1815"), [])
