"""People are found by name and a second fact, however the name is written."""

from pathlib import Path
from runpy import run_path

from odoo.exceptions import AccessError, ValidationError

from ..models.person import spar_person_name
from .common import NUMBER, RegistryCase

LIMIT = 100
SPELLINGS = (
    ("Fátima Zahra", ("fatima zahra", "ZAHRA, Fatima", "Fatimah Zahra", "فاطمة زهرة")),
    ("محمد عبد الرحمن", ("Mohammed Abd al-Rahman", "muhamad abd el rahman")),
    ("विजय कुमार", ("Vijay Kumar", "kumar vijay")),
    ("Łukasz O'Brien", ("Lukasz OBrien", "O’Brien Łukasz")),
    ("José María García", ("jose garcia", "Garcia, Maria Jose")),
)


class TestNameKeys(RegistryCase):
    def setUp(self):
        super().setUp()
        self.names = self.env["spar.person.name"]
        self.person = self.create_person(
            "Ada King Lovelace", None, spar_birth_year=1915, city="São Paulo"
        )

    def find(self, name, year=None, place=""):
        return self.env["res.partner"].browse(
            self.names._find(name, year, place, LIMIT)
        )

    def test_every_spelling_finds_the_person(self):
        for name, spellings in SPELLINGS:
            self.person.name = name
            for typed in (name, *spellings):
                with self.subTest(name=name, typed=typed):
                    self.assertIn(self.person, self.find(typed, 1915))

    def test_other_names_find_others(self):
        for typed in ("Ada Byron", "Lovelace Grace", "Ada Queen Lovelace", "1915", ""):
            with self.subTest(typed):
                self.assertNotIn(self.person, self.find(typed, 1915))

    def test_a_second_fact_has_to_fit(self):
        self.assertFalse(self.find("Ada Lovelace"))
        for facts in ((1915, ""), (None, "sao paulo"), (1915, "Paulo"), (None, "SÃO")):
            with self.subTest(facts):
                self.assertIn(self.person, self.find("Ada Lovelace", *facts))
        for facts in ((1916, ""), (None, "Rio"), (1915, "Rio"), (1916, "São Paulo")):
            with self.subTest(facts):
                self.assertNotIn(self.person, self.find("Ada Lovelace", *facts))

    def test_a_fact_is_no_part_of_a_name_nor_a_name_a_fact(self):
        self.assertNotIn(self.person, self.find("Paulo", 1915))
        self.assertNotIn(self.person, self.find("Ada", None, "Lovelace"))

    def test_the_keys_follow_what_is_written(self):
        self.person.write({"name": "Grace Hopper", "spar_birth_year": 1906})
        self.assertIn(self.person, self.find("hopper", 1906))
        self.assertFalse(self.find("Ada Lovelace", 1915) & self.person)
        self.person.city = "New York"
        self.assertIn(self.person, self.find("Hopper", None, "york"))
        self.person.active = False
        self.assertNotIn(self.person, self.find("Hopper", 1906))
        self.person.active = True
        self.person.is_company = True
        self.assertNotIn(self.person, self.find("Hopper", 1906))

    def test_no_more_than_were_asked_for(self):
        for number in range(3):
            self.create_person(f"Ada Lovelace {number}", None, spar_birth_year=1915)
        self.assertEqual(len(self.names._find("Lovelace", 1915, "", 2)), 2)

    def test_many_at_once_are_indexed_in_parts(self):
        self.patch(spar_person_name, "_BATCH", 2)
        values = [{"name": f"Person Quux{n}", "city": "Oz"} for n in "abcde"]
        people = self.env["res.partner"].create(values)
        self.assertEqual(self.find("Person", None, "oz"), people)
        people.write({"city": "Kansas"})
        self.assertEqual(self.find("Person", None, "kansas"), people)

    def test_an_upgrade_indexes_those_who_are_there(self):
        self.env.cr.execute("DELETE FROM spar_person_name")
        self.assertFalse(self.find("Ada Lovelace", 1915))
        path = Path(__file__).parents[1] / "migrations" / "19.0.1.2.0" / "post-names.py"
        for _again in range(2):
            run_path(str(path))["migrate"](self.env.cr, "19.0.1.1.0")
        self.assertEqual(self.find("Ada Lovelace", 1915), self.person)

    def test_an_index_answers(self):
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(
            "EXPLAIN SELECT FROM spar_person_name WHERE keys @> ARRAY['d', 'y:1915']"
        )
        plan = " ".join(row for (row,) in self.env.cr.fetchall())
        self.assertIn("spar_person_name_keys_index", plan)

    def test_the_source_returns_ids_and_what_tells_people_apart(self):
        source = self.env["spar.person.source"]
        self.assertTrue(source._has_names())
        self.ada.write({"name": "Ada Lovelace", "spar_birth_year": 1915, "city": "Oz"})
        found = source._find_by_name("lovelace ada", None, "oz", LIMIT)
        self.assertEqual([[NUMBER in text for text in one] for one in found], [[True]])
        facts = source._describe(found[0][0])
        self.assertEqual((facts.birth_year, facts.place), (1915, "Oz"))

    def test_a_year_in_which_nobody_was_born_is_refused(self):
        for year in (15, 1700, 2999, -1):
            with self.subTest(year), self.assertRaises(ValidationError):
                self.person.spar_birth_year = year

    def test_nobody_reads_the_keys(self):
        self.assertNotIn("keys", self.names._fields)
        for user in (self.user, self.manager):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.names.with_user(user).search([])
