from dataclasses import FrozenInstanceError
from datetime import datetime

from odoo.tests import BaseCase

from ..lib.contract import (
    DONE,
    NO_DETAILS,
    Authority,
    CallContext,
    ChangeRequest,
    Details,
    LinkRequest,
    Outcome,
    Period,
    Request,
    ResolveRequest,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
    in_force_at,
)


def build_period(begin, end, fa="fa", purpose=""):
    return Period("u", fa, "ended", purpose, 1, begin, end, "rest", "x")


class TestRequests(BaseCase):
    """All requests have the same attributes, so that code can take any of them."""

    def setUp(self):
        super().setUp()
        moment = datetime(2026, 3, 1)
        self.changes = {
            LinkRequest("id", "fa", asserted_at=moment): ("fa", moment),
            UpdateRequest("id", "fa", asserted_at=moment): ("fa", moment),
            UnlinkRequest("id", asserted_at=moment): (None, moment),
            UnlinkRequest("id", "fa"): ("fa", None),
            SuspendRequest("id"): (None, None),
            ResumeRequest("id"): (None, None),
        }

    def test_each_change_has_its_address_and_time(self):
        for request, expected in self.changes.items():
            with self.subTest(type(request).__name__):
                self.assertIsInstance(request, ChangeRequest)
                self.assertEqual((request.fa, request.asserted_at), expected)
                self.assertEqual((request.id_value, request.purpose), ("id", ""))
                self.assertIsNone(request.expected_version)

    def test_a_suspension_cannot_name_an_address(self):
        for kind in (SuspendRequest, ResumeRequest):
            for name in ("fa", "asserted_at", "details"):
                with self.subTest(kind=kind, name=name), self.assertRaises(TypeError):
                    kind("id", **{name: None})

    def test_only_requests_that_change_something_are_changes(self):
        self.assertNotIsInstance(ResolveRequest("id"), ChangeRequest)
        for request in (*self.changes, ResolveRequest("id")):
            self.assertIsInstance(request, Request)
        self.assertNotIsInstance("id", Request)


class TestContract(BaseCase):
    def test_authorities_are_ordered_from_institution_to_owner(self):
        self.assertEqual(
            sorted(Authority),
            [
                Authority.INSTITUTION,
                Authority.PROGRAMME,
                Authority.STAFF,
                Authority.OWNER,
            ],
        )

    def test_no_details_are_nothing(self):
        self.assertFalse(NO_DETAILS)
        self.assertFalse(Details("", "", ()))

    def test_any_detail_is_something(self):
        for details in (
            Details(name="Ada"),
            Details(phone_number="+1"),
            Details(additional_info=({},)),
        ):
            with self.subTest(details=details):
                self.assertTrue(details)

    def test_requests_and_calls_cannot_be_changed(self):
        frozen = (
            CallContext("a", "rest", Authority.STAFF),
            LinkRequest("i", "f"),
            UpdateRequest("i", "f"),
            UnlinkRequest("i"),
            SuspendRequest("i"),
            ResumeRequest("i"),
            ResolveRequest("i"),
            NO_DETAILS,
        )
        for value in frozen:
            with self.subTest(type(value).__name__):
                name = next(iter(value.__dataclass_fields__))
                with self.assertRaises(FrozenInstanceError):
                    setattr(value, name, "other")

    def test_refusals_and_waiting_are_not_done(self):
        for outcome in (
            Outcome.HELD,
            Outcome.CONFLICT,
            Outcome.LOCKED,
            Outcome.ALREADY_LINKED,
            Outcome.NOT_LINKED,
            Outcome.FORBIDDEN,
            Outcome.RETRY,
        ):
            with self.subTest(outcome):
                self.assertNotIn(outcome, DONE)


class TestInForceAt(BaseCase):
    def setUp(self):
        super().setUp()
        self.march, self.april = datetime(2026, 3, 1), datetime(2026, 4, 1)
        self.old = build_period(self.march, self.april, "old")
        self.new = build_period(self.april, None, "new")

    def assert_fa(self, expected, moment, purpose=""):
        period = in_force_at([self.new, self.old], moment, purpose)
        self.assertEqual(period and period.fa, expected)

    def test_a_period_begins_at_its_first_moment_and_ends_before_its_last(self):
        self.assert_fa("old", self.march)
        self.assert_fa("old", datetime(2026, 3, 31, 23, 59, 59, 999999))
        self.assert_fa("new", self.april)
        self.assert_fa("new", datetime(2099, 1, 1))

    def test_before_the_first_period_nothing_is_in_force(self):
        self.assert_fa(None, datetime(2026, 2, 28))

    def test_a_period_for_another_purpose_does_not_count(self):
        self.assert_fa(None, self.april, "school")

    def test_no_history_has_nothing_in_force(self):
        self.assertIsNone(in_force_at([], self.march))
