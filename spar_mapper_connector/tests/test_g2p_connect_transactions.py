from odoo.tests import BaseCase

from ..lib.contract import Operation, Reference, TransactionStatus
from ..lib.g2p_connect.exceptions import (
    EncryptionNotSupported,
    MalformedMessage,
    RejectedMessage,
)
from ..lib.g2p_connect.headers import RequestHeader, get_answer_action
from ..lib.g2p_connect.held import finish_answer, finish_items, get_items, get_waiting
from ..lib.g2p_connect.profiles import OPENG2P_1, STRICT
from ..lib.g2p_connect.sameness import canonicalise
from ..lib.g2p_connect.timestamps import format_timestamp, now
from ..lib.g2p_connect.transactions import (
    MAX_REFERENCES,
    StatusRequest,
    build_received_items,
    build_status_answer,
)

HEADER = {
    "message_id": "m",
    "message_ts": "2026-01-01T00:00:00Z",
    "action": "txn-status",
    "sender_id": "payer.example",
    "total_count": 1,
}


def build(**members):
    return {
        "header": HEADER,
        "message": {
            "transaction_id": "t",
            "txnstatus_request": {
                "reference_id": "r",
                "txn_type": "link",
                "attribute_type": "transaction_id",
                "attribute_value": "earlier",
                **members,
            },
        },
    }


def read(document, profile=STRICT):
    header = RequestHeader.from_wire(document, profile)
    return StatusRequest.from_wire(document, header, profile)


class TestStatusRequest(BaseCase):
    def test_each_kind_of_name_is_read(self):
        for reference, value, values in (
            (Reference.TRANSACTION, "a", ("a",)),
            (Reference.CORRELATION, "b", ("b",)),
            (Reference.REFERENCES, ["c", "d"], ("c", "d")),
            (Reference.REFERENCES, "e", ("e",)),
        ):
            document = build(attribute_type=reference.value, attribute_value=value)
            requested = read(document).requested
            self.assertEqual(
                (requested.reference, requested.values), (reference, values)
            )
            self.assertIs(requested.operation, Operation.LINK)

    def test_unreadable_members_are_named(self):
        for member, value in (
            ("txn_type", "on-link"),
            ("txn_type", 7),
            ("txn_type", "txn-status"),
            ("attribute_type", "id"),
            ("attribute_type", None),
            ("attribute_value", ""),
            ("attribute_value", ["x"]),
            ("attribute_value", None),
            ("attribute_value", "x" * 256),
            ("reference_id", None),
            ("reference_id", []),
        ):
            with self.subTest(member=member, value=value):
                with self.assertRaises(MalformedMessage) as caught:
                    read(build(**{member: value}))
                self.assertIn(member, caught.exception.text)

    def test_lists_have_a_length(self):
        words = {"attribute_type": "reference_id_list"}
        for value in ([], ["x"] * (MAX_REFERENCES + 1), [None], [""], [["x"]]):
            with self.assertRaises(MalformedMessage):
                read(build(attribute_value=value, **words))

    def test_encrypted_one_is_refused_clearly(self):
        document = build()
        document["header"] = {**HEADER, "is_msg_encrypted": True}
        with self.assertRaises(EncryptionNotSupported):
            read(document)
        self.assertEqual(read(document, OPENG2P_1).transaction_id, "t")
        document["message"] = {"ciphertext": "x"}
        with self.assertRaises(EncryptionNotSupported):
            read(document, OPENG2P_1)

    def test_answers_with_and_without_a_transaction(self):
        request = read(build())
        header = RequestHeader.from_wire(build())
        items = ({"reference_id": "1", "status": "succ"},)
        status = TransactionStatus(Operation.LINK, "earlier", "c", True, items)
        answer = build_status_answer(header, STRICT, request, status)
        self.assertEqual(answer["header"]["action"], "txn-on-status")
        status = answer["message"]["txnstatus_response"]
        self.assertEqual((status["reference_id"], status["txn_type"]), ("r", "on-link"))
        self.assertEqual(status["txn_status"]["link_response"], list(items))
        nothing = build_status_answer(header, STRICT, request, None)
        self.assertEqual(nothing["header"]["status"], "rjct")
        self.assertNotIn("message", nothing)
        lenient = build_status_answer(header, OPENG2P_1, request, None)
        self.assertEqual(lenient["message"], {})

    def test_pending_items_reveal_nothing_but_their_state(self):
        wires = [{"reference_id": "1", "id": "x", "fa": "y"}, "no item", {"fa": 7}]
        items = build_received_items(Operation.UPDATE, wires)
        self.assertEqual([i["reference_id"] for i in items], ["1", "", ""])
        self.assertEqual([i["fa"] for i in items], ["y", "", ""])
        self.assertEqual({i["status"] for i in items}, {"rcvd"})
        self.assertNotIn("id", items[0])


