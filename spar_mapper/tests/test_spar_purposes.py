from odoo.addons.spar_mapper_connector.lib.contract import (
    LinkRequest,
    Outcome,
)

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase


class TestPurposes(StoreCase):
    def test_each_purpose_has_an_address_of_its_own(self):
        self.link(ID, FA)
        result = self.link(ID, OTHER_FA, purpose="school")
        self.assertEqual(result.outcome, Outcome.LINKED)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.get_fa(ID, "school"), OTHER_FA)
        self.assertEqual(self.get_fa(ID, "health"), FA, "the one for any purpose")

    def test_an_address_for_one_purpose_serves_no_other(self):
        self.link(ID, FA, purpose="school")
        self.assertIsNone(self.get_fa(ID))
        self.assertIsNone(self.get_fa(ID, "health"))

    def test_a_change_for_one_purpose_leaves_the_others(self):
        self.link(ID, FA)
        self.link(ID, OTHER_FA, purpose="school")
        self.update(ID, THIRD_FA, purpose="school")
        self.assertEqual(self.get_fa(ID), FA)
        self.unlink(ID, purpose="school")
        self.assertEqual(self.get_fa(ID, "school"), FA, "falls back again")

    def test_a_suspended_purpose_does_not_fall_back(self):
        self.link(ID, FA)
        self.link(ID, OTHER_FA, purpose="school")
        self.suspend(ID, purpose="school")
        self.assertEqual(self.resolve(ID, purpose="school").outcome, Outcome.SUSPENDED)
        self.assertEqual(self.get_fa(ID), FA)

    def test_nothing_is_changed_for_a_purpose_without_address(self):
        self.link(ID, FA)
        for result in (
            self.update(ID, OTHER_FA, purpose="school"),
            self.unlink(ID, purpose="school"),
            self.suspend(ID, purpose="school"),
        ):
            self.assertEqual(result.outcome, Outcome.NOT_LINKED)
        self.assertEqual(self.get_fa(ID), FA)


class TestSeveralIds(StoreCase):
    """One person with two IDs."""

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.add_id(OTHER_ID, to=ID)

    def test_both_ids_find_the_address(self):
        self.assertEqual((self.get_fa(ID), self.get_fa(OTHER_ID)), (FA, FA))

    def test_change_by_one_id_is_visible_by_the_other(self):
        self.suspend(OTHER_ID)
        self.assertEqual(self.resolve(ID).outcome, Outcome.SUSPENDED)
        self.resume(ID)
        self.assertEqual(self.get_fa(OTHER_ID), FA)
        self.update(OTHER_ID, OTHER_FA)
        self.assertEqual((self.get_fa(ID), self.get_fa(OTHER_ID)), (OTHER_FA, OTHER_FA))
        self.unlink(ID, OTHER_FA)
        self.assertEqual(self.resolve(OTHER_ID).outcome, Outcome.NOT_LINKED)

    def test_both_ids_in_one_batch_are_one_person(self):
        self.unlink(ID)
        requests = [LinkRequest(OTHER_ID, FA), LinkRequest(ID, OTHER_FA)]
        first, second = self.mapper._link_fa(self.call, requests)
        self.assertEqual(first.outcome, Outcome.LINKED)
        self.assertEqual(second.outcome, Outcome.ALREADY_LINKED)
        self.assertEqual((self.get_fa(ID), self.get_fa(OTHER_ID)), (FA, FA))

    def test_a_change_by_the_other_id_waits_and_is_applied(self):
        self.add_rule("approve")
        self.assertEqual(self.update(OTHER_ID, OTHER_FA).outcome, Outcome.HELD)
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.HELD)
        self.mapper._approve_change(self.staff, self.change_of(ID).id)
        self.assertEqual((self.get_fa(ID), self.get_fa(OTHER_ID)), (OTHER_FA, OTHER_FA))

    def test_history_is_that_of_the_person(self):
        self.update(OTHER_ID, OTHER_FA)
        for id_value in (ID, OTHER_ID):
            periods = self.mapper._history(self.call, id_value)
            self.assertEqual([period.fa for period in periods], [OTHER_FA, FA])
