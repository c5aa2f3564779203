from datetime import datetime, timedelta, timezone

from odoo.addons.spar_mapper_connector.lib.contract import (
    Details,
    Outcome,
)

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase


class TestLink(StoreCase):
    def test_a_first_address_is_version_1_and_counts_from_now(self):
        before = self.mapper._get_now()
        result = self.link(ID, FA)
        self.assertEqual(result.outcome, Outcome.LINKED)
        self.assertEqual((result.version, result.fa), (1, FA))
        self.assertTrue(result.is_origin)
        mapping = self.mapping_of(ID)
        self.assertEqual((mapping.state, mapping.version), ("active", 1))
        self.assertGreaterEqual(mapping.valid_from, before.replace(microsecond=0))
        self.assertFalse(mapping.valid_to)

    def test_directory_data_of_the_address_are_stored(self):
        self.link(ID, FA)
        mapping = self.mapping_of(ID)
        self.assertEqual(mapping.provider_id, self.bank)
        self.assertEqual(mapping.branch_id, self.north)
        self.assertEqual(mapping.strategy_number, 1)
        self.assertEqual(
            mapping.fa_type_id, self.env.ref("spar_fa_directory.type_bank_account")
        )

    def test_an_address_that_no_strategy_reads_is_kept_as_it_is(self):
        for number, fa in enumerate(
            ("anything at all", "x", "ünïcödé 漢字", "a" * 1000)
        ):
            with self.subTest(fa):
                id_value = f"token:free-{number}@nationalId"
                self.assertEqual(self.link(id_value, fa).outcome, Outcome.LINKED)
                self.assertEqual(self.get_fa(id_value), fa)
                self.assertFalse(self.mapping_of(id_value).fa_type_id)

    def test_actor_and_channel_are_stored(self):
        self.link(ID, FA)
        mapping, event = self.mapping_of(ID), self.mapping_of(ID).event_ids
        self.assertEqual(mapping.origin, self.call.actor)
        self.assertEqual(mapping.authority, int(self.call.authority))
        self.assertEqual((event.actor, event.channel), (self.call.actor, "rest"))
        self.assertEqual(event.message_reference, "message-1")
        self.assertEqual(event.authenticated_by, "bearer")

    def test_one_person_under_any_spelling_of_type_and_provider(self):
        self.link(ID, FA)
        spelled = ID.replace("token", "TOKEN").replace("nationalId", "NATIONALID")
        self.assertEqual(self.link(spelled, FA).outcome, Outcome.ALREADY_LINKED)
        self.assertEqual(self.get_fa(spelled), FA)

    def test_ids_that_differ_in_the_case_of_the_value_are_two_people(self):
        self.link(ID, FA)
        self.assertEqual(self.link(ID.swapcase(), OTHER_FA).outcome, Outcome.LINKED)
        self.assertEqual(self.get_fa(ID), FA)

    def test_several_people_may_have_one_address(self):
        self.link(ID, FA)
        self.assertEqual(self.link(OTHER_ID, FA).outcome, Outcome.LINKED)

    def test_a_linked_id_keeps_its_address(self):
        self.link(ID, FA)
        for fa, same in ((FA, True), (OTHER_FA, False)):
            for call in (self.call, self.staff, self.owner):
                with self.subTest(fa=fa, channel=call.channel):
                    result = self.link(ID, fa, call)
                    self.assertEqual(result.outcome, Outcome.ALREADY_LINKED)
                    self.assertEqual(result.same_fa, same)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_channel_learns_whether_it_is_the_origin(self):
        self.link(ID, FA)
        self.assertTrue(self.link(ID, FA).is_origin)
        self.assertFalse(self.link(ID, FA, self.other_call).is_origin)

    def test_an_id_that_cannot_be_used_is_refused(self):
        for id_value in ("", "   ", "x" * 256, "a\x00b", "a\u200bb", "{a}", "\ud800"):
            with self.subTest(repr(id_value)):
                result = self.link(id_value, FA)
                self.assertEqual(result.outcome, Outcome.INVALID_ID)
                self.assertTrue(result.problem)
                self.assertEqual(result.id_value, id_value)

    def test_an_address_that_cannot_be_used_is_refused(self):
        cases = {
            "": "empty",
            "  ": "empty",
            "x" * 1001: "too_long",
            "a\x00b": "characters",
            "a\nb": "characters",
            "a\u202eb": "characters",
            "\ud800": "characters",
        }
        for fa, problem in cases.items():
            with self.subTest(repr(fa)):
                result = self.link(ID, fa)
                self.assertEqual(result.outcome, Outcome.INVALID_FA)
                self.assertEqual(result.problem, problem)
        self.assertFalse(self.subject_of(ID), "nothing is kept of what was refused")


