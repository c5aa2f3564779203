from odoo.addons.spar_mapper_connector.lib.contract import (
    Outcome,
)

from .common import FA, ID, OTHER_FA, StoreCase


class TestAuthority(StoreCase):
    def test_a_higher_authority_overwrites(self):
        calls = (self.institution, self.call, self.staff, self.owner)
        self.link(ID, FA, calls[0])
        for number, call in enumerate(calls[1:]):
            fa = f"account:100000{number}@BR01.TESTBANK"
            with self.subTest(channel=call.channel):
                self.assertEqual(self.update(ID, fa, call).outcome, Outcome.UPDATED)
                self.assertEqual(self.mapping_of(ID).authority, int(call.authority))

    def test_an_equal_authority_overwrites(self):
        self.link(ID, FA)
        result = self.update(ID, OTHER_FA, self.other_call)
        self.assertEqual(result.outcome, Outcome.UPDATED)

    def test_a_lower_authority_waits_for_a_second_person(self):
        order = (self.institution, self.call, self.staff, self.owner)
        for number, higher in enumerate(order):
            for lower in order[:number]:
                id_value = (
                    f"token:{higher.channel}-{lower.authority}-{number}@nationalId"
                )
                self.link(id_value, FA, higher)
                with self.subTest(higher=higher.actor, lower=lower.actor):
                    result = self.update(id_value, OTHER_FA, lower)
                    self.assertEqual(result.outcome, Outcome.HELD)
                    self.assertEqual(self.get_fa(id_value), FA)
                    change = self.change_of(id_value)
                    self.assertEqual(change.why, "lower_authority")
                    self.assertTrue(change.needs_approval)

    def test_a_lower_authority_does_not_unlink(self):
        self.link(ID, FA, self.owner)
        self.assertEqual(self.unlink(ID, FA).outcome, Outcome.HELD)
        self.assertEqual(self.get_fa(ID), FA)

    def test_staff_without_evidence_weigh_no_more_than_a_programme(self):
        self.link(ID, FA, self.staff)
        call = self.mapper._build_staff_call(has_evidence=False)
        self.assertEqual(call.authority, self.call.authority)
        self.assertEqual(self.update(ID, OTHER_FA, call).outcome, Outcome.HELD)
        call = self.mapper._build_staff_call(reason="came in person")
        self.assertEqual(self.update(ID, OTHER_FA, call).outcome, Outcome.UPDATED)
        event = self.mapping_of(ID).event_ids.sorted("seq")[-1]
        self.assertEqual(event.reason, "came in person")
        self.assertEqual(event.actor, f"user:{self.env.uid}")


class TestLocks(StoreCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def do_everything(self, call):
        return {
            self.link(ID, OTHER_FA, call).outcome,
            self.update(ID, OTHER_FA, call).outcome,
            self.suspend(ID, call).outcome,
            self.resume(ID, call).outcome,
            self.unlink(ID, FA, call).outcome,
        }

    def test_a_lock_by_staff_stops_programmes(self):
        self.set_subject(ID, change_lock="staff")
        for call in (self.institution, self.call):
            with self.subTest(call.actor):
                self.assertEqual(self.do_everything(call), {Outcome.LOCKED})
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.events_of(ID), ["linked"])
        self.assertEqual(self.update(ID, OTHER_FA, self.staff).outcome, Outcome.UPDATED)

    def test_a_lock_is_named_as_the_problem(self):
        self.set_subject(ID, change_lock="owner")
        self.assertEqual(self.update(ID, OTHER_FA).problem, "change_lock")

    def test_a_locked_person_is_paid(self):
        self.set_subject(ID, change_lock="owner")
        self.assertEqual(self.get_fa(ID), FA)

    def test_stopped_payments_stop_resolve_and_nothing_else(self):
        self.set_subject(ID, pay_stop=True)
        result = self.resolve(ID)
        self.assertEqual(result.outcome, Outcome.SUSPENDED)
        self.assertEqual((result.problem, result.fa), ("payments_stopped", None))
        self.assertEqual(self.resolve(fa=FA).problem, "payments_stopped")
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.UPDATED)
        self.assertIsNone(self.get_fa(ID))
        self.set_subject(ID, pay_stop=False)
        self.assertEqual(self.get_fa(ID), OTHER_FA)
