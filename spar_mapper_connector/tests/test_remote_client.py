from odoo.tests import BaseCase

from ..exceptions import (
    RemoteAnswerUnusable,
    RemoteMapperDown,
    RemoteMapperRefuses,
)
from ..lib.contract import (
    UNKNOWN_EFFECT,
    LinkRequest,
    Operation,
    Outcome,
    ResolveRequest,
    UnlinkRequest,
    UpdateRequest,
)
from ..lib.g2p_connect.parties import Parties
from ..lib.remote.client import PATIENCE, RemoteMapper
from ..lib.remote.dialects import get_dialect
from ..lib.remote.messages import Message
from .remote_mapper import build_document

FA, OTHER = "account:1@A.B", "account:2@A.B"
OPENG2P = get_dialect("openg2p-1.x")
LOST = RemoteMapperDown("too_slow", was_sent=True)


class Wire:
    """The other side: what each next message is answered, and how long it takes."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.sent = []
        self.now = 0.0

    def send(self, path, document, timeout, attempts, is_proved=True):
        self.sent.append((path, document, timeout))
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            self.now += timeout
            raise step
        header = {**document["header"], "receiver_id": "them"}
        operation = header["action"]
        items = document["message"][f"{operation}_request"]
        answers = [{"reference_id": item["reference_id"], **step} for item in items]
        transaction_id = document["message"]["transaction_id"]
        return build_document(header, operation, transaction_id, operation, answers)

    @property
    def paths(self):
        return [path for path, _document, _timeout in self.sent]


def build_client(wire, dialect=OPENG2P, **values):
    parties = Parties("us", "them")
    return RemoteMapper(dialect, parties, wire.send, clock=lambda: wire.now, **values)


def found(fa):
    return {"status": "succ", "fa": fa}


NONE = {
    "status": "succ",
    "status_reason_code": "succ.fa.not_linked_to_id",
    "status_reason_message": "ID doesnt exist please link first",
}
DONE = {"status": "succ"}


class TestWithoutStatus(BaseCase):
    """A mapper that does not know its messages: what is in force has to say it."""

    def run_one(self, request, *steps):
        operation = {
            LinkRequest: Operation.LINK,
            UpdateRequest: Operation.UPDATE,
            UnlinkRequest: Operation.UNLINK,
        }[type(request)]
        self.wire = Wire(*steps)
        (result,) = build_client(self.wire).call(operation, [request])
        return result.outcome, result.problem

    def test_what_the_address_in_force_says(self):
        link, update = LinkRequest("1", FA), UpdateRequest("1", FA)
        unlink, unlink_fa = UnlinkRequest("1"), UnlinkRequest("1", FA)
        unknown = (Outcome.RETRY, UNKNOWN_EFFECT)
        for request, in_force, expected in (
            (link, found(FA), (Outcome.LINKED, "")),
            (link, found(OTHER), unknown),
            (update, found(FA), (Outcome.UPDATED, "")),
            (update, found(OTHER), unknown),
            (update, NONE, (Outcome.NOT_LINKED, "")),
            (unlink, NONE, (Outcome.UNLINKED, "")),
            (unlink, found(FA), unknown),
            (unlink_fa, found(OTHER), unknown),
            (link, {"status": "succ", "status_reason_code": "new"}, unknown),
            (link, {"status": "rjct"}, unknown),
        ):
            with self.subTest(request=request, in_force=in_force):
                self.assertEqual(self.run_one(request, LOST, in_force), expected)
                self.assertEqual(len(self.wire.sent), 2)

    def test_only_what_was_certainly_not_done_is_sent_again(self):
        for request, in_force, outcome in (
            (LinkRequest("1", FA), NONE, Outcome.LINKED),
            (UnlinkRequest("1", FA), found(FA), Outcome.UNLINKED),
        ):
            result = self.run_one(request, LOST, in_force, DONE)
            self.assertEqual(result, (outcome, ""))
            first, _asked, again = self.wire.sent
            self.assertEqual(first[1]["message"], again[1]["message"])

    def test_a_repeat_that_meets_its_first_sending_is_unknown(self):
        taken = {"status": "rjct", "status_reason_code": "rjct.reference_id.duplicate"}
        result = self.run_one(LinkRequest("1", FA), LOST, NONE, taken)
        self.assertEqual(result, (Outcome.RETRY, UNKNOWN_EFFECT))

    def test_a_repeat_without_an_answer_is_unknown(self):
        result = self.run_one(LinkRequest("1", FA), LOST, NONE, LOST)
        self.assertEqual(result, (Outcome.RETRY, UNKNOWN_EFFECT))

    def test_no_answer_at_all_is_unknown(self):
        result = self.run_one(LinkRequest("1", FA), LOST, LOST)
        self.assertEqual(result, (Outcome.RETRY, UNKNOWN_EFFECT))


class TestPatience(BaseCase):
    def test_a_call_ends_after_some_time_outs(self):
        wire = Wire(*[LOST] * 9)
        client = build_client(wire, timeout=10.0, chunk_size=1)
        requests = [LinkRequest(str(number), FA) for number in range(9)]
        results = client.call(Operation.LINK, requests)
        self.assertLessEqual(wire.now, PATIENCE * 10)
        self.assertEqual(len(results), 9)
        self.assertNotIn(Outcome.LINKED, {result.outcome for result in results})

    def test_a_refusal_before_anything_was_done_is_raised(self):
        wire = Wire(RemoteMapperRefuses("http_403"))
        with self.assertRaises(RemoteMapperRefuses):
            build_client(wire).call(Operation.LINK, [LinkRequest("1", FA)])


class TestPairs(BaseCase):
    """Whether an ID has an address, where the mapper looks at the ID alone."""

    def ask(self, answer, **values):
        request = ResolveRequest("1", FA)
        client = build_client(Wire(answer), **values)
        (result,) = client.call(Operation.RESOLVE, [request])
        return result

    def test_it_is_compared_here(self):
        same = self.ask(found(FA))
        self.assertEqual((same.outcome, same.same_fa), (Outcome.FOUND, True))
        other = self.ask(found(OTHER))
        self.assertEqual((other.outcome, other.fa), (Outcome.FA_MISMATCH, None))
        self.assertEqual(self.ask(NONE).outcome, Outcome.NOT_LINKED)

    def test_without_its_address_nothing_is_claimed(self):
        repeated = self.ask(found(FA), wants_details=False)
        for result in (self.ask({"status": "succ"}), repeated):
            self.assertEqual(
                (result.outcome, result.problem), (Outcome.FORBIDDEN, "not_comparable")
            )


class TestMatching(BaseCase):
    def match(self, items, *ids):
        message = Message.make(Operation.RESOLVE, [ResolveRequest(i) for i in ids])
        named = [
            {**item, "reference_id": message.references[item["reference_id"]]}
            if isinstance(item.get("reference_id"), int)
            else item
            for item in items
        ]
        results = message.read_items(named, OPENG2P.profile)
        return [result and result.fa for result in results]

    def test_by_reference_then_by_id(self):
        one, two = {**found(FA), "id": "1"}, {**found(OTHER), "id": "2"}
        for items, expected in (
            ([{**two, "reference_id": 1}, {**one, "reference_id": 0}], [FA, OTHER]),
            ([two, one], [FA, OTHER]),
            ([{**one, "reference_id": 1}], [None, None]),
            ([one, one, two], [None, OTHER]),
            ([{**one, "reference_id": 0}, {**two, "reference_id": 0}], [None, None]),
            ([{**one, "reference_id": "other"}], [None, None]),
            ([{**one, "reference_id": 7.5}], [None, None]),
            ([], [None, None]),
        ):
            with self.subTest(items=items):
                self.assertEqual(self.match(items, "1", "2"), expected)

    def test_an_id_that_was_sent_twice_is_not_matched_by_it(self):
        items = [{**found(FA), "id": "1"}]
        self.assertEqual(self.match(items, "1", "1"), [None, None])

    def test_answers_of_other_transactions_are_not_ours(self):
        message = Message.make(Operation.RESOLVE, [ResolveRequest("1")])
        header = {"receiver_id": "them", "sender_id": "us"}
        document = build_document(header, "resolve", "other", "resolve", [])
        for code in ("g2p-connect-1.0-strict", "openg2p-1.x"):
            with self.subTest(code), self.assertRaises(RemoteAnswerUnusable) as caught:
                message.read_answer(document, Parties("us"), get_dialect(code).profile)
            self.assertEqual(caught.exception.reason, "not_ours")