class TestUpdate(StoreCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def test_one_period_ends_where_the_next_begins(self):
        result = self.update(ID, OTHER_FA)
        self.assertEqual((result.outcome, result.version), (Outcome.UPDATED, 2))
        new, old = self.periods_of(ID)
        self.assertEqual((old.version, new.version), (1, 2))
        self.assertEqual(old.valid_to, new.valid_from)
        self.assertEqual(len(self.mappings_of(ID)), 1)
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_the_address_in_force_again_changes_nothing(self):
        for fa in (FA, FA.replace("account", "ACCOUNT").replace("BR01", "br01")):
            for call in (self.call, self.staff):
                with self.subTest(fa=fa, channel=call.channel):
                    result = self.update(ID, fa, call)
                    self.assertEqual(result.outcome, Outcome.UPDATED)
                    self.assertEqual(result.version, 1)
                    self.assertTrue(result.same_fa)
        self.assertEqual(self.events_of(ID), ["linked"])
        self.assertEqual(len(self.periods_of(ID)), 1)

    def test_new_details_are_a_change(self):
        details = Details(name="Ada Lovelace")
        self.assertEqual(self.update(ID, FA, details=details).version, 2)
        self.assertEqual(self.resolve(ID).details.name, "Ada Lovelace")

    def test_the_same_details_are_none(self):
        details = Details("Ada", "+15551815", ({"a": [1, None]},))
        self.update(ID, FA, details=details)
        self.assertEqual(self.update(ID, FA, details=details).version, 2)

    def test_omitted_contact_details_are_kept(self):
        self.update(ID, FA, details=Details("Ada", "+15551815", ({"a": 1},)))
        self.update(ID, OTHER_FA)
        details = self.resolve(ID).details
        self.assertEqual((details.name, details.phone_number), ("Ada", "+15551815"))
        self.assertFalse(details.additional_info)

    def test_the_address_before_can_come_back(self):
        self.update(ID, OTHER_FA)
        self.assertEqual(self.update(ID, FA).version, 3)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(len(self.periods_of(ID)), 3)

    def test_a_suspended_address_stays_suspended(self):
        self.suspend(ID)
        self.update(ID, OTHER_FA, self.staff)
        self.assertEqual(self.resolve(ID).outcome, Outcome.SUSPENDED)
        self.resume(ID, self.staff)
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_another_version_than_expected_is_a_conflict(self):
        for version in (0, 2, -1):
            with self.subTest(version=version):
                result = self.update(ID, OTHER_FA, expected_version=version)
                self.assertEqual(result.outcome, Outcome.CONFLICT)
                self.assertEqual((result.problem, result.version), ("version", 1))
        self.assertEqual(self.get_fa(ID), FA)

    def test_the_expected_version_is_changed(self):
        result = self.update(ID, OTHER_FA, expected_version=1)
        self.assertEqual(result.outcome, Outcome.UPDATED)

    def test_an_older_claim_never_replaces_a_newer_one(self):
        yesterday = datetime.now(timezone.utc) - timedelta(days=1)
        result = self.update(ID, OTHER_FA, asserted_at=yesterday)
        self.assertEqual(result.outcome, Outcome.CONFLICT)
        self.assertEqual(result.problem, "older_than_current")
        self.assertEqual(self.get_fa(ID), FA)

    def test_claims_are_compared_across_time_zones(self):
        noon = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5)))
        self.link(OTHER_ID, FA, asserted_at=noon)
        earlier = datetime(2026, 3, 1, 6, 59, tzinfo=timezone.utc)
        result = self.update(OTHER_ID, OTHER_FA, asserted_at=earlier)
        self.assertEqual(result.problem, "older_than_current")
        later = datetime(2026, 3, 1, 7, 1, tzinfo=timezone.utc)
        result = self.update(OTHER_ID, OTHER_FA, asserted_at=later)
        self.assertEqual(result.outcome, Outcome.UPDATED)

    def test_a_whole_second_is_not_older_within_itself(self):
        noon = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
        half = noon + timedelta(microseconds=500_000)
        self.link(OTHER_ID, FA, asserted_at=half)
        result = self.update(OTHER_ID, OTHER_FA, asserted_at=noon)
        self.assertEqual(result.outcome, Outcome.UPDATED)
        # From then on it counts like the one in force: nothing older can follow it.
        for older in (half - timedelta(microseconds=1), noon - timedelta(seconds=1)):
            with self.subTest(older):
                result = self.update(OTHER_ID, FA, asserted_at=older)
                self.assertEqual(result.problem, "older_than_current")
        self.assertEqual(self.unlink(OTHER_ID, asserted_at=noon).outcome, "unlinked")

    def test_future_claim_blocks_no_one(self):
        tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
        self.update(ID, OTHER_FA, asserted_at=tomorrow)
        self.let_pass(seconds=2)
        now = datetime.now(timezone.utc) + timedelta(seconds=1)
        result = self.update(ID, THIRD_FA, asserted_at=now)
        self.assertEqual(result.outcome, Outcome.UPDATED)

    def test_nothing_is_linked_by_an_update(self):
        self.assertEqual(self.update(OTHER_ID, FA).outcome, Outcome.NOT_LINKED)
        self.assertFalse(self.subject_of(OTHER_ID))


