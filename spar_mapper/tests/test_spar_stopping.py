"""Who may let payments go on that somebody else has suspended."""

from dataclasses import replace

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Outcome,
)

from .common import FA, ID, OTHER_FA, StoreCase

PURPOSE = "pension"


class StopCase(StoreCase):
    """An address of the lowest authority, so that only who stopped it counts."""

    def setUp(self):
        super().setUp()
        self.link(ID, FA, self.institution)
        self.registry_call = CallContext(
            "registry", "registry", Authority.PROGRAMME, "registry", "user:9"
        )

    def approve(self):
        """Approve the change that waits, as a second person."""
        self.mapper._approve_change(self.supervisor, self.change_of(ID).id)

    def cancel(self):
        """Cancel the change that waits."""
        self.mapper._end_change(self.call, self.change_of(ID).id, "cancelled")

    def assert_stopped(self):
        self.assertEqual(self.resolve(ID).outcome, Outcome.SUSPENDED)
        self.assertEqual(self.mapping_of(ID).state, "suspended")


class TestWhoResumes(StopCase):
    def test_less_than_who_stopped_waits_on_every_channel(self):
        remote = replace(self.call, channel="registry", on_behalf_of="user:3")
        lower = {
            self.staff: (self.registry_call, self.call, remote, self.institution),
            self.owner: (self.staff, self.registry_call, self.call),
            self.call: (self.institution,),
        }
        for higher, others in lower.items():
            for call in others:
                with self.subTest(higher=higher.actor, lower=call.actor):
                    id_value = f"token:{higher.actor[-1]}{len(call.actor)}@nationalId"
                    self.link(id_value, FA, self.institution)
                    self.suspend(id_value, higher)
                    self.assertEqual(self.resume(id_value, call).outcome, Outcome.HELD)
                    why = self.change_of(id_value).why
                    self.assertEqual(why, "stopped_by_higher")
                    self.assertEqual(self.resolve(id_value).outcome, Outcome.SUSPENDED)

    def test_who_stopped_resumes_at_once(self):
        calls = self.institution, self.call, self.registry_call, self.staff
        for call in (*calls, self.owner):
            with self.subTest(call.actor):
                self.suspend(ID, call)
                self.assertEqual(self.resume(ID, call).outcome, Outcome.RESUMED)

    def test_an_equal_or_higher_authority_resumes_at_once(self):
        for call in (self.other_call, self.registry_call, self.staff, self.owner):
            with self.subTest(call.actor):
                self.suspend(ID, self.call)
                self.assertEqual(self.resume(ID, call).outcome, Outcome.RESUMED)

    def test_staff_resume_what_staff_stopped_with_or_without_a_document(self):
        unseen = replace(self.staff, authority=Authority.PROGRAMME, authenticated_by="")
        self.suspend(ID, unseen)
        self.assertEqual(self.resume(ID, self.call).outcome, Outcome.HELD)
        self.cancel()
        self.assertEqual(self.resume(ID, unseen).outcome, Outcome.RESUMED)

    def test_an_earlier_stop_does_not_count(self):
        self.suspend(ID, self.staff)
        self.resume(ID, self.staff)
        self.suspend(ID, self.call)
        self.assertEqual(self.resume(ID, self.call).outcome, Outcome.RESUMED)

    def test_more_authority_stops_again_what_is_suspended(self):
        self.suspend(ID, self.call)
        self.assertEqual(self.suspend(ID, self.staff).outcome, Outcome.SUSPENDED)
        self.assertEqual(self.events_of(ID)[-2:], ["suspended"] * 2)
        self.assertEqual(self.resume(ID).outcome, Outcome.HELD)
        self.assert_stopped()
        # Less, or the same, adds nothing.
        for call in (self.call, self.staff):
            self.assertEqual(self.suspend(ID, call).outcome, Outcome.SUSPENDED)
        self.assertEqual(self.events_of(ID).count("suspended"), 2)