class TestFreshness(BaseCase):
    def build_header(self, message_ts):
        return RequestHeader.from_wire({"header": {**HEADER, "message_ts": message_ts}})

    def test_old_and_future_are_refused_where_it_is_looked_at(self):
        for text in ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"):
            header = self.build_header(text)
            with self.assertRaises(RejectedMessage) as caught:
                header.check_freshness(STRICT)
            self.assertEqual(caught.exception.code, "rjct.message_ts.invalid")
            header.check_freshness(OPENG2P_1)

    def test_current_and_unreadable_times_pass(self):
        self.build_header(format_timestamp(now())).check_freshness(STRICT)
        self.build_header("string").check_freshness(OPENG2P_1)

    def test_action_of_the_answer(self):
        self.assertEqual(get_answer_action("unlink", STRICT), "on-unlink")
        self.assertEqual(get_answer_action("unlink", OPENG2P_1), "unlink")
        self.assertEqual(get_answer_action("txn-status", OPENG2P_1), "txn-on-status")


class TestSameness(BaseCase):
    def test_only_the_time_and_the_writing_may_differ(self):
        first = {"header": {"a": 1, "message_ts": "x"}, "message": {"b": [1, "é"]}}
        same = {"message": {"b": [1, "é"]}, "header": {"message_ts": "y", "a": 1}}
        self.assertEqual(canonicalise(first), canonicalise(same))
        for other in (
            {"header": {"a": 2}, "message": {"b": [1, "é"]}},
            {"header": {"a": 1}, "message": {"b": ["é", 1]}},
            {"header": {"a": 1}, "message": {"b": [1, "e"]}},
            {"header": {"a": "1"}, "message": {"b": [1, "é"]}},
            {"header": {"a": 1, "receiver_id": ""}, "message": {"b": [1, "é"]}},
        ):
            self.assertNotEqual(canonicalise(first), canonicalise(other))


class TestHeldItems(BaseCase):
    ITEMS = (
        {"id": "a", "status": "pdng", "status_reason_message": "waits"},
        {"id": "b", "status": "succ"},
        {"id": "c", "status": "pdng"},
    )

    def test_only_decided_pending_items_change(self):
        ends = {"a": "expired", "b": "refused"}
        expired, done, waiting = finish_items(list(self.ITEMS), ends.get)
        self.assertEqual(expired["status_reason_code"], "rjct.other.error")
        self.assertEqual(done, self.ITEMS[1])
        self.assertEqual(waiting, self.ITEMS[2])

    def test_every_end_has_its_words(self):
        for end in ("applied", "refused", "cancelled", "expired", "stale"):
            (item, *_others) = finish_items(list(self.ITEMS), {"a": end}.get)
            self.assertIn(item["status"], ("succ", "rjct"))
            self.assertEqual("status_reason_message" in item, end != "applied")
        (item, *_others) = finish_items(list(self.ITEMS), {"a": "unheard of"}.get)
        self.assertEqual(item["status"], "pdng")

    def test_answer_is_another_message_of_the_same_transaction(self):
        header = {"message_id": "1", "status": "succ", "completed_count": 1}
        message = {"correlation_id": "c", "link_response": list(self.ITEMS)}
        answer = {"header": header, "message": message}
        self.assertEqual(get_waiting(get_items(answer, "link")), ["a", "c"])
        self.assertEqual(get_items(answer, "update"), [])
        self.assertEqual(get_items({"header": {}}, "link"), [])
        items = finish_items(get_items(answer, "link"), {"a": "applied"}.get)
        final = finish_answer(answer, "link", items)
        self.assertNotEqual(final["header"]["message_id"], "1")
        self.assertEqual(final["header"]["completed_count"], 2)
        self.assertEqual(final["message"]["correlation_id"], "c")
        self.assertEqual(answer["header"]["completed_count"], 1)
