"""Approving means looking: what a supervisor has to compare before, and what stays."""

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import Details

from .common import CANONICAL, FA, ID, OTHER_FA, OTHER_ID, THIRD_FA
from .test_spar_change import WaitingCase

#: The hidden characters of OTHER_FA before those that its mask shows, and those shown.
ASKED, SHOWN = "0002", "222"
ROLES = ("viewer", "officer", "supervisor", "auditor", "administrator")


@tagged("post_install", "-at_install")
class TestReview(WaitingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: cls.create_user(role, login=f"review_{role}") for role in ROLES
        }
        cls.second = cls.create_user("supervisor", login="review_second")

    def setUp(self):
        super().setUp()
        self.add_rule("approve")
        self.change = self.propose(OTHER_FA).with_user(self.users["supervisor"])

    def propose(self, fa, id_value=ID):
        call = self.mapper.with_user(self.users["officer"])._build_staff_call("moved")
        self.update(id_value, fa, call)
        return self.change_of(id_value)

    def review(self, change=None, **typed):
        """Return the window as the client opens it after *Review*."""
        change = change or self.change
        context = change.action_review()["context"]
        wizards = self.env["spar.change.wizard"].with_user(change.env.user)
        return wizards.with_context(**context).create(typed)

    def reveal(self, wizard):
        with self.enter_registry_test_mode():
            wizard.action_reveal()
        self.env.invalidate_all()

    def looks(self, change=None):
        return (change or self.change).sudo().look_ids.sorted("id").mapped("kind")

    # === REFUSED WITHOUT A LOOK === #

    def test_approving_without_opening_is_refused(self):
        with self.assertRaisesRegex(UserError, "Compare the address first"):
            self.change.action_approve()
        self.assert_waits()

    def test_contact_is_shown_before_and_after_and_masked(self):
        """A change of the account can change who hears of it."""
        self.assertEqual(self.review().contact_masked, "Nobody: notices go by letter")
        self.end("refused")
        call = self.mapper.with_user(self.users["officer"])._build_staff_call("moved")
        self.update(ID, OTHER_FA, call, details=Details("Ada", "+9995550101"))
        self.approve()
        self.update(ID, THIRD_FA, call, details=Details("Ada", "+9995550202"))
        change = self.change_of(ID).with_user(self.users["supervisor"])
        wizard = self.review(change)
        shown = (wizard.current_contact_masked, wizard.contact_masked)
        self.assertEqual([text[-2:] for text in shown], ["01", "02"])
        self.assertTrue(all(text.startswith("•") for text in shown))
        with self.assertRaises(AccessError):
            change.with_user(self.users["administrator"]).read(["contact_masked"])

    def test_opening_alone_does_not_suffice(self):
        wizard = self.review()
        with self.assertRaisesRegex(UserError, "Compare the address"):
            wizard.action_approve()
        self.assertEqual(self.looks(), ["opened"])
        self.assert_waits()

    def test_another_supervisor_s_look_does_not_count(self):
        self.compare(self.change)
        with self.assertRaises(UserError):
            self.change.with_user(self.second).action_approve()
        self.assert_waits()

    def test_a_look_at_another_change_does_not_count(self):
        self.link(OTHER_ID, THIRD_FA)
        self.approve(id_value=OTHER_ID)
        other = self.propose(FA, OTHER_ID).with_user(self.users["supervisor"])
        self.compare(other)
        with self.assertRaises(UserError):
            self.change.action_approve()
        self.assert_waits()

    def test_characters_that_the_mask_shows_do_not_count(self):
        self.assertTrue(self.change.fa_masked.split(" at ")[0].endswith(SHOWN))
        for typed in (SHOWN, "2222", "0022", "111", "0001"):
            with self.subTest(typed):
                self.assertNotEqual(typed, ASKED)
        action = self.review(typed="2222").action_approve()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertEqual(action["params"]["next"]["res_model"], "spar.change.wizard")
        self.assertEqual(self.looks(), ["opened", "mistyped"])
        self.assert_waits()

    def test_wrong_digits_are_charged_as_a_search_that_found_nobody(self):
        boss = self.users["supervisor"]
        own = [("actor", "=", f"user:{boss.id}"), ("kind", "=", "digits")]
        lookups = self.env["spar.lookup"]
        for typed in ("1000", "1000"):
            self.review(typed=typed).action_approve()
        self.assert_waits()
        self.review(typed=ASKED).action_approve()
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        charged = lookups.search(own)
        self.assertEqual(charged.mapped("cost"), [5, 5])
        self.assertEqual(charged.subject_id, self.subject_of(ID))
        self.assertEqual(self.find_clear("1000", tables="spar_lookup"), [])

    def test_an_auditor_counts_who_looked_at_changes(self):
        self.review(typed="1000").action_approve()
        self.reveal(self.review())
        looks = self.env["spar.look"].with_user(self.users["auditor"])
        mine = [
            ("subject_id", "=", self.subject_of(ID).id),
            ("actor", "=", f"user:{self.users['supervisor'].id}"),
        ]
        found = looks.search(mine)
        self.assertEqual(
            sorted(found.mapped("kind")), ["mistyped", "opened", "opened", "revealed"]
        )
        self.assertEqual(sum(found.mapped("changes")), 3)
        self.assertEqual(sum(found.mapped("searches")), 0)
        self.assertEqual(sum(found.mapped("reveals")), 1)
        self.assertEqual(len(set(found.ids)), len(found))
        self.assertEqual(
            {look.display_name for look in found if look.kind == "opened"},
            {"Waiting change opened"},
        )
        for role in ("viewer", "officer", "supervisor"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.env["spar.look"].with_user(self.users[role]).search(mine)

    def test_after_three_wrong_attempts_only_a_reveal_helps(self):
        for typed in ("1000", "1001", "1002"):
            self.review(typed=typed).action_approve()
        wizard = self.review(typed=ASKED)
        self.assertFalse(wizard.can_retype)
        with self.assertRaisesRegex(UserError, "Press Reveal"):
            wizard.action_approve()
        self.assert_waits()
        self.reveal(wizard)
        self.change.action_approve()
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_what_is_proposed_is_opened_once_for_both_masks(self):
        opened = []
        changes = type(self.change)
        open_texts = changes._open_texts

        def note(change):
            opened.append(change.ids)
            return open_texts(change)

        self.patch(changes, "_open_texts", note)
        self.env.invalidate_all()
        masked, contact = self.change.fa_masked, self.change.contact_masked
        self.assertEqual(masked, f"Bank account ••{SHOWN} at Test Bank, South")
        self.assertEqual(contact, "Nobody: notices go by letter")
        self.assertEqual(opened, [self.change.ids])

    def test_a_look_at_an_earlier_state_of_the_address_does_not_count(self):
        self.compare(self.change)
        self.tamper("UPDATE spar_mapping SET version = version + 1")
        self.env.invalidate_all()
        self.assertFalse(self.change.is_compared)
        with self.assertRaisesRegex(UserError, "compare it again"):
            self.change.action_approve()

    def test_the_proposer_does_not_approve_whatever_the_groups(self):
        both = self.users["officer"]
        both.group_ids += self.env.ref("spar_fa_directory.group_supervisor")
        wizard = self.review(self.change.with_user(both), typed=ASKED)
        self.assertTrue(wizard.is_own)
        with self.assertRaisesRegex(UserError, "Another person"):
            wizard.action_approve()
        self.assert_waits()

    def test_two_accounts_that_one_person_opened_are_not_two_people(self):
        admin = self.env.ref("base.user_admin")
        users = type(admin)
        for role in ("officer", "supervisor"):
            user = self.users[role].with_user(admin)
            user.sudo().password = "a new Password 1"
        self.compare(self.change)
        with self.assertRaisesRegex(UserError, "acted on both your accounts"):
            self.change.action_approve()
        notification = self.change._approve_each(self.change)["params"]
        self.assertIn("Approved: 0. Not approved: 1.", notification["message"])
        self.assert_waits()
        # Only its owner opens an account with a second factor.
        self.patch(users, "_mfa_type", lambda _self: "totp")
        self.change.action_approve()
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_only_supervisors_review(self):
        for role in ROLES:
            if role == "supervisor":
                continue
            change = self.change.with_user(self.users[role])
            wizards = self.env["spar.change.wizard"].with_user(self.users[role])
            with self.subTest(role), self.assertRaises(AccessError):
                change.action_review()
            with self.subTest(role), self.assertRaises(AccessError):
                wizards.create({"change_id": self.change.id})
            with self.subTest(role), self.assertRaises(AccessError):
                self.mapper.with_user(self.users[role])._log_review(
                    self.staff, self.change.id
                )
        self.assertEqual(self.looks(), [])

    def test_a_role_taken_away_meanwhile_counts_no_longer(self):
        wizard = self.review(typed=ASKED)
        user = self.users["supervisor"]
        user.group_ids -= self.env.ref("spar_fa_directory.group_supervisor")
        for action in ("action_approve", "action_refuse", "action_reveal"):
            with (
                self.subTest(action),
                self.enter_registry_test_mode(),
                self.assertRaises(AccessError),
            ):
                getattr(wizard, action)()
        self.assert_waits()

    def test_a_review_of_another_supervisor_is_closed(self):
        wizard = self.review(typed=ASKED)
        with self.assertRaises(AccessError):
            wizard.with_user(self.second).read(["typed"])
        with self.assertRaises(AccessError):
            wizard.with_user(self.second).action_approve()

    def test_looks_are_read_by_supervisors_and_auditors_and_written_by_nobody(self):
        looks = self.env["spar.change.look"]
        for role in ROLES:
            own = looks.with_user(self.users[role])
            readers = ("supervisor", "auditor")
            with self.subTest(role):
                self.assertEqual(own.has_access("read"), role in readers)
                for operation in ("create", "write", "unlink"):
                    self.assertFalse(own.has_access(operation))

    def test_the_database_keeps_looks(self):
        self.compare(self.change)
        for statement in (
            "UPDATE spar_change_look SET kind = 'revealed'",
            "DELETE FROM spar_change_look",
        ):
            with self.subTest(statement), mute_logger("odoo.sql_db"):
                with self.assertRaisesRegex(psycopg2.Error, "not (rewritten|deleted)"):
                    with self.env.cr.savepoint():
                        self.env.cr.execute(statement)

    # === COMPARED === #

    def test_retyped_from_the_document_it_is_approved(self):
        for typed in ("00 02", "٠٠٠٢"):
            with self.subTest(typed):
                wizard = self.review(typed=typed)
                self.assertTrue(wizard.can_retype)
                self.assertTrue(wizard._compare())
        self.review().action_approve()
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assertIn("compared", self.looks())

    def test_what_was_typed_is_stored_nowhere(self):
        self.review(typed="7318 refused", refusal="7318 refused")
        self.assertEqual(self.find_clear("7318 refused", tables="%"), [])

    def test_a_reveal_shows_both_after_an_event_and_suffices(self):
        wizard = self.review()
        self.assertFalse(wizard.id_value or wizard.fa_value or wizard.current_value)
        self.reveal(wizard)
        self.assertEqual(
            (wizard.id_value, wizard.current_value, wizard.fa_value),
            (CANONICAL, FA, OTHER_FA),
        )
        event = self.mapping_of(ID).event_ids.filtered(lambda e: e.kind == "revealed")
        self.assertEqual(event.actor, f"user:{self.users['supervisor'].id}")
        self.assertIn(self.change.uuid[:8], event.reason)
        self.assertEqual(self.looks(), ["opened", "revealed"])
        wizard.action_approve()
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assertEqual(self.env["spar.audit"]._check_store(), [])

    def test_revealed_values_are_hidden_again(self):
        wizard = self.review()
        self.reveal(wizard)
        self.let_pass(minutes=11)
        wizard.invalidate_recordset()
        self.assertFalse(wizard.id_value or wizard.fa_value)
        other = self.review(self.change.with_user(self.second))
        self.assertFalse(other.id_value or other.fa_value)

    def test_a_first_address_is_proposed_and_none_is_in_force(self):
        call = self.mapper.with_user(self.users["officer"])._build_staff_call("new")
        self.link(OTHER_ID, OTHER_FA, call)
        change = self.change_of(OTHER_ID).with_user(self.users["supervisor"])
        self.assertFalse(change.current_masked)
        wizard = self.review(change, typed=ASKED)
        self.assertIn("Linked", wizard.action_approve()["params"]["message"])
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_FA)

    def test_the_present_address_is_compared_where_none_is_proposed(self):
        self.end("cancelled")
        self.suspend(ID)
        call = self.mapper.with_user(self.users["officer"])._build_staff_call("found")
        self.resume(ID, call)
        change = self.change_of(ID).with_user(self.users["supervisor"])
        self.assertEqual(change.operation, "resume")
        self.review(change, typed=ASKED).action_approve()
        self.assertIsNone(self.get_fa(ID))
        self.review(change, typed="0001").action_approve()
        self.assertEqual(self.get_fa(ID), FA)

    def test_a_change_that_was_overtaken_says_so_and_is_not_applied(self):
        wizard = self.review(typed=ASKED)
        self.assertFalse(wizard.is_overtaken)
        self.suspend(ID)
        wizard.invalidate_recordset()
        self.assertTrue(wizard.is_overtaken)
        with self.assertRaisesRegex(UserError, "no longer"):
            wizard.action_approve()
        self.assertEqual(self.change.state, "stale")
        self.assertEqual(self.mapping_of(ID).state, "suspended")
        self.assertNotIn("updated", " ".join(self.events_of(ID)))

    # === SEVERAL === #

    def test_of_several_only_those_compared_are_approved(self):
        self.link(OTHER_ID, THIRD_FA)
        self.approve(id_value=OTHER_ID)
        other = self.propose(FA, OTHER_ID).with_user(self.users["supervisor"])
        both = self.change + other
        with self.assertRaisesRegex(UserError, "open Review"):
            both.action_approve()
        self.compare(other)
        notification = both.action_approve()["params"]
        self.assertEqual(notification["type"], "warning")
        self.assertIn("Approved: 1. Not approved: 1.", notification["message"])
        self.assertEqual(self.get_fa(OTHER_ID), FA)
        self.assert_waits()

    def test_one_that_cannot_be_approved_does_not_prevent_the_others(self):
        self.link(OTHER_ID, THIRD_FA)
        self.approve(id_value=OTHER_ID)
        other = self.propose(FA, OTHER_ID).with_user(self.users["supervisor"])
        both = self.change + other
        for change in both:
            self.compare(change)
        self.mapper._end_change(self.supervisor, self.change.id, "cancelled")
        self.assertIn("Approved: 1.", both.action_approve()["params"]["message"])
        self.assertEqual(self.get_fa(OTHER_ID), FA)
        self.assertEqual(self.get_fa(ID), FA)

    # === REFUSING === #

    def test_a_refusal_needs_a_reason(self):
        for reason in ("", "  ", False):
            with self.subTest(reason), self.assertRaisesRegex(UserError, "why you"):
                self.change.action_refuse(reason)
        with self.assertRaisesRegex(UserError, "why you"):
            self.review().action_refuse()
        self.assert_waits()

    def test_a_reason_does_not_disclose_what_is_sealed(self):
        for reason in ("not 1111 0000 1111", "it says 222200002222", "Ada-1815?"):
            with self.subTest(reason), self.assertRaisesRegex(UserError, "leave out"):
                self.change.action_refuse(reason)
        self.assert_waits()

    def test_the_proposer_sees_the_reason(self):
        self.review(refusal="The name differs").action_refuse()
        seen = self.change.with_user(self.users["officer"])
        self.assertEqual(seen.state, "refused")
        self.assertEqual(seen.decision_reason, "The name differs")

    def test_the_reason_is_seen_for_a_first_address_too(self):
        call = self.mapper.with_user(self.users["officer"])._build_staff_call("new")
        self.link(OTHER_ID, OTHER_FA, call)
        change = self.change_of(OTHER_ID).with_user(self.users["supervisor"])
        change.action_refuse("No document")
        self.assertEqual(change.decision_reason, "No document")
        self.assertFalse(self.change.decision_reason)
