"""The owner's lock: who may still do what, and how it is lifted."""

import base64
from contextlib import suppress
from dataclasses import replace

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form

from odoo.addons.spar_mapper_connector.exceptions import NotPermitted, SealBroken
from odoo.addons.spar_mapper_connector.lib.confirmed_change import (
    Binding,
    build_change,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    LinkRequest,
    LockRequest,
    ObjectionRequest,
    Outcome,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.owner_proof import make_salt

from ..exceptions import NoSuchChange, SamePerson
from ..lib import proof_export
from ..lib.evidence import build_reference
from .common import FA, ID, OTHER_FA, OTHER_ID
from .proof_case import OTHER_VALUE, OwnerProofCase
from .test_audit_findings import AuditCase

UNLOCK = UnlockRequest(ID)
LOCKED = (Outcome.LOCKED, "change_lock")
#: In the order of the table of who may do what.
OPERATIONS = ("link", "update", "unlink", "suspend", "resume", "lock", "unlock")


class OwnerLockCase(OwnerProofCase, AuditCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        # With a document, as an uploaded scan is named.
        self.clerk = replace(self.staff, message_reference=build_reference("a" * 32))

    def lock(self, id_value=ID, call=None):
        call = call or self.owner
        return self.mapper._lock_changes(call, [LockRequest(id_value)])[0]

    def unlock(self, call):
        return self.mapper._unlock_changes(call, [UNLOCK])[0]

    def get_lock(self, id_value=ID) -> str:
        return self.mapper._get_change_lock(self.call, id_value).value

    def approve(self, call=None):
        change = self.change_of(ID)
        return self.mapper._approve_change(call or self.supervisor, change.id)

    def assert_lock(self, lock: str, *events: str) -> None:
        """Assert which lock there is, and which events were the last ones."""
        self.assertEqual(self.get_lock(), lock)
        self.assertEqual(self.subject_of(ID).change_lock, lock)
        self.assertEqual(self.events_of(ID)[-len(events) :], list(events))


class TestLocking(OwnerLockCase):
    def test_login_is_enough_to_lock_and_it_is_noticed(self):
        self.assertEqual(self.get_lock(), "none")
        result = self.lock()
        self.assertEqual((result.outcome, result.version), (Outcome.LOCK_SET, 1))
        self.assert_lock("owner", "linked", "changes_locked")
        event = self.subject_of(ID).event_ids.sorted("id")[-1]
        notices = self.env["spar.notice"].search([("event_id", "=", event.id)])
        self.assertEqual(len(notices), 1)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.check(), [])

    def test_lock_twice_is_one_event(self):
        self.lock()
        before = self.count_rows()
        self.assertEqual(self.lock().outcome, Outcome.LOCK_SET)
        self.assertEqual(self.count_rows(), before)

    def test_nobody_else_locks(self):
        for call in (self.institution, self.call, self.staff):
            with self.subTest(call.actor):
                result = self.lock(call=call)
                self.assertEqual(result.outcome, Outcome.FORBIDDEN)
                self.assertEqual(result.problem, "not_owner")
        self.assert_lock("none", "linked")

    def test_unknown_id_is_not_locked_and_not_created(self):
        self.assertEqual(self.lock(OTHER_ID).outcome, Outcome.NOT_LINKED)
        self.assertFalse(self.subject_of(OTHER_ID))
        self.assertEqual(self.get_lock(OTHER_ID), "none")
        self.assertEqual(self.get_lock(""), "none")

    def test_reader_without_a_role_learns_nothing(self):
        nobody = self.env["res.users"].create({"name": "N", "login": "lock-nobody"})
        for method, request in (
            ("_get_change_lock", ID),
            ("_lock_changes", [LockRequest(ID)]),
            ("_unlock_changes", [UNLOCK]),
        ):
            with self.subTest(method), self.assertRaises(NotPermitted):
                getattr(self.mapper.with_user(nobody), method)(self.owner, request)

    def test_lock_that_sql_lifted_is_not_believed(self):
        self.lock()
        self.tamper(
            "UPDATE spar_subject SET change_lock = 'none' WHERE id = %s",
            self.subject_of(ID).id,
        )
        # assertRaises would undo the alarm as well.
        with self.catch_alarms() as alarms, suppress(SealBroken):
            self.fail(f"believed: {self.get_lock()}")
        self.assertIn(("spar_subject", self.subject_of(ID).id), alarms)
        with self.catch_alarms():
            self.assertEqual(self.update(ID, OTHER_FA).problem, "integrity")


class TestWhoMayDoWhat(OwnerLockCase):
    """The table of callers and operations, while the owner's lock is in force."""

    def setUp(self):
        super().setUp()
        self.lock()

    def do(self, operation, call):
        """Do one thing as ``call``; return its outcome, and undo it."""
        actions = {
            "link": lambda: self.link(ID, OTHER_FA, call),
            "update": lambda: self.update(ID, OTHER_FA, call),
            "unlink": lambda: self.unlink(ID, FA, call),
            "suspend": lambda: self.suspend(ID, call),
            "resume": lambda: self.resume(ID, call),
            "lock": lambda: self.lock(call=call),
            "unlock": lambda: self.unlock(call),
        }
        with self.undone():
            if operation == "resume":
                self.suspend(ID)
            result = actions[operation]()
        return result.outcome.value

    def test_table(self):
        unproved = replace(self.staff, authority=Authority.PROGRAMME)
        for name, call, expected in (
            (
                "institution",
                self.institution,
                "locked locked locked suspended held forbidden forbidden",
            ),
            (
                "programme",
                self.call,
                "locked locked locked suspended resumed forbidden forbidden",
            ),
            (
                "file of staff",
                replace(self.clerk, channel="file"),
                "locked locked locked suspended resumed forbidden forbidden",
            ),
            (
                "staff without a document seen",
                unproved,
                "locked locked locked suspended resumed forbidden forbidden",
            ),
            (
                "staff",
                self.clerk,
                "already_linked held held suspended resumed forbidden held",
            ),
            (
                "owner without a proof",
                self.owner,
                "locked locked locked suspended forbidden lock_set forbidden",
            ),
        ):
            for operation, outcome in zip(OPERATIONS, expected.split(), strict=True):
                with self.subTest(caller=name, operation=operation):
                    if name.startswith("owner"):
                        self.set_limit_off()
                        outcome = {"resume": "resumed"}.get(operation, outcome)
                    self.assertEqual(self.do(operation, call), outcome)
        self.assert_lock("owner", "linked", "changes_locked")

    def set_limit_off(self):
        """Let the store demand no proofs: a lock demands one all the same."""
        self.env.ref("spar_mapper.limit_owner_proof_required").is_on = False

    def test_owner_with_a_proof_changes_and_the_lock_stays(self):
        result = self.send(UpdateRequest(ID, OTHER_FA, expected_version=1))
        self.assertEqual(result.outcome, Outcome.UPDATED)
        self.assert_lock("owner", "updated")
        self.assertEqual(self.send(UnlinkRequest(ID)).outcome, Outcome.UNLINKED)
        self.assertEqual(self.link(ID, FA).outcome, Outcome.LOCKED)
        self.assertEqual(self.send(LinkRequest(ID, FA)).outcome, Outcome.LINKED)

    def test_staff_propose_and_a_second_person_decides(self):
        held = self.update(ID, OTHER_FA, self.clerk)
        self.assertEqual(held.outcome, Outcome.HELD)
        self.assertEqual(self.change_of(ID).why, "owner_locked")
        self.assertIn("beneficiary", self.change_of(ID).why_text)
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.approve().outcome, Outcome.UPDATED)
        self.assert_lock("owner", "held", "change_approved", "updated")
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_change_of_staff_that_waited_for_its_time_is_not_made(self):
        self.send(UNLOCK)
        self.hold_everything()
        self.update(ID, OTHER_FA, self.clerk)
        self.lock()
        self.let_pass(hours=49)
        self.run_schedule()
        self.assertEqual(self.change_of(ID).state, "refused")
        self.assertEqual(self.get_fa(ID), FA)

    def test_change_of_a_programme_that_waited_for_approval_is_not_made(self):
        self.send(UNLOCK)
        self.add_rule("approve")
        self.update(ID, OTHER_FA)
        self.lock()
        self.assertEqual(self.approve().outcome, Outcome.LOCKED)
        self.assertEqual(self.change_of(ID).state, "refused")
        self.assert_lock("owner", "change_approved", "change_refused")

    def test_own_change_that_waited_is_made(self):
        self.hold_everything()
        self.send(UpdateRequest(ID, OTHER_FA, expected_version=1))
        self.let_pass(hours=49)
        self.run_schedule()
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_objection_works_and_the_lock_comes_back(self):
        self.send(UpdateRequest(ID, OTHER_FA, expected_version=1))
        period = self.mapper._history(self.owner, ID)[0]
        seq = next(e.seq for e in period.events if e.kind == "updated")
        self.object_to(ObjectionRequest(ID, period.uuid, seq))
        self.assert_lock("objection", "objected")
        self.assertEqual(self.lock().outcome, Outcome.LOCKED)
        self.assertEqual(self.send(UNLOCK).outcome, Outcome.LOCKED)
        case = self.env["spar.objection"].search([], limit=1, order="id desc")
        self.mapper._close_objection(self.supervisor, case.id, True)
        self.assertEqual(self.get_lock(), "owner")


