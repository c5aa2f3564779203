from odoo.tests import TransactionCase

from ..exceptions import InvalidIdentifier
from ..lib.identifier import StoredIdentifier


class TestWrittenIds(TransactionCase):
    """The number on a card, the ID as it travels, and the stored one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.types = cls.env["spar.id.type"]
        cls.card = cls.types.create(
            {
                "name": "Card",
                "code": "test_card",
                "sequence": 5,
                "strategy": "card:{number}@registry",
                "tokeniser": "openg2p-sha3-256",
                "stored_strategy": "token:{sub}@registry",
            }
        )

    def test_a_number_is_written_as_its_type_is(self):
        self.assertEqual(self.card._write_id("4711"), "card:4711@registry")

    def test_a_whole_id_stays_as_it_is(self):
        for text in ("card:4711@registry", "x@y", "vid:1"):
            self.assertEqual(self.card._write_id(text), text)

    def test_a_type_without_a_strategy_writes_nothing_around(self):
        other = self.env.ref("spar_mapper_connector.id_type_other")
        self.assertEqual(other._write_id("4711"), "4711")

    def test_a_number_that_cannot_be_an_id_is_refused(self):
        for text in ("", "a\u200bb", "x" * 300):
            with self.subTest(text=text[:5]), self.assertRaises(InvalidIdentifier):
                self.card._write_id(text)

    def test_people_may_mean_each_type(self):
        forms = self.types._get_written_forms("4711")
        self.assertIn("4711", forms)
        self.assertIn("card:4711@registry", forms)
        self.assertIn("token:4711@nationalid", forms)

    def test_forms_that_cannot_be_built_are_left_out(self):
        self.assertEqual(self.types._get_written_forms("a\u200bb"), ["a\u200bb"])

    def test_a_stored_id_is_not_tokenised_again(self):
        first = self.types._identify("card:4711@registry")
        stored = StoredIdentifier(first.canonical, first.type_id)
        self.assertEqual(self.types._identify(stored), first)
        again = self.types._identify(str(stored))
        self.assertEqual(again.canonical, first.canonical)

    def test_the_tokens_of_two_numbers_differ(self):
        one, other = (
            self.types._identify(self.card._write_id(number)).canonical
            for number in ("4711", "4712")
        )
        self.assertNotEqual(one, other)
        for canonical in (one, other):
            self.assertNotIn("471", canonical)
            self.assertTrue(canonical.endswith("@registry"))
