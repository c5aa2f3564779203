from dataclasses import replace
from datetime import datetime, timedelta, timezone

from odoo.tests import BaseCase

from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import (
    RequestMessage,
    build_answer,
    build_rejection,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import (
    EncryptionNotSupported,
    MalformedMessage,
    RejectedMessage,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    RequestHeader,
    ResponseHeader,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import (
    OPENG2P_1,
    STRICT,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.timestamps import (
    format_timestamp,
    parse_timestamp,
)

WIRE = {
    "version": "1.0.0",
    "message_id": "m-1",
    "message_ts": "2026-03-01T10:00:00Z",
    "action": "link",
    "sender_id": "a.example",
    "sender_uri": "https://a.example/callback",
    "receiver_id": "spar.example",
    "total_count": 1,
    "is_msg_encrypted": False,
}
MESSAGE = {"transaction_id": "t-1", "link_request": [{}]}
HEADER = RequestHeader.from_wire({"header": WIRE})


class TestTimestamps(BaseCase):
    def test_times_of_rfc_3339(self):
        for text, expected in (
            ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000+00:00"),
            ("2026-03-01t10:00:00z", "2026-03-01T10:00:00.000+00:00"),
            ("2026-03-01 10:00:00+00:00", "2026-03-01T10:00:00.000+00:00"),
            ("2026-03-01T10:00:00.123456789+05:30", "2026-03-01T04:30:00.123+00:00"),
            ("2026-03-01T10:00:00.5-04:00", "2026-03-01T14:00:00.500+00:00"),
            ("2024-02-29T23:59:60Z", "2024-02-29T23:59:59.000+00:00"),
            ("2026-03-01T00:00:00-00:00", "2026-03-01T00:00:00.000+00:00"),
        ):
            with self.subTest(text):
                self.assertEqual(format_timestamp(parse_timestamp(text)), expected)

    def test_texts_that_are_none(self):
        for text in (
            "",
            "now",
            "2026-03-01",
            "2026-03-01T10:00:00",
            "2026-03-01 10:00:00.123",
            "2026-03-01T10:00Z",
            "2026-02-30T10:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T10:00:61Z",
            "2026-03-01T10:00:00+24:00",
            "2026-03-01T10:00:00+01:60",
            "2026-03-01T10:00:00 Z",
            "2026-03-01T10:00:00Z\n",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "٢٠٢٦-03-01T10:00:00Z",
        ):
            with self.subTest(text):
                self.assertIsNone(parse_timestamp(text))

    def test_other_zones_are_sent_in_utc(self):
        moment = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
        self.assertEqual(format_timestamp(moment), "2026-03-01T10:00:00.000+00:00")


class TestRequestHeader(BaseCase):
    # Reads a message, not records: pylint: disable-next=method-required-super
    def read(self, profile=STRICT, **members):
        wire = {**WIRE, **members}
        return RequestHeader.from_wire({"header": wire}, profile)

    def test_both_directions(self):
        self.assertEqual(HEADER.to_wire(), WIRE)
        self.assertEqual(RequestHeader.from_wire({"header": HEADER.to_wire()}), HEADER)

    def test_optional_members_may_be_left_out(self):
        required = ("message_id", "message_ts", "action", "sender_id", "total_count")
        wire = {name: WIRE[name] for name in required}
        header = RequestHeader.from_wire({"header": wire})
        self.assertEqual(header.version, "1.0.0")
        self.assertEqual((header.sender_uri, header.receiver_id), ("", ""))
        for name in required:
            with self.subTest(name), self.assertRaises(MalformedMessage) as caught:
                short = {n: v for n, v in wire.items() if n != name}
                RequestHeader.from_wire({"header": short})
            self.assertEqual(caught.exception.member, f"header.{name}")

    def test_documents_that_hold_no_header(self):
        for document in ([], None, "x", 1, {}, {"header": None}, {"header": "x"}):
            with self.subTest(document), self.assertRaises(MalformedMessage):
                RequestHeader.from_wire(document)

    def test_null_is_absent_only_to_openg2p(self):
        header = self.read(OPENG2P_1, receiver_id=None, version=None)
        self.assertEqual((header.receiver_id, header.version), ("", "1.0.0"))
        with self.assertRaises(MalformedMessage):
            self.read(receiver_id=None)
        with self.assertRaises(MalformedMessage):
            self.read(OPENG2P_1, message_id=None)

    def test_check(self):
        HEADER.check("link", STRICT)
        for members, code in (
            ({"version": "1.1.0"}, "rjct.version.invalid"),
            ({"message_ts": "2026-03-01"}, "rjct.message_ts.invalid"),
            ({"action": "unlink"}, "rjct.action.not_supported"),
            ({"action": "on-unlink"}, "rjct.action.not_supported"),
            ({"action": "pay"}, "rjct.action.invalid"),
        ):
            with self.subTest(members), self.assertRaises(RejectedMessage) as caught:
                replace(HEADER, **members).check("link", STRICT)
            self.assertEqual(caught.exception.code, code)

    def test_openg2p_checks_the_action_alone(self):
        header = replace(HEADER, version="x", message_ts="y")
        header.check("link", OPENG2P_1)
        with self.assertRaises(RejectedMessage):
            header.check("update", OPENG2P_1)


class TestRequestMessage(BaseCase):
    # Reads a message, not records: pylint: disable-next=method-required-super
    def read(self, message=None, header=HEADER, profile=STRICT, max_items=10):
        document = {"header": {}, "message": MESSAGE if message is None else message}
        return RequestMessage.from_wire(document, header, profile, max_items)

    def test_message_is_read(self):
        message = self.read()
        self.assertEqual((message.transaction_id, message.items), ("t-1", [{}]))

    def test_counts(self):
        for count, items, code in (
            (2, 1, "rjct.total_count.invalid"),
            (0, 1, "rjct.total_count.invalid"),
            (11, 11, "rjct.total_count.limit_exceeded"),
            (1, 11, "rjct.total_count.limit_exceeded"),
        ):
            with self.subTest(code, count=count, items=items):
                header = replace(HEADER, total_count=count)
                message = {**MESSAGE, "link_request": [{}] * items}
                with self.assertRaises(RejectedMessage) as caught:
                    self.read(message, header)
                self.assertEqual(caught.exception.code, code)

    def test_openg2p_does_not_count_but_has_the_limit(self):
        header = replace(HEADER, total_count=0)
        self.assertEqual(len(self.read(header=header, profile=OPENG2P_1).items), 1)
        message = {**MESSAGE, "link_request": [{}] * 11}
        with self.assertRaises(RejectedMessage):
            self.read(message, header, OPENG2P_1)

    def test_items_of_another_operation_are_not_found(self):
        message = {"transaction_id": "t", "update_request": [{}]}
        with self.assertRaises(MalformedMessage) as caught:
            self.read(message)
        self.assertEqual(caught.exception.member, "message.link_request")

    def test_encryption(self):
        header = replace(HEADER, is_msg_encrypted=True)
        with self.assertRaises(EncryptionNotSupported):
            self.read(header=header)
        self.assertTrue(self.read(header=header, profile=OPENG2P_1))
        for profile in (STRICT, OPENG2P_1):
            with self.subTest(profile.code), self.assertRaises(EncryptionNotSupported):
                self.read({"ciphertext": "x"}, profile=profile)


class TestTypes(BaseCase):
    def test_a_member_has_its_very_type(self):
        for name, value in (
            ("total_count", True),
            ("total_count", 1.0),
            ("total_count", "1"),
            ("total_count", [1]),
            ("is_msg_encrypted", 0),
            ("is_msg_encrypted", "false"),
        ):
            with (
                self.subTest(name=name, value=value),
                self.assertRaisesRegex(MalformedMessage, f"^header.{name}: must be "),
            ):
                RequestHeader.from_wire({"header": {**WIRE, name: value}})

    def test_a_header_is_an_object(self):
        for header in ([], "x", 1, True):
            with self.subTest(header), self.assertRaises(MalformedMessage):
                RequestHeader.from_wire({"header": header})


class TestAnswers(BaseCase):
    def answer(self, *statuses, profile=STRICT):
        items = [{"status": status} for status in statuses]
        return build_answer(HEADER, profile, "t-1", items)

    def test_header_of_an_answer_is_read_back(self):
        document = self.answer("succ", "rjct", "pdng")
        header = ResponseHeader.from_wire(document)
        self.assertEqual(header.to_wire(), document["header"])
        self.assertEqual(header.action, "on-link")
        self.assertEqual(
            (header.sender_id, header.receiver_id), ("spar.example", "a.example")
        )
        self.assertEqual((header.total_count, header.completed_count), (3, 2))

    def test_status_of_the_whole(self):
        for statuses, status, code in (
            (("succ",), "succ", None),
            (("rjct", "succ"), "succ", None),
            (("rjct", "pdng"), "succ", None),
            (("rjct", "rjct"), "rjct", "rjct.errors.too_many"),
        ):
            with self.subTest(statuses):
                header = self.answer(*statuses)["header"]
                self.assertEqual(header["status"], status)
                self.assertEqual(header.get("status_reason_code"), code)

    def test_nothing_is_null_or_empty(self):
        header = replace(HEADER, receiver_id="")
        document = build_answer(header, STRICT, "t-1", [{"status": "succ"}])
        self.assertNotIn("sender_id", document["header"])
        self.assertNotIn(None, document["header"].values())

    def test_each_answer_has_its_own_ids(self):
        first, second = self.answer("succ"), self.answer("succ")
        self.assertNotEqual(
            first["header"]["message_id"], second["header"]["message_id"]
        )
        self.assertNotEqual(
            first["message"]["correlation_id"], second["message"]["correlation_id"]
        )

    def test_openg2p_hears_the_action_it_sent(self):
        header = self.answer("succ", profile=OPENG2P_1)["header"]
        self.assertEqual(header["action"], "link")

    def test_rejection(self):
        error = RejectedMessage("rjct.version.invalid", "x" * 2000, "header.version")
        document = build_rejection(HEADER, "link", STRICT, error)
        self.assertNotIn("message", document)
        header = document["header"]
        self.assertEqual(header["status"], "rjct")
        self.assertEqual(header["status_reason_code"], "rjct.version.invalid")
        self.assertEqual(len(header["status_reason_message"]), 999)
        self.assertNotIn("total_count", header)
        lenient = build_rejection(HEADER, "link", OPENG2P_1, error)
        self.assertEqual(lenient["message"], {})

    def test_answers_that_cannot_be_read(self):
        good = self.answer("succ")["header"]
        for name in ("message_id", "message_ts", "action", "status"):
            with self.subTest(name), self.assertRaises(MalformedMessage):
                wire = {n: v for n, v in good.items() if n != name}
                ResponseHeader.from_wire({"header": wire})
        with self.assertRaises(MalformedMessage):
            ResponseHeader.from_wire([])
