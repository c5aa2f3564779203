"""The complete flow in a browser without scripts."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

from .page_case import FA, ID, OTHER_ID, PROVIDER_URL, STAFF, PageCase


@tagged("post_install", "-at_install")
class TestPages(PageCase):
    def test_the_first_account_is_chosen_question_by_question(self):
        self.begin()
        self.assertIn("How do you want to be paid?", self.text)
        self.choose(type=self.account.id)
        self.assertIn("Test Bank", self.text)
        self.choose(provider=self.bank.id)
        self.assertIn("North", self.text)
        self.choose(branch=self.north.id)
        self.assertIn("Account number", self.text)
        number = "1234 5678 9012"
        self.choose(account_number=number, account_number_again=number)
        self.assertIn("Is everything right?", self.text)
        self.assertIn("1234 5678 9012", self.text)
        self.finish()
        self.assertIn("Your account is saved", self.text)
        self.assertEqual(
            self.store.get_fa(ID).upper(), "ACCOUNT:123456789012@BR01.TESTBANK"
        )
        self.get("/spar/address")
        self.assertIn("Test Bank", self.text)
        self.assertIn("ends in 0 1 2", self.text)
        self.assertNotIn("123456789012", self.page.text)

    def test_review_redirects_to_the_provider_for_a_fresh_login(self):
        self.begin()
        self.choose_all()
        draft = self.get_draft()
        answer = self.url_open(
            f"/spar/change/{draft.uuid}/prove?version={draft.version}",
            allow_redirects=False,
        )
        self.assertEqual(answer.headers["Location"], PROVIDER_URL)
        self.assertEqual(
            self.begun,
            [(draft._get_digest_text(), f"/spar/change/{draft.uuid}/finish")],
        )
        self.assertEqual(self.acts, [])

    def test_change_of_a_stopped_account_says_that_nothing_is_paid(self):
        self.store.add(ID, FA, STAFF)
        self.store.stopped.add(ID)
        self.begin()
        self.choose_all()
        self.finish()
        self.assertIn("Your account is saved", self.text)
        self.assertIn("Nothing is paid to you at the moment", self.text)
        self.assertNotIn("takes effect today", self.text)

    def test_a_change_names_the_person_and_how_they_proved_it(self):
        self.store.add(ID, FA, STAFF)
        self.begin()
        self.choose_all()
        self.finish()
        self.assertIn("Payments already prepared may still go", self.text)
        (word, call, request) = self.changes[-1]
        self.assertEqual(word, "update")
        self.assertEqual((call.actor, call.channel), ("person:ada-key", "portal"))
        self.assertEqual(request.expected_version, 1)
        self.assertEqual(request.details.phone_number, "+63 917 0000001")

    def test_an_account_is_removed_after_a_question(self):
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/address")
        self.post("/spar/remove")
        self.assertIn("Remove your account?", self.text)
        self.assertIn("ends in 1 1 1", self.text)
        self.assertIn("Then your account will be removed.", self.text)
        self.assertEqual(self.acts, [])
        self.finish()
        self.assertIn("Your account was removed", self.text)
        self.assertIsNone(self.store.get_fa(ID))

    def test_account_removed_in_another_window_is_not_removed_again(self):
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/address")
        self.store.end(ID)
        self.post("/spar/remove")
        self.assertEqual(self.path, "/spar/address?said=outdated")
        self.assertFalse(self.get_draft())

    def test_texts_ask_for_digits_only_where_there_are_some(self):
        mail = self.env.ref("spar_fa_directory.type_email_wallet")
        wallet = {"name": "Mail", "code": "MAIL1", "kind": mail.provider_kind}
        provider = self.env["spar.fsp"].create(wallet)
        self.begin()
        self.choose(type=mail.id)
        self.choose(provider=provider.id)
        self.assertIn("This helps to avoid typing mistakes.", self.text)
        typed = "ada@example.org"
        self.choose(email_address=typed, email_address_again=typed)
        self.assertIn("Compare every letter and digit", self.text)
        self.assertIn(typed, self.text)

    def test_names_keep_their_own_direction(self):
        self.bank.name = "Bank A.S."
        self.store.add(ID, FA, STAFF)
        self.begin()
        self.choose(type=self.account.id)
        self.assertIn("<bdi>Bank A.S.</bdi>", self.page.text)
        self.choose(provider=self.bank.id)
        for name in ("Bank A.S.", "North", "Port Ada"):
            with self.subTest(name):
                self.assertIn(f"<bdi>{name}</bdi>", self.page.text)
        for path in ("/spar/address", "/spar/history"):
            with self.subTest(path):
                self.get(path)
                self.assertIn("<bdi>Bank A.S.</bdi>", self.page.text)

    def test_history_is_shown_in_plain_words(self):
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/history")
        self.assertIn("Your account was added.", self.text)
        self.assertIn("By our staff", self.text)
        self.assertIn("1 March 2026", self.text.replace("March 1,", "1 March"))
        self.assertNotIn("111100001111", self.page.text)

    def test_objection_needs_confirmation(self):
        period = self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        self.get(f"/spar/objection/{period.uuid}/1")
        self.assertIn("Was this not you?", self.text)
        self.assertEqual(self.acts, [])
        form = {"period": period.uuid, "seq": "1"}
        self.post("/spar/objection", allow_redirects=False, **form)
        self.assertEqual(self.page.headers["Location"], PROVIDER_URL)
        ((_word, call, _request),) = self.changes
        self.assertEqual(call.authenticated_by, "session")
        ((digest, return_to),) = self.begun
        self.get(return_to)
        self.assertEqual(self.path, f"/spar/objection/{period.uuid}/1")
        self.proofs.add(digest)
        self.get(return_to)
        self.assertIn("CASE0001", self.text)
        self.assertEqual(self.acts, ["object", "object"])
        self.assertEqual(self.changes[-1][1].authenticated_by, "login")

    def test_an_unreadable_address_is_masked_and_can_be_replaced(self):
        self.store.add(ID, "something nobody reads 4711", STAFF)
        self.begin()
        self.assertIn("How do you want to be paid?", self.text)
        self.get("/spar/address")
        self.assertNotIn("nobody", self.page.text)
        self.assertIn("Change my account", self.text)

    def test_login_page_redirects_a_signed_in_person_to_their_account(self):
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar")
        self.assertEqual(self.path, "/spar/address")

    def test_person_who_is_not_signed_in_is_redirected_to_the_login_page(self):
        for path in ("/spar/address", "/spar/history", "/spar/change/x/kind"):
            with self.subTest(path):
                self.get(path)
                self.assertEqual(self.path, "/spar?said=ended")
                self.assertIn("Nothing was changed", self.text)

    # === FAILURES === #

    def test_wrong_number_is_explained_and_typed_text_is_kept(self):
        self.begin()
        self.choose(type=self.account.id)
        self.choose(provider=self.bank.id)
        self.choose(branch=self.north.id)
        self.choose(account_number="12", account_number_again="12")
        self.assertEqual(self.page.status_code, 422)
        self.assertIn("does not have the expected format", self.text)
        self.assertEqual(self.page.text.count("autofocus="), 1)
        self.assertIn('value="12"', self.page.text)
        self.choose(account_number="12345678", account_number_again="12345679")
        self.assertIn("not the same as above", self.text)
        self.assertIn('value="12345679"', self.page.text)
        self.choose(account_number="12345678", account_number_again="1234 5678")
        self.assertIn("Is everything right?", self.text)

    def test_digits_of_any_script_are_understood(self):
        self.begin()
        self.choose_all(number="١٢٣٤ ٥٦٧٨")
        self.assertIn("1234 5678", self.text)

    def test_without_a_proof_nothing_is_done(self):
        self.begin()
        self.choose_all()
        self.get(f"/spar/change/{self.get_draft().uuid}/finish")
        self.assertIn("We could not confirm that it is you", self.text)
        self.assertEqual(self.acts, [])

    def test_proof_is_valid_only_for_the_unchanged_draft(self):
        self.begin()
        self.choose_all()
        draft = self.get_draft()
        self.prove(draft)
        typed = {"account_number": "99998888"}
        draft._answer_details(draft.version, typed, typed)
        self.get(f"/spar/change/{draft.uuid}/finish")
        self.assertIn("We could not confirm that it is you", self.text)
        self.assertEqual(self.acts, [])

    def test_finishing_twice_does_it_once(self):
        self.begin()
        self.choose_all()
        self.finish()
        self.get(f"/spar/change/{self.get_draft().uuid}/finish")
        self.assertIn("Your account is saved", self.text)
        self.assertEqual(self.acts, ["link"])

    def test_a_double_click_is_one_answer(self):
        self.begin()
        path, version = self.path, self.version
        first = self.page
        self.post(path, version=version, type=self.account.id)
        self.page = first
        self.post(path, version=version, type=self.account.id)
        self.assertIn("/provider", self.path)
        self.assertEqual(self.get_draft().version, 2)

    def test_a_double_click_on_a_number_with_gaps_is_one_answer(self):
        self.begin()
        self.choose(type=self.account.id)
        self.choose(provider=self.bank.id)
        self.choose(branch=self.north.id)
        path, version, form = self.path, self.version, self.page
        number = "1234 5678 9012"
        typed = {"account_number": number, "account_number_again": number}
        for click in ("first", "second"):
            with self.subTest(click):
                self.page = form
                self.post(path, version=version, **typed)
                self.assertTrue(self.path.endswith("/review"), self.path)
        self.page = form
        other = {key: "1234 5678 9013" for key in typed}
        self.post(path, version=version, **other)
        self.assertTrue(self.path.endswith("?said=outdated"), self.path)

    def test_outdated_window_shows_the_current_state(self):
        self.begin()
        path, version, first = self.path, self.version, self.page
        self.choose(type=self.account.id)
        self.page = first
        self.post(path, version=version, type=self.wallet.id)
        self.assertIn("in another window", self.text)
        self.assertIn("Test Bank", self.text)

    def test_going_back_shows_what_was_chosen_and_can_change_it(self):
        self.begin()
        self.choose_all()
        self.get(f"/spar/change/{self.get_draft().uuid}/kind")
        self.choose(type=self.wallet.id)
        self.assertIn("/provider", self.path)
        self.get(f"/spar/change/{self.get_draft().uuid}/review")
        self.assertIn("/provider", self.path)

    def test_a_question_cannot_be_skipped(self):
        self.begin()
        self.get(f"/spar/change/{self.get_draft().uuid}/review")
        self.assertIn("/kind", self.path)

    def test_a_provider_archived_between_two_pages_is_noticed(self):
        self.begin()
        self.choose_all()
        self.bank.active = False
        self.get(f"/spar/change/{self.get_draft().uuid}/review")
        self.assertIn("cannot be used any more", self.text)
        self.finish()
        self.assertEqual(self.acts, [])

    def test_a_provider_archived_while_its_branches_are_asked_for_is_noticed(self):
        self.begin()
        self.choose(type=self.account.id)
        self.choose(provider=self.bank.id)
        path, self.bank.active = self.path, False
        self.get(path)
        self.assertTrue(self.path.endswith("/provider?said=void"), self.path)

    def test_a_provider_archived_on_the_way_to_the_id_provider_is_noticed(self):
        self.begin()
        self.choose_all()
        draft, self.bank.active = self.get_draft(), False
        self.get(f"/spar/change/{draft.uuid}/prove?version={draft.version}")
        self.assertIn("cannot be used any more", self.text)
        self.assertEqual((self.begun, self.acts), ([], []))

    def test_a_kind_withdrawn_between_two_pages_is_asked_for_again(self):
        self.begin()
        self.choose(type=self.account.id)
        self.choose(provider=self.bank.id)
        place = f"/spar/change/{self.get_draft().uuid}"
        self.account.active = False
        for step in ("review", "branch", "details"):
            with self.subTest(step):
                self.get(f"{place}/{step}")
                self.assertEqual(self.path, f"{place}/kind?said=void")
                self.assertNotIn("Bank account", self.text)
        version = str(self.get_draft().version)
        self.post(f"{place}/branch", version=version, branch=self.north.id)
        self.assertEqual(self.path, f"{place}/kind?said=void")
        self.choose(type=self.wallet.id)
        self.assertEqual(self.path, f"{place}/provider")

    def test_a_session_that_ends_in_the_middle_changes_nothing(self):
        self.begin()
        self.choose_all()
        self.logout()
        self.get(f"/spar/change/{self.get_draft().uuid}/finish")
        self.assertEqual(self.path, "/spar?said=ended")
        self.assertEqual(self.acts, [])

    def test_unfinished_draft_can_be_continued(self):
        self.begin()
        self.choose(type=self.account.id)
        self.choose(provider=self.bank.id)
        self.logout()
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/address")
        self.assertIn("did not finish", self.text)
        self.get(f"/spar/change/{self.get_draft().uuid}/review")
        self.assertIn("/branch", self.path)
        self.authenticate("grace", "grace-grace")
        self.get("/spar/address")
        self.assertNotIn("did not finish", self.text)

    def test_finished_draft_is_not_offered_again(self):
        self.begin()
        self.get("/spar/address")
        self.assertNotIn("did not finish", self.text)
        self.post("/spar/change")
        self.choose_all()
        self.finish()
        self.get("/spar/address")
        self.assertNotIn("did not finish", self.text)

    def test_a_change_made_elsewhere_meanwhile_is_not_overwritten(self):
        self.store.add(ID, FA, STAFF)
        self.begin()
        self.choose_all()
        self.store.add(ID, "account:5555@BR02.TESTBANK", STAFF, "updated")
        self.finish()
        self.assertIn("Nothing was changed", self.text)
        self.assertIn("somebody else changed your account", self.text)
        self.assertEqual(self.store.get_fa(ID), "account:5555@BR02.TESTBANK")

    def test_each_refusal_is_shown_with_advice(self):
        for outcome in (
            Outcome.LOCKED,
            Outcome.FORBIDDEN,
            Outcome.INVALID_FA,
            Outcome.INVALID_ID,
            Outcome.ALREADY_LINKED,
        ):
            with self.subTest(outcome), self.assert_no_change():
                self.store.outcome = outcome
                self.begin()
                self.choose_all()
                self.finish()
                self.assertIn("Nothing was changed", self.text)

    def test_a_change_that_must_wait_says_so(self):
        self.store.outcome = Outcome.HELD
        self.begin()
        self.choose_all()
        self.finish()
        self.assertIn("has to wait", self.text)

    def test_try_again_keeps_the_draft(self):
        self.store.outcome = Outcome.RETRY
        self.begin()
        self.choose_all()
        self.finish()
        self.assertIn("Please try again", self.text)
        self.store.outcome = None
        self.finish()
        self.assertIn("Your account is saved", self.text)

    # === OTHER PEOPLE === #

    def test_another_persons_draft_looks_unknown(self):
        self.begin()
        self.choose_all()
        uuid = self.get_draft().uuid
        self.authenticate("grace", "grace-grace")
        for step in ("kind", "review", "finish", "prove", "done"):
            with self.subTest(step):
                self.get(f"/spar/change/{uuid}/{step}")
                self.assertEqual(self.path, "/spar/address?said=gone")
        self.assertEqual(self.acts, [])

    def test_another_persons_event_cannot_be_disputed(self):
        period = self.store.add(OTHER_ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        self.get(f"/spar/objection/{period.uuid}/1")
        self.assertEqual(self.path, "/spar/history")
        self.get("/spar/language")
        self.post("/spar/objection", period=period.uuid, seq="1")
        self.assertNotIn("CASE", self.page.text)

    def test_no_field_of_a_form_names_another_person(self):
        self.store.add(OTHER_ID, FA, STAFF)
        self.begin()
        self.choose(type=self.account.id, id_value=OTHER_ID, owner_key="grace-key")
        self.choose(provider=self.bank.id)
        self.choose(branch=self.north.id)
        number = {"account_number": "12345678", "account_number_again": "12345678"}
        self.choose(**number, id_value=OTHER_ID)
        self.finish()
        self.assertEqual(self.store.get_fa(OTHER_ID), FA)
        self.assertIsNotNone(self.store.get_fa(ID))

    def test_a_branch_of_another_bank_is_refused(self):
        other = self.env["spar.fsp"].create(
            {
                "name": "Other",
                "code": "OTHERB",
                "branch_ids": [(0, 0, {"name": "X", "code": "X1"})],
            }
        )
        self.begin()
        self.choose(type=self.account.id)
        self.choose(provider=self.bank.id)
        for branch in (other.branch_ids.id, 0, 999999999, "x", "-1"):
            with self.subTest(branch=branch):
                self.choose(branch=branch)
                self.assertEqual(self.page.status_code, 422)
        self.assertFalse(self.get_draft()._get_answers().branch_id)

    def test_a_form_without_its_token_is_refused(self):
        self.begin()
        data = {"version": self.version, "type": "1"}
        with mute_logger("odoo.http"):
            answer = self.url_open(self.path, data=data)
        self.assertEqual(answer.status_code, 400)

    def test_changes_cannot_be_made_by_a_link(self):
        self.authenticate("ada", "ada-ada-1")
        for path in ("/spar/change", "/spar/remove", "/spar/objection"):
            with self.subTest(path):
                self.assertIn(self.get(path).status_code, (404, 405))
        self.assertFalse(self.get_draft())
