"""Whose payments a programme stops, resumes or ends: those of its own people."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user

from .common import FA, ID, NUMBER, RegistryCase


class TestStopping(RegistryCase):
    """Ada is paid by somebody else, and the user has typed her ID for a contact."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = new_test_user(
            cls.env,
            "programme.colleague",
            groups="base.group_user,base.group_partner_manager,"
            "spar_registry.group_programme_user",
        )
        cls.ada.spar_identity_ids.active = False
        cls.contact = cls.create_person("Probe")
        cls.identity = (
            cls.env["spar.person.identity"]
            .with_user(cls.user)
            .create(
                {
                    "partner_id": cls.contact.id,
                    "id_type_id": cls.id_type.id,
                    "value": NUMBER,
                    "is_verified": True,
                }
            )
        )

    def setUp(self):
        super().setUp()
        self.store.set(ID, FA, "staff")

    def join(self, person, **values):
        """Make a person a member of the programme."""
        member = {"programme_id": self.programme.id, "partner_id": person.id}
        return self.env["spar.programme.member"].create({**member, **values})

    def act(self, operation="suspend", person=None, user=None):
        """Press *Suspend* or *Resume* for a person."""
        wizards = self.env["spar.suspend.wizard"].with_user(user or self.user)
        form = wizards.create(
            {
                "partner_id": (person or self.contact).id,
                "programme_id": self.programme.id,
                "operation": operation,
                "reason": "left the area",
            }
        )
        return form.action_confirm()

    def assert_refused(self, text, **values):
        for operation in ("suspend", "resume"):
            with self.subTest(operation), self.assertRaisesRegex(UserError, text):
                self.act(operation, **values)
        removal = self.env["spar.collect.wizard"].with_user(self.user)
        form = removal.create(
            {
                "operation": "remove",
                "partner_id": self.contact.id,
                "programme_id": self.programme.id,
            }
        )
        with self.assertRaisesRegex(UserError, text):
            form.action_confirm()
        self.assertFalse(self.store.stopped)
        self.assertEqual(self.store.calls, [])

    def test_people_of_no_programme_are_refused(self):
        self.assert_refused("not in the programme")

    def test_people_of_another_programme_are_refused(self):
        other = self.env["spar.programme"].create({"name": "Other", "code": "OTHER"})
        self.join(self.contact, programme_id=other.id)
        self.assert_refused("not in the programme")

    def test_an_id_that_only_the_user_verified_is_refused(self):
        self.join(self.contact)
        self.assert_refused("no colleague has verified")

    def test_an_id_that_nobody_verified_is_refused(self):
        self.join(self.contact)
        self.identity.with_user(self.user).is_verified = False
        self.assert_refused("no colleague has verified")

    def test_the_form_says_why_it_is_refused(self):
        wizards = self.env["spar.suspend.wizard"].with_user(self.user)
        form = wizards.create(
            {"partner_id": self.contact.id, "programme_id": self.programme.id}
        )
        self.assertIn("not in the programme", form.problem)

    def test_an_id_that_a_colleague_verified_is_accepted(self):
        self.join(self.contact)
        self.identity.with_user(self.colleague).is_verified = True
        self.act()
        self.assertEqual(self.store.stopped, {ID})
        self.act("resume")
        self.assertFalse(self.store.stopped)

    def test_whom_the_programme_pays_needs_neither(self):
        self.store.places.clear()
        account = self.collect(self.contact, FA)
        self.run_outbox()
        self.assertEqual(account.state, "confirmed")
        self.act()
        self.assertEqual(self.store.stopped, {ID})

    def test_an_account_that_was_not_confirmed_is_no_payment(self):
        account = self.collect(self.contact, FA)
        self.assertEqual(account.state, "queued")
        calls = len(self.store.calls)
        with self.assertRaisesRegex(UserError, "not in the programme"):
            self.act()
        self.assertEqual(len(self.store.calls), calls)

    def test_recipients_and_heads_of_households_are_of_the_programme(self):
        self.identity.with_user(self.colleague).is_verified = True
        household = self.create_person("Household")
        member = self.join(household)
        self.contact.parent_id = household
        household.spar_head_id = self.contact
        self.act()
        self.contact.parent_id = False
        household.spar_head_id = False
        with self.assertRaises(UserError):
            self.act("resume")
        member.recipient_id = self.contact
        self.act("resume")
        self.assertFalse(self.store.stopped)

    def test_without_a_programme_the_same_is_asked(self):
        self.programme = self.env["spar.programme"]
        self.assert_refused("not in the programme")
        other = self.env["spar.programme"].create(
            {
                "name": "Other",
                "code": "OTHER",
                "member_ids": [Command.create({"partner_id": self.contact.id})],
            }
        )
        self.assertTrue(other.member_ids)
        self.identity.with_user(self.colleague).is_verified = True
        self.act()
        self.assertEqual(self.store.stopped, {ID})
