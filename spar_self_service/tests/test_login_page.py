"""The login page, and what the demo adds to it."""

import os
from unittest.mock import patch

from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import ProviderNotReady

from ..models.spar_self_service_demo import LANGUAGES
from .page_case import FA, ID, STAFF, PageCase

EMPTY_PAGE = """<t name="Home" t-name="website.homepage"><t t-call="website.layout">
    <div id="wrap" class="oe_structure oe_empty"/></t></t>"""


@tagged("post_install", "-at_install")
class TestLoginPage(PageCase):
    def test_without_a_provider_the_page_says_so(self):
        providers = type(self.env["auth.oauth.provider"])
        self.patch(providers, "_get_offered", lambda provider: provider.browse())
        self.get("/spar")
        self.assertEqual(self.page.status_code, 200)
        self.assertIn("Signing in is not possible at the moment", self.text)
        self.assertNotIn("You will be asked to show who you are", self.text)

    def test_single_language_is_not_offered(self):
        self.get("/spar")
        tree = html.fromstring(self.page.content)
        self.assertEqual(tree.xpath("//main//ul[@class='languages']"), [])

    def test_languages_call_themselves_by_their_own_names(self):
        languages = self.env["res.lang"]._activate_lang("ar_001")
        self.env.ref("website.default_website").language_ids |= languages
        self.env.registry.clear_cache()
        self.get("/spar")
        tree = html.fromstring(self.page.content)
        (link,) = tree.xpath("//main//a[@lang='ar-001']")
        self.assertEqual(link.get("dir"), "rtl")
        self.assertNotIn("Arabic", link.text)
        (current,) = tree.xpath("//main//a[@aria-current]")
        self.assertEqual(current.get("lang"), "en-US")

    def test_page_has_one_heading_a_main_part_and_a_skip_link(self):
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        for path in ("/spar/address", "/spar/history", "/spar/language"):
            with self.subTest(path):
                self.get(path)
                tree = html.fromstring(self.page.content)
                self.assertEqual(len(tree.xpath("//h1")), 1)
                self.assertEqual(len(tree.xpath("//main[@id='main']")), 1)
                self.assertTrue(tree.xpath("//a[@href='#main']"))
                self.assertTrue(tree.xpath("//title")[0].text_content().strip())

    def test_every_field_has_its_label_and_its_hint(self):
        self.begin()
        self.choose(type=self.account.id)
        self.choose(provider=self.bank.id)
        self.choose(branch=self.north.id)
        self.choose(account_number="1", account_number_again="2")
        tree = html.fromstring(self.page.content)
        for field in tree.xpath("//input[@type='text']"):
            with self.subTest(field.get("name")):
                self.assertTrue(tree.xpath(f"//label[@for='{field.get('id')}']"))
                for hint_id in field.get("aria-describedby").split():
                    self.assertTrue(tree.xpath(f"//*[@id='{hint_id}']"), hint_id)
        (wrong,) = tree.xpath("//input[@name='account_number']")
        self.assertEqual(wrong.get("aria-invalid"), "true")

    def test_unavailable_provider_is_explained_and_nothing_changes(self):
        self.begin()
        self.choose_all()
        draft = self.get_draft()

        def _begin_step_up(beneficiary, draft_digest, return_to="/spar"):
            raise ProviderNotReady("off")

        model = type(self.env["spar.beneficiary"])
        self.patch(model, "_begin_step_up", _begin_step_up)
        self.get(f"/spar/change/{draft.uuid}/prove?version={draft.version}")
        self.assertEqual(self.page.status_code, 400)
        self.assertIn("not possible at the moment", self.text)
        self.assertEqual((draft.state, self.acts), ("open", []))

    def test_a_locked_account_offers_no_change(self):
        self.store.add(ID, FA, STAFF)
        stand_in = self.registry["spar.mapper.stand.in"]
        answers = self.env["spar.my.address"]

        def _resolve_fa(mapper, call, requests):
            return [Result(Outcome.LOCKED, problem="integrity")]

        self.patch(stand_in, "_resolve_fa", _resolve_fa)
        shown = answers.with_user(self.ada_user)._get_overview()
        self.assertEqual((shown.state, shown.lines), ("locked", []))
        self.assertFalse(shown.can_change or shown.can_remove)
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/address")
        self.assertIn("cannot be shown at the moment", self.text)

    # === THE DEMO'S LANGUAGES === #

    def test_the_demo_speaks_every_language(self):
        with patch.dict(os.environ, {"SPAR_DEMO": "1"}):
            self.env["spar.self.service.demo"]._add_languages()
        website = self.env.ref("website.default_website")
        self.assertLessEqual(set(LANGUAGES), set(website.language_ids.mapped("code")))
        view = self.env.ref("spar_self_service.login_page").with_context(lang="hi_IN")
        self.assertIn("भुगतान", view.arch_db)

    def test_outside_a_demo_no_language_is_added(self):
        with patch.dict(os.environ, {"SPAR_DEMO": ""}), self.assertRaises(AccessError):
            self.env["spar.self.service.demo"]._add_languages()

    # === THE DEMO'S FRONT PAGE === #

    def get_front_page(self):
        website = self.env.ref("website.default_website")
        views = self.env["website"].with_context(website_id=website.id)
        return views.viewref("website.homepage")

    def test_demo_front_page_explains_itself_and_links_to_both_logins(self):
        with patch.dict(os.environ, {"SPAR_DEMO": "1"}):
            self.get_front_page().arch_db = EMPTY_PAGE
            self.env["spar.self.service.demo"]._set_front_page()
            self.env.flush_all()
            text = " ".join(self.url_open("/").text.split())
            self.get("/spar")
        self.assertIn("people, banks and accounts are invented", text)
        for path in ("/spar", "/web/login"):
            self.assertIn(f'href="{path}"', text)
        self.assertNotIn("team of passionate people", text)
        self.assertIn("people, banks and accounts are invented", self.text)

    def test_edited_front_page_is_kept(self):
        made = EMPTY_PAGE.replace("oe_empty", "made")
        self.get_front_page().arch_db = made
        with patch.dict(os.environ, {"SPAR_DEMO": "1"}):
            self.env["spar.self.service.demo"]._set_front_page()
        self.assertEqual(self.get_front_page().arch_db, made)

    def test_login_page_shows_the_demo_note_in_demos_only(self):
        with patch.dict(os.environ, {"SPAR_DEMO": ""}):
            with self.assertRaises(AccessError):
                self.env["spar.self.service.demo"]._set_front_page()
            self.get("/spar")
        self.assertNotIn("invented", self.text)
        self.assertNotIn("Sign in as staff", self.text)
