from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import PaymentState

from ..exceptions import NoConsent, NoIdentity, NoPayee, SharedIdentity
from .common import FA, ID, NUMBER, OTHER_FA, OTHER_NUMBER, RegistryCase


class TestIdentity(RegistryCase):
    def add_id(self, person, value):
        values = {
            "partner_id": person.id,
            "id_type_id": self.id_type.id,
            "value": value,
        }
        return self.env["spar.person.identity"].create(values)

    def test_it_is_shown_masked_only(self):
        identity = self.ada.spar_identity_ids
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(identity.value)
        self.assertEqual(identity.masked, "•" * 8 + NUMBER[-2:])

    def test_every_spelling_is_the_same_id(self):
        people = self.env["res.partner"]
        for value in (NUMBER, "2007 760 620", "2007-760620", "٢٠٠٧٧٦٠٦٢٠"):
            with self.subTest(value):
                text = f"token:{value}@nationalId"
                self.assertEqual(people._spar_find_by_ids([text]), {text: self.ada.ids})
        self.assertEqual(people._spar_find_by_ids(["null"]), {"null": []})

    def test_a_store_beside_it_learns_who_has_an_id(self):
        source = self.env["spar.person.source"]
        home = self.env["res.partner"].create({"name": "Lovelace", "is_company": True})
        text = f"token:{NUMBER}@nationalId"
        self.assertEqual(source._describe(text), (self.ada.name, "", None, ""))
        self.ada.write({"parent_id": home.id, "spar_birth_year": 1915, "city": "Oz"})
        self.assertEqual(
            source._describe(text), (self.ada.name, "Lovelace", 1915, "Oz")
        )

    def test_a_name_that_is_not_certain_is_withheld(self):
        source = self.env["spar.person.source"]
        text = f"token:{NUMBER}@nationalId"
        for unknown in ("null", f"token:{OTHER_NUMBER}9@nationalId"):
            self.assertIsNone(source._describe(unknown))
        self.add_id(self.grace, NUMBER)
        self.assertIsNone(source._describe(text))

    def test_what_is_no_id_is_refused(self):
        for text in ("null", "[object Object]", "1.23E+11", "{sub}"):
            with self.subTest(text), self.assertRaises(ValidationError):
                self.add_id(self.ada, text)
        for text in ("", "  "):
            with self.subTest(text), self.assertRaises(UserError):
                self.add_id(self.ada, text)

    def test_people_who_share_an_id_are_shown(self):
        self.add_id(self.grace, "2007 760 620")
        self.env.invalidate_all()
        self.assertEqual(self.ada.spar_identity_ids.shared_count, 1)
        with self.assertRaises(SharedIdentity):
            self.collect(self.ada, FA)

    def test_it_cannot_be_moved(self):
        with self.assertRaises(UserError):
            self.ada.spar_identity_ids.partner_id = self.grace

    def test_expired_id_is_not_used(self):
        yesterday = fields.Date.today() - timedelta(days=1)
        self.ada.spar_identity_ids.expires_on = yesterday
        self.assertEqual(self.ada.spar_identity_ids.state, "expired")
        with self.assertRaises(NoIdentity):
            self.collect(self.ada, FA)

    def test_row_that_was_moved_by_sql_does_not_open(self):
        identity = self.ada.spar_identity_ids
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE spar_person_identity SET partner_id = %s WHERE id = %s",
            (self.grace.id, identity.id),
        )
        self.env.invalidate_all()
        self.assertEqual(identity._open_identities(), {})


