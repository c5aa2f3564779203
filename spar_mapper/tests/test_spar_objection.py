"""Objections to every event from every state: what is undone, locked and lifted."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from odoo.addons.spar_mapper_connector.exceptions import (
    NoSuchEvent,
    NotPermitted,
    SealBroken,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    ObjectionRequest,
    Outcome,
    Remedy,
)

from ..exceptions import OwnDoing
from ..lib.moving import MovePlan, NumberRule, TargetBranch
from ..store.moving import Mover
from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase

MOVED_FA = "account:111100001111@BR02.TESTBANK"
#: (how it came about, kind objected to) -> (remedy, what a payer gets, new events).
TABLE = {
    ("linked", "linked"): (Remedy.STOPPED, None, ["objected"]),
    ("updated", "updated"): (
        Remedy.RESTORED,
        FA,
        ["objected", "restored"],
    ),
    ("updated", "linked"): (Remedy.NOTED, OTHER_FA, ["objected"]),
    ("updated_while_suspended", "updated_suspended"): (
        Remedy.RESTORED,
        None,
        ["objected", "restored_suspended"],
    ),
    ("moved", "moved"): (Remedy.RESTORED, FA, ["objected", "restored"]),
    ("moved_while_suspended", "moved_suspended"): (
        Remedy.RESTORED,
        None,
        ["objected", "restored_suspended"],
    ),
    ("moved", "linked"): (Remedy.NOTED, MOVED_FA, ["objected"]),
    ("unlinked", "unlinked"): (Remedy.RESTORED, FA, ["objected", "restored"]),
    ("unlinked_and_linked", "unlinked"): (Remedy.NOTED, OTHER_FA, ["objected"]),
    ("suspended", "suspended"): (Remedy.NOTED, None, ["objected"]),
    ("resumed", "resumed"): (Remedy.NOTED, FA, ["objected"]),
    ("held", "held"): (Remedy.CANCELLED, FA, ["objected", "change_cancelled"]),
    ("held_and_done", "held"): (
        Remedy.RESTORED,
        FA,
        ["objected", "restored"],
    ),
    ("held_and_refused", "held"): (Remedy.NOTED, FA, ["objected"]),
    ("held_unlink_done", "held"): (Remedy.RESTORED, FA, ["objected", "restored"]),
    ("proposed", "proposed"): (Remedy.CANCELLED, None, ["objected", "withdrawn"]),
    ("proposed_and_done", "proposed"): (Remedy.STOPPED, None, ["objected"]),
    ("updated_with_waiting", "updated"): (
        Remedy.RESTORED,
        FA,
        ["objected", "change_cancelled", "restored"],
    ),
}


class ObjectionCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person = CallContext("person:1", "portal", Authority.OWNER, "login")
        cls.link_holder = CallContext("notice", "notice", Authority.OWNER, "link")

    def find_event(self, id_value, kind):
        """Return the newest event of a kind."""
        events = self.subject_of(id_value).event_ids
        return events.filtered(lambda event: event.kind == kind).sorted("id")[-1:]

    def build_request(self, id_value, kind) -> ObjectionRequest:
        event = self.find_event(id_value, kind)
        return ObjectionRequest(id_value, event.period_id.address_uuid, event.seq)

    def object_to(self, id_value, kind, call=None):
        """Object to the newest event of a kind."""
        request = self.build_request(id_value, kind)
        return self.mapper._object_to(call or self.person, request)

    def case_of(self, id_value):
        """Return the newest case of an ID."""
        domain = [("mapping_id", "in", self.mappings_of(id_value).ids)]
        return self.env["spar.objection"].search(domain, limit=1)

    def close(self, id_value, is_upheld, call=None):
        case = self.case_of(id_value)
        self.mapper._close_objection(call or self.supervisor, case.id, is_upheld)

    def assert_sound(self):
        """Assert that the integrity check finds nothing and a commit would succeed."""
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.assertEqual(self.env["spar.audit"]._check_store(), [])
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")


class WaysCase(ObjectionCase):
    """Ways to reach each state."""

    def reach(self, way, id_value):
        """Bring an ID into the state that ``way`` names."""
        ways = {
            "linked": self.reach_linked,
            "updated": self.reach_updated,
            "updated_while_suspended": self.reach_updated_while_suspended,
            "moved": self.reach_moved,
            "moved_while_suspended": self.reach_moved_while_suspended,
            "unlinked": self.reach_unlinked,
            "unlinked_and_linked": self.reach_unlinked_and_linked,
            "suspended": self.reach_suspended,
            "resumed": self.reach_resumed,
            "held": self.reach_held,
            "held_and_done": self.reach_held_and_done,
            "held_and_refused": self.reach_held_and_refused,
            "held_unlink_done": self.reach_held_unlink_done,
            "proposed": self.reach_proposed,
            "proposed_and_done": self.reach_proposed_and_done,
            "updated_with_waiting": self.reach_updated_with_waiting,
        }
        ways[way](id_value)

    def reach_linked(self, id_value):
        self.link(id_value, FA)

    def reach_updated(self, id_value):
        self.link(id_value, FA)
        self.update(id_value, OTHER_FA)

    def reach_updated_while_suspended(self, id_value):
        self.link(id_value, FA)
        self.suspend(id_value)
        self.update(id_value, OTHER_FA)

    def reach_moved(self, id_value):
        """Close a branch and let the next one take over."""
        self.link(id_value, FA)
        self.move_to_south()

    def reach_moved_while_suspended(self, id_value):
        self.link(id_value, FA)
        self.suspend(id_value)
        self.move_to_south()

    def move_to_south(self):
        plan = MovePlan(
            self.bank.id,
            self.north.id,
            self.bank.id,
            self.bank.code,
            NumberRule(),
            TargetBranch(self.south.id, self.south.code),
        )
        work = self.mapper._begin_work(self.staff)
        directory = self.env["spar.move"]._build_directory(work)
        piece = Mover(work, plan, directory).move_piece(0, 1000)
        self.assertTrue(piece.moved)
        self.mapper._finish_work(work)

    def reach_unlinked(self, id_value):
        self.link(id_value, FA)
        self.unlink(id_value)

    def reach_unlinked_and_linked(self, id_value):
        self.reach_unlinked(id_value)
        self.link(id_value, OTHER_FA)

    def reach_suspended(self, id_value):
        self.link(id_value, FA)
        self.suspend(id_value)

    def reach_resumed(self, id_value):
        self.reach_suspended(id_value)
        self.resume(id_value)

    def reach_held(self, id_value):
        self.link(id_value, FA)
        rule = self.hold_everything()
        self.update(id_value, OTHER_FA)
        rule.unlink()

    def reach_held_and_done(self, id_value):
        self.reach_held(id_value)
        self.let_pass(hours=49)
        self.run_schedule()

    def reach_held_and_refused(self, id_value):
        self.reach_held(id_value)
        change = self.change_of(id_value)
        self.mapper._end_change(self.supervisor, change.id, "refused")

    def reach_held_unlink_done(self, id_value):
        self.link(id_value, FA)
        rule = self.hold_everything()
        self.unlink(id_value)
        rule.unlink()
        self.let_pass(hours=49)
        self.run_schedule()

    def reach_proposed(self, id_value):
        rule = self.hold_everything()
        self.link(id_value, FA)
        rule.unlink()

    def reach_proposed_and_done(self, id_value):
        self.reach_proposed(id_value)
        self.let_pass(hours=49)
        self.run_schedule()

    def reach_updated_with_waiting(self, id_value):
        self.reach_updated(id_value)
        rule = self.hold_everything()
        self.update(id_value, THIRD_FA)
        rule.unlink()


class TestSparObjection(WaysCase):
    # === EVERY STATE, EVERY CHANNEL === #

    def test_every_event_by_every_channel(self):
        for channel in ("person", "staff"):
            for way, kind in TABLE:
                with self.subTest(way=way, kind=kind, channel=channel):
                    self.assert_remedy(way, kind, channel)
        self.assert_sound()

    def assert_remedy(self, way, kind, channel):
        id_value = f"token:{way}-{kind}-{channel}@nationalId"
        self.reach(way, id_value)
        before = self.events_of(id_value)
        answer = self.object_to(id_value, kind, getattr(self, channel))
        remedy, fa, events = TABLE[way, kind]
        self.assertEqual(answer.remedy, remedy)
        self.assertEqual(self.events_of(id_value), before + events)
        self.assertEqual(self.get_fa(id_value), fa)
        self.assertEqual(self.subject_of(id_value).change_lock, "objection")
        stops = remedy is Remedy.STOPPED
        self.assertEqual(self.subject_of(id_value).pay_stop, stops)
        self.assertEqual(self.case_of(id_value).reference, answer.reference)

    def test_events_record_the_objector_and_authentication(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        event = self.find_event(ID, "restored")
        self.assertEqual((event.actor, event.channel), ("person:1", "portal"))
        self.assertEqual(event.authenticated_by, "login")

    def test_staff_read_that_it_was_the_beneficiary(self):
        self.reach_linked(ID)
        self.object_to(ID, "linked")
        event = self.find_event(ID, "objected")
        self.assertEqual(event.actor_name, "The beneficiary")

    def test_contact_known_before_the_change_is_notified(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        events = self.mappings_of(ID).event_ids
        notices = self.env["spar.notice"].search([("event_id", "in", events.ids)])
        self.assertEqual(len(notices), len(events))

    # === ONCE === #

    def test_the_same_event_again_is_the_same_case(self):
        self.reach_updated(ID)
        first = self.object_to(ID, "updated")
        events = self.events_of(ID)
        self.assertEqual(self.object_to(ID, "updated"), first)
        self.assertEqual(self.events_of(ID), events)

    def test_a_decided_event_is_not_disputed_again(self):
        self.reach_updated(ID)
        request = self.build_request(ID, "updated")
        self.mapper._object_to(self.person, request)
        self.close(ID, is_upheld=True)
        answer = self.mapper._object_to(self.person, request)
        self.assertTrue(answer.is_closed)
        self.assertEqual(self.subject_of(ID).change_lock, "none")

    # === RESTORATION === #

    def test_what_was_suspended_when_it_was_removed_is_not_paid_to_again(self):
        self.link(ID, FA)
        self.suspend(ID)
        self.unlink(ID)
        self.assertEqual(self.object_to(ID, "unlinked").remedy, Remedy.NOTED)
        self.assertIsNone(self.get_fa(ID))
        self.assert_sound()

    def test_of_two_disputed_addresses_neither_comes_back(self):
        self.link(ID, FA)
        self.update(ID, OTHER_FA)
        first = self.build_request(ID, "updated")
        self.update(ID, THIRD_FA)
        self.assertEqual(
            self.mapper._object_to(self.person, first).remedy, Remedy.NOTED
        )
        self.assertEqual(self.object_to(ID, "updated").remedy, Remedy.RESTORED)
        self.assertEqual(self.get_fa(ID), FA)
        self.assert_sound()

    def test_an_address_brought_back_can_be_disputed_too(self):
        self.link(ID, FA)
        self.update(ID, OTHER_FA)
        self.update(ID, THIRD_FA)
        self.object_to(ID, "updated")
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assertEqual(self.object_to(ID, "restored").remedy, Remedy.RESTORED)
        self.assertEqual(self.get_fa(ID), FA)
        self.assert_sound()

    def test_proposed_address_is_not_restored(self):
        rule = self.hold_everything()
        self.link(ID, THIRD_FA)
        self.mapper._end_change(self.supervisor, self.change_of(ID).id, "refused")
        rule.unlink()
        self.link(ID, FA)
        self.assertEqual(self.object_to(ID, "linked").remedy, Remedy.STOPPED)

    def test_address_past_the_limit_is_not_restored_and_payments_stop(self):
        self.reach_updated(ID)
        self.let_pass(days=31)
        self.assertEqual(self.object_to(ID, "updated").remedy, Remedy.STOPPED)
        self.assertEqual(self.resolve(ID).problem, "payments_stopped")

    def test_the_number_of_days_is_a_setting(self):
        self.set_limit("objection_days", 60)
        self.reach_updated(ID)
        self.let_pass(days=31)
        self.assertEqual(self.object_to(ID, "updated").remedy, Remedy.RESTORED)

    def test_another_purpose_goes_on_being_paid(self):
        self.link(ID, FA)
        self.link(ID, OTHER_FA, purpose="school")
        request = self.build_request(ID, "linked")
        self.assertEqual(
            self.mapper._object_to(self.person, request).remedy, Remedy.STOPPED
        )
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.resolve(ID, purpose="school").outcome, Outcome.SUSPENDED)
        self.assertFalse(self.subject_of(ID).pay_stop)
        self.close(ID, is_upheld=False)
        self.assertEqual(self.get_fa(ID, "school"), OTHER_FA)
        self.assert_sound()

    def test_every_id_of_the_subject_opens_afterwards(self):
        self.reach_updated(ID)
        self.add_id(OTHER_ID, to=ID)
        self.object_to(ID, "updated")
        self.assertEqual(self.get_fa(OTHER_ID), FA)
        self.assert_sound()

    # === THE LOCK === #

    def test_no_change_until_the_case_is_closed(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        for call in (self.call, self.institution, self.staff, self.owner):
            with self.subTest(call.channel):
                result = self.update(ID, THIRD_FA, call)
                self.assertEqual(result.outcome, Outcome.LOCKED)
                self.assertEqual(result.problem, "change_lock")
                self.assertEqual(self.unlink(ID, call=call).outcome, Outcome.LOCKED)
        self.close(ID, is_upheld=True)
        self.assertEqual(self.update(ID, THIRD_FA, self.owner).outcome, Outcome.UPDATED)

    def test_a_lock_set_in_the_database_alone_is_noticed(self):
        self.reach_linked(ID)
        self.object_to(ID, "linked")
        subject = self.subject_of(ID)
        self.tamper(
            "UPDATE spar_subject SET change_lock = 'none', pay_stop = false"
            " WHERE id = %s",
            subject.id,
        )
        with self.catch_alarms() as alarms:
            self.assertEqual(self.resolve(ID).outcome, Outcome.LOCKED)
        self.assertTrue(alarms)

    def test_the_lock_lasts_while_another_case_is_open(self):
        self.reach_updated(ID)
        self.object_to(ID, "linked")
        self.object_to(ID, "updated")
        self.close(ID, is_upheld=True)
        self.assertEqual(self.subject_of(ID).change_lock, "objection")
        other = self.env["spar.objection"].search([("state", "=", "open")])
        self.mapper._close_objection(self.supervisor, other.id, False)
        self.assertEqual(self.subject_of(ID).change_lock, "none")

    def test_an_older_lock_comes_back(self):
        self.reach_updated(ID)
        self.set_subject(ID, change_lock="owner")
        self.object_to(ID, "updated")
        self.close(ID, is_upheld=True)
        self.assertEqual(self.subject_of(ID).change_lock, "owner")

    # === CLOSING === #

    def test_upheld_a_disputed_first_address_ends(self):
        self.reach_linked(ID)
        self.object_to(ID, "linked")
        self.close(ID, is_upheld=True)
        self.assertEqual(self.resolve(ID).outcome, Outcome.NOT_LINKED)
        self.assertEqual(self.link(ID, OTHER_FA, self.owner).outcome, Outcome.LINKED)
        self.assert_sound()

    def test_rejected_a_disputed_first_address_is_paid_again(self):
        self.reach_linked(ID)
        self.object_to(ID, "linked")
        self.close(ID, is_upheld=False)
        self.assertEqual(self.get_fa(ID), FA)
        self.assert_sound()

    def test_author_of_the_event_cannot_close_the_case(self):
        self.link(ID, FA, self.supervisor)
        self.object_to(ID, "linked")
        with self.assertRaises(OwnDoing):
            self.close(ID, is_upheld=False)
        self.assertEqual(self.subject_of(ID).change_lock, "objection")

    def test_supervisors_close_by_the_window_with_a_reason(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        groups = "base.group_user,spar_fa_directory.group_supervisor"
        user = new_test_user(self.env, "boss", groups=groups)
        wizard = self.env["spar.objection.wizard"].with_user(user)
        wizard = wizard.create(
            {
                "objection_id": self.case_of(ID).id,
                "decision": "upheld",
                "reason": "seen with her card",
            }
        )
        with self.assertRaisesRegex(UserError, "Enter the answer"):
            wizard.action_close()
        self.assertEqual(self.case_of(ID).state, "open")
        wizard.answer = "We ended that address."
        wizard.action_close()
        case = self.case_of(ID)
        complaint = self.env["spar.complaint"].search([("objection_id", "=", case.id)])
        self.assertEqual(complaint.answer, wizard.answer)
        self.assertTrue(complaint.answered_at)
        self.assertEqual((case.state, case.close_reason), ("upheld", wizard.reason))
        self.assertEqual(case.closer_name, user.name)
        self.assertEqual(self.find_event(ID, "objection_upheld").reason, wizard.reason)

    def close_by_the_window(self, id_value=ID):
        """Return the message of a supervisor's window after *Close the case*."""
        boss = self.create_user("supervisor", login="the_boss")
        wizard = self.env["spar.objection.wizard"].with_user(boss)
        values = {
            "decision": "rejected",
            "reason": "seen with her card",
            "answer": "The address was yours.",
        }
        wizard = wizard.create({"objection_id": self.case_of(id_value).id, **values})
        return wizard.action_close()["params"]

    def test_closing_reports_only_the_closed_case(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        notification = self.close_by_the_window()
        self.assertEqual(notification["message"], "The case is closed.")
        self.assertEqual(notification["type"], "success")

    def test_closing_reports_only_the_most_serious_obstacle(self):
        self.reach_updated(ID)
        self.set_subject(ID, pay_stop=True)
        self.object_to(ID, "updated")
        self.object_to(ID, "linked")
        notification = self.close_by_the_window()
        self.assertEqual(
            notification["message"],
            "The case is closed, but payments to this person are still stopped.",
        )
        self.assertEqual(notification["type"], "warning")

    def test_a_case_shows_the_disputed_address_and_the_one_in_force(self):
        self.reach_updated(ID)
        in_force = self.mapping_of(ID).fa_masked
        self.object_to(ID, "updated")
        case = self.case_of(ID)
        self.assertEqual(case.fa_masked, in_force)
        self.assertEqual(case.current_masked, self.mapping_of(ID).fa_masked)
        self.assertNotEqual(case.current_masked, case.fa_masked)

    def test_case_of_an_unpaid_person_shows_no_address_in_force(self):
        self.reach_linked(ID)
        self.object_to(ID, "linked")
        self.close(ID, is_upheld=True)
        self.assertFalse(self.case_of(ID).current_masked)

    def test_a_reason_may_not_name_the_account(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        texts = {"reason": "not hers", "answer": "not yours"}
        for name in texts:
            values = {**texts, name: "222200002222 is another"}
            with self.subTest(name), self.assertRaises(UserError):
                self.env["spar.objection.wizard"].create(
                    {
                        "objection_id": self.case_of(ID).id,
                        "decision": "upheld",
                        **values,
                    }
                )

    def test_a_closed_case_stays_closed(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        self.close(ID, is_upheld=True)
        supervisor = new_test_user(
            self.env,
            "boss2",
            groups="base.group_user,spar_fa_directory.group_supervisor",
        )
        with self.assertRaisesRegex(UserError, "already closed"):
            self.case_of(ID).with_user(supervisor)._close(False, "again")

    # === REFUSALS === #

    def test_another_persons_event_looks_unknown(self):
        self.reach_updated(ID)
        self.link(OTHER_ID, THIRD_FA)
        theirs = self.build_request(OTHER_ID, "linked")
        for period, seq in (
            (theirs.period, theirs.seq),
            ("no-such-uuid", 1),
            (self.mapping_of(ID).uuid, 99),
        ):
            with self.subTest(period=period), self.assertRaises(NoSuchEvent):
                request = ObjectionRequest(ID, period, seq)
                self.mapper._object_to(self.person, request)
        self.assertEqual(self.get_fa(OTHER_ID), THIRD_FA)

    def test_an_unknown_id_has_no_events(self):
        for id_value in (ID, "", "a\u200bb"):
            with self.subTest(id_value), self.assertRaises(NoSuchEvent):
                request = ObjectionRequest(id_value, "u", 1)
                self.mapper._object_to(self.person, request)

    def test_the_objections_own_events_cannot_be_disputed(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        self.close(ID, is_upheld=True)
        for kind in ("objected", "objection_upheld"):
            with self.subTest(kind), self.assertRaises(NoSuchEvent):
                self.object_to(ID, kind)

    def test_tampered_address_is_not_restored(self):
        self.reach_updated(ID)
        old = self.periods_of(ID)[-1]
        query = "UPDATE spar_mapping_period SET sealed = '\\x00' WHERE id = %s"
        self.tamper(query, old.id)
        with self.catch_alarms(), self.assertRaises(SealBroken):
            self.object_to(ID, "updated")
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_only_channels_and_officers_record_an_objection(self):
        self.reach_updated(ID)
        request = self.build_request(ID, "updated")
        for groups in ("base.group_portal", "base.group_user"):
            user = new_test_user(self.env, f"user.{groups}", groups=groups)
            with self.subTest(groups), self.assertRaises(NotPermitted):
                self.mapper.with_user(user)._object_to(self.person, request)

    def test_only_supervisors_close_a_case(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        for role in ("officer", "auditor", "administrator"):
            groups = f"base.group_user,spar_fa_directory.group_{role}"
            user = new_test_user(self.env, f"a.{role}", groups=groups)
            with self.subTest(role), self.assertRaises(AccessError):
                self.case_of(ID).with_user(user)._close(True, "because")

    def test_no_user_writes_a_case_directly(self):
        self.reach_updated(ID)
        self.object_to(ID, "updated")
        with self.assertRaisesRegex(Exception, "spar.objection"):
            self.case_of(ID).write({"state": "rejected"})

    def test_without_the_keyring_nothing_happens(self):
        self.reach_updated(ID)
        request = self.build_request(ID, "updated")
        with self.keyring_away(), self.assertRaises(Exception):  # noqa: B017
            self.mapper._object_to(self.person, request)
        self.assertEqual(self.case_of(ID).ids, [])

    # === DATA FOR PAGES === #

    def test_store_reports_the_objection_capability(self):
        self.assertIn(Capability.OBJECTION, self.mapper._capabilities())

    def test_history_shows_disputable_and_disputed_events(self):
        self.reach_updated(ID)
        answer = self.object_to(ID, "updated")
        events = {
            event.kind: event
            for period in self.mapper._history(self.person, ID)
            for event in period.events
        }
        self.assertEqual(events["updated"].objection, answer)
        self.assertTrue(events["linked"].is_disputable)
        self.assertFalse(events["objected"].is_disputable)
        self.assertIsNone(events["linked"].objection)

    def test_proposed_address_is_not_in_the_history(self):
        self.reach_proposed(ID)
        self.object_to(ID, "proposed")
        self.assertEqual(self.mapper._history(self.person, ID), [])

    def test_waiting_change_is_listed_with_its_event(self):
        self.reach_held(ID)
        (waiting,) = self.mapper._waiting_changes(self.person, ID)
        self.assertEqual((waiting.fa, waiting.operation.value), (OTHER_FA, "update"))
        request = ObjectionRequest(ID, waiting.period, waiting.seq)
        answer = self.mapper._object_to(self.person, request)
        self.assertEqual(answer.remedy, Remedy.CANCELLED)
        self.assertEqual(self.mapper._waiting_changes(self.person, ID), [])

    def test_a_proposed_first_address_waits_too(self):
        self.reach_proposed(ID)
        (waiting,) = self.mapper._waiting_changes(self.person, ID)
        self.assertEqual((waiting.fa, waiting.operation.value), (FA, "link"))

    def test_waiting_changes_need_a_right(self):
        user = new_test_user(self.env, "reader", groups="base.group_portal")
        with self.assertRaises(NotPermitted):
            self.mapper.with_user(user)._waiting_changes(self.person, ID)
