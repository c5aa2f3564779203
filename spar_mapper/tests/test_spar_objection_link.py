"""A link without a login moves nothing; a restored address has equal authority."""

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Remedy

from ..exceptions import ChangeFrozen
from .common import FA, ID, OTHER_FA, THIRD_FA
from .test_spar_objection import TABLE, ObjectionCase, WaysCase


class TestLinkFreezes(WaysCase):
    """The holder of a notice's link stops further changes, and no more."""

    def freeze(self, way, kind, id_value=ID):
        self.reach(way, id_value)
        paid = self.get_fa(id_value)
        answer = self.object_to(id_value, kind, self.link_holder)
        return paid, answer

    def test_link_undoes_nothing_for_any_event(self):
        for way, kind in TABLE:
            with self.subTest(way=way, kind=kind):
                id_value = f"token:frozen-{way}-{kind}@nationalId"
                paid, answer = self.freeze(way, kind, id_value)
                self.assertEqual(answer.remedy, Remedy.FROZEN)
                self.assertTrue(answer.needs_login)
                self.assertEqual(self.events_of(id_value)[-1], "objected")
                self.assertEqual(self.get_fa(id_value), paid)
                subject = self.subject_of(id_value)
                self.assertEqual(subject.change_lock, "objection")
                self.assertFalse(subject.pay_stop)
                self.assertEqual(self.case_of(id_value).state, "open")
        self.assert_sound()

    def test_a_thief_who_linked_first_gets_nothing_back(self):
        """The notice of the owner's change went to the contact that the thief gave."""
        self.link(ID, THIRD_FA)
        self.update(ID, FA, self.owner)
        self.object_to(ID, "updated", self.link_holder)
        self.assertEqual(self.get_fa(ID), FA)

    def test_payments_stop_if_the_limit_says_yes(self):
        self.env.ref("spar_mapper.limit_objection_link_stops_payments").is_on = True
        self.freeze("updated", "updated")
        self.assertEqual(self.resolve(ID).problem, "payments_stopped")
        self.close(ID, is_upheld=False)
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assert_sound()

    def test_the_link_again_does_nothing_more(self):
        _paid, answer = self.freeze("updated", "updated")
        events = self.events_of(ID)
        self.assertEqual(self.object_to(ID, "updated", self.link_holder), answer)
        self.assertEqual(self.events_of(ID), events)

    # === PENDING CHANGES === #

    def test_frozen_change_is_neither_applied_nor_cancelled(self):
        for way, kind in (("held", "held"), ("proposed", "proposed")):
            with self.subTest(way):
                id_value = f"token:waits-{way}@nationalId"
                paid, _answer = self.freeze(way, kind, id_value)
                change = self.change_of(id_value)
                for end in ("cancelled", "refused"):
                    with self.assertRaises(ChangeFrozen):
                        self.mapper._end_change(self.supervisor, change.id, end)
                self.let_pass(hours=49)
                self.run_schedule()
                self.assertEqual(self.change_of(id_value).state, "waiting")
                self.assertEqual(self.get_fa(id_value), paid)

    def test_frozen_change_is_not_approved_and_does_not_expire(self):
        self.link(ID, FA)
        rule = self.add_rule("approve")
        self.update(ID, OTHER_FA)
        rule.unlink()
        self.object_to(ID, "held", self.link_holder)
        change = self.change_of(ID)
        with self.assertRaises(ChangeFrozen):
            self.mapper._approve_change(self.supervisor, change.id)
        self.let_pass(days=400)
        self.run_schedule()
        self.assertEqual(self.change_of(ID).state, "waiting")

    def test_rejected_case_resumes_the_change(self):
        self.freeze("held", "held")
        self.close(ID, is_upheld=False)
        self.let_pass(hours=49)
        self.run_schedule()
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assert_sound()

    # === THE OWNER LOGS IN === #

    def test_after_a_login_the_case_is_taken_up_and_undone(self):
        for way, kind in TABLE:
            with self.subTest(way=way, kind=kind):
                id_value = f"token:taken-{way}-{kind}@nationalId"
                _paid, frozen = self.freeze(way, kind, id_value)
                answer = self.object_to(id_value, kind, self.person)
                remedy, fa, _events = TABLE[way, kind]
                self.assertEqual(answer.remedy, remedy)
                self.assertEqual(answer.reference, frozen.reference)
                self.assertEqual(self.get_fa(id_value), fa)
                self.assertEqual(self.case_of(id_value).remedy, remedy.value)
                self.assertEqual(
                    self.subject_of(id_value).pay_stop, remedy is Remedy.STOPPED
                )
                again = self.object_to_first(id_value, kind)
                self.assertEqual(again, answer)
        self.assert_sound()

    def object_to_first(self, id_value, kind):
        """Object again to the event that the case is about."""
        event = self.case_of(id_value).event_id
        request = self.build_request(id_value, kind)
        request = type(request)(id_value, event.period_id.address_uuid, event.seq)
        return self.mapper._object_to(self.person, request)

    def test_a_stop_of_the_link_ends_with_the_login(self):
        self.env.ref("spar_mapper.limit_objection_link_stops_payments").is_on = True
        self.freeze("updated", "updated")
        self.object_to(ID, "updated", self.person)
        self.assertFalse(self.subject_of(ID).pay_stop)
        self.assertEqual(self.get_fa(ID), FA)
        self.assert_sound()

    def test_staff_who_saw_no_document_undo_nothing(self):
        mapper = self.mapper
        call = mapper._build_staff_call(has_evidence=False)
        self.reach_updated(ID)
        self.assertEqual(self.object_to(ID, "updated", call).remedy, Remedy.FROZEN)

    # === STAFF DECIDE === #

    def test_upheld_a_frozen_address_ends(self):
        for way, kind in (("updated", "updated"), ("held_and_done", "held")):
            with self.subTest(way):
                id_value = f"token:upheld-{way}@nationalId"
                self.freeze(way, kind, id_value)
                self.close(id_value, is_upheld=True)
                self.assertIsNone(self.get_fa(id_value))
                self.assertEqual(self.events_of(id_value)[-1], "reversed")
                self.assertTrue(self.case_of(id_value).is_disowned)
                result = self.link(id_value, THIRD_FA, self.owner)
                self.assertEqual(result.outcome, Outcome.LINKED)
        self.assert_sound()

    def test_upheld_a_frozen_change_is_called_off_and_the_address_stays(self):
        self.freeze("held", "held")
        self.close(ID, is_upheld=True)
        self.assertEqual(self.change_of(ID).state, "cancelled")
        self.assertEqual(self.get_fa(ID), FA)
        self.assert_sound()

    def test_upheld_case_keeps_an_undisputed_address(self):
        for way, kind in (("suspended", "suspended"), ("resumed", "resumed")):
            with self.subTest(way):
                id_value = f"token:kept-{way}@nationalId"
                paid, _answer = self.freeze(way, kind, id_value)
                self.close(id_value, is_upheld=True)
                self.assertEqual(self.get_fa(id_value), paid)

    def test_rejected_everything_is_as_it_was(self):
        paid, _answer = self.freeze("updated", "updated")
        self.close(ID, is_upheld=False)
        self.assertEqual(self.get_fa(ID), paid)
        self.assertEqual(self.subject_of(ID).change_lock, "none")


