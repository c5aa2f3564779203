from datetime import datetime, timedelta, timezone
from unittest.mock import patch

import psycopg2

from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import Details, Outcome

from ..exceptions import NoSuchChange, NotForApproval, SamePerson
from ..store.deciding import Decider
from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase

DAY = timedelta(days=1)


class WaitingCase(StoreCase):
    """An ID with an address, and short methods for decisions."""

    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def approve(self, call=None, id_value=ID):
        change = self.change_of(id_value)
        return self.mapper._approve_change(call or self.supervisor, change.id)

    def end(self, how, call=None, id_value=ID):
        change = self.change_of(id_value)
        self.mapper._end_change(call or self.supervisor, change.id, how)

    def assert_waits(self, fa=FA):
        """Assert that nothing has changed for a payer, and one change is pending."""
        self.assertEqual(self.get_fa(ID), fa)
        self.assertEqual(self.change_of(ID).state, "waiting")
        self.assertEqual(len(self.mappings_of(ID)), 1)

    def assert_ended(self, state, call):
        change = self.change_of(ID)
        self.assertEqual((change.state, change.decided_by), (state, call.actor))
        self.assertTrue(change.decided_at)


class TestWaiting(WaitingCase):
    def setUp(self):
        super().setUp()
        self.hold_everything()
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.HELD)

    def test_a_payer_gets_the_address_before(self):
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.resolve(fa=OTHER_FA).outcome, Outcome.NOT_LINKED)
        self.assertEqual(self.resolve(ID, OTHER_FA).outcome, Outcome.FA_MISMATCH)

    def test_proposer_and_reason_for_waiting_are_recorded(self):
        change = self.change_of(ID)
        rule = self.rules.search([("sequence", "=", 1)])
        self.assertEqual(change.why, f"rule:{rule.id}")
        self.assertEqual(change.proposer, self.call.actor)
        self.assertEqual((change.operation, change.base_version), ("update", 1))
        self.assertFalse(change.needs_approval)
        self.assertEqual(change.effective_at - change.proposed_at, 2 * DAY)
        self.assertEqual(self.events_of(ID), ["linked", "held"])

    def test_no_channel_applies_it_early(self):
        for call in (self.call, self.other_call, self.staff, self.owner):
            with self.subTest(call.actor):
                again = self.update(ID, OTHER_FA, call)
                self.assertEqual(again.outcome, Outcome.HELD)
                linked = self.link(ID, OTHER_FA, call)
                self.assertEqual(linked.outcome, Outcome.ALREADY_LINKED)
                other = self.update(ID, THIRD_FA, call)
                self.assertEqual(other.problem, "change_waiting")
                self.assert_waits()
        self.assertEqual(self.events_of(ID), ["linked", "held"])

    def test_holding_time_cannot_be_shortened(self):
        for call in (self.call, self.staff, self.supervisor, self.owner):
            with self.subTest(call.actor):
                self.assert_refused(NotForApproval, self.approve, call)
                self.assert_waits()

    def test_the_schedule_does_not_apply_it_early(self):
        self.run_schedule()
        self.let_pass(hours=47, minutes=59)
        self.run_schedule()
        self.assert_waits()

    def test_the_schedule_applies_it_when_its_time_has_come(self):
        self.let_pass(hours=48)
        self.run_schedule()
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assertEqual(self.events_of(ID), ["linked", "held", "updated"])
        change = self.change_of(ID)
        self.assertEqual((change.state, change.decided_by), ("applied", "system"))

    def test_it_is_applied_on_its_proposer_s_word(self):
        self.let_pass(hours=48)
        self.run_schedule()
        mapping = self.mapping_of(ID)
        self.assertEqual(mapping.origin, self.call.actor)
        self.assertEqual(mapping.authority, int(self.call.authority))
        self.assertEqual(mapping.channel, "rest")
        self.assertEqual(mapping.provider_id, self.bank)

    def test_it_is_applied_once(self):
        self.let_pass(hours=48)
        self.run_schedule()
        self.run_schedule()
        self.assertEqual(self.events_of(ID).count("updated"), 1)

    def test_taken_back_it_changes_nothing(self):
        self.end("cancelled", self.call)
        self.assertEqual(self.get_fa(ID), FA)
        self.assert_ended("cancelled", self.call)
        self.assertEqual(self.events_of(ID), ["linked", "held", "change_cancelled"])
        self.let_pass(hours=49)
        self.run_schedule()
        self.assertEqual(self.get_fa(ID), FA)

    def test_once_taken_back_another_may_wait(self):
        self.end("cancelled", self.call)
        self.assertEqual(self.update(ID, THIRD_FA).outcome, Outcome.HELD)
        self.let_pass(hours=48)
        self.run_schedule()
        self.assertEqual(self.get_fa(ID), THIRD_FA)

    def test_an_ended_change_cannot_be_decided_again(self):
        change = self.change_of(ID)
        self.end("cancelled", self.call)
        for end in ("cancelled", "refused", "expired"):
            with self.subTest(end), self.assertRaises(NoSuchChange):
                self.mapper._end_change(self.supervisor, change.id, end)
        with self.assertRaises(NoSuchChange):
            self.mapper._approve_change(self.supervisor, change.id)

    def test_a_change_that_never_was_cannot_be_decided(self):
        with self.assertRaises(NoSuchChange):
            self.mapper._approve_change(self.supervisor, 2**31 - 1)

    def test_suspending_is_never_held_and_overtakes_it(self):
        self.assertEqual(self.suspend(ID).outcome, Outcome.SUSPENDED)
        self.assert_ended("stale", self.call)
        self.let_pass(hours=49)
        self.run_schedule()
        self.assertIsNone(self.get_fa(ID))
        self.assertEqual(self.mapping_of(ID).version, 2)

    def test_change_applied_by_a_rule_makes_the_waiting_one_stale(self):
        self.add_rule("apply", channel="portal", sequence=0)
        self.assertEqual(self.update(ID, THIRD_FA, self.owner).outcome, Outcome.UPDATED)
        self.assertEqual(self.get_fa(ID), THIRD_FA)
        self.assertIn("change_stale", self.events_of(ID))
        self.let_pass(hours=49)
        self.run_schedule()
        self.assertEqual(self.get_fa(ID), THIRD_FA)

    def test_an_owner_s_lock_put_meanwhile_refuses_it_when_due(self):
        self.set_subject(ID, change_lock="owner")
        self.let_pass(hours=48)
        self.run_schedule()
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.change_of(ID).state, "refused")
        self.assertEqual(self.events_of(ID)[-1], "change_refused")

    def test_the_details_and_the_claim_of_the_change_are_applied(self):
        self.end("cancelled")
        details = Details("Ada", "+15551815", ({"a": 1},))
        claim = datetime.now(timezone.utc).replace(microsecond=7) + timedelta(seconds=1)
        self.let_pass(seconds=3)
        self.update(ID, OTHER_FA, details=details, asserted_at=claim)
        self.let_pass(hours=48)
        self.run_schedule()
        self.assertEqual(self.resolve(ID).details, details)
        asserted_at = self.mapping_of(ID).asserted_at
        self.assertEqual(asserted_at, claim.replace(tzinfo=None))

    def test_others_due_are_applied_though_one_does_not_open(self):
        self.rules.search([("sequence", "=", 1)]).unlink()
        self.link(OTHER_ID, FA)
        self.hold_everything()
        self.update(OTHER_ID, OTHER_FA)
        broken = self.change_of(ID)
        self.tamper("UPDATE spar_change SET proposer = 'x' WHERE id = %s", broken.id)
        self.let_pass(hours=48)
        with self.catch_alarms() as alarms, self.registry.cursor() as cr:
            self.env(cr=cr)["spar.mapper.local"]._cron_decide_due()
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_FA)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertIn(("spar_change", broken.id), alarms)

    def test_others_due_are_applied_though_one_is_in_use(self):
        self.rules.search([("sequence", "=", 1)]).unlink()
        self.link(OTHER_ID, FA)
        self.hold_everything()
        self.update(OTHER_ID, OTHER_FA)
        locked, decide = self.change_of(ID), Decider.decide_due
        self.let_pass(hours=48)

        def meet(decider, change_id):
            if change_id == locked.id:
                raise psycopg2.errors.LockNotAvailable
            decide(decider, change_id)

        with patch.object(Decider, "decide_due", meet):
            self.run_schedule()
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_FA)
        self.assertEqual(self.get_fa(ID), FA)
        self.run_schedule()
        self.assertNotEqual(self.get_fa(ID), FA)


