"""A person is found by name only with a second fact, and never chosen by itself."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.models.mapper.spar_person_source import (
    SourcePerson,
)

from ..wizards.spar_find_by_name import MAX_NAMED
from .common import ID, OTHER_ID
from .test_spar_lookup import LookupCase

NAME = {"person_name": "Ada Lovelace", "birth_year": "1915"}


@tagged("post_install", "-at_install")
class TestFindByName(LookupCase):
    def setUp(self):
        super().setUp()
        self.asked = []
        self.known = [[ID], [OTHER_ID]]
        self.set_source()

    def set_source(self, has_names=True):
        """Let a registry beside the store know two people of one name."""
        source = type(self.env["spar.person.source"])

        def find(_self, name, year, place, limit):
            self.asked.append((name, year, place))
            return self.known[:limit]

        self.patch(source, "_has_names", lambda _self: has_names)
        self.patch(source, "_find_by_name", find)
        person = SourcePerson("Ada Lovelace", "", 1915, "London")
        self.patch(source, "_describe", lambda _self, _id_value: person)

    def find_named(self, role="officer", **typed):
        wizards = self.env["spar.find.wizard"].with_user(self.users[role])
        self.wizard = wizards.with_context(by_name=True).create({**NAME, **typed})
        action = self.wizard.action_find()
        return action

    def test_people_of_a_name_are_listed_and_none_is_opened(self):
        for self.known in ([[ID], [OTHER_ID]], [[ID]]):
            with self.subTest(len(self.known)):
                self.assertFalse(self.find_named())
                self.assertEqual(self.wizard.answer, "named")
                self.assertIn("a name proves nothing", self.wizard.answer_text)
                lines = self.wizard.line_ids
                self.assertEqual(len(lines), len(self.known))
                self.assertEqual(lines[:1].birth_year, "1915")
                self.assertEqual(lines[:1].home_place, "London")
                self.assertNotIn("1915", lines[:1].id_masked)
                opened = lines[:1].action_open()
                self.assertEqual(opened["res_id"], lines[:1].subject_id.id)

    def test_what_is_asked_of_the_registry(self):
        self.find_named(birth_year="١٩١٥", place=" London ")
        self.find_named(birth_year=False, place="London")
        self.assertEqual(
            self.asked,
            [("Ada Lovelace", 1915, "London"), ("Ada Lovelace", None, "London")],
        )

    def test_a_name_alone_finds_nobody(self):
        with self.assertRaisesRegex(UserError, "a name alone finds nobody"):
            self.find_named(birth_year=False)
        for year in ("15", "19150", "2100", "x"):
            with self.subTest(year), self.assertRaisesRegex(UserError, "four digits"):
                self.find_named(birth_year=year)
        with self.assertRaisesRegex(UserError, "Enter a name"):
            self.find_named(person_name=" ")
        self.assertEqual(self.asked, [])

    def test_too_many_are_not_listed(self):
        for count in (MAX_NAMED, MAX_NAMED + 1):
            for number in range(len(self.known), count):
                id_value = f"token:{number:08}@nationalId"
                self.link(id_value, f"account:5555{number:08}@BR01.TESTBANK")
                self.known.append([id_value])
            self.find_named()
            listed = len(self.wizard.line_ids)
            self.assertEqual(listed, count if count == MAX_NAMED else 0)
        self.assertEqual(self.wizard.answer, "many")
        self.assertIn("year of birth and the place", self.wizard.answer_text)
        self.assertEqual(self.wizard.person_name, "Ada Lovelace")
        self.find_named(place="London")
        self.assertIn("an ID, an account", self.wizard.answer_text)

    def test_nobody_of_this_name(self):
        for self.known in ([], [["token:unknown@nationalId"]], [[]]):
            with self.subTest(self.known):
                self.assertFalse(self.find_named(place=str(self.known)))
                self.assertEqual(self.wizard.answer, "none")
                self.assertIn("No person of this name", self.wizard.answer_text)

    def test_each_search_counts_and_names_whom_it_showed(self):
        self.find_named()
        found = self.lookups("officer").filtered(lambda one: one.kind == "name")
        self.assertEqual(
            found.subject_id, self.subject_of(ID) | self.subject_of(OTHER_ID)
        )
        self.assertEqual(sum(found.mapped("cost")), 1)
        self.known = []
        self.find_named(place="Paris")
        self.assertEqual(self.spent("officer"), 6)
        self.set_limit("lookup_budget", 6)
        self.assert_used_up(self.find_named, place="Rome")

    def test_nothing_typed_is_stored_in_clear(self):
        self.known = []
        self.find_named(person_name="Zebulon Quist", place="Quizzlewick")
        self.env.flush_all()
        self.assertEqual(self.find_clear("Zebulon", "Quizzlewick", tables="spar_%"), [])
        self.assertNotIn("Zebulon", self.wizard.answer_text)

    def test_people_of_another_office_are_neither_listed_nor_recorded(self):
        self.env["spar.office"].create(
            {"name": "North", "member_ids": [(6, 0, self.users["officer"].ids)]}
        )
        south = self.env["spar.office"].create({"name": "South"})
        mapper = self.mapper.with_user(self.users["supervisor"])
        call = mapper._build_staff_call("moved")
        mapper._move_to_office(call, self.subject_of(ID).ids, south)
        self.env.invalidate_all()
        self.find_named()
        self.assertEqual(self.wizard.line_ids.subject_id, self.subject_of(OTHER_ID))
        self.assertNotIn(self.subject_of(ID), self.lookups("officer").subject_id)

    def test_who_may_not_search(self):
        with self.assertRaises(AccessError):
            self.find_named("administrator")
        self.find_named()
        with self.assertRaises(AccessError):
            self.wizard.with_user(self.users["auditor"]).read(["person_name"])

    def test_the_way_there_is_shown_only_where_names_are_known(self):
        wizards = self.env["spar.find.wizard"].with_user(self.users["officer"])
        for has_names, text in (
            (True, "press Find by name"),
            (False, "enter a number"),
        ):
            self.set_source(has_names)
            wizard = wizards.create({"typed": "Ada Lovelace"})
            wizard.action_find()
            self.assertEqual(wizard.has_names, has_names)
            self.assertIn(text, wizard.answer_text)
