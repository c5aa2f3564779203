"""The actions in answers, the paths of callbacks, and the headers of answers."""

from odoo.tests import BaseCase

from ..lib.g2p_connect.exceptions import MalformedMessage, RejectedMessage
from ..lib.g2p_connect.headers import (
    ACTIONS,
    MAX_MESSAGE,
    ON_STATUS,
    OPERATIONS,
    STATUS,
    RequestHeader,
    ResponseHeader,
    get_answer_action,
    get_callback_action,
)
from ..lib.g2p_connect.profiles import get_profile, selection

PROFILES = [get_profile(code) for code, _label in selection()]

#: action: the one in the answer, and the last part of the callback's path
STRICT_ANSWERS = {
    "link": "on-link",
    "update": "on-update",
    "unlink": "on-unlink",
    "resolve": "on-resolve",
    "txn-status": "txn-on-status",
}
LENIENT_ANSWERS = {
    "link": "link",
    "update": "update",
    "unlink": "unlink",
    "resolve": "resolve",
    "txn-status": "txn-on-status",
}
ANSWERS = {
    "g2p-connect-1.0-strict": STRICT_ANSWERS,
    "openg2p-1.x": LENIENT_ANSWERS,
    "openg2p-2.x": LENIENT_ANSWERS,
}
REQUEST = {
    "message_id": "m-1",
    "message_ts": "2026-03-01T10:00:00Z",
    "action": "link",
    "sender_id": "a.example",
    "receiver_id": "spar.example",
    "total_count": 1,
}
RESPONSE = {
    "message_id": "m-2",
    "message_ts": "2026-03-01T10:00:00Z",
    "action": "on-link",
    "status": "succ",
}


class TestActions(BaseCase):
    def test_every_profile_and_every_request_is_in_the_tables(self):
        self.assertLessEqual(ANSWERS.keys(), {profile.code for profile in PROFILES})
        self.assertEqual(STRICT_ANSWERS.keys(), {*OPERATIONS, STATUS})
        self.assertEqual({*STRICT_ANSWERS, *STRICT_ANSWERS.values()}, ACTIONS)

    def test_the_action_of_an_answer_depends_on_the_profile(self):
        for code, table in ANSWERS.items():
            for action, expected in table.items():
                with self.subTest(code, action=action):
                    profile = get_profile(code)
                    self.assertEqual(get_answer_action(action, profile), expected)
                    header = ResponseHeader.answering(
                        RequestHeader.from_wire({"header": REQUEST}),
                        action,
                        profile,
                        status="succ",
                    )
                    self.assertEqual(header.to_wire()["action"], expected)

    def test_the_path_of_a_callback_is_the_specification_s(self):
        for action, expected in STRICT_ANSWERS.items():
            with self.subTest(action):
                self.assertEqual(get_callback_action(action), expected)

    def test_an_answer_is_no_request(self):
        profile = get_profile("g2p-connect-1.0-strict")
        for operation in (*OPERATIONS, STATUS):
            for action in ACTIONS - {operation}:
                with self.subTest(operation, action=action):
                    self.assert_rejected(
                        "rjct.action.not_supported", action, operation, profile
                    )

    def test_an_unknown_action_is_invalid_for_every_profile(self):
        for profile in PROFILES:
            for action in ("", "LINK", "on_link", f"on-{STATUS}", f"on-{ON_STATUS}"):
                with self.subTest(profile.code, action=action):
                    self.assert_rejected("rjct.action.invalid", action, "link", profile)

    def assert_rejected(self, code, action, operation, profile):
        document = {"header": {**REQUEST, "action": action}}
        header = RequestHeader.from_wire(document, profile)
        with self.assertRaises(RejectedMessage) as caught:
            header.check(operation, profile)
        self.assertEqual(
            (caught.exception.code, caught.exception.member), (code, "header.action")
        )


class TestHeaders(BaseCase):
    def assert_malformed(self, kind, member, header):
        with self.assertRaises(MalformedMessage) as caught:
            kind.from_wire({"header": header})
        self.assertEqual(caught.exception.member, member)

    def test_a_truth_value_is_no_number_and_a_number_no_truth_value(self):
        for member, values in (
            ("total_count", (True, False, 1.0, "1", None, [1])),
            ("is_msg_encrypted", (0, 1, "false", [], None)),
        ):
            for value in values:
                with self.subTest(member, value=value):
                    header = {**REQUEST, member: value}
                    self.assert_malformed(RequestHeader, f"header.{member}", header)

    def test_a_header_is_an_object(self):
        for header in (None, [], "link", 1, True):
            for kind in (RequestHeader, ResponseHeader):
                with self.subTest(kind.__name__, header=header):
                    self.assert_malformed(kind, "header", header)

    def test_texts_of_an_answer_are_short_visible_texts(self):
        for member in (
            "message_id",
            "message_ts",
            "action",
            "status",
            "sender_id",
            "status_reason_code",
            "status_reason_message",
            "receiver_id",
        ):
            for value in (1, ["x"], {}, "x" * (MAX_MESSAGE + 1), "a\nb", "a\u202eb"):
                with self.subTest(member, value=str(value)[:8]):
                    header = {**RESPONSE, member: value}
                    self.assert_malformed(ResponseHeader, f"header.{member}", header)

    def test_required_members_of_an_answer_are_not_empty(self):
        for member in RESPONSE:
            for value in ("", None):
                with self.subTest(member, value=value):
                    header = {**RESPONSE, member: value}
                    self.assert_malformed(ResponseHeader, f"header.{member}", header)

    def test_optional_members_of_an_answer_may_be_null(self):
        optional = ("status_reason_code", "status_reason_message", "sender_id")
        header = {**RESPONSE, **dict.fromkeys(optional)}
        self.assertEqual(
            ResponseHeader.from_wire({"header": header}),
            ResponseHeader.from_wire({"header": RESPONSE}),
        )
