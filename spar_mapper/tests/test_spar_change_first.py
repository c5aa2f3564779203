from datetime import timedelta

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

from .common import FA, ID, OTHER_FA, StoreCase

DAY = timedelta(days=1)


class TestHeldFirstLink(StoreCase):
    def setUp(self):
        super().setUp()
        self.rule = self.add_rule("approve")
        self.assertEqual(self.link(ID, FA).outcome, Outcome.HELD)

    def test_a_payer_gets_nothing(self):
        self.assertEqual(self.resolve(ID).outcome, Outcome.NOT_LINKED)
        self.assertEqual(self.resolve(fa=FA).outcome, Outcome.NOT_LINKED)
        self.assertEqual(self.mapping_of(ID).state, "proposed")
        self.assertEqual(self.events_of(ID), ["proposed"])

    def test_the_same_link_again_waits_on(self):
        self.assertEqual(self.link(ID, FA, self.other_call).outcome, Outcome.HELD)
        self.assertEqual(self.link(ID, OTHER_FA).problem, "change_waiting")
        self.assertEqual(len(self.mappings_of(ID).change_ids), 1)

    def test_approved_it_is_linked(self):
        result = self.mapper._approve_change(self.staff, self.change_of(ID).id)
        self.assertEqual((result.outcome, result.version), (Outcome.LINKED, 1))
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.events_of(ID), ["proposed", "change_approved", "linked"])
        self.assertEqual(self.mapping_of(ID).origin, self.call.actor)

    def test_refused_cancelled_or_expired_nothing_is_linked(self):
        for number, end in enumerate(("refused", "cancelled", "expired")):
            id_value = f"token:{number}@nationalId"
            self.link(id_value, FA)
            change = self.change_of(id_value)
            with self.subTest(end):
                self.mapper._end_change(self.staff, change.id, end)
                self.assertEqual(self.resolve(id_value).outcome, Outcome.NOT_LINKED)
                self.assertEqual(self.events_of(id_value), ["proposed", "withdrawn"])
                self.assertEqual(self.mapping_of(id_value).state, "ended")

    def test_link_applied_by_a_rule_replaces_the_proposal(self):
        self.rule.channel = "rest"
        self.assertEqual(self.link(ID, OTHER_FA, self.staff).outcome, Outcome.LINKED)
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assertEqual(self.change_of(ID).state, "stale")
        self.assertEqual(self.events_of(ID), ["proposed", "change_stale", "linked"])

    def test_a_proposal_is_no_period_of_the_history(self):
        self.assertEqual(self.mapper._history(self.call, ID), [])
