from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError

from ..exceptions import NoConsent
from .common import FA, ID, RegistryCase

TEXT, NEW_TEXT = "<p>I agree.</p>", "<p>I agree to everything.</p>"


class TestConsentText(RegistryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.programme.write({"needs_consent": True, "consent_text": TEXT})
        cls.env["res.lang"]._activate_lang("fr_FR")

    def consent(self, person=None, **values):
        values.setdefault("given_how", "signed")
        return self.env["spar.consent"].create(
            {
                "partner_id": (person or self.ada).id,
                "programme_id": self.programme.id,
                **values,
            }
        )

    # === RECORDING === #

    def test_it_keeps_text_version_language_time_way_and_person(self):
        consents = self.env["spar.consent"].with_user(self.user)
        consent = consents.create(
            {
                "partner_id": self.ada.id,
                "programme_id": self.programme.id,
                "given_how": "spoken",
                "given_at": "2026-03-01 09:00:00",
                "recorded_by": self.manager.id,
                "withdrawn_at": "2026-03-02 09:00:00",
                "version": "99",
                "text": "<p>Something else</p>",
            }
        )
        self.assertEqual(consent.text, TEXT)
        self.assertEqual((consent.version, consent.lang), ("1", "en_US"))
        self.assertEqual(str(consent.given_at), "2026-03-01 09:00:00")
        self.assertEqual(
            (consent.recorded_by, consent.withdrawn_at), (self.user, False)
        )

    def test_it_keeps_the_text_in_the_person_s_language(self):
        self.programme.with_context(lang="fr_FR").consent_text = "<p>Oui.</p>"
        consent = self.consent(lang="fr_FR")
        self.assertEqual((consent.text, consent.lang), ("<p>Oui.</p>", "fr_FR"))

    def test_it_cannot_be_given_tomorrow(self):
        with self.assertRaises(UserError):
            self.consent(given_at=fields.Datetime.now() + timedelta(days=1))

    def test_the_form_shows_the_text_before_it_is_given(self):
        form = self.env["spar.consent"].new({"programme_id": self.programme.id})
        self.assertEqual(form.shown_text, TEXT)

    def test_the_form_proposes_the_programme_of_a_member(self):
        self.env["spar.programme.member"].create(
            {"partner_id": self.ada.id, "programme_id": self.programme.id}
        )
        action = self.ada.action_record_spar_consent()
        consents = self.env["spar.consent"].with_user(self.user)
        consents = consents.with_context(**action["context"])
        values = consents.default_get(["partner_id", "programme_id"])
        self.assertEqual(values["programme_id"], self.programme.id)

    # === WITHDRAWING === #

    def test_a_user_withdraws_by_the_button_only(self):
        consent = self.consent().with_user(self.user)
        consent.action_withdraw()
        self.assertEqual(
            (consent.state, consent.withdrawn_by), ("withdrawn", self.user)
        )
        with self.assertRaises(UserError):
            consent.withdrawn_at = False

    def test_withdrawing_proposes_removal_and_removes_nothing(self):
        consent = self.consent()
        self.collect(self.ada, FA)
        self.run_outbox()
        consent.with_user(self.user).action_withdraw()
        self.run_outbox()
        self.assertEqual(self.store.get_fa(ID), FA)
        task = self.env["spar.registry.task"].search([("partner_id", "=", self.ada.id)])
        self.assertEqual((task.kind, task.user_id), ("consent_withdrawn", self.manager))
        action = task.with_user(self.user).action_solve()
        removal = self.env["spar.collect.wizard"].with_user(self.user)
        removal = removal.browse(action["res_id"])
        self.assertEqual(removal.operation, "remove")
        removal.action_confirm()
        self.run_outbox()
        self.assertIsNone(self.store.get_fa(ID))

    def test_what_waits_is_not_sent_after_it_was_withdrawn(self):
        consent = self.consent()
        account = self.collect(self.ada, FA)
        consent.action_withdraw()
        self.run_outbox()
        self.assertEqual((account.state, account.reason), ("failed", "no_consent"))
        self.assertIsNone(self.store.get_fa(ID))
        account.entry_ids.with_user(self.manager).action_retry()
        self.run_outbox()
        self.assertEqual(account.state, "failed")
        self.consent()
        account.entry_ids.with_user(self.manager).action_retry()
        self.run_outbox()
        self.assertEqual(account.state, "confirmed")

    # === VERSIONS === #

    def test_a_new_text_is_a_new_version_and_asks_again(self):
        consent = self.consent()
        self.programme.consent_text = NEW_TEXT
        self.assertEqual((self.programme.consent_version, consent.version), ("2", "1"))
        self.assertEqual((consent.state, consent.text), ("outdated", TEXT))
        with self.assertRaises(NoConsent):
            self.collect(self.ada, FA)
        self.consent()
        self.assertEqual(self.collect(self.ada, FA).state, "queued")

    def test_a_new_version_alone_asks_again(self):
        self.consent()
        self.programme.consent_version = "2026-04"
        with self.assertRaises(NoConsent):
            self.collect(self.ada, FA)

    def test_what_was_queued_before_is_sent(self):
        self.consent()
        account = self.collect(self.ada, FA)
        self.programme.consent_text = NEW_TEXT
        self.run_outbox()
        self.assertEqual(account.state, "confirmed")

    def test_a_text_that_nobody_agreed_to_is_corrected(self):
        self.programme.consent_text = NEW_TEXT
        self.assertEqual(self.programme.consent_version, "1")

    def test_the_same_text_is_no_new_version(self):
        self.consent()
        self.programme.consent_text = TEXT
        self.assertEqual(self.programme.consent_version, "1")

    def test_a_translation_counts_for_those_who_read_it(self):
        self.consent()
        self.programme.update_field_translations(
            "consent_text", {"fr_FR": {"I agree.": "Oui."}}
        )
        self.assertEqual(self.programme.consent_version, "1")
        self.consent(lang="fr_FR")
        self.programme.update_field_translations(
            "consent_text", {"fr_FR": {"I agree.": "Oui, je le veux."}}
        )
        self.assertEqual(self.programme.consent_version, "2")

    def test_a_text_that_is_read_without_a_translation_is_new_too(self):
        self.consent(lang="fr_FR")
        self.programme.consent_text = NEW_TEXT
        self.assertEqual(self.programme.consent_version, "2")

    def test_a_version_with_words_gets_a_number(self):
        self.programme.consent_version = "March"
        self.consent()
        self.programme.consent_text = NEW_TEXT
        self.assertEqual(self.programme.consent_version, "March.2")

    def test_a_version_is_never_used_for_two_texts(self):
        self.consent()
        self.programme.consent_text = NEW_TEXT
        for version in ("1", ""):
            with self.subTest(version), self.assertRaises(UserError):
                self.programme.consent_version = version

    def test_people_to_ask_again_are_listed(self):
        self.consent(self.ada)
        self.consent(self.grace)
        self.programme.consent_text = NEW_TEXT
        self.assertEqual(self.programme.outdated_consent_count, 2)
        self.consent(self.grace)
        self.programme.invalidate_recordset()
        self.assertEqual(self.programme.outdated_consent_count, 1)
        action = self.programme.with_user(self.user).action_open_outdated()
        found = self.env["spar.consent"].with_user(self.user).search(action["domain"])
        self.assertEqual(found.partner_id, self.ada)
        for state, number in (("valid", 1), ("outdated", 1), ("withdrawn", 0)):
            domain = [("state", "=", state), ("programme_id", "=", self.programme.id)]
            self.assertEqual(self.env["spar.consent"].search_count(domain), number)