class TestAddressWhileStopped(StopCase):
    def test_a_lower_authority_does_not_replace_the_address(self):
        self.suspend(ID, self.staff)
        for call in (self.institution, self.call, self.registry_call):
            with self.subTest(call.actor):
                self.assertEqual(self.update(ID, OTHER_FA, call).outcome, Outcome.HELD)
                self.assertEqual(self.change_of(ID).why, "stopped_by_higher")
                self.cancel()
        self.assertEqual(self.periods_of(ID)[:1].state, "suspended")

    def test_a_lower_authority_does_not_remove_it_to_link_another(self):
        self.suspend(ID, self.staff)
        self.assertEqual(self.unlink(ID).outcome, Outcome.HELD)
        self.assertEqual(self.link(ID, OTHER_FA).outcome, Outcome.ALREADY_LINKED)
        self.assert_stopped()

    def test_a_lower_authority_does_not_link_another_purpose(self):
        self.suspend(ID, self.staff)
        result = self.link(ID, OTHER_FA, purpose=PURPOSE)
        self.assertEqual(result.outcome, Outcome.HELD)
        self.assertIsNone(self.get_fa(ID, PURPOSE))

    def test_another_purpose_is_linked_where_nothing_is_stopped(self):
        self.suspend(ID)
        for number, call in enumerate((self.call, self.registry_call)):
            result = self.link(ID, OTHER_FA, call, purpose=f"{PURPOSE}{number}")
            self.assertEqual(result.outcome, Outcome.LINKED)

    def test_who_stopped_replaces_the_address(self):
        self.suspend(ID)
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.UPDATED)
        self.assert_stopped()
        self.assertEqual(self.unlink(ID).outcome, Outcome.UNLINKED)


class TestStoppedByTwo(StopCase):
    staff_stop_alone = False

    def setUp(self):
        super().setUp()
        self.assertEqual(self.suspend(ID, self.staff).outcome, Outcome.HELD)
        self.approve()
        self.assert_stopped()
        # Whatever the rules say now.
        self.get_stop_rules().decision = "apply"

    def test_it_takes_two_whoever_resumes(self):
        calls = self.registry_call, self.call, self.institution, self.staff, self.owner
        for call in calls:
            with self.subTest(call.actor):
                self.assertEqual(self.resume(ID, call).outcome, Outcome.HELD)
                self.assertTrue(self.change_of(ID).needs_approval)
                self.assert_stopped()
                self.cancel()

    def test_it_takes_two_to_remove_the_address_or_link_another_purpose(self):
        for call in (self.staff, self.owner):
            with self.subTest(call.actor):
                self.assertEqual(self.unlink(ID, call=call).outcome, Outcome.HELD)
                self.assertEqual(self.change_of(ID).why, "stopped_by_two")
                self.cancel()
        result = self.link(ID, OTHER_FA, self.staff, purpose=PURPOSE)
        self.assertEqual(result.outcome, Outcome.HELD)

    def test_the_owner_chooses_another_address_which_stays_suspended(self):
        result = self.update(ID, OTHER_FA, self.owner)
        self.assertEqual(result.outcome, Outcome.UPDATED)
        self.assert_stopped()
        self.assertEqual(self.resume(ID, self.owner).outcome, Outcome.HELD)

    def test_two_people_resume_it(self):
        self.assertEqual(self.resume(ID).outcome, Outcome.HELD)
        self.approve()
        self.assertEqual(self.get_fa(ID), FA)
        # What is stopped by one afterwards is resumed by one.
        self.suspend(ID)
        self.assertEqual(self.resume(ID).outcome, Outcome.RESUMED)

    def test_the_form_says_that_it_waits(self):
        form = self.env["spar.mapping.wizard"].new(
            {"operation": "resume", "mapping_id": self.mapping_of(ID).id}
        )
        self.assertIn("waits for a supervisor", form.forecast)
