"""The history shows and finds participants by their names."""

from odoo.tests import tagged

from .common import RestCase, build_items


@tagged("post_install", "-at_install")
class TestHistoryNames(RestCase):
    def setUp(self):
        super().setUp()
        self.full.name = "Ministry of Harvest"
        events = self.env["spar.event"]
        known = events.search([]).ids
        self.ask(self.full, "link", build_items("Named", fa="account:{}@BANK"))
        self.linked = events.search([("id", "not in", known)])
        self.assertTrue(self.linked)

    def test_participant_is_shown_by_its_name(self):
        self.assertEqual(self.linked.mapped("actor_name"), ["Ministry of Harvest"])

    def test_participant_is_found_by_name_and_sender_id(self):
        events = self.env["spar.event"]
        for text in ("harvest", "full.example", "harvest ministry"):
            found = events.search([("actor_name", "ilike", text)])
            self.assertLessEqual(self.linked, found, text)
        self.assertFalse(events.search([("actor_name", "ilike", "harv_st")]))
        other = events.search([("actor_name", "ilike", "bank.example")])
        self.assertFalse(self.linked & other)

    def test_disabled_participant_is_found(self):
        self.full.action_disable()
        found = self.env["spar.event"].search([("actor_name", "ilike", "harvest")])
        self.assertLessEqual(self.linked, found)
