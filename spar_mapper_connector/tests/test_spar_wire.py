"""The wire format between two SPARs: each value is the same after a journey."""

import json
from dataclasses import fields
from datetime import datetime, timezone

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from odoo.addons.spar_mapper_connector.lib.confirmation import (
    ChangeProposal,
    Confirmation,
    ConfirmationPage,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    ChangeLock,
    ChangeState,
    ChangeStatus,
    Details,
    HistoryEvent,
    LinkRequest,
    NoticeInfo,
    ObjectionAnswer,
    ObjectionRequest,
    Operation,
    Outcome,
    PaymentState,
    Period,
    ProviderInfo,
    Remedy,
    ResolveRequest,
    Result,
    ResumeRequest,
    Standing,
    SuspendRequest,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
    VisitRequest,
    WaitingChange,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect import wire_json
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import (
    EncryptionNotSupported,
    MalformedMessage,
    RejectedMessage,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import RequestHeader
from odoo.addons.spar_mapper_connector.lib.spar_wire import records
from odoo.addons.spar_mapper_connector.lib.spar_wire.calls import (
    CALL,
    RemoteCall,
    build_remote_call,
)
from odoo.addons.spar_mapper_connector.lib.spar_wire.messages import (
    AnswerItem,
    Parties,
    build_answer,
    build_message,
    read_answer,
    read_message,
)
from odoo.addons.spar_mapper_connector.lib.spar_wire.operations import (
    ACTIONS,
    OPERATIONS,
    find_by_action,
)

ME = Parties("registry.example", "spar.example")
NOBODY = RemoteCall()
ID, FA = "token:1@nationalId", "account:1@BANK"

#: Few characters, so that drawing them takes no time: quotes, other scripts and widths.
_TEXT = st.text('aZ0:@ "\\/é漢٣\u202e😀', max_size=20)
_STORED = st.datetimes(min_value=datetime(1970, 1, 1))
_AWARE = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(timezone.utc))
_DETAILS = st.builds(
    Details,
    name=_TEXT,
    phone_number=_TEXT,
    additional_info=st.lists(
        st.dictionaries(_TEXT, _TEXT | st.integers(-9, 9), max_size=2), max_size=2
    ).map(tuple),
)
_COUNT = st.integers(0, 2**31)
_CHANGE = {
    "id_value": _TEXT,
    "purpose": _TEXT,
    "expected_version": st.none() | _COUNT,
}
_CLAIM = {**_CHANGE, "asserted_at": st.none() | _AWARE}
_PROVIDER = st.builds(ProviderInfo, name=_TEXT, code=_TEXT, branch_code=_TEXT)
_ANSWER = st.builds(
    ObjectionAnswer, st.sampled_from(Remedy), reference=_TEXT, is_closed=st.booleans()
)
_EVENT = st.builds(
    HistoryEvent,
    seq=_COUNT,
    kind=_TEXT,
    happened_at=_STORED,
    actor=_TEXT,
    on_behalf_of=_TEXT,
    channel=_TEXT,
    reason=_TEXT,
    message_reference=_TEXT,
    is_disputable=st.booleans(),
    objection=st.none() | _ANSWER,
)
_PERIOD = st.builds(
    Period,
    uuid=_TEXT,
    fa=_TEXT,
    state=_TEXT,
    purpose=_TEXT,
    version=_COUNT,
    valid_from=_STORED,
    valid_to=st.none() | _STORED,
    channel=_TEXT,
    actor=_TEXT,
    events=st.lists(_EVENT, max_size=2).map(tuple),
    suspensions=st.lists(st.tuples(_STORED, st.none() | _STORED), max_size=2).map(
        tuple
    ),
)
_MAYBE = st.none() | st.booleans()
#: The requests that can be proposed.
_PROPOSED = st.one_of(
    st.builds(LinkRequest, fa=_TEXT, details=_DETAILS, **_CLAIM),
    st.builds(UpdateRequest, fa=_TEXT, details=_DETAILS, **_CLAIM),
    st.builds(UnlinkRequest, fa=st.none() | _TEXT, **_CLAIM),
    st.builds(ObjectionRequest, _TEXT, _TEXT, _COUNT),
    st.builds(UnlockRequest, _TEXT, _TEXT),
    st.builds(VisitRequest),
)

#: The name of a kind in ``records`` -> what travels as that kind.
VALUES = {
    "LINK": st.builds(LinkRequest, fa=_TEXT, details=_DETAILS, **_CLAIM),
    "UPDATE": st.builds(UpdateRequest, fa=_TEXT, details=_DETAILS, **_CLAIM),
    "UNLINK": st.builds(UnlinkRequest, fa=st.none() | _TEXT, **_CLAIM),
    "SUSPEND": st.builds(SuspendRequest, **_CHANGE),
    "RESUME": st.builds(ResumeRequest, **_CHANGE),
    "RESOLVE": st.builds(
        ResolveRequest, st.none() | _TEXT, st.none() | _TEXT, purpose=_TEXT
    ),
    "RESULT": st.builds(
        Result,
        st.sampled_from(Outcome),
        id_value=st.none() | _TEXT,
        fa=st.none() | _TEXT,
        same_fa=_MAYBE,
        is_origin=st.booleans(),
        version=st.none() | _COUNT,
        problem=_TEXT,
        problem_values=st.none() | st.dictionaries(_TEXT, _TEXT, max_size=2),
        provider=st.none() | _PROVIDER,
        details=_DETAILS,
        reference=_TEXT,
    ),
    "STANDING_REQUEST": st.builds(records.StandingRequest, _TEXT, _TEXT),
    "STANDING": st.builds(
        Standing,
        _TEXT,
        _TEXT,
        st.sampled_from(PaymentState),
        is_disputed=_MAYBE,
        has_waiting_change=_MAYBE,
        shared_with=st.none() | _COUNT,
        provider=st.none() | _PROVIDER,
    ),
    "CHANGE_REFERENCE": st.builds(records.ChangeReference, _TEXT),
    "CHANGE_STATUS": st.builds(ChangeStatus, _TEXT, st.sampled_from(ChangeState)),
    "ID_REQUEST": st.builds(records.IdRequest, _TEXT),
    "MOMENT_REQUEST": st.builds(records.MomentRequest, _TEXT, _STORED, _TEXT),
    "HISTORY": st.builds(records.History, st.lists(_PERIOD, max_size=2).map(tuple)),
    "ADDRESS_AT": st.builds(records.AddressAt, st.none() | _PERIOD),
    "WAITING_CHANGES": st.builds(
        records.WaitingChanges,
        st.lists(
            st.builds(
                WaitingChange,
                operation=st.sampled_from(Operation),
                fa=_TEXT,
                purpose=_TEXT,
                period=_TEXT,
                seq=_COUNT,
                proposed_at=_STORED,
                effective_at=st.none() | _STORED,
                channel=_TEXT,
                actor=_TEXT,
            ),
            max_size=2,
        ).map(tuple),
    ),
    "OBJECTION": st.builds(ObjectionRequest, _TEXT, _TEXT, _COUNT),
    "OBJECTION_ANSWER": _ANSWER,
    "NOTICE_TOKEN": st.builds(records.NoticeToken, _TEXT),
    "OWN_REQUEST": st.builds(
        records.OwnRequest, _TEXT, _TEXT, _TEXT, _TEXT, purpose=_TEXT, visit=_TEXT
    ),
    "OWN_ADDRESS": st.builds(
        records.OwnAddress,
        st.builds(Result, st.sampled_from(Outcome), fa=st.none() | _TEXT),
        st.lists(_PERIOD, max_size=2).map(tuple),
        lock=st.sampled_from(ChangeLock),
    ),
    "NOTICE": st.builds(NoticeInfo, _TEXT, _STORED, _STORED, st.none() | _ANSWER),
    "PROPOSAL": st.builds(ChangeProposal, _PROPOSED, _TEXT, _TEXT, _TEXT, _TEXT),
    "CONFIRMATION_PAGE": st.builds(ConfirmationPage, _TEXT, _TEXT),
    "CONFIRMATION_REFERENCE": st.builds(records.ConfirmationReference, _TEXT),
    "CONFIRMATION": st.builds(
        Confirmation,
        st.sampled_from(ConfirmationState),
        _TEXT,
        st.none() | st.sampled_from(Outcome),
        _TEXT,
        _TEXT,
        st.none() | _ANSWER,
    ),
    "ABILITIES_REQUEST": st.builds(records.AbilitiesRequest),
    "ABILITIES": st.builds(
        records.Abilities,
        st.frozensets(st.sampled_from(Capability)),
        st.booleans(),
        _COUNT,
    ),
}

#: How long a draw takes depends on the machine.
_SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def travel(wire):
    """Return ``wire`` as the other side parses it."""
    return wire_json.parse(json.dumps(wire).encode())


def build(name, *requests, call=NOBODY, **header):
    document = travel(build_message(OPERATIONS[name], ME, call, requests))
    document["header"].update(header)
    return document


def read(name, document, max_items=10):
    header = RequestHeader.from_wire(document)
    return read_message(document, header, OPERATIONS[name], max_items)


def answer(name, document, *answers):
    header = RequestHeader.from_wire(document)
    transaction_id = document["message"]["transaction_id"]
    return travel(build_answer(header, OPERATIONS[name], transaction_id, answers))


class TestRoundTrip(BaseCase):
    def test_each_kind_travels_unchanged(self):
        for name, values in VALUES.items():
            with self.subTest(name):
                self.check_journey(getattr(records, name), values)

    def check_journey(self, kind, values):
        @_SETTINGS
        @given(value=values)
        def check(value):
            self.assertEqual(kind.read(travel(kind.write(value)), "it"), value)

        check()

    def test_each_kind_of_the_operations_is_tested(self):
        used = {each for o in OPERATIONS.values() for each in (o.request, o.answer)}
        tested = {getattr(records, name) for name in VALUES}
        self.assertLessEqual(used, tested)

    def test_every_member_of_the_contract_travels(self):
        """A field that is added to the contract has to be added here, too."""
        full = {
            "RESULT": Result(
                Outcome.FOUND,
                ID,
                FA,
                True,
                True,
                1,
                "p",
                {"a": "b"},
                ProviderInfo("n", "c", "b"),
                Details("n"),
                "r",
            ),
            "LINK": LinkRequest(
                ID, FA, Details("n"), "p", datetime.now(timezone.utc), 1
            ),
            "STANDING": Standing(
                ID, "p", PaymentState.PAYABLE, True, True, 1, ProviderInfo("n", "c")
            ),
        }
        for name, value in full.items():
            with self.subTest(name):
                wire = getattr(records, name).write(value)
                self.assertEqual(len(wire), len(fields(value)))

    @_SETTINGS
    @given(
        call=st.builds(
            RemoteCall,
            st.sampled_from(Authority),
            actor=st.sampled_from(["", "registry", "user:7", "person:" + "a" * 32]),
            on_behalf_of=st.sampled_from(["", "user:999999999"]),
            reason=_TEXT,
            checks_addresses=st.booleans(),
            checks_cards=st.booleans(),
        )
    )
    def test_call_travels_unchanged(self, call):
        self.assertEqual(CALL.read(travel(CALL.write(call)), "call"), call)

    def test_message_travels_unchanged(self):
        requests = [LinkRequest(ID, FA, purpose="cash"), LinkRequest("2", FA)]
        call = RemoteCall(Authority.PROGRAMME, actor="registry")
        message = read("link", build("link", *requests, call=call))
        self.assertEqual([item.request for item in message.items], requests)
        self.assertEqual(message.call, call)

    def test_actions_are_none_of_g2p_connect(self):
        self.assertTrue(all(action.startswith("spar-") for action in ACTIONS))
        for action in ("link", "txn-status", "spar-", "spar-nothing"):
            with self.assertRaises(KeyError):
                find_by_action(action)


class TestRequestsRefused(BaseCase):
    def assertMalformed(self, member, name, document):
        with self.assertRaises(MalformedMessage) as caught:
            read(name, document)
        self.assertEqual(caught.exception.member, member)

    def test_bad_item_is_an_item_with_its_member(self):
        for request, member in (
            (None, "request"),
            ({}, "id"),
            ({"id": 7}, "id"),
            ({"id": "1\x00"}, "id"),
            ({"id": "1" * 256}, "id"),
            ({"id": ID, "fa": "x" * 1001}, "fa"),
            ({"id": ID, "fa": FA, "expected_version": True}, "expected_version"),
            ({"id": ID, "fa": FA, "expected_version": None}, "expected_version"),
            ({"id": ID, "fa": FA, "asserted_at": "2026-03-01"}, "asserted_at"),
            ({"id": ID, "fa": FA, "details": {"name": 1}}, "details.name"),
        ):
            with self.subTest(member, request=request):
                document = build("link", LinkRequest(ID, FA), LinkRequest("2", FA))
                document["message"]["requests"][0]["request"] = request
                first, second = read("link", document).items
                self.assertEqual((first.request, first.member), (None, member))
                self.assertEqual(second.request, LinkRequest("2", FA))

    def test_items_are_a_list_of_objects_with_reference_ids(self):
        for wires, member in (
            ("x", "message.requests"),
            ([], "message.requests"),
            (["x"], "message.requests[0]"),
            ([{"request": {}}], "message.requests[0].reference_id"),
            ([{"reference_id": 1}], "message.requests[0].reference_id"),
        ):
            with self.subTest(wires=wires):
                document = build("resolve", ResolveRequest(ID))
                document["message"]["requests"] = wires
                document["header"]["total_count"] = len(wires)
                self.assertMalformed(member, "resolve", document)

    def test_reference_id_twice(self):
        document = build("resolve", ResolveRequest(ID), ResolveRequest("2"))
        document["message"]["requests"][1]["reference_id"] = "0"
        self.assertMalformed("message.requests", "resolve", document)

    def test_too_many_items(self):
        document = build("resolve", *[ResolveRequest(ID)] * 3)
        with self.assertRaises(RejectedMessage) as caught:
            read("resolve", document, max_items=2)
        self.assertEqual(caught.exception.code, "rjct.total_count.limit_exceeded")

    def test_history_is_that_of_one_id(self):
        document = build("history", *[records.IdRequest(ID)] * 2)
        with self.assertRaises(RejectedMessage):
            read("history", document)

    def test_count_must_match(self):
        with self.assertRaises(RejectedMessage):
            read("resolve", build("resolve", ResolveRequest(ID), total_count=2))

    def test_encrypted_message(self):
        document = build("resolve", ResolveRequest(ID), is_msg_encrypted=True)
        with self.assertRaises(EncryptionNotSupported):
            read("resolve", document)

    def test_references_must_be_opaque(self):
        for actor in ("Maria Santos", "user:maria", f"user:{ID}", "user:2007816053"):
            with self.subTest(actor):
                document = build("resolve", ResolveRequest(ID))
                document["message"]["call"] = {"actor": actor}
                self.assertMalformed("message.call.actor", "resolve", document)

    def test_unknown_authority(self):
        document = build("resolve", ResolveRequest(ID))
        document["message"]["call"] = {"authority": "god"}
        self.assertMalformed("message.call.authority", "resolve", document)

    def test_call_is_an_object(self):
        document = build("resolve", ResolveRequest(ID))
        document["message"]["call"] = []
        self.assertMalformed("message.call", "resolve", document)

    def test_name_of_staff_never_leaves(self):
        call = CallContext("user:maria", "staff", Authority.STAFF, on_behalf_of="M S")
        self.assertEqual(build_remote_call(call).reference, "")


class TestAnswers(BaseCase):
    def setUp(self):
        super().setUp()
        requests = [ResolveRequest(ID), ResolveRequest("2")]
        self.document = build("resolve", *requests)
        self.found = [
            AnswerItem("0", Result(Outcome.FOUND, ID, FA, version=3)),
            AnswerItem("1", Result(Outcome.NOT_LINKED)),
        ]
        self.answer = answer("resolve", self.document, *self.found)
        self.wires = self.answer["message"]["answers"]

    def read_all(self):
        return read_answer(self.answer, OPERATIONS["resolve"], self.document)

    def test_answers_travel_unchanged(self):
        self.assertEqual(self.read_all(), self.found)

    def test_another_order_is_put_right(self):
        self.wires.reverse()
        self.assertEqual(self.read_all(), self.found)

    def test_half_an_answer(self):
        del self.wires[0]
        self.assertEqual(self.read_all(), [None, self.found[1]])

    def test_answer_twice_is_not_believed(self):
        self.wires.append(dict(self.wires[0]))
        self.assertEqual(self.read_all(), [None, self.found[1]])

    def test_answers_to_other_items_are_ignored(self):
        self.wires[0]["reference_id"] = "7"
        self.wires.append("x")
        self.assertEqual(self.read_all(), [None, self.found[1]])

    def test_answer_that_cannot_be_read(self):
        for wire in (None, [], {}, {"outcome": 1}, {"outcome": "found", "fa": 7}):
            with self.subTest(wire=wire):
                self.wires[0]["answer"] = wire
                self.assertEqual(self.read_all(), [None, self.found[1]])

    def test_unknown_outcome_is_no_success(self):
        self.wires[0]["answer"]["outcome"] = "teleported"
        self.assertEqual(self.read_all()[0].answer.outcome, Outcome.RETRY)

    def test_unknown_state_is_not_payable(self):
        wire = {"id": ID, "purpose": "", "state": "nearly"}
        state = records.STANDING.read(wire, "answer").state
        self.assertEqual(state, PaymentState.UNKNOWN)

    def test_unknown_capability_is_left_out(self):
        wire = {"capabilities": ["history", "telepathy", 7]}
        found = records.ABILITIES.read(wire, "answer").capabilities
        self.assertEqual(found, {Capability.HISTORY})

    def test_error_of_an_item(self):
        self.wires[0] = {"reference_id": "0", "error": "no_such_event"}
        self.assertEqual(self.read_all()[0], AnswerItem("0", error="no_such_event"))

    def test_message_rejected_as_a_whole(self):
        self.answer["header"]["status"] = "rjct"
        self.answer["header"]["status_reason_code"] = "rjct.message_ts.invalid"
        with self.assertRaises(RejectedMessage) as caught:
            self.read_all()
        self.assertEqual(caught.exception.code, "rjct.message_ts.invalid")

    def test_answer_to_another_operation(self):
        self.answer["header"]["action"] = "on-spar-link"
        with self.assertRaises(MalformedMessage):
            self.read_all()

    def test_no_answer_at_all(self):
        for document in (None, [], {}, {"header": {}}, {**self.answer, "message": 7}):
            with self.subTest(document=document), self.assertRaises(MalformedMessage):
                read_answer(document, OPERATIONS["resolve"], self.document)

    def test_answer_to_another_message(self):
        other = build("resolve", ResolveRequest(ID), ResolveRequest("2"))
        with self.assertRaises(MalformedMessage):
            read_answer(self.answer, OPERATIONS["resolve"], other)

    def test_answer_of_or_for_somebody_else(self):
        for name in ("sender_id", "receiver_id"):
            header = {**self.answer["header"], name: "elsewhere.example"}
            with self.subTest(name), self.assertRaises(MalformedMessage) as caught:
                read_answer(
                    {**self.answer, "header": header},
                    OPERATIONS["resolve"],
                    self.document,
                )
            self.assertEqual(caught.exception.member, f"header.{name}")


class TestProposal(BaseCase):
    """A proposal has exactly one request, under the name of its kind."""

    def test_proposal_without_one_request_is_refused(self):
        about = {"draft_id": "d1", "return_url": "https://portal.example/x"}
        link = {"id": ID, "fa": FA}
        for wire in (
            about,
            {**about, "link": link, "update": link},
            {**about, "resume": {"id": ID}},
            {**about, "link": {"id": ID}},
            {"link": link},
        ):
            with self.subTest(wire), self.assertRaises(MalformedMessage):
                records.PROPOSAL.read(wire, "request")