class TestPayee(RegistryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.household = cls.create_person("Household", is_company=True)
        (cls.ada + cls.grace).parent_id = cls.household

    def get_payee(self, person, rule):
        self.programme.payee_rule = rule
        return person._spar_get_payee(self.programme)

    def test_the_person(self):
        self.assertEqual(self.get_payee(self.ada, "self"), self.ada)

    def test_the_head_of_the_household(self):
        self.household.spar_head_id = self.grace
        for person in (self.ada, self.household):
            self.assertEqual(self.get_payee(person, "head"), self.grace)

    def test_a_household_without_a_head_pays_nobody(self):
        with self.assertRaises(NoPayee):
            self.get_payee(self.ada, "head")

    def test_a_head_who_left_is_none(self):
        self.household.spar_head_id = self.grace
        self.grace.parent_id = False
        with self.assertRaises(NoPayee):
            self.get_payee(self.ada, "head")

    def test_the_household_by_its_own_id(self):
        self.assertEqual(self.get_payee(self.ada, "household"), self.household)

    def test_a_named_recipient(self):
        with self.assertRaises(NoPayee):
            self.get_payee(self.ada, "named")
        self.env["spar.programme.member"].create(
            {
                "programme_id": self.programme.id,
                "partner_id": self.ada.id,
                "recipient_id": self.grace.id,
            }
        )
        self.assertEqual(self.get_payee(self.ada, "named"), self.grace)

    def test_somebody_archived_is_not_paid(self):
        self.ada.active = False
        with self.assertRaises(NoPayee):
            self.get_payee(self.ada, "self")


class TestConsent(RegistryCase):
    def setUp(self):
        super().setUp()
        self.programme.needs_consent = True

    def consent(self):
        return self.env["spar.consent"].create(
            {
                "partner_id": self.ada.id,
                "programme_id": self.programme.id,
                "given_how": "signed",
            }
        )

    def test_the_head_is_in_the_programme_of_the_household(self):
        household = self.create_person("Household", is_company=True)
        self.ada.parent_id = household
        household.spar_head_id = self.ada
        self.env["spar.programme.member"].create(
            {"programme_id": self.programme.id, "partner_id": household.id}
        )
        self.assertEqual(self.ada._spar_get_usual_programme(), self.programme)

    def test_without_consent_nothing_is_sent(self):
        with self.assertRaises(NoConsent):
            self.collect(self.ada, FA)
        self.consent()
        self.assertEqual(self.collect(self.ada, FA).state, "queued")

    def test_withdrawing_proposes_what_follows(self):
        self.consent().action_withdraw()
        task = self.env["spar.registry.task"].search([("partner_id", "=", self.ada.id)])
        self.assertEqual(task.kind, "consent_withdrawn")
        with self.assertRaises(NoConsent):
            self.collect(self.ada, FA)

    def test_it_is_never_rewritten(self):
        with self.assertRaises(UserError):
            self.consent().given_how = "phone"


class TestAddress(RegistryCase):
    def test_button_shows_the_masked_address(self):
        self.store.set(ID, FA)
        shown = self.ada.with_user(self.user).get_spar_address()
        self.assertEqual(shown["state"], "Linked")
        self.assertIn("•111", shown["text"])
        self.assertNotIn("111100001111", shown["text"])

    def test_button_says_what_is_missing(self):
        nobody = self.create_person("Nobody").with_user(self.user)
        self.assertEqual(nobody.get_spar_address()["state"], "No ID")
        ada = self.ada.with_user(self.user)
        self.assertEqual(ada.get_spar_address()["state"], "Not linked")

    def test_button_without_a_mapper(self):
        def fail(*_arguments):
            raise ServiceUnavailable("down")

        self.patch(self.registry["spar.mapper.stand.in"], "_resolve_fa", fail)
        shown = self.ada.with_user(self.user).get_spar_address()
        self.assertEqual(shown, {"state": "Cannot be shown now", "text": ""})

    def test_a_user_of_no_programme_sees_nothing(self):
        outsider = self.create_user(login="test_outsider")
        with self.assertRaises(AccessError):
            self.ada.with_user(outsider).get_spar_address()

    def test_window_shows_and_collects(self):
        self.store.set(ID, FA)
        people = self.ada.with_user(self.user)
        action = people.action_open_spar_address()
        window = people.env["spar.address.wizard"].browse(action["res_id"])
        self.assertEqual(window.state, "Linked")
        action = window.action_change()
        form = people.env["spar.collect.wizard"].browse(action["res_id"])
        self.assertEqual(form.provider_id, self.bank)
        self.assertEqual(form.branch_id.code, "BR01")
        form.fa_type_id = False
        form.fa_text = OTHER_FA
        form.programme_id = self.programme
        form.action_confirm()
        account = self.accounts.search([("partner_id", "=", self.ada.id)])
        self.assertEqual(account.state, "queued")
        self.run_outbox()
        self.assertEqual(self.store.get_fa(ID), OTHER_FA)

    def test_refused_address_names_what_is_wrong(self):
        with self.assertRaisesRegex(UserError, "Provider"):
            self.collect(self.ada, "account:12345678@BR01.NOBANK")
        self.assertFalse(self.accounts.search([("partner_id", "=", self.ada.id)]))

    def test_state_of_the_mapper_s_answers(self):
        addresses = self.env["spar.person.address"]
        for state in PaymentState:
            self.assertTrue(addresses._get_state_text(state))

    def test_no_table_holds_an_id_or_an_account(self):
        self.collect(self.ada, FA)
        self.env.flush_all()
        for table in (
            "spar_person_identity",
            "spar_payment_account",
            "spar_outbox_entry",
        ):
            self.env.cr.execute(f"SELECT t::text FROM {table} t")
            rows = " ".join(row for (row,) in self.env.cr.fetchall())
            self.assertNotIn(NUMBER, rows)
            self.assertNotIn("111100001111", rows)
            self.assertNotIn(OTHER_NUMBER, rows)
