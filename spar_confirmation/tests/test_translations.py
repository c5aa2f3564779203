"""The page is complete in every language: no text is left in English."""

import re

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import (
    PoFileReader,
    TranslationModuleReader,
    get_po_paths,
)

LANGUAGES = ("fr", "es", "ar", "hi", "tl")
#: The addons of what people read, with the code that only staff see the texts of.
ADDONS = {
    "spar_confirmation": re.compile(r"models/(?!spar_confirmation_texts)"),
    "spar_mapper_connector": re.compile(r"(?<!models/pages)/(?!pages/)\w+\.py"),
}
#: What a translation must keep: placeholders and tags.
KEPT = re.compile(r"%\(\w+\)s|</?\w+[^>]*>")


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    def get_words(self, addon):
        """Return the texts of an addon's pages."""
        templates = self.env["ir.ui.view"].search([("type", "=", "qweb")])
        pages = set(templates.get_external_id().values())
        rows = TranslationModuleReader(self.env.cr, modules=[addon])
        return {
            source
            for _module, kind, name, place, source, _value, _comments in rows
            if place in pages or kind == "code" and not ADDONS[addon].search(name)
        }

    def get_translations(self, addon, language):
        """Return what Odoo reads: of texts that the export names, and no others."""
        return {
            row["src"]: row["value"]
            for path in get_po_paths(addon, language)
            for row in PoFileReader(path)
            if row["value"]
        }

    def test_every_text_of_the_pages_is_translated(self):
        for addon, least in (("spar_confirmation", 40), ("spar_mapper_connector", 20)):
            words = self.get_words(addon)
            self.assertGreaterEqual(len(words), least)
            for language in LANGUAGES:
                known = self.get_translations(addon, language)
                with self.subTest(addon, language=language):
                    self.assertEqual(words - known.keys(), set())
                    for source, translation in known.items():
                        kept = sorted(KEPT.findall(source))
                        self.assertEqual(sorted(KEPT.findall(translation)), kept)