class TestUnlocking(OwnerLockCase):
    def setUp(self):
        super().setUp()
        self.lock()

    def test_proof_lifts_it_and_is_kept(self):
        result = self.send(UNLOCK)
        self.assertEqual(result.outcome, Outcome.LOCK_LIFTED)
        self.assert_lock("none", "changes_unlocked")
        proof = self.get_proofs()
        self.assertEqual(proof.event_id.kind, "changes_unlocked")
        self.rotate_keys()
        self.assertEqual(self.proofs._check_all(), [])
        text, problems = self.proofs._export(proof.event_id.uuid)
        verdict = proof_export.check_export(text)
        self.assertEqual((problems, verdict.problems), ([], ()))
        lines = proof_export.describe_export(text, verdict)
        self.assertIn(f"The change: unlock, for {ID}.", lines)
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.UPDATED)

    def test_it_is_not_lifted_without_a_proof_or_with_another_one(self):
        other_receiver = Binding("other.example", "d1", make_salt())
        for code, call in (
            ("proof_missing", self.owner),
            ("proof_other_change", self.prove(UpdateRequest(ID, OTHER_FA))),
            ("proof_other_change", self.prove(UnlinkRequest(ID))),
            ("proof_other_change", self.prove(UnlockRequest(OTHER_ID))),
            ("proof_other_person", self.confirm(UNLOCK, OTHER_VALUE)),
            ("proof_receiver", self.confirm(UNLOCK, binding=other_receiver)),
            ("proof_not_usable", replace(self.confirm(UNLOCK), authority=30)),
        ):
            with self.subTest(code):
                self.assert_refused(code, UNLOCK, call)
        self.assert_lock("owner", "changes_locked")

    def prove(self, request):
        """Return a call with a proof that says something else than *unlock*."""
        return self.confirm(request)

    def test_proof_is_demanded_whatever_the_store_demands_otherwise(self):
        self.env.ref("spar_mapper.limit_owner_proof_required").is_on = False
        self.assert_refused("proof_missing", UNLOCK, self.owner)

    def test_unlock_is_not_replayed(self):
        call = self.confirm(UNLOCK)
        self.send(UNLOCK, call)
        self.lock()
        self.assert_refused("proof_replayed", UNLOCK, call)
        self.assert_lock("owner", "changes_locked")

    def test_proof_of_an_unlock_proves_no_other_change(self):
        call = self.confirm(UNLOCK)
        self.assert_refused("proof_other_change", UnlinkRequest(ID), call)
        change = build_change(UNLOCK, self.build_binding())
        self.assertEqual(change.operation.value, "unlock")

    def test_login_for_nothing_is_used_up(self):
        self.send(UNLOCK)
        call = self.confirm(UNLOCK)
        self.assertEqual(self.send(UNLOCK, call).outcome, Outcome.LOCK_LIFTED)
        self.lock()
        self.assert_refused("proof_replayed", UNLOCK, call)

    def test_unlocking_that_was_not_the_owner_locks_again(self):
        self.send(UNLOCK)
        period = self.mapper._history(self.owner, ID)[0]
        seq = next(e.seq for e in period.events if e.kind == "changes_unlocked")
        answer = self.object_to(ObjectionRequest(ID, period.uuid, seq))
        self.assertEqual(answer.remedy.value, "noted")
        case = self.env["spar.objection"].search([], limit=1, order="id desc")
        self.mapper._close_objection(self.supervisor, case.id, True)
        self.assertEqual(self.get_lock(), "owner")


