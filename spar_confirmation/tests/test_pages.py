"""The page of review: what it shows to whom, and what a button does."""

from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.tests.common import FA, ID, OTHER_FA, OTHER_ID
from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.confirmation import ConfirmationState
from odoo.addons.spar_mapper_connector.lib.confirmed_change import Binding, build_change
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    Details,
    LinkRequest,
    Outcome,
    Result,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.owner_proof import build_nonce

from ..controllers.confirm import UNHURRIED_SCRIPT
from .common import PAGES, RETURN_URL, PageCase

LOGGER = "odoo.addons.spar_confirmation.controllers.confirm"


@tagged("post_install", "-at_install")
class TestReview(PageCase):
    def test_page_shows_the_whole_change_and_who_asks(self):
        details = Details("Ada Lovelace", "+63 917 0000001")
        request = UpdateRequest(ID, OTHER_FA, details, expected_version=1)
        self.open_page(self.propose(request).url)
        for words in (
            "Portal of Welfare",
            "2222 0000 2222",
            "Account number",
            "Test Bank",
            "South",
            "Ada Lovelace",
            "+63 917 0000001",
            "It replaces the account",
        ):
            self.assertIn(words, self.text)
        self.assertNotIn(ID, self.page.text)

    def test_removal_says_what_it_means(self):
        self.open_page(self.propose(UnlinkRequest(ID, expected_version=1)).url)
        self.assertIn("Remove your account?", self.text)
        self.assertIn("Without an account nobody can pay you", self.text)
        self.assertNotIn("New account", self.text)

    def test_page_shows_nothing_that_only_the_store_knows(self):
        """A page that anybody can propose must not show anybody's account."""
        for id_value in (ID, OTHER_ID):
            request = UpdateRequest(id_value, OTHER_FA, expected_version=7)
            self.open_page(self.propose(request).url)
            with self.subTest(id_value):
                self.assertNotIn("1111", self.text)
                self.assertNotIn("until now", self.text)
                self.assertEqual(self.page.status_code, 200)

    def test_person_who_is_logged_in_here_sees_their_account_masked(self):
        url = self.propose(call=PAGES, return_url="/spar").url
        visitors = self.env.registry["spar.page.visitor"]
        with patch.object(visitors, "_get_own_id", lambda _self: ID):
            self.open_page(url)
        self.assertIn("Your account until now", self.text)
        self.assertNotIn("1111 0000 1111", self.text)
        self.assertNotIn("111100001111", self.page.text)
        with patch.object(visitors, "_get_own_id", lambda _self: OTHER_ID):
            self.open_page(url)
        self.assertNotIn("Your account until now", self.text)

    def test_page_loads_a_style_sheet_a_logo_and_one_script_by_its_nonce(self):
        path = self.open_page(self.propose().url)
        tree = self.get_tree()
        self.assertEqual(tree.xpath("//iframe | //@style | //script/text()"), [])
        (nonce,) = tree.xpath("//script/@nonce")
        policy = self.page.headers["Content-Security-Policy"]
        self.assertTrue(policy.endswith(f"; script-src 'nonce-{nonce}'"), policy)
        scripts = tree.xpath("//script/@src")
        self.assertEqual(scripts, [UNHURRIED_SCRIPT])
        loaded = {*tree.xpath("//link/@href"), *tree.xpath("//img/@src"), *scripts}
        self.assertEqual(len(loaded), 3, loaded)
        for path in loaded:
            self.assertEqual(self.url_open(path).status_code, 200)
        headers = self.page.headers
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(headers["Referrer-Policy"], "strict-origin")
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual(len(tree.xpath("//h1")), 1)
        self.assertEqual(tree.xpath("//main/@id"), ["main"])
        self.get(path)
        self.assertNotEqual(self.get_tree().xpath("//script/@nonce"), [nonce])

    def test_cookie_is_not_sent_along_by_other_sites(self):
        self.use_another_browser()
        self.opener.cookies.clear()
        self.open_page(self.propose().url)
        cookies = self.page.raw.headers.getlist("Set-Cookie")
        (cookie,) = [each for each in cookies if each.startswith("session_id=")]
        self.assertEqual(cookie.count("SameSite=Lax"), 1)

    def test_page_is_not_a_page_of_the_website(self):
        """Neither editors of views nor SQL can change what people confirm."""
        view = self.env.ref("spar_confirmation.review")
        arch = '<t t-name="x"><p>written by a designer</p></t>'
        with self.assertRaises(ValidationError):
            view.arch_db = arch
        self.env.invalidate_all(flush=False)
        self.env.cr.execute(
            "UPDATE ir_ui_view SET arch_db = jsonb_build_object('en_US', %s::text)"
            " WHERE id = %s",
            [arch, view.id],
        )
        self.env.invalidate_all(flush=False)
        self.env.registry.clear_cache("templates")
        self.open_page(self.propose().url)
        self.assertNotIn("written by a designer", self.page.text)

    def test_page_is_in_the_language_of_the_browser(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        if "website" in self.env:
            website = self.env["website"].get_current_website()
            website.language_ids |= self.env["res.lang"]._lang_get("fr_FR")
        path = self.open_page(self.propose().url)
        self.url_open(f"/spar/language/fr_FR?back={path}")
        self.get(path)
        self.assertEqual(self.get_tree().get("lang"), "fr-FR")
        self.assertIn("Nouveau compte", self.text)

    # === STATES === #

    def test_unknown_page_is_explained(self):
        with self.assertLogs(LOGGER):
            self.get("/spar/confirm/no-such-page")
        self.assertEqual(self.page.status_code, 404)
        self.assertIn("Nothing was changed", self.text)

    def test_page_in_another_browser_shows_nothing(self):
        path = self.open_page(self.propose().url)
        self.use_another_browser()
        with self.assertLogs(LOGGER):
            self.get(path)
        self.assertEqual(self.page.status_code, 400)
        self.assertIn("another browser", self.text)
        self.assertNotIn("2222", self.text)

    def test_page_that_is_too_old_changes_nothing(self):
        page = self.propose()
        path = self.open_page(page.url)
        self.begin(path)
        self.find(page).proposed_at -= timedelta(minutes=31)
        with self.assert_no_change():
            self.come_back()
            self.get(path)
        self.assertEqual(self.page.status_code, 410)
        self.assertIn("open for too long", self.text)
        self.assertIs(self.get_state(page).state, ConfirmationState.EXPIRED)
        self.press(f"{path}/login", client=self.client.id)
        self.assertEqual(self.page.headers["Location"].rpartition("/")[2], path[14:])

    def test_person_can_stop(self):
        page = self.propose()
        path = self.open_page(page.url)
        with self.assert_no_change():
            self.press(f"{path}/stop")
        location = self.page.headers["Location"]
        self.assertEqual(location, f"{RETURN_URL}?confirmation={page.reference}")
        self.assertIs(self.get_state(page).state, ConfirmationState.CANCELLED)
        self.get(path)
        self.assertIn("You stopped this change", self.text)

    @mute_logger("odoo.http")
    def test_buttons_need_our_token(self):
        page = self.propose()
        path = self.open_page(page.url)
        data = {"csrf_token": "x", "client": self.client.id}
        for button in ("login", "stop"):
            answer = self.url_open(f"{path}/{button}", data=data, allow_redirects=False)
            with self.subTest(button):
                location = answer.headers.get("Location", "")
                self.assertFalse(location.startswith(self.hostile.issuer))
        self.assertIs(self.get_state(page).state, ConfirmationState.OPEN)
        self.assertFalse(self.env["spar.confirmation.attempt"].search_count([]))

    def test_altered_proposal_is_not_shown(self):
        page = self.propose()
        other = self.propose(UpdateRequest(ID, FA, expected_version=1))
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE spar_confirmation SET sealed = (
                   SELECT sealed FROM spar_confirmation WHERE reference = %s)
                WHERE reference = %s""",
            (other.reference, page.reference),
        )
        with self.assertLogs(LOGGER):
            self.get(page.url[page.url.index("/spar") :])
        self.assertIn("damaged", self.text)

    def find(self, page):
        domain = [("reference", "=", page.reference)]
        return self.env["spar.confirmation"].search(domain)


@tagged("post_install", "-at_install")
class TestConfirming(PageCase):
    def test_confirmed_change_is_made_and_explained(self):
        page = self.propose()
        path = self.confirm(page.url)
        self.assertEqual(self.page.headers["Location"].rpartition("/spar")[2], path[5:])
        self.assertEqual(self.get_address(), OTHER_FA)
        self.get(path)
        self.assertIn("Your account is saved", self.text)
        self.assertIn("2222 0000 2222", self.text)
        self.assertIn("Your account until now", self.text)
        self.assertNotIn("1111 0000 1111", self.text)
        (back,) = self.get_tree().xpath("//a[contains(@class, 'main')]/@href")
        self.assertEqual(back, f"{RETURN_URL}?confirmation={page.reference}")
        found = self.get_state(page)
        self.assertIs(found.state, ConfirmationState.DECIDED)
        self.assertIs(found.outcome, Outcome.UPDATED)

    def test_pages_of_this_database_lead_on_at_once(self):
        page = self.propose(call=PAGES, return_url="/spar/change/1/finish")
        self.confirm(page.url)
        location = self.page.headers["Location"]
        expected = f"/spar/change/1/finish?confirmation={page.reference}"
        self.assertTrue(location.endswith(expected), location)
        self.assertEqual(self.get_address(), OTHER_FA)

    def test_first_link_and_removal(self):
        self.confirm(self.propose(UnlinkRequest(ID, expected_version=1)).url)
        self.assertIsNone(self.get_address())
        self.hostile.userinfo_claims = {"individual_id": "Grace-1906"}
        self.confirm(self.propose(LinkRequest(OTHER_ID, FA)).url)
        self.assertEqual(self.get_address(OTHER_ID), FA)

    def test_nonce_is_the_digest_of_the_change_and_the_proof_is_passed_on(self):
        calls = []
        mapper = self.env.registry["spar.mapper.local"]
        update = mapper._update_fa

        def note(mapper, call, requests):
            calls.append((call, requests))
            return update(mapper, call, requests)

        with patch.object(mapper, "_update_fa", note):
            self.confirm(self.propose().url)
        ((call, (request,)),) = calls
        proof = call.owner_proof
        self.assertIs(call.authority, Authority.OWNER)
        self.assertTrue(call.actor.startswith("person:"))
        binding = Binding(proof.receiver, proof.draft_id, proof.salt)
        nonce = build_nonce(build_change(request, binding))
        self.assertEqual(nonce, self.hostile.authorization_request["nonce"])
        self.assertEqual(self.hostile.authorization_request["max_age"], "0")
        self.assertEqual(self.hostile.authorization_request["scope"], "openid")
        self.assertEqual(proof.id_token.count("."), 2)
        self.assertEqual(proof.userinfo.count("."), 2)
        self.assertEqual(proof.issuer, self.hostile.issuer)

    def test_same_person_has_the_same_name_in_the_history(self):
        names = set()
        for address, version in ((OTHER_FA, 1), (FA, 2)):
            request = UpdateRequest(ID, address, expected_version=version)
            self.confirm(self.propose(request).url)
            names.add(self.bound._history(self.owner, ID)[0].actor)
        self.assertEqual(len(names), 1)

    def test_person_learns_that_payments_are_stopped(self):
        self.set_subject(ID, pay_stop=True)
        page = self.propose()
        path = self.confirm(page.url)
        self.get(path)
        self.assertIn("Your account is saved", self.text)
        self.assertIn("Nothing is paid to you at the moment", self.text)
        self.assertNotIn("go to this account from now on", self.text)
        self.assertEqual(self.get_state(page).problem, "payments_stopped")

    def test_account_that_changed_meanwhile_is_not_overwritten(self):
        page = self.propose()
        path = self.open_page(page.url)
        self.begin(path)
        third = "account:333300003333@BR01.TESTBANK"
        self.update(ID, third, call=self.staff)
        self.come_back()
        self.assertEqual(self.get_address(), third)
        self.get(path)
        self.assertIn("changed in the meantime", self.text)
        self.assertIs(self.get_state(page).outcome, Outcome.CONFLICT)

    def test_store_that_fails_changes_nothing_and_can_be_asked_again(self):
        page = self.propose()
        path = self.open_page(page.url)
        mapper = self.env.registry["spar.mapper.local"]

        def fail(*_args):
            raise ServiceUnavailable("away")

        def retry(*_args):
            return [Result(Outcome.RETRY)]

        for broken in (fail, retry):
            self.begin(path)
            with self.assert_no_change(), patch.object(mapper, "_update_fa", broken):
                with self.assertLogs(LOGGER):
                    self.come_back()
            self.assertEqual(self.page.status_code, 503)
            self.assertIs(self.get_state(page).state, ConfirmationState.OPEN)
            self.open_page(page.url)
        self.begin(path)
        self.come_back()
        self.assertEqual(self.get_address(), OTHER_FA)
