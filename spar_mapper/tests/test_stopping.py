"""Payments that staff stop and resume: weighed like those that they move."""

from dataclasses import replace

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

from ..exceptions import SamePerson
from .common import FA, ID, OTHER_FA, StoreCase


@tagged("post_install", "-at_install")
class TestStopping(StoreCase):
    staff_stop_alone = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer = cls.create_user("officer")
        cls.colleague = cls.create_user("officer", login="colleague")
        cls.judge = cls.create_user("supervisor")

    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def open(self, operation, **values):
        """Return the officer's form for the address in force."""
        mapping = self.mapping_of(ID)
        values = {
            "operation": operation,
            "mapping_id": mapping.id,
            "seen_version": mapping.version,
            **values,
        }
        return self.env["spar.mapping.wizard"].with_user(self.officer).create(values)

    def stop(self, operation="suspend", chosen="fraud", **values):
        """Confirm the officer's form; return the notification."""
        if chosen:
            values[f"{operation}_reason"] = chosen
        return self.open(operation, **values).action_confirm()["params"]

    def approve(self):
        call = self.mapper.with_user(self.judge)._build_staff_call()
        return self.mapper._approve_change(call, self.change_of(ID).id)

    # === A SECOND PERSON === #

    def test_shipped_rules_ask_for_a_second_person(self):
        rules = self.get_stop_rules()
        operations = ["suspend", "resume", "unlink"]
        self.assertEqual(rules.mapped("operation"), operations)
        self.assertEqual(rules.mapped("decision"), ["approve"] * 3)
        self.assertEqual(set(rules.mapped("channel")), {"staff"})

    def test_one_person_s_word_stops_no_payment(self):
        notification = self.stop()
        self.assertEqual(notification["type"], "warning")
        self.assertIn("payments continue", notification["message"])
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.change_of(ID).operation, "suspend")
        self.assertEqual(self.events_of(ID), ["linked", "held"])

    def test_a_second_person_stops_it(self):
        self.stop()
        self.assertEqual(self.approve().outcome, Outcome.SUSPENDED)
        self.assertIsNone(self.get_fa(ID))
        self.assertEqual(self.change_of(ID).state, "applied")
        kinds = ["linked", "held", "change_approved", "suspended"]
        self.assertEqual(self.events_of(ID), kinds)
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_resuming_waits_as_well(self):
        self.suspend(ID)
        notification = self.stop("resume", "settled")
        self.assertIn("nothing is paid", notification["message"])
        self.assertIsNone(self.get_fa(ID))
        self.assertEqual(self.approve().outcome, Outcome.RESUMED)
        self.assertEqual(self.get_fa(ID), FA)

    def test_removing_an_address_waits_as_well(self):
        notification = self.stop("unlink", "died")
        self.assertEqual(notification["type"], "warning")
        self.assertIn("waits until a supervisor", notification["message"])
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.events_of(ID), ["linked", "held"])
        self.assertEqual(self.approve().outcome, Outcome.UNLINKED)
        self.assertIsNone(self.get_fa(ID))
        kinds = ["linked", "held", "change_approved", "unlinked"]
        self.assertEqual(self.events_of(ID), kinds)

    def test_history_of_what_was_decided_is_sound(self):
        for operation, chosen in (("suspend", "fraud"), ("unlink", "died")):
            with self.subTest(operation), self.undone():
                self.stop(operation, chosen)
                self.approve()
                with self.catch_alarms() as alarms:
                    self.env["spar.audit"]._check_store()
                self.assertEqual(alarms, [])

    def test_what_waits_is_called_a_suspension(self):
        self.stop()
        change = self.change_of(ID)
        self.assertEqual(change.display_name, f"Suspend {change.uuid[:8]}")

    def test_refused_suspension_leaves_the_address(self):
        self.stop()
        call = self.mapper.with_user(self.judge)._build_staff_call()
        self.mapper._end_change(call, self.change_of(ID).id, "refused")
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.change_of(ID).state, "refused")

    def test_a_suspension_of_an_address_that_changed_is_overtaken(self):
        self.stop()
        self.update(ID, OTHER_FA, self.owner)
        self.assertEqual(self.change_of(ID).state, "stale")
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_a_removal_of_an_address_that_changed_is_overtaken(self):
        self.stop("unlink", "account")
        self.update(ID, OTHER_FA, self.owner)
        self.assertEqual(self.change_of(ID).state, "stale")
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_proposer_does_not_approve_what_stops(self):
        self.officer.group_ids += self.env.ref("spar_fa_directory.group_supervisor")
        call = self.mapper.with_user(self.officer)._build_staff_call()
        for operation, chosen in (("suspend", "fraud"), ("unlink", "died")):
            with self.subTest(operation), self.undone():
                self.stop(operation, chosen)
                with self.assertRaises(SamePerson):
                    self.mapper._approve_change(call, self.change_of(ID).id)
                self.assertEqual(self.get_fa(ID), FA)

    def test_others_than_staff_stop_at_once(self):
        for call in (self.call, self.owner):
            with self.subTest(call.channel), self.undone():
                self.assertEqual(self.suspend(ID, call).outcome, Outcome.SUSPENDED)
            with self.subTest(call.channel), self.undone():
                done = self.unlink(ID, FA, call)
                self.assertEqual(done.outcome, Outcome.UNLINKED)
        suspended = self.suspend(ID, self.institution)
        self.assertEqual(suspended.outcome, Outcome.SUSPENDED)

    # === THE SETTING === #

    def test_staff_without_any_rule_need_a_second_person(self):
        self.rules.search([("operation", "=", "suspend")]).unlink()
        self.stop()
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.change_of(ID).why, "no_rule")

    def test_evidence_can_take_the_place_of_a_second_person(self):
        self.get_stop_rules().write({"decision": "apply", "needs_evidence": True})
        for operation, chosen in (("suspend", "fraud"), ("unlink", "died")):
            with self.assertRaisesRegex(UserError, "^Document: attach"):
                self.stop(operation, chosen)
        self.assertEqual(self.get_fa(ID), FA)
        reference = f"evidence:{'a' * 32}"
        call = self.mapper.with_user(self.officer)._build_staff_call("x", True)
        call = replace(call, message_reference=reference)
        with self.undone():
            self.assertEqual(self.unlink(ID, FA, call).outcome, Outcome.UNLINKED)
        self.assertEqual(self.suspend(ID, call).outcome, Outcome.SUSPENDED)

    def test_a_rule_for_anything_does_not_delay_a_suspension(self):
        self.hold_everything()
        self.assertEqual(self.suspend(ID).outcome, Outcome.SUSPENDED)

    def test_a_rule_that_names_it_can_refuse_it(self):
        self.add_rule("refuse", operation="suspend", channel="staff")
        with self.assertRaisesRegex(UserError, "rule does not allow"):
            self.stop()

    # === THE REASON === #

    def test_reason_is_kept_in_words(self):
        self.stop(chosen="fraud", reason="Somebody else came with the card")
        event = self.mapping_of(ID).event_ids.filtered(lambda e: e.kind == "held")
        self.assertEqual(
            event.reason, "Suspected fraud. Somebody else came with the card"
        )

    def test_no_reason_or_an_empty_other_one_is_refused(self):
        cases = {
            "choose one": {"chosen": None},
            "choose one from": {"chosen": None, "reason": "I do not like it"},
            "describe": {"chosen": "other", "reason": "  "},
        }
        for operation in ("suspend", "unlink"):
            for text, values in cases.items():
                with (
                    self.subTest(text, operation=operation),
                    self.assertRaisesRegex(UserError, text),
                ):
                    self.stop(operation, **values)
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_a_reason_of_the_other_list_is_none(self):
        with self.assertRaisesRegex(UserError, "choose one"):
            self.open("suspend", resume_reason="settled").action_confirm()

    def test_details_hold_no_account(self):
        with self.assertRaisesRegex(UserError, "leave out the ID"):
            self.stop(reason="Account 1111-0000-1111 is closed")

    # === WHAT THE FORM SAYS BEFORE === #

    def test_form_says_what_will_happen(self):
        for operation in ("suspend", "unlink"):
            waits = "It waits for a supervisor. Until then, payments continue."
            self.assertEqual(self.open(operation).forecast, waits)
        self.get_stop_rules().decision = "apply"
        self.assertIn("at once", self.open("suspend").forecast)
        self.add_rule("refuse", operation="unlink")
        self.assertIn("refused", self.open("unlink").forecast)

    def test_form_for_a_suspended_address_does_not_say_that_payments_continue(self):
        self.suspend(ID)
        waits = "It waits for a supervisor. Until then, nothing is paid."
        self.assertEqual(self.open("unlink").forecast, waits)

    def test_form_says_that_a_higher_word_waits(self):
        self.update(ID, OTHER_FA, self.owner)
        self.assertIn("supervisor", self.open("update").forecast)

    # === WITHDRAWING === #

    def test_another_officer_s_change_names_its_proposer(self):
        self.officer.name = "Omar Officer"
        self.stop()
        change = self.change_of(ID).with_user(self.colleague)
        with self.assertRaisesRegex(UserError, "Omar Officer.*supervisor") as caught:
            change.action_cancel()
        self.assertNotIsInstance(caught.exception, AccessError)
        self.assertEqual(self.change_of(ID).state, "waiting")

    def test_a_participant_s_change_names_the_participant(self):
        self.hold_everything(operation="update")
        self.update(ID, OTHER_FA, self.other_call)
        with self.assertRaisesRegex(UserError, "other.example.*supervisor"):
            self.change_of(ID).with_user(self.officer).action_cancel()
        self.assertEqual(self.change_of(ID).state, "waiting")

    def test_who_proposed_it_withdraws_it(self):
        self.stop()
        self.change_of(ID).with_user(self.officer).action_cancel()
        self.assertEqual(self.change_of(ID).state, "cancelled")

    def test_viewers_and_auditors_withdraw_nothing(self):
        self.stop()
        for role in ("viewer", "auditor"):
            user = self.create_user(role, login=f"withdrawing_{role}")
            with self.subTest(role), self.assertRaises(AccessError):
                self.change_of(ID).with_user(user).action_cancel()
        self.assertEqual(self.change_of(ID).state, "waiting")
