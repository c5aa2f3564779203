from odoo.tests import tagged

from ..lib.masking import mask_id
from .common import StoreCase


@tagged("post_install", "-at_install")
class TestMaskedIds(StoreCase):
    def describe(self, *texts, **context):
        words = self.env["spar.masked.words"].with_context(**context)
        return words._write_ids(list(texts))

    def test_an_id_has_the_name_of_its_type(self):
        self.assertEqual(
            self.describe("token:2007760620@nationalid", "token:4711@nationalid"),
            ["National ID ••20", "National ID ••1"],
        )

    def test_the_name_is_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        id_type = self.env["spar.id.type"].search([("code", "=", "national_id")])
        id_type.with_context(lang="fr_FR").name = "Carte nationale"
        (words,) = self.describe("token:2007760620@nationalid", lang="fr_FR")
        self.assertEqual(words, "Carte nationale ••20")

    def test_an_id_of_no_type_stays_a_mask(self):
        for text in (
            "4711-0815-2342",
            "token:2007760620@elsewhere",
            "passport:2007760620@nationalid",
            "token:a:2007760620@nationalid",
            "token:2007760620@x@nationalid",
            "token:@nationalid",
        ):
            with self.subTest(text):
                self.assertEqual(self.describe(text), [mask_id(text)])

    def test_the_longest_template_names_the_type(self):
        kind = {"tokeniser": "none", "active": False}
        self.env["spar.id.type"].create(
            [
                {"name": "Tax", "code": "tax", "strategy": "tax:{x}", **kind},
                {"name": "Trade", "code": "trade", "strategy": "tax:{x}@trade", **kind},
            ]
        )
        self.assertEqual(
            self.describe("tax:12345678", "tax:12345678@trade", "tax:1@other"),
            ["Tax ••78", "Trade ••78", "tax:•@other"],
        )