class TestApproval(WaitingCase):
    def setUp(self):
        super().setUp()
        self.add_rule("approve")
        self.assertEqual(self.update(ID, OTHER_FA, self.staff).outcome, Outcome.HELD)

    def test_a_second_person_lets_it_happen_at_once(self):
        result = self.approve(self.supervisor)
        self.assertEqual((result.outcome, result.version), (Outcome.UPDATED, 2))
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assert_ended("applied", self.supervisor)
        self.assertEqual(
            self.events_of(ID),
            ["linked", "held", "change_approved", "updated"],
        )

    def test_the_history_names_both_people(self):
        self.approve(self.supervisor)
        events = self.mappings_of(ID).event_ids
        actors = {event.kind: event.actor for event in events}
        self.assertEqual(actors["change_approved"], self.supervisor.actor)
        self.assertEqual(actors["updated"], self.staff.actor)

    def test_the_same_person_cannot_approve(self):
        self.assert_refused(SamePerson, self.approve, self.staff)
        self.assert_waits()
        self.assertEqual(self.events_of(ID), ["linked", "held"])

    def test_represented_person_cannot_approve(self):
        self.end("cancelled")
        proposer = self.call.__class__(
            "registry", "rest", self.call.authority, on_behalf_of="user:8"
        )
        self.update(ID, OTHER_FA, proposer)
        self.assert_refused(SamePerson, self.approve, self.supervisor)
        self.assert_waits()

    def test_second_person_refuses(self):
        self.end("refused", self.supervisor)
        self.assertEqual(self.get_fa(ID), FA)
        self.assert_ended("refused", self.supervisor)
        self.assertEqual(self.events_of(ID)[-1], "change_refused")

    def test_time_alone_does_not_apply_it(self):
        self.let_pass(days=29)
        self.run_schedule()
        self.assert_waits()

    def test_unapproved_change_expires(self):
        self.let_pass(days=30)
        self.run_schedule()
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.change_of(ID).state, "expired")
        self.assertEqual(self.events_of(ID)[-1], "change_expired")
        self.assertEqual(self.change_of(ID).decided_by, "system")

    def test_every_operation_that_waits_can_be_approved(self):
        self.end("cancelled")
        self.unlink(ID, FA)
        self.approve()
        self.assertEqual(self.resolve(ID).outcome, Outcome.NOT_LINKED)
        self.assertEqual(self.link(ID, THIRD_FA).outcome, Outcome.HELD)
        self.approve()
        self.assertEqual(self.get_fa(ID), THIRD_FA)
        self.suspend(ID)
        self.assertEqual(self.resume(ID).outcome, Outcome.HELD)
        self.approve()
        self.assertEqual(self.get_fa(ID), THIRD_FA)

    def test_change_that_a_suspension_ended_is_not_brought_back(self):
        self.tamper("UPDATE spar_change SET state = 'cancelled'")
        self.suspend(ID)
        change = self.change_of(ID)
        self.tamper("UPDATE spar_change SET state = 'waiting' WHERE id = %s", change.id)
        with self.catch_alarms(), self.assertRaises(NoSuchChange):
            self.approve()
        with self.catch_alarms() as alarms:
            self.env["spar.audit"]._check_store()
        self.assertIn(("spar_change", change.id), alarms)
        self.assertEqual(self.mapping_of(ID).state, "suspended")

    def test_one_change_waits_for_a_mapping(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                """INSERT INTO spar_change (uuid, mapping_id, operation, state,
                                            proposed_at, proposer, channel)
                   SELECT 'x', mapping_id, operation, state, proposed_at, proposer,
                          channel
                     FROM spar_change WHERE id = %s""",
                (self.change_of(ID).id,),
            )
