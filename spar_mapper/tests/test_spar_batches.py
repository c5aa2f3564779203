from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    LinkRequest,
    Outcome,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase


class TestBatches(StoreCase):
    def test_mapper_reports_its_capabilities(self):
        # An addon that keeps messages adds the status of transactions.
        self.assertEqual(
            self.mapper._capabilities() - {Capability.TRANSACTION_STATUS},
            {
                Capability.LINK,
                Capability.UPDATE,
                Capability.UNLINK,
                Capability.RESOLVE,
                Capability.RESOLVE_BY_FA,
                Capability.SUSPEND,
                Capability.OBJECTION,
                Capability.VERSIONS,
                Capability.HISTORY,
                Capability.WAITING_CHANGES,
                Capability.CHANGE_STATUS,
                Capability.STANDING,
                Capability.DIRECTORY,
            },
        )

    def test_empty_batch_has_no_results(self):
        for method in (
            self.mapper._link_fa,
            self.mapper._update_fa,
            self.mapper._unlink_fa,
            self.mapper._suspend_fa,
            self.mapper._resume_fa,
            self.mapper._resolve_fa,
        ):
            self.assertEqual(method(self.call, []), [])

    def get_outcomes(self, method, requests):
        return [result.outcome for result in method(self.call, requests)]

    def test_the_same_new_id_twice_is_linked_once(self):
        requests = [LinkRequest(ID, FA), LinkRequest(ID.upper(), OTHER_FA)]
        requests += [LinkRequest(ID, OTHER_FA), LinkRequest(ID, FA)]
        self.assertEqual(
            self.get_outcomes(self.mapper._link_fa, requests),
            [
                Outcome.LINKED,
                Outcome.LINKED,
                Outcome.ALREADY_LINKED,
                Outcome.ALREADY_LINKED,
            ],
        )
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_the_same_id_twice_is_updated_twice_in_order(self):
        self.link(ID, FA)
        requests = [UpdateRequest(ID, OTHER_FA), UpdateRequest(ID, THIRD_FA)]
        results = self.mapper._update_fa(self.call, requests)
        self.assertEqual([result.version for result in results], [2, 3])
        self.assertEqual(self.get_fa(ID), THIRD_FA)
        self.assertEqual(
            self.events_of(ID),
            ["linked", "updated", "updated"],
        )
        self.assertEqual(self.periods_of(ID).mapped("version"), [3, 2, 1])

    def test_there_and_back_in_one_batch_are_two_changes(self):
        self.link(ID, FA)
        requests = [UpdateRequest(ID, OTHER_FA), UpdateRequest(ID, FA)]
        results = self.mapper._update_fa(self.call, requests)
        self.assertEqual([result.version for result in results], [2, 3])
        self.assertEqual(self.get_fa(ID), FA)

    def test_the_same_id_twice_is_unlinked_once(self):
        self.link(ID, FA)
        requests = [UnlinkRequest(ID, FA), UnlinkRequest(ID, FA)]
        self.assertEqual(
            self.get_outcomes(self.mapper._unlink_fa, requests),
            [Outcome.UNLINKED, Outcome.NOT_LINKED],
        )
        self.assertEqual(self.events_of(ID), ["linked", "unlinked"])

    def test_the_same_id_twice_is_suspended_and_resumed_once(self):
        self.link(ID, FA)
        twice = [SuspendRequest(ID)] * 2
        self.assertEqual(
            self.get_outcomes(self.mapper._suspend_fa, twice), [Outcome.SUSPENDED] * 2
        )
        twice = [ResumeRequest(ID)] * 2
        self.assertEqual(
            self.get_outcomes(self.mapper._resume_fa, twice), [Outcome.RESUMED] * 2
        )
        self.assertEqual(self.events_of(ID), ["linked", "suspended", "resumed"])

    def test_the_same_id_twice_waits_once(self):
        self.add_rule("approve")
        requests = [
            LinkRequest(ID, FA),
            LinkRequest(ID, FA),
            LinkRequest(ID, OTHER_FA),
        ]
        self.assertEqual(
            self.get_outcomes(self.mapper._link_fa, requests),
            [Outcome.HELD, Outcome.HELD, Outcome.CONFLICT],
        )
        self.assertEqual(len(self.mappings_of(ID).change_ids), 1)

    def test_bad_items_among_good_ones_get_their_own_answers(self):
        self.link(OTHER_ID, FA)
        requests = [
            LinkRequest("a", FA),
            LinkRequest("", FA),
            LinkRequest("b", " "),
            LinkRequest(OTHER_ID, OTHER_FA),
            LinkRequest("c\u200b", FA),
            LinkRequest("x" * 100_000, FA),
            LinkRequest("d", "x" * 100_000),
            LinkRequest("e", OTHER_FA),
        ]
        self.assertEqual(
            self.get_outcomes(self.mapper._link_fa, requests),
            [
                Outcome.LINKED,
                Outcome.INVALID_ID,
                Outcome.INVALID_FA,
                Outcome.ALREADY_LINKED,
                Outcome.INVALID_ID,
                Outcome.INVALID_ID,
                Outcome.INVALID_FA,
                Outcome.LINKED,
            ],
        )
        self.assertEqual((self.get_fa("a"), self.get_fa("e")), (FA, OTHER_FA))

    def test_a_batch_of_nothing_but_bad_items_writes_nothing(self):
        requests = [UpdateRequest("", FA), UpdateRequest(ID, FA), UpdateRequest(ID, "")]
        self.assertEqual(
            self.get_outcomes(self.mapper._update_fa, requests),
            [Outcome.INVALID_ID, Outcome.NOT_LINKED, Outcome.INVALID_FA],
        )
        self.assertFalse(self.subject_of(ID))

    def test_results_come_in_the_order_of_the_requests(self):
        ids = [f"token:{number * 7919 % 101}@nationalId" for number in range(101)]
        requests = [LinkRequest(i, f"account:{n}@x") for n, i in enumerate(ids)]
        results = self.mapper._link_fa(self.call, requests)
        self.assertEqual([result.id_value for result in results], ids)
        for number, id_value in enumerate(ids):
            self.assertEqual(self.get_fa(id_value), f"account:{number}@x")
