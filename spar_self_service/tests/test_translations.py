"""The pages are complete in every language: no text is left in English."""

import re

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import file_path
from odoo.tools.translate import TranslationModuleReader

ADDON = "spar_self_service"
LANGUAGES = ("fr", "es", "ar", "hi", "tl")
#: Code whose texts are only for administrators, or for users of the demo.
FOR_STAFF = re.compile(r"models/(auth_oauth_provider|spar_identity|\w+_demo)")
#: What a translation must keep: placeholders and tags.
KEPT = re.compile(r"%\(\w+\)s|</?\w+[^>]*>")


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        templates = cls.env["ir.ui.view"].search([("type", "=", "qweb")])
        pages = set(templates.get_external_id().values())
        cls.words, cls.placed = set(), set()
        rows = TranslationModuleReader(cls.env.cr, modules=[ADDON])
        for _module, kind, name, place, source, _value, _comments in rows:
            if place in pages:
                cls.placed.add((source, f"{kind}:{name}:{place}"))
            if place in pages or kind == "code" and not FOR_STAFF.search(name):
                cls.words.add(source)

    def get_words_of(self, language):
        """Return a language's translations; empty and fuzzy entries do not count."""
        entries = polib.pofile(file_path(f"{ADDON}/i18n/{language}.po"))
        return {e.msgid: e.msgstr for e in entries if e.msgstr and not e.fuzzy}

    def test_every_text_of_the_pages_is_translated(self):
        self.assertGreater(len(self.words), 150)
        for language in LANGUAGES:
            with self.subTest(language):
                self.assertEqual(self.words - self.get_words_of(language).keys(), set())

    def test_every_language_has_the_same_texts(self):
        said = {}
        for language in LANGUAGES:
            entries = polib.pofile(file_path(f"{ADDON}/i18n/{language}.po"))
            with self.subTest(language):
                self.assertEqual(entries.untranslated_entries(), [])
                self.assertEqual(entries.fuzzy_entries(), [])
            said[language] = {entry.msgid for entry in entries}
        self.assertEqual({*map(frozenset, said.values())}, {frozenset(said["fr"])})

    def test_export_names_every_page_of_a_text(self):
        # Odoo translates a text only on the pages that the export names for it.
        entries = polib.pofile(file_path(f"{ADDON}/i18n/{ADDON}.pot"))
        named = {(e.msgid, place) for e in entries for place, _line in e.occurrences}
        self.assertGreater(len(self.placed), 100)
        self.assertEqual(self.placed - named, set())

    def test_translations_keep_placeholders_and_tags(self):
        for language in LANGUAGES:
            for source, translation in self.get_words_of(language).items():
                with self.subTest(language, source=source):
                    kept = sorted(KEPT.findall(source))
                    self.assertEqual(sorted(KEPT.findall(translation)), kept)
