"""A person's view and actions below the pages, for their own ID only."""

from dataclasses import replace
from datetime import datetime

from odoo.tests import TransactionCase, tagged

from odoo.addons.spar_mapper_connector.exceptions import (
    MapperError,
    NoSuchEvent,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    ObjectionAnswer,
    Operation,
    Outcome,
    Remedy,
    WaitingChange,
)

from ..exceptions import (
    DraftOutdated,
    NoSuchDraft,
    NotLoggedIn,
    OutcomeUnknown,
    StepUpNeeded,
)
from .page_case import FA, ID, OTHER_FA, OTHER_ID, STAFF, StandInCase


@tagged("post_install", "-at_install")
class TestMyAddress(StandInCase, TransactionCase):
    def setUp(self):
        super().setUp()
        self.mine = self.as_user(self.ada_user)

    def open(self, operation="set"):
        draft = self.mine._open_draft(operation)
        if operation == "set":
            self.fill_in(draft)
        return draft

    # === READING === #

    def test_person_without_an_address_can_choose_one(self):
        shown = self.mine._get_overview()
        self.assertEqual(shown.state, "none")
        self.assertTrue(shown.can_change)
        self.assertFalse(shown.can_remove or shown.disputable or shown.has_history)

    def test_the_address_is_shown_masked(self):
        self.store.add(ID, FA, STAFF)
        shown = self.mine._get_overview()
        texts = {line.label: line.text for line in shown.lines}
        self.assertEqual(texts["Bank"], "Test Bank")
        self.assertEqual(texts["Account number"], "•••••••••111")
        self.assertEqual(shown.lines[-1].heard, "ends in 1 1 1")
        self.assertTrue(shown.can_change and shown.can_remove)

    def test_a_stopped_address_is_shown_as_stopped(self):
        self.store.add(ID, FA, STAFF)
        self.store.stopped.add(ID)
        shown = self.mine._get_overview()
        self.assertEqual(shown.state, "stopped")
        self.assertTrue(shown.lines)

    def test_only_what_the_backend_can_do_is_offered(self):
        self.store.add(ID, FA, STAFF)
        self.store.capabilities = frozenset({Capability.RESOLVE})
        shown = self.mine._get_overview()
        self.assertEqual(shown.state, "active")
        self.assertFalse(shown.can_change or shown.can_remove or shown.disputable)
        self.assertFalse(shown.has_history)
        self.assertEqual(self.mine._get_history(), [])

    def test_pending_change_is_shown_with_its_day(self):
        self.store.add(ID, FA, STAFF)
        day = datetime(2026, 4, 2)
        for operation, fa, at, word in (
            (Operation.UPDATE, OTHER_FA, day, "April 2"),
            (Operation.UPDATE, OTHER_FA, None, "Our staff are checking this"),
            (Operation.UNLINK, "", day, "removed on April 2"),
            (Operation.UNLINK, "", None, "asked to remove"),
        ):
            with self.subTest(operation=operation, at=at):
                place = ("period", 2, day, at, "rest", "participant:x")
                self.store.waiting[ID] = [WaitingChange(operation, fa, "", *place)]
                (waiting,) = self.mine._get_overview().waiting
                self.assertIn(word, waiting.text)

    def test_person_who_is_not_logged_in_sees_nothing(self):
        stranger = self.as_user(self.env.ref("base.public_user"))
        for call in (
            stranger._get_overview,
            stranger._get_history,
            lambda: stranger._open_draft("set"),
            lambda: stranger._find_draft("x"),
            lambda: stranger._begin_objection("x", 1),
        ):
            with self.assertRaises(NotLoggedIn):
                call()
        self.assertEqual(self.store.calls, [])

    def test_each_mapper_call_is_about_the_persons_own_id(self):
        self.store.add(OTHER_ID, OTHER_FA, STAFF)
        self.mine._get_overview()
        self.mine._get_history()
        draft = self.open()
        self.prove(draft)
        self.mine._carry_out(draft)
        ids = {request.id_value for _word, _call, request in self.store.calls}
        self.assertEqual(ids, {ID})

    def test_mapper_is_that_of_the_id_type(self):
        domain = [("code", "=", self.ada.id_type)]
        id_type = self.env["spar.id.type"].search(domain)
        self.assertEqual(self.mine._get_mapper(self.ada)._name, "spar.mapper.stand.in")
        backend = self.env["spar.mapper.backend"].search([], limit=1)
        if backend:
            id_type.backend_id = backend
            mapper = self.mine._get_mapper(self.ada)
            self.assertEqual(mapper._name, backend.implementation)

    def test_disputed_event_cannot_be_disputed_again(self):
        period = self.store.add(ID, FA, STAFF)
        self.assertTrue(self.mine._find_disputed(period.uuid, 1))
        said = ObjectionAnswer(Remedy.NOTED, "CASE0001")
        (event,) = period.events
        disputed = replace(period, events=(replace(event, objection=said),))
        self.store.periods[ID] = [disputed]
        self.assertIsNone(self.mine._find_disputed(period.uuid, 1))

    def test_event_frozen_by_a_link_can_be_disputed_after_login(self):
        period = self.store.add(ID, FA, STAFF)
        (event,) = period.events
        for is_closed in (False, True):
            said = ObjectionAnswer(Remedy.FROZEN, "CASE0001", is_closed)
            disputed = replace(period, events=(replace(event, objection=said),))
            self.store.periods[ID] = [disputed]
            with self.subTest(is_closed=is_closed):
                found = self.mine._find_disputed(period.uuid, 1)
                self.assertEqual(bool(found), not is_closed)
                disputable = self.mine._get_overview().disputable
                self.assertEqual(bool(disputable), not is_closed)

    def test_nothing_is_begun_while_a_case_is_open(self):
        period = self.store.add(ID, FA, STAFF)
        (event,) = period.events
        said = ObjectionAnswer(Remedy.NOTED, "CASE0001")
        disputed = replace(period, events=(replace(event, objection=said),))
        self.store.periods[ID] = [disputed]
        for operation in ("set", "remove"):
            with self.subTest(operation), self.assertRaises(DraftOutdated):
                self.mine._open_draft(operation)
        self.assertFalse(self.env["spar.draft"].search_count([]))

    def test_without_objections_nothing_can_be_disputed(self):
        period = self.store.add(ID, FA, STAFF)
        day = datetime(2026, 4, 2)
        place = ("period", 2, day, day, "rest", "participant:x")
        self.store.waiting[ID] = [WaitingChange(Operation.UPDATE, FA, "", *place)]
        self.assertTrue(self.mine._find_disputed("period", 2))
        self.assertTrue(self.mine._get_overview().waiting[0].is_disputable)
        self.store.capabilities -= {Capability.OBJECTION}
        self.assertFalse(self.mine._get_overview().waiting[0].is_disputable)
        for place in ((period.uuid, 1), ("period", 2)):
            with self.subTest(place):
                self.assertIsNone(self.mine._find_disputed(*place))

    # === DOING === #

    def test_a_draft_is_carried_out_once(self):
        draft = self.open()
        self.prove(draft)
        self.mine._carry_out(draft)
        self.mine._carry_out(draft)
        self.assertEqual(self.acts, ["link"])
        self.assertEqual((draft.state, draft.outcome), ("done", "linked"))

    def test_a_mapper_without_versions_changes_and_removes(self):
        self.store.add(ID, FA, STAFF)
        self.store.capabilities -= {Capability.VERSIONS, Capability.WAITING_CHANGES}
        self.assertEqual(self.mine._get_overview().waiting, [])
        for operation, outcome in (("set", "updated"), ("remove", "unlinked")):
            with self.subTest(operation):
                draft = self.open(operation)
                self.prove(draft)
                self.mine._carry_out(draft)
                self.assertEqual((draft.state, draft.outcome), ("done", outcome))
        self.assertEqual(self.acts, ["update", "unlink"])

    def test_without_a_proof_nothing_is_asked(self):
        draft = self.open()
        with self.assertRaises(StepUpNeeded):
            self.mine._carry_out(draft)
        self.assertEqual(self.acts, [])
        self.assertEqual(draft.state, "open")

    def test_another_persons_draft_is_not_found(self):
        draft = self.open()
        with self.assertRaises(NoSuchDraft):
            self.as_user(self.grace_user)._find_draft(draft.uuid)

    def test_unavailable_mapper_changes_nothing(self):
        draft = self.open()
        self.prove(draft)
        self.store.failing["link"] = ServiceUnavailable("away")
        with self.assertRaises(ServiceUnavailable):
            self.mine._carry_out(draft)
        self.assertEqual(draft.state, "open")
        self.assertTrue(draft._build_address())
        self.assertIsNone(self.store.get_fa(ID))

    def test_call_that_failed_after_its_effect_is_reported_as_done(self):
        draft = self.open()
        self.prove(draft)
        self.store.failing["link"] = MapperError("the answer was lost")
        self.store.acts_before_failing = True
        self.mine._carry_out(draft)
        self.assertEqual((draft.state, draft.outcome), ("done", "updated"))

    def test_removal_that_failed_after_its_effect_is_reported_as_done(self):
        self.store.add(ID, FA, STAFF)
        draft = self.open("remove")
        self.prove(draft)
        self.store.failing["unlink"] = MapperError("the answer was lost")
        self.store.acts_before_failing = True
        self.mine._carry_out(draft)
        self.assertEqual((draft.state, draft.outcome), ("done", "unlinked"))

    def test_removal_that_failed_before_its_effect_is_reported_as_failed(self):
        self.store.add(ID, FA, STAFF)
        draft = self.open("remove")
        self.prove(draft)
        self.store.failing["unlink"] = MapperError("no connection")
        with self.assertRaises(MapperError):
            self.mine._carry_out(draft)
        self.assertEqual(draft.state, "open")

    def test_a_removal_that_was_cut_off_is_reported_as_done(self):
        self.store.add(ID, FA, STAFF)
        draft = self.open("remove")
        self.store.end(ID)
        self.prove(draft)
        self.mine._carry_out(draft)
        self.assertEqual((draft.outcome, self.acts), ("unlinked", []))

    def test_change_already_in_force_is_reported_as_done(self):
        draft = self.open()
        self.store.add(ID, draft._build_address(), STAFF)
        self.prove(draft)
        self.mine._carry_out(draft)
        self.assertEqual((draft.outcome, self.acts), ("updated", []))

    def test_call_that_failed_before_its_effect_is_reported_as_failed(self):
        draft = self.open()
        self.prove(draft)
        self.store.failing["link"] = MapperError("no connection")
        with self.assertRaises(MapperError):
            self.mine._carry_out(draft)
        self.assertEqual(draft.state, "open")

    def test_unknown_outcome_is_explained(self):
        draft = self.open()
        self.prove(draft)
        stand_in = self.registry["spar.mapper.stand.in"]

        def _link_fa(mapper, call, requests):
            self.store.failing["resolve"] = MapperError("gone")
            raise MapperError("gone")

        self.patch(stand_in, "_link_fa", _link_fa)
        with self.assertRaises(OutcomeUnknown):
            self.mine._carry_out(draft)

    def test_an_objection_reaches_ones_own_events_only(self):
        self.store.add(ID, FA, STAFF)
        theirs = self.store.add(OTHER_ID, OTHER_FA, STAFF)
        with self.assertRaises(NoSuchEvent):
            self.mine._begin_objection(theirs.uuid, 1)
        self.assertIsNone(self.mine._find_disputed(theirs.uuid, 1))

    def test_removal_of_an_address_changed_meanwhile_is_refused(self):
        self.store.add(ID, FA, STAFF)
        draft = self.open("remove")
        self.store.add(ID, OTHER_FA, STAFF, "updated")
        self.prove(draft)
        self.store.outcome = Outcome.CONFLICT
        self.mine._carry_out(draft)
        self.assertEqual(draft.outcome, "conflict")
        self.assertEqual(self.store.get_fa(ID), OTHER_FA)