class TestAuthority(ObjectionCase):
    """A restored address rests on an equal authority."""

    def test_an_owner_s_word_is_not_replaced_by_a_programme_s(self):
        self.link(ID, FA)
        self.update(ID, OTHER_FA, self.owner)
        answer = self.object_to(ID, "updated")
        self.assertEqual(answer.remedy, Remedy.STOPPED)
        self.assertEqual(self.resolve(ID).problem, "payments_stopped")
        self.close(ID, is_upheld=False)
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assert_sound()

    def test_nothing_older_is_taken_instead(self):
        self.link(ID, FA, self.owner)
        rule = self.add_rule("approve")
        self.update(ID, OTHER_FA)
        rule.unlink()
        self.mapper._approve_change(self.supervisor, self.change_of(ID).id)
        self.update(ID, THIRD_FA, self.owner)
        self.assertEqual(self.object_to(ID, "updated").remedy, Remedy.STOPPED)

    def test_an_equal_or_higher_word_comes_back(self):
        self.link(ID, FA, self.owner)
        self.update(ID, OTHER_FA, self.owner)
        self.assertEqual(self.object_to(ID, "updated").remedy, Remedy.RESTORED)
        self.assertEqual(self.get_fa(ID), FA)

    def test_address_removed_by_the_owner_is_not_restored_by_lower_authority(self):
        self.link(ID, FA)
        self.unlink(ID, call=self.owner)
        self.assertEqual(self.object_to(ID, "unlinked").remedy, Remedy.NOTED)
        self.assertIsNone(self.get_fa(ID))


class TestRejected(WaysCase):
    """Staff decide that it was legitimate: what was undone is done again."""

    def reject(self, way, kind):
        id_value = f"token:rejected-{way}@nationalId"
        self.reach(way, id_value)
        paid, state = self.get_fa(id_value), self.mapping_of(id_value).state
        self.assertEqual(self.object_to(id_value, kind).remedy, Remedy.RESTORED)
        self.close(id_value, is_upheld=False)
        self.assertEqual(self.get_fa(id_value), paid)
        self.assertEqual(self.mapping_of(id_value).state, state)
        self.assertEqual(self.subject_of(id_value).change_lock, "none")
        self.assert_sound()

    def test_the_disputed_address_is_in_force_again(self):
        for way, kind in (
            ("updated", "updated"),
            ("updated_while_suspended", "updated_suspended"),
            ("held_and_done", "held"),
        ):
            with self.subTest(way):
                self.reject(way, kind)

    def test_the_successor_of_a_closed_branch_is_in_force_again(self):
        self.reject("moved", "moved")

    def test_rejected_case_unlinks_again(self):
        self.reject("unlinked", "unlinked")

    def test_upheld_it_stays_away(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        self.close(ID, is_upheld=True)
        self.assertEqual(self.get_fa(ID), FA)

    def test_later_address_stays(self):
        """Another case has restored something else since then."""
        self.link(ID, FA)
        self.update(ID, OTHER_FA)
        self.update(ID, THIRD_FA)
        self.object_to(ID, "updated")
        first = self.case_of(ID)
        self.object_to(ID, "restored")
        self.assertEqual(self.get_fa(ID), FA)
        self.mapper._close_objection(self.supervisor, first.id, False)
        self.assertEqual(self.get_fa(ID), FA)
        self.assert_sound()