class TestUnlink(StoreCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def test_the_period_ends_and_stays(self):
        result = self.unlink(ID, FA)
        self.assertEqual(result.outcome, Outcome.UNLINKED)
        mapping = self.mapping_of(ID)
        self.assertEqual(mapping.state, "ended")
        self.assertTrue(mapping.valid_to)
        self.assertEqual(self.resolve(ID).outcome, Outcome.NOT_LINKED)

    def test_unlink_needs_no_address(self):
        self.assertEqual(self.unlink(ID).outcome, Outcome.UNLINKED)

    def test_the_address_may_be_spelled_otherwise_where_it_is_folded(self):
        fa = FA.replace("account", "Account").replace("TESTBANK", "testbank")
        self.assertEqual(self.unlink(ID, fa).outcome, Outcome.UNLINKED)

    def test_with_another_address_nothing_ends(self):
        for call in (self.call, self.staff, self.owner):
            with self.subTest(channel=call.channel):
                result = self.unlink(ID, OTHER_FA, call)
                self.assertEqual(result.outcome, Outcome.FA_MISMATCH)
                self.assertIs(result.same_fa, False)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_with_an_unusable_address_nothing_ends(self):
        self.assertEqual(self.unlink(ID, " ").outcome, Outcome.INVALID_FA)
        self.assertEqual(self.get_fa(ID), FA)

    def test_an_unlinked_id_can_be_linked_again(self):
        self.unlink(ID)
        result = self.link(ID, OTHER_FA)
        self.assertEqual(result.outcome, Outcome.LINKED)
        self.assertEqual(result.version, 3, "a version never comes again")
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assertEqual(len(self.mappings_of(ID)), 1)
        states = self.periods_of(ID).mapped("state")
        self.assertEqual(states, ["active", "ended", "active"])
        self.assertEqual(len(self.subject_of(ID)), 1)

    def test_a_second_time_there_is_nothing_to_unlink(self):
        self.unlink(ID)
        self.assertEqual(self.unlink(ID).outcome, Outcome.NOT_LINKED)

    def test_another_version_or_an_older_claim_is_a_conflict(self):
        result = self.unlink(ID, expected_version=9)
        self.assertEqual(
            (result.outcome, result.problem), (Outcome.CONFLICT, "version")
        )
        long_ago = datetime(2020, 1, 1, tzinfo=timezone.utc)
        result = self.unlink(ID, asserted_at=long_ago)
        self.assertEqual(result.problem, "older_than_current")
        self.assertEqual(self.get_fa(ID), FA)


class TestSuspend(StoreCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def test_nothing_is_paid_to_a_suspended_address_until_it_is_resumed(self):
        self.assertEqual(self.suspend(ID).version, 2)
        self.assertIsNone(self.get_fa(ID))
        self.assertEqual(self.resume(ID).version, 3)
        self.assertEqual(self.get_fa(ID), FA)

    def test_a_lower_authority_may_suspend_at_once(self):
        self.update(ID, OTHER_FA, self.owner)
        result = self.suspend(ID, self.institution)
        self.assertEqual(result.outcome, Outcome.SUSPENDED)

    def test_a_lower_authority_may_not_resume(self):
        self.update(ID, OTHER_FA, self.owner)
        self.suspend(ID)
        self.assertEqual(self.resume(ID).outcome, Outcome.HELD)
        self.assertIsNone(self.get_fa(ID))

    def test_another_version_than_expected_is_a_conflict(self):
        for word in (self.suspend, self.resume):
            result = word(ID, expected_version=7)
            self.assertEqual(result.outcome, Outcome.CONFLICT)
        self.assertEqual(self.events_of(ID), ["linked"])
