from datetime import date
from unittest.mock import patch

from odoo.addons.spar_mapper_connector.exceptions import NotPermitted
from odoo.addons.spar_mapper_connector.lib.contract import (
    ChangeState,
    ChangeStatus,
    ObjectionRequest,
    Outcome,
    PaymentState,
    Standing,
)

from ..store import standing
from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase


class TestStanding(StoreCase):
    def get_standing(self, id_value=ID, purpose="") -> Standing:
        (found,) = self.mapper._standing(self.call, [id_value], purpose)
        self.assertEqual((found.id_value, found.purpose), (id_value, purpose))
        return found

    def test_linked_and_payable(self):
        self.link(ID, FA)
        found = self.get_standing()
        self.assertIs(found.state, PaymentState.PAYABLE)
        self.assertIs(found.is_disputed, False)
        self.assertIs(found.has_waiting_change, False)
        self.assertEqual(found.shared_with, 0)
        self.assertEqual(found.provider.code, "TESTBANK")

    def test_each_state_is_what_a_payer_would_be_answered(self):
        self.link(ID, FA)
        self.link(OTHER_ID, OTHER_FA)
        self.suspend(OTHER_ID)
        ids = [OTHER_ID, "null", "token:9000000001@nationalId", ID]
        found = self.mapper._standing(self.call, ids)
        self.assertEqual(
            [(one.id_value, one.state.value) for one in found],
            [
                (OTHER_ID, "stopped"),
                ("null", "invalid_id"),
                ("token:9000000001@nationalId", "not_linked"),
                (ID, "payable"),
            ],
        )

    def test_ended_address_is_not_linked(self):
        self.link(ID, FA)
        self.unlink(ID)
        found = self.get_standing()
        self.assertIs(found.state, PaymentState.NOT_LINKED)
        self.assertIsNone(found.shared_with)

    def test_closed_provider(self):
        self.link(ID, FA)
        self.bank.sudo().write({"closed_on": date(2020, 1, 1)})
        self.assertIs(self.get_standing().state, PaymentState.PROVIDER_CLOSED)

    def test_waiting_change(self):
        self.link(ID, FA)
        self.hold_everything()
        self.update(ID, OTHER_FA)
        found = self.get_standing()
        self.assertIs(found.state, PaymentState.PAYABLE)
        self.assertIs(found.has_waiting_change, True)

    def test_waiting_first_link_is_not_payable(self):
        self.hold_everything()
        self.link(ID, FA)
        found = self.get_standing()
        self.assertIs(found.state, PaymentState.NOT_LINKED)
        self.assertIs(found.has_waiting_change, True)

    def test_change_of_another_purpose_does_not_count(self):
        self.link(ID, FA)
        self.hold_everything()
        self.link(ID, OTHER_FA, purpose="pension")
        self.assertIs(self.get_standing().has_waiting_change, False)
        self.assertIs(self.get_standing(purpose="pension").has_waiting_change, True)

    def test_purpose_is_answered_by_its_own_place(self):
        self.link(ID, FA)
        self.link(ID, OTHER_FA, purpose="pension")
        self.suspend(ID, purpose="pension")
        self.assertIs(self.get_standing().state, PaymentState.PAYABLE)
        self.assertIs(self.get_standing(purpose="pension").state, PaymentState.STOPPED)

    def test_dispute(self):
        self.link(ID, FA)
        self.update(ID, OTHER_FA)
        period = self.mapper._history(self.owner, ID)[0]
        request = ObjectionRequest(ID, period.uuid, period.events[0].seq)
        self.mapper._object_to(self.owner, request)
        self.assertIs(self.get_standing().is_disputed, True)

    def test_shared_address_counts_other_people_once_each(self):
        self.link(ID, FA)
        self.link(ID, FA, purpose="pension")
        self.link(OTHER_ID, FA)
        self.link("token:9000000001@nationalId", "account:1111 0000 1111@BR01.TESTBANK")
        self.link("token:9000000002@nationalId", THIRD_FA)
        self.assertEqual(self.get_standing().shared_with, 2)
        self.assertEqual(self.get_standing(OTHER_ID).shared_with, 2)

    def test_ended_addresses_are_not_shared(self):
        self.link(ID, FA)
        self.link(OTHER_ID, FA)
        self.unlink(OTHER_ID)
        self.assertEqual(self.get_standing().shared_with, 0)

    def test_an_address_that_many_share_is_not_counted_to_the_end(self):
        for number in range(4):
            self.link(f"token:900000000{number}@nationalId", FA)
        self.link(ID, FA)
        with patch.object(standing, "MAX_SHARED", 3):
            self.assertEqual(self.get_standing().shared_with, 3)

    def test_tampered_row_is_locked(self):
        self.link(ID, FA)
        row_id = self.mapping_of(ID).id
        query = "UPDATE spar_mapping SET state = 'suspended' WHERE id = %s"
        self.tamper(query, row_id)
        with self.catch_alarms() as alarms:
            found = self.get_standing()
        self.assertEqual(alarms, [("spar_mapping", row_id)])
        self.assertIs(found.state, PaymentState.LOCKED)
        self.assertIsNone(found.is_disputed)

    def test_it_is_for_channels_only(self):
        officer = self.create_user("officer")
        mapper = self.mapper.with_user(officer)
        self.assert_refused(NotPermitted, mapper._standing, self.call, [ID])

    def test_a_batch_of_any_size_takes_as_many_statements(self):
        ids = []
        for number in range(30):
            ids.append(f"token:9{number:09}@nationalId")
            self.link(ids[-1], FA)
        self.mapper._standing(self.call, ids[:1])
        counts = []
        for size in (5, 30):
            before = self.env.cr.sql_log_count
            self.mapper._standing(self.call, ids[:size])
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])

    def test_empty_batch(self):
        self.assertEqual(self.mapper._standing(self.call, []), [])


