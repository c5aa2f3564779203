from odoo.tests import tagged

from ..lib.exchange import Exchange
from .common import EVERY_RIGHT, RestCase, build_items, build_message


@tagged("post_install", "-at_install")
class TestOpenG2p1(RestCase):
    """Answers of OpenG2P 1.x, word for word (openg2p-spar.md 1.4), always HTTP 200."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lenient = cls.make_participant(
            "lenient.example", profile="openg2p-1.x", **EVERY_RIGHT
        )

    def exchange(self, operation, *items, **header):
        """Send what the published test collection sends, and return the answer."""
        message = {
            "signature": "string",
            "header": {
                "version": "string",
                "message_id": "string",
                "message_ts": "string",
                "action": operation,
                "sender_id": "string",
                "sender_uri": "",
                "receiver_id": "string",
                "total_count": 0,
                "is_msg_encrypted": False,
                "meta": "string",
                **header,
            },
            "message": {
                "transaction_id": "string",
                f"{operation}_request": [
                    {
                        "reference_id": "string",
                        "timestamp": "2024-08-08 12:34:56.789",
                        "id": "string",
                        "fa": "string",
                        "name": "string",
                        "phone_number": "string",
                        "additional_info": [{"strategy_id": 1}],
                        "locale": "eng",
                        **item,
                    }
                    for item in items
                ],
            },
        }
        response = self.call(self.lenient, operation, message)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def request_texts(self, operation, *items):
        """Return (status, code, text) of each item."""
        answer = self.exchange(operation, *items)
        names = ("status", "status_reason_code", "status_reason_message")
        return [
            tuple(item.get(name) for name in names)
            for item in answer["message"][f"{operation}_response"]
        ]

    def test_link_and_its_refusals(self):
        words = self.request_texts(
            "link", {}, {}, {"fa": "other"}, {"id": "", "fa": ""}, {"fa": ""}
        )
        mapped = (
            "rjct",
            "rjct.reference_id.duplicate",
            "ID and FA are already mapped",
        )
        self.assertEqual(
            words,
            [
                ("succ", None, None),
                mapped,
                mapped,
                ("rjct", "rjct.id.invalid", "ID is null"),
                ("rjct", "rjct.fa.invalid", "FA is null"),
            ],
        )

    def test_update(self):
        self.exchange("link", {})
        words = self.request_texts(
            "update", {"fa": "new"}, {"id": "nobody"}, {"id": None}, {"fa": None}
        )
        unknown = "ID doesnt exist please link first"
        self.assertEqual(
            words,
            [
                ("succ", None, None),
                ("rjct", "rjct.reference_id.duplicate", unknown),
                ("rjct", "rjct.id.invalid", "ID is null"),
                ("rjct", "rjct.fa.invalid", "FA is null"),
            ],
        )

    def test_unlink(self):
        self.exchange("link", {})
        words = self.request_texts(
            "unlink", {"fa": "wrong"}, {"id": ""}, {"fa": ""}, {}
        )
        unknown = ("rjct", "rjct.id.invalid", "ID doesnt exist please link first")
        self.assertEqual(
            words,
            [
                unknown,
                ("rjct", "rjct.id.invalid", "ID is null"),
                ("succ", None, None),
                unknown,
            ],
        )

    def test_resolve(self):
        self.exchange("link", {})
        answer = self.exchange(
            "resolve",
            {"scope": "details", "fa": ""},
            {"id": "nobody", "fa": ""},
            {"id": "", "fa": ""},
        )
        found, unknown, nothing = answer["message"]["resolve_response"]
        self.assertEqual((found["id"], found["fa"]), ("string", "string"))
        self.assertEqual(found["additional_info"], [{"strategy_id": 1}])
        self.assertEqual(unknown["status"], "succ")
        self.assertEqual(unknown["status_reason_code"], "succ.fa.not_linked_to_id")
        text = "ID doesnt exist please link first"
        self.assertEqual(unknown["status_reason_message"], text)
        self.assertEqual(nothing["status_reason_code"], "rjct.reference_id.invalid")
        self.assertEqual(nothing["status_reason_message"], "ID is required")
        header = answer["header"]
        self.assertEqual(header["status"], "succ")
        self.assertEqual((header["total_count"], header["completed_count"]), (3, 2))

    def test_header_is_a_success_where_every_item_failed(self):
        header = self.exchange("update", {"id": "nobody"})["header"]
        self.assertEqual((header["status"], header["action"]), ("succ", "update"))
        self.assertEqual(header["completed_count"], 0)
        self.assertNotIn("status_reason_code", header)

    def test_wrong_action_is_answered_with_an_empty_message(self):
        answer = self.exchange("link", {}, action="resolve")
        self.assertEqual(answer["message"], {})
        code = answer["header"]["status_reason_code"]
        self.assertEqual(code, "rjct.action.not_supported")

    def test_empty_list_is_answered(self):
        answer = self.exchange("resolve")
        self.assertEqual(answer["message"]["resolve_response"], [])
        self.assertEqual(answer["header"]["total_count"], 0)

    def test_repeated_message_id_is_another_message(self):
        """The store itself prevents a double effect: it refuses the second link."""
        first = self.exchange("link", {"id": "a"})
        second = self.exchange("link", {"id": "b"})
        again = self.exchange("link", {"id": "a"})
        for answer in (first, second):
            self.assertEqual(answer["message"]["link_response"][0]["status"], "succ")
        text = again["message"]["link_response"][0]["status_reason_message"]
        self.assertEqual(text, "ID and FA are already mapped")
        kept = self.env["spar.message"].search([("message_id", "=", "string")])
        self.assertEqual(len(kept), 3)

    def test_body_that_fits_no_schema_has_its_code(self):
        response = self.call(self.lenient, "link", {"header": 1})
        self.assertHttpError(response, 400, "G2P-REQ-102", "header")

    def test_missing_sender_is_taken_from_the_token(self):
        for number, sender in enumerate(("", "string", "lenient.example")):
            answer = self.exchange("link", {"id": f"a{number}"}, sender_id=sender)
            self.assertEqual(answer["message"]["link_response"][0]["status"], "succ")

    def test_foreign_sender_is_refused(self):
        strict = self.make_participant("strict.example", **EVERY_RIGHT)
        for participant, sender in (
            (self.lenient, "strict.example"),
            (self.lenient, "String"),
            (strict, "string"),
            (strict, "lenient.example"),
        ):
            message = build_message("link", sender, build_items("a", fa="b"))
            with self.subTest(participant=participant.name, sender=sender):
                response = self.call(participant, "link", message)
                self.assertHttpError(response, 403, "err.sender_id.invalid")

    def test_outside_a_demo_changes_are_not_repeated(
        self,
    ):
        self.lenient.write({"demo_only": False, "origin_networks": "127.0.0.0/8"})
        caller = self.lenient._build_caller()
        for action, mode, claims in (
            ("link", "sync", True),
            ("update", "async", True),
            ("resolve", "async", False),
            ("txn-status", "async", False),
        ):
            exchange = Exchange(caller, action, None, {}, mode)
            with self.subTest(action=action, mode=mode):
                self.assertIs(exchange.claims_id, claims)

    def test_address_beside_an_id_is_ignored(self):
        self.exchange("link", {})
        for scope, fa in (("details", "string"), ("yes_no", "other"), ("", "other")):
            answer = self.exchange("resolve", {"fa": "other", "scope": scope})
            (found,) = answer["message"]["resolve_response"]
            with self.subTest(scope=scope):
                self.assertEqual(found["status_reason_code"], "succ.id.active")
                self.assertEqual(found["fa"], fa)

    def test_rights_are_the_same_as_in_other_profiles(self):
        self.lenient.may_link = False
        response = self.call(self.lenient, "link", {})
        self.assertHttpError(response, 403, "err.request.forbidden")
