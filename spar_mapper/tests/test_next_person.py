"""*Next person* destroys what was typed, and leads to the empty box."""

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import FA
from .test_desk_entry import ID, EntryCase

#: The pages and forms of one person that lead to the next one.
FORMS = (
    "spar.find.wizard",
    "spar.mapping.wizard",
    "spar.complaint.wizard",
    "spar.reveal.wizard",
    "spar.person.date.wizard",
    "spar.representative.wizard",
    "spar.representative.reveal",
)


@tagged("post_install", "-at_install")
class TestNextPerson(EntryCase):
    def test_page_and_every_form_have_the_button(self):
        for name in ("spar.subject", *FORMS):
            with self.subTest(name):
                arch = self.env[name].get_view(view_type="form")["arch"]
                self.assertIn('<widget name="spar_next_person"', arch)

    def test_it_opens_an_empty_box_instead_of_everything_that_is_open(self):
        self.link(ID, FA)
        person = self.subject_of(ID).with_user(self.officer)
        for page in (person, *(self.env[n].with_user(self.officer) for n in FORMS)):
            with self.subTest(page._name):
                action = page.action_next_person()
                self.assertEqual(action["res_model"], "spar.find.wizard")
                self.assertEqual(action["target"], "main")
                self.assertFalse(action.get("res_id"))
                self.assertNotIn(self.officer.name, str(action))

    def test_draft_is_destroyed_with_all_that_was_typed(self):
        wizard = self.open_link()
        lines = self.env["spar.mapping.wizard.part"].with_user(self.officer)
        part = self.env.ref("spar_fa_directory.part_bank_account_number")
        lines.create({"wizard_id": wizard.id, "part_id": part.id, "value": "1234567"})
        search = self.env["spar.find.wizard"].with_user(self.officer)
        search = search.create({"typed": "2007760620"})
        for draft in (wizard, search):
            draft.action_next_person()
            self.assertFalse(draft.exists())
        self.assertFalse(lines.search([("wizard_id", "=", wizard.id)]))
        self.assertEqual(self.events_of(ID), [])

    def test_person_stays(self):
        self.link(ID, FA)
        person = self.subject_of(ID)
        person.with_user(self.officer).action_next_person()
        self.assertTrue(person.exists())
        self.assertEqual(self.get_fa(ID), FA)

    def test_nobody_destroys_the_draft_of_somebody_else(self):
        wizard = self.open_link()
        colleague = self.create_user("officer", login="next_colleague")
        with self.assertRaises(AccessError):
            wizard.with_user(colleague).action_next_person()
        self.assertTrue(wizard.exists())

    def test_users_without_a_role_are_refused(self):
        wizard = self.open_link()
        for groups in ("base.group_user", "base.group_portal"):
            user = new_test_user(self.env, f"next-{groups}", groups=groups)
            with self.subTest(groups), self.assertRaises(AccessError):
                wizard.with_user(user).action_next_person()
        self.assertTrue(wizard.exists())

    def test_browser_keeps_no_page_of_a_person(self):
        """Back asks the server again, which shows what rights allow."""
        for name in ("spar_subject_action", "spar_find_wizard_action"):
            with self.subTest(name):
                action = self.env["ir.actions.act_window"]._for_xml_id(
                    f"spar_mapper.{name}"
                )
                self.assertIs(action["cache"], False)