class TestChangeStatus(StoreCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.add_rule("approve")
        held = self.update(ID, OTHER_FA)
        self.assertIs(held.outcome, Outcome.HELD)
        self.reference = held.reference

    def get_status(self) -> ChangeState:
        (status,) = self.mapper._change_status(self.call, [self.reference])
        self.assertEqual(status.reference, self.reference)
        return status.state

    def test_waiting_and_applied(self):
        self.assertIs(self.get_status(), ChangeState.WAITING)
        self.mapper._approve_change(self.supervisor, self.change_of(ID).id)
        self.assertIs(self.get_status(), ChangeState.APPLIED)

    def test_refused(self):
        change = self.change_of(ID)
        self.mapper._end_change(self.supervisor, change.id, "refused")
        self.assertIs(self.get_status(), ChangeState.REFUSED)

    def test_the_same_request_again_has_the_same_reference(self):
        self.assertEqual(self.update(ID, OTHER_FA).reference, self.reference)

    def test_the_first_link_has_a_reference_too(self):
        held = self.link(OTHER_ID, FA)
        self.assertEqual(held.reference, self.change_of(OTHER_ID).uuid)

    def test_what_is_done_at_once_has_none(self):
        self.rules.search([("sequence", "=", 1)]).unlink()
        self.assertEqual(self.link(OTHER_ID, FA).reference, "")

    def test_every_reference_is_answered_in_order(self):
        found = self.mapper._change_status(self.call, ["", self.reference, "0" * 32])
        self.assertEqual(
            found,
            [
                ChangeStatus("", ChangeState.UNKNOWN),
                ChangeStatus(self.reference, ChangeState.WAITING),
                ChangeStatus("0" * 32, ChangeState.UNKNOWN),
            ],
        )

    def test_it_is_for_channels_and_officers(self):
        viewer = self.create_user("viewer")
        mapper = self.mapper.with_user(viewer)
        self.assert_refused(NotPermitted, mapper._change_status, self.call, [])
