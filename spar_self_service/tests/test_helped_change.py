"""An officer fills in; the person beside them authenticates and confirms."""

import os
from unittest.mock import patch
from urllib.parse import urlsplit

from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import (
    MapperError,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.contract import Authority
from odoo.addons.spar_staff_login.lib.settings import STAFF_HOST_VARIABLE

from ..exceptions import DraftOutdated, NoSuchDraft, TicketNeeded
from .page_case import FA, ID, PROVIDER_URL, STAFF, PageCase, StandInCase


@tagged("post_install", "-at_install")
class TestHelpedChange(StandInCase, TransactionCase):
    def setUp(self):
        super().setUp()
        self.helped = self.env["spar.helped.change"].with_user(self.officer)
        self.draft = self.helped._open_draft()
        self.fill_in(self.draft)

    def give_ticket(self, officer=None):
        """Record that Ada authenticated on the officer's device for this draft."""
        officer = officer or self.officer
        self.tickets[officer.id, self.draft._get_digest_text()] = self.ada

    def carry_out(self):
        self.helped._carry_out(self.draft, self.draft.version)

    def test_the_history_names_both(self):
        self.give_ticket()
        self.carry_out()
        word, call, request = self.changes[-1]
        self.assertEqual((word, request.id_value), ("link", ID))
        self.assertEqual(call.actor, f"user:{self.officer.id}")
        self.assertEqual(call.on_behalf_of, "person:ada-key")
        self.assertEqual((call.channel, call.authority), ("agent", Authority.OWNER))
        self.assertEqual(call.message_reference, "nonce")

    def test_existing_address_is_changed(self):
        self.store.add(ID, FA, STAFF)
        self.give_ticket()
        self.carry_out()
        self.assertEqual(self.acts, ["update"])

    def test_without_a_ticket_nothing_is_done(self):
        with self.assertRaises(TicketNeeded):
            self.carry_out()
        self.assertEqual(self.acts, [])

    def test_editing_the_draft_voids_the_ticket(self):
        self.give_ticket()
        typed = {"account_number": "99998888"}
        self.draft._answer_details(self.draft.version, typed, typed)
        with self.assertRaises(TicketNeeded):
            self.carry_out()
        self.assertEqual(self.acts, [])

    def test_ticket_is_valid_once(self):
        self.give_ticket()
        self.carry_out()
        self.carry_out()
        self.assertEqual(self.acts, ["link"])
        self.assertEqual(self.tickets, {})

    def test_outdated_page_confirms_nothing(self):
        self.give_ticket()
        with self.assertRaises(DraftOutdated):
            self.helped._carry_out(self.draft, self.draft.version - 1)
        self.assertEqual(self.acts, [])

    def test_unavailable_mapper_changes_nothing(self):
        self.give_ticket()
        self.store.failing["link"] = ServiceUnavailable("away")
        with self.assertRaises(ServiceUnavailable):
            self.carry_out()
        self.assertEqual(self.draft.state, "open")

    def test_another_officers_draft_is_not_found(self):
        other = new_test_user(
            self.env,
            "officer2",
            groups="base.group_user,spar_fa_directory.group_officer",
        )
        with self.assertRaises(NoSuchDraft):
            self.helped.with_user(other)._find_draft(self.draft.uuid)

    def test_only_officers_help(self):
        for role in ("viewer", "supervisor", "auditor", "administrator"):
            groups = f"base.group_user,spar_fa_directory.group_{role}"
            user = new_test_user(self.env, f"the.{role}", groups=groups)
            with self.subTest(role), self.assertRaises(AccessError):
                self.helped.with_user(user)._open_draft()
        with self.assertRaises(AccessError):
            self.helped.with_user(self.ada_user)._open_draft()

    def test_empty_draft_is_not_handed_over(self):
        draft = self.helped._open_draft()
        with self.assertRaises(DraftOutdated):
            self.helped._begin_proof(draft, draft.version, "/spar")


@tagged("post_install", "-at_install")
class TestHelpedPages(PageCase):
    def setUp(self):
        super().setUp()
        providers = type(self.env["auth.oauth.provider"])
        self.patch(providers, "_get_offered", lambda p: p.sudo().search([])[:1])

    def begin(self):
        self.authenticate("officer", "officer-1")
        self.get("/spar/agent")
        self.post("/spar/agent")

    def test_helped_change_from_start_to_end(self):
        self.begin()
        self.assertIn("You are helping a person", self.text)
        self.choose_all()
        self.assertIn("Step 5 of 5 Is everything right?", self.text)
        self.assertIn("give this device to the person", self.text)
        draft = self.get_draft()
        path = f"/spar/agent/{draft.uuid}"
        answer = self.url_open(
            f"{path}/prove?version={draft.version}", allow_redirects=False
        )
        self.assertEqual(answer.headers["Location"], PROVIDER_URL)
        self.assertEqual(self.begun[-1][1], f"{path}/confirm")
        self.tickets[self.officer.id, draft._get_digest_text()] = self.ada
        self.get(f"{path}/confirm")
        self.assertIn("Save my account", self.text)
        self.assertEqual(self.acts, [])
        self.post(f"{path}/confirm", version=self.version)
        self.assertIn("Your account is saved", self.text)
        self.assertIn("Give the device back", self.text)
        self.assertIsNotNone(self.store.get_fa(ID))

    def test_helped_change_on_the_staff_host(self):
        host = urlsplit(self.base_url()).netloc
        with patch.dict(os.environ, {STAFF_HOST_VARIABLE: host}):
            self.test_helped_change_from_start_to_end()
            self.get("/spar/language?back=/spar/agent")
            self.assertEqual(self.page.status_code, 200)
            self.get("/spar/oidc/callback/1?state=x")
            self.assertEqual(self.page.status_code, 400)
            self.assertEqual(self.get("/spar").status_code, 404)

    def test_person_chooses_where_to_authenticate(self):
        providers = self.env["auth.oauth.provider"].search([], limit=2)
        self.patch(type(providers), "_get_offered", lambda _providers: providers.sudo())
        self.begin()
        self.choose_all()
        links = html.fromstring(self.page.content).xpath("//main//a/@href")
        wanted = [link for link in links if "/prove?" in link]
        self.assertEqual(len(wanted), 2)
        for link, provider in zip(wanted, providers, strict=True):
            self.url_open(link, allow_redirects=False)
            self.assertEqual(self.chosen, provider)
        self.url_open(f"{wanted[0]}9", allow_redirects=False)
        self.assertEqual(self.chosen, providers[0])

    def test_confirmation_without_a_login_redirects_to_the_review(self):
        self.begin()
        self.choose_all()
        draft = self.get_draft()
        path = f"/spar/agent/{draft.uuid}"
        self.get(f"{path}/confirm")
        self.assertEqual(self.path, f"{path}/review?said=proof")
        self.assertIn("We could not confirm that it is you", self.text)
        self.assertNotIn("You have shown who you are", self.text)
        self.get("/spar/agent")
        self.post(f"{path}/confirm", version=str(draft.version))
        self.assertIn("We could not confirm that it is you", self.text)
        self.assertEqual(self.acts, [])

    def test_missing_draft_redirects_an_officer_to_their_start_page(self):
        self.begin()
        draft = self.get_draft()
        for path in ("0000/kind", "0000/confirm", "0000/done"):
            with self.subTest(path):
                self.get(f"/spar/agent/{path}")
                self.assertEqual(self.path, "/spar/agent?said=gone")
                self.assertIn("no longer saved", self.text)
        draft._close("abandoned")
        self.get(f"/spar/agent/{draft.uuid}/done")
        self.assertEqual(self.path, "/spar/agent?said=gone")

    def test_user_without_the_role_sees_what_is_missing(self):
        groups = "base.group_user"
        new_test_user(self.env, "clerk", groups=groups, password="clerk-clerk-1")
        self.authenticate("clerk", "clerk-clerk-1")
        with mute_logger("odoo.http"):
            self.assertEqual(self.get("/spar/agent").status_code, 403)
        self.assertIn("ask an administrator for the right", self.text)

    def test_link_back_leads_to_the_first_screen_of_spar(self):
        self.authenticate("officer", "officer-1")
        page = html.fromstring(self.get("/spar/agent").content)
        back = page.xpath("//a[normalize-space()='Back to the registry']/@href")
        menus = self.env["ir.ui.menu"].with_user(self.officer).load_web_menus(False)
        app = menus[self.env.ref("spar_fa_directory.menu_root").id]
        self.assertEqual(app["actionModel"], "ir.actions.act_window")
        place = app["actionPath"] or f"action-{app['actionID']}"
        self.assertEqual(back, [f"/odoo/{place}"])

    def test_officer_is_not_led_to_a_registry_that_is_elsewhere(self):
        mapper = type(self.env["spar.mapper.backend"]._get_mapper())
        self.authenticate("officer", "officer-1")
        for is_remote in (False, True):
            with (
                self.subTest(is_remote=is_remote),
                patch.object(mapper, "_is_remote", is_remote),
            ):
                self.get("/spar/agent")
                self.assertIn("The history names you both.", self.text)
                advice = "make the change in the registry yourself"
                self.assertEqual(advice in self.text, not is_remote)

    def test_no_registry_where_no_mapper_answers(self):
        backends = type(self.env["spar.mapper.backend"])
        with patch.object(backends, "_get_mapper", side_effect=MapperError("none")):
            self.assertFalse(self.env["spar.helped.change"]._has_registry())

    def test_helping_is_not_the_first_menu_entry(self):
        menus = self.env["ir.ui.menu"].with_user(self.officer).load_web_menus(False)
        registry = self.env.ref("spar_fa_directory.menu_registry")
        entry = self.env.ref("spar_self_service.menu_helped_change")
        self.assertIn(entry.id, menus[registry.id]["children"])
        app = menus[self.env.ref("spar_fa_directory.menu_root").id]
        self.assertNotEqual(app["actionID"], entry.action.id)

    def test_beneficiary_cannot_use_officers_pages(self):
        self.authenticate("ada", "ada-ada-1")
        with mute_logger("odoo.http"):
            self.assertEqual(self.get("/spar/agent").status_code, 403)

    def test_an_officers_draft_is_not_a_beneficiarys(self):
        self.begin()
        uuid = self.get_draft().uuid
        self.authenticate("ada", "ada-ada-1")
        self.get(f"/spar/change/{uuid}/kind")
        self.assertEqual(self.path, "/spar/address?said=gone")
