"""The pages' frame, languages, links of notices, and what unavailability looks like."""

import base64
import logging
import time
from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import patch

import psycopg2
from lxml import html

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import (
    NoticeInfo,
    ObjectionAnswer,
    Remedy,
)

from .page_case import FA, ID, STAFF, PageCase

PAGE_ADDONS = ("spar_self_service", "spar_mapper_connector", "spar_fa_directory")
FRAME = "odoo.addons.spar_mapper_connector.models.pages.spar_page_frame"
PAGE_LOGGER = "odoo.addons.spar_self_service.controllers.page"


@tagged("post_install", "-at_install")
class TestFrame(PageCase):
    def activate(self, code):
        language = self.env["res.lang"]._activate_lang(code)
        website = self.env["website"].search([], limit=1)
        website.language_ids |= language
        addons = self.env["ir.module.module"].search([("name", "in", PAGE_ADDONS)])
        addons._update_translations([code])
        self.env.registry.clear_cache()

    def test_a_page_loads_one_style_sheet_a_logo_and_nothing_else(self):
        self.get("/spar")
        tree = html.fromstring(self.page.content)
        self.assertEqual(tree.xpath("//script | //iframe | //@style"), [])
        loaded = {*tree.xpath("//link/@href"), *tree.xpath("//img/@src")}
        self.assertEqual(len(loaded), 2, loaded)
        weight = len(self.page.content)
        for path in loaded:
            answer = self.url_open(path)
            self.assertIn("immutable", answer.headers["Cache-Control"])
            self.assertEqual(answer.status_code, 200)
            weight += len(answer.content)
        self.assertLess(weight, 60_000)

    def test_logo_has_its_size_before_it_loads(self):
        """On a slow connection, nothing moves away from under a thumb."""
        (logo,) = html.fromstring(self.url_open("/spar").content).xpath("//header//img")
        self.assertEqual((logo.get("width"), logo.get("height")), ("80", "80"))
        self.assertEqual(logo.get("loading"), "eager")

    def test_a_logo_that_is_no_picture_shows_our_icon(self):
        """A designer uploads anything; the page stays ours."""
        website = self.env["website"].get_current_website()
        frame = self.env["spar.page.frame"]
        icon = frame._shrink(b"")
        cut = base64.b64decode(website.env.company.logo)[:60]
        for content in (b"no image at all", b"\x89PNG\r\n\x1a\n", b"GIF89a", cut):
            website.logo = base64.b64encode(content)
            with self.subTest(content), mute_logger(FRAME):
                self.assertEqual(frame._build_logo(website.id, object()), icon)
        with mute_logger(FRAME):
            self.assertIn("/spar/logo/", self.url_open("/spar").text)

    def test_an_error_while_the_frame_is_built_shows_no_page_of_the_website(self):
        frames = type(self.env["spar.page.frame"])
        for path in ("/spar", "/spar/nothing-here"):
            with (
                self.subTest(path),
                patch.object(frames, "_get_site_name", side_effect=ValueError("x")),
                mute_logger("odoo.http"),
            ):
                answer = self.url_open(path)
            self.assertEqual(answer.status_code, 503)
            self.assertNotIn("<script", answer.text)
            self.assertNotIn("data-website-id", answer.text)

    def test_website_without_a_logo_shows_our_icon(self):
        website = self.env["website"].get_current_website()
        frame = self.env["spar.page.frame"]
        shown = set()
        for logo in (website._default_logo(), False):
            website.logo = logo
            shown.add(frame._build_logo(website.id, object()))
        ((name, image, mimetype, _size),) = shown
        self.assertEqual(mimetype, "image/png")
        website.logo = website.env.company.logo
        self.assertNotEqual(frame._build_logo(website.id, object())[0], name)

    def test_pages_are_not_cached_and_run_no_scripts(self):
        self.authenticate("ada", "ada-ada-1")
        for path in ("/spar/address", "/spar/history", "/spar/language"):
            with self.subTest(path):
                headers = self.get(path).headers
                self.assertEqual(headers["Cache-Control"], "no-store")
                policy = headers["Content-Security-Policy"]
                self.assertIn("default-src 'none'", policy)
                self.assertIn("frame-ancestors 'none'", policy)
                self.assertEqual(headers["Referrer-Policy"], "strict-origin")

    def test_access_log_contains_no_secret(self):
        log = logging.getLogger("werkzeug")
        line = '127.0.0.1 - - [now] "%s" %s %s'
        with self.assertLogs("werkzeug") as logged:
            for path in ("notice/s3cr3t", "oidc/callback/1?code=s3cr3t", "?q=s3cr3t"):
                log.info(line, f"GET /spar/{path} HTTP/1.1", "200", "-")
        self.assertEqual(len(logged.output), 3)
        self.assertNotIn("s3cr3t", "".join(logged.output))

    def test_long_addresses_are_shortened_in_the_access_log(self):
        """Our name repeated many times: scanning must not restart at each of them."""
        log = logging.getLogger("werkzeug")
        begin = time.process_time()
        with self.assertLogs("werkzeug") as logged:
            for path in ("/spar" * 12_000, "/spar/notice/" * 5_000, "?" * 60_000):
                log.info('"%s" %s', f"GET /spar/{path} HTTP/1.1", "200")
        self.assertLess(time.process_time() - begin, 0.5)
        self.assertLess(max(map(len, logged.output)), 3000)

    def test_the_style_is_of_the_organisations_colour(self):
        self.env.company.primary_color = "#ffee00"
        name, style = self.env["spar.page.frame"]._get_style()
        self.assertNotIn("#ffee00", style)
        self.env.company.primary_color = "#4b0082"
        other, style = self.env["spar.page.frame"]._get_style()
        self.assertIn("--brand:#4b0082", style)
        self.assertNotEqual(name, other)
        answer = self.url_open(f"/spar/style/{name}.css")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_unknown_message_code_shows_nothing(self):
        self.get("/spar?said=<b>x</b>")
        self.assertNotIn("<b>x</b>", self.page.text)
        self.get("/spar/language?back=https://evil.example")
        self.assertNotIn("evil", self.page.text)

    # === LOCKED RECORDS === #

    def test_lock_conflict_shows_our_page(self):
        def meet(*_words, **_named):
            raise psycopg2.errors.LockNotAvailable

        self.authenticate("ada", "ada-ada-1")
        with patch.object(self.env.registry["spar.my.address"], "_get_overview", meet):
            answer = self.url_open("/spar/address")
        self.assertEqual(answer.status_code, 503)
        self.assertTrue(answer.headers["Retry-After"])
        self.assertIn("Nothing was changed", answer.text)
        self.assertIn('class="button main"', answer.text)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_lock_conflict_in_the_frame_shows_a_plain_page(self):
        def meet(*_words, **_named):
            raise psycopg2.errors.LockNotAvailable

        frame = self.env.registry["spar.page.frame"]
        with patch.object(frame, "_get_frame", meet):
            answer = self.url_open("/spar")
        self.assertEqual(answer.status_code, 503)
        self.assertTrue(answer.headers["Retry-After"])
        self.assertIn("Nothing was changed", answer.text)

    # === LANGUAGES === #

    def test_arabic_runs_from_right_to_left(self):
        self.activate("ar_001")
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/language/ar_001?back=/spar/address")
        tree = html.fromstring(self.page.content)
        self.assertEqual((tree.get("lang"), tree.get("dir")), ("ar-001", "rtl"))
        self.assertIn("حسابك", self.text)
        self.assertIn("حساب بنكي", self.text)
        (number,) = tree.xpath("//dd/bdi[@aria-hidden]")
        self.assertEqual(number.get("dir"), "ltr")

    def test_dates_are_written_as_the_language_does(self):
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        for code, day in (("fr_FR", "1 mars 2026"), ("es_ES", "1 de marzo de 2026")):
            with self.subTest(code):
                self.activate(code)
                self.get(f"/spar/language/{code}?back=/spar/address")
                self.assertIn(day, self.text)

    def test_an_unknown_language_changes_nothing(self):
        self.get("/spar/language/xx_XX?back=/spar")
        self.assertIn("Where your payments go", self.text)

    # === MAPPER UNAVAILABLE === #

    def test_unavailable_mapper_is_explained(self):
        self.store.failing["resolve"] = ServiceUnavailable("away")
        self.authenticate("ada", "ada-ada-1")
        with self.assertLogs(PAGE_LOGGER, "WARNING"):
            self.get("/spar/address")
        self.assertEqual(self.page.status_code, 503)
        self.assertIn("Nothing was changed", self.text)

    def test_draft_is_kept_while_the_mapper_is_unavailable(self):
        self.begin()
        self.choose_all()
        self.store.failing["link"] = ServiceUnavailable("away")
        with self.assertLogs(PAGE_LOGGER, "WARNING"), mute_logger("odoo.http"):
            self.finish()
        self.assertIn("Nothing was changed", self.text)
        self.store.failing.clear()
        self.finish()
        self.assertIn("Your account is saved", self.text)

    # === THE LINK OF A NOTICE === #

    def add_notice(self):
        now = datetime(2026, 3, 1)
        self.store.notices["token"] = NoticeInfo("updated", now, now + timedelta(30))

    def test_link_of_a_notice_does_nothing_until_the_button_is_pressed(self):
        self.add_notice()
        self.get("/spar/notice/token")
        self.assertIn("Your account was changed to this one.", self.text)
        self.assertEqual(self.acts, [])
        page_before = self.page
        self.post("/spar/notice/token")
        self.assertIn("CASE0002", self.text)
        self.page = page_before
        self.post("/spar/notice/token")
        self.assertIn("CASE0002", self.text)
        self.get("/spar/notice/token")
        self.assertIn("CASE0002", self.text)

    def test_link_of_a_notice_explains_that_nothing_is_undone_yet(self):
        self.add_notice()
        self.get("/spar/notice/token")
        self.assertIn("Nothing is undone yet", self.text)
        self.assertNotIn("we undo it immediately", self.text)
        self.post("/spar/notice/token")
        self.assertIn("Nothing has been undone yet", self.text)
        page = html.fromstring(self.page.content)
        (sign_in,) = page.xpath("//a[@href='/spar/history']")
        self.assertEqual(sign_in.text.strip(), "Sign in")
        self.assertFalse(page.xpath("//a[@href='/spar'][contains(@class, 'main')]"))

    def test_link_of_a_decided_case_does_not_say_that_the_account_is_locked(self):
        self.add_notice()
        self.get("/spar/notice/token")
        self.post("/spar/notice/token")
        self.assertIn("Nobody can change your account now.", self.text)
        closed = ObjectionAnswer(Remedy.FROZEN, "CASE0002", is_closed=True)
        notice = self.store.notices["token"]
        self.store.notices["token"] = replace(notice, answer=closed)
        self.get("/spar/notice/token")
        self.assertIn("Our staff have looked at it and decided.", self.text)
        self.assertIn("Your case: CASE0002", self.text)
        self.assertNotIn("Nobody can change your account now.", self.text)

    def test_notice_about_who_acts_for_the_person_locks_nothing(self):
        now = datetime(2026, 3, 1)
        for kind, words in (
            ("representative_approved", "Somebody was entered who may act or collect"),
            ("representative_ended", "Somebody may no longer act or collect for you."),
            ("representative_taken_over", "Two records about you were joined."),
        ):
            info = NoticeInfo(kind, now, now + timedelta(30))
            self.store.notices["token"] = info
            self.get("/spar/notice/token")
            self.assertIn(words, self.text)
            self.assertIn("give you an answer", self.text)
            self.assertNotIn("Nobody can change your account", self.text)
        self.post("/spar/notice/token")
        self.assertEqual([call[0] for call in self.store.calls][-1:], ["notice"])
        for _again in range(2):
            self.assertIn("CASE0002", self.text)
            self.assertIn("Until our staff have decided, nothing changes", self.text)
            self.assertNotIn("Nobody can change your account", self.text)
            self.get("/spar/notice/token")

    def test_expired_link_explains_what_to_do(self):
        for token in ("unknown", "..%2f", "a" * 200):
            with self.subTest(token):
                self.get(f"/spar/notice/{token}")
                self.assertEqual(self.page.status_code, 404)
        self.get("/spar/notice/unknown")
        self.assertIn("Sign in", self.text)

    def test_portal_links_to_our_pages(self):
        self.authenticate("ada", "ada-ada-1")
        page = html.fromstring(self.url_open("/my").content)
        self.assertTrue(page.xpath("//a[@href='/spar']"))