class TestLiftedByStaff(OwnerLockCase):
    """The person has lost their phone: a document, a reason, a second person."""

    def setUp(self):
        super().setUp()
        self.lock()

    def test_second_person_lifts_it_and_the_owner_is_notified(self):
        self.assertEqual(self.unlock(self.clerk).outcome, Outcome.HELD)
        self.assert_lock("owner", "held")
        self.assertEqual(self.change_of(ID).operation, "unlock")
        self.assertEqual(self.approve().outcome, Outcome.LOCK_LIFTED)
        self.assert_lock("none", "held", "change_approved", "lock_lifted")
        events = self.subject_of(ID).event_ids.sorted("id")[-3:]
        notices = self.env["spar.notice"].search([("event_id", "in", events.ids)])
        self.assertIn("lock_lifted", notices.event_id.mapped("kind"))
        self.assertEqual(self.check(), [])
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.UPDATED)

    def test_it_takes_a_document_and_somebody_else(self):
        result = self.unlock(self.staff)
        self.assertEqual((result.outcome.value, result.problem), _NO_EVIDENCE)
        self.unlock(self.clerk)
        with self.assertRaises(SamePerson):
            self.approve(self.clerk)
        self.assert_lock("owner", "held")

    def test_refused_or_expired_it_stays_locked(self):
        for end in ("refused", "cancelled", "expired"):
            with self.subTest(end):
                self.unlock(self.clerk)
                self.mapper._end_change(self.supervisor, self.change_of(ID).id, end)
                self.assertEqual(self.get_lock(), "owner")

    def test_rule_does_not_make_it_easier(self):
        self.add_rule("apply")
        self.assertEqual(self.unlock(self.clerk).outcome, Outcome.HELD)

    def test_owner_who_unlocks_meanwhile_leaves_nothing_to_lift(self):
        self.unlock(self.clerk)
        self.send(UNLOCK)
        self.assertEqual(self.change_of(ID).state, "stale")
        self.assert_lock("none", "held", "change_stale", "changes_unlocked")
        with self.assertRaises(NoSuchChange):
            self.approve()
        self.assertEqual(self.check(), [])

    def open_form(self, user):
        """Open the form as the button on the person's page does."""
        person = self.subject_of(ID).with_user(user)
        action = person.action_unlock()
        wizards = self.env[action["res_model"]].with_user(user)
        return Form(wizards.with_context(**action["context"]))

    def test_officer_asks_for_it_on_the_person_s_page(self):
        officer = self.create_user("officer")
        form = self.open_form(officer)
        self.assertTrue(form.asks_evidence)
        self.assertIn("stay locked", form.forecast)
        form.reason, form.has_evidence = "Lost the phone", True
        form.document = base64.b64encode(PDF).decode()
        action = form.save().action_confirm()
        self.assertIn("stay locked", str(action))
        change = self.change_of(ID)
        self.assertEqual((change.reason, change.state), ("Lost the phone", "waiting"))
        self.assertTrue(change.sudo().evidence_id)
        self.assert_lock("owner", "held")

    def test_form_without_a_document_changes_nothing(self):
        form = self.open_form(self.create_user("officer"))
        form.reason, form.has_evidence = "Lost the phone", False
        form.document = base64.b64encode(PDF).decode()
        with self.assertRaisesRegex(UserError, "seen the person's document"):
            form.save().action_confirm()
        self.assert_lock("owner", "changes_locked")

    def test_viewer_lifts_nothing(self):
        with self.assertRaises(AccessError):
            self.open_form(self.create_user("viewer")).save().action_confirm()


PDF = b"%PDF-1.7\nthe document of the person\n%%EOF\n"
_NO_EVIDENCE = ("forbidden", "no_evidence")
