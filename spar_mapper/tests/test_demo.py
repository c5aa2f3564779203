import os
from unittest.mock import patch

from odoo import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.spar_mapper_connector.tests.loading_case import loading_addon

from ..models.spar_mapper_demo import DEMO_VARIABLE, PEOPLE
from .common import StoreCase


@tagged("post_install", "-at_install")
class TestDemo(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.demo = cls.env["spar.mapper.demo"]
        if not cls.env.ref("spar_mapper.demo_user_officer", raise_if_not_found=False):
            officer = new_test_user(cls.env, "demo-officer", "base.group_user")
            officer.group_ids = [
                Command.link(cls.env.ref("spar_fa_directory.group_officer").id)
            ]
            # Only addons that are being installed name records of SPAR.
            with loading_addon(cls.registry, "spar_mapper"):
                cls.env["ir.model.data"].create(
                    {
                        "module": "spar_mapper",
                        "name": "demo_user_officer",
                        "model": "res.users",
                        "res_id": officer.id,
                    }
                )

    def test_demo_is_no_backend(self):
        backends = self.env["spar.mapper.backend"]
        offered = {name for name, _label in backends._selection_implementation()}
        self.assertIn("spar.mapper.local", offered)
        self.assertNotIn("spar.mapper.demo", offered)

    def load(self, flag):
        """Load the demo with ``flag``; return how many subjects it made."""
        before = self.env["spar.subject"].search_count([])
        with patch.dict(os.environ, {DEMO_VARIABLE: flag}):
            self.demo._load()
        return self.env["spar.subject"].search_count([]) - before

    def test_no_people_are_created_without_the_variable(self):
        self.assertEqual(self.load(""), 0)

    def test_no_people_are_added_to_existing_ones(self):
        self.link("token:somebody@nationalId", "account:1000001@BR01.TESTBANK")
        self.assertEqual(self.load("1"), 0)

    def test_no_people_are_created_without_a_keyring(self):
        with patch.dict(os.environ, {"SPAR_KEYRING": "/nowhere"}):
            self.assertEqual(self.load("1"), 0)

    def test_the_story_has_changes_suspensions_ends_and_waiting_changes(self):
        if self.env["spar.subject"].search_count([], limit=1):
            self.skipTest("this database holds the demo already")
        self.assertEqual(self.load("1"), PEOPLE)
        count = self.env["spar.mapping"].search_count
        self.assertEqual(count([("state", "=", "suspended")]), 12)
        self.assertEqual(count([("state", "=", "ended")]), 10)
        waiting = self.env["spar.change"].search([("state", "=", "waiting")])
        self.assertEqual(set(waiting.mapped("why")), {"lower_authority"})
        self.assertEqual(len(waiting), 3)

    def test_people_named_to_programs_are_linked_and_distinct(self):
        if not self.env["spar.subject"].search_count([], limit=1):
            self.load("1")
        people = self.demo._get_people(5)
        self.assertEqual(len({person["id_value"] for person in people}), 5)
        for person in people:
            self.assertTrue(self.get_fa(person["id_value"]))
