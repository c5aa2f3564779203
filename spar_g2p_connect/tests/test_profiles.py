from odoo.tests import tagged

from .common import EVERY_RIGHT, RestCase, build_items, build_message


@tagged("post_install", "-at_install")
class TestOpenG2pProfile(RestCase):
    """Messages of OpenG2P 1.x clients are accepted, but senders are still verified."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lenient = cls.make_participant(
            "openg2p.example", profile="openg2p-1.x", **EVERY_RIGHT
        )

    def test_message_of_the_payment_bridge(self):
        self.link("bridge")
        document = {
            "signature": "",
            "header": {
                "version": "1.0.0",
                "message_id": "m",
                "message_ts": "2024-08-08 12:34:56.789",
                "action": "resolve",
                "sender_id": "",
                "sender_uri": "",
                "receiver_id": "",
                "total_count": 7,
                "is_msg_encrypted": False,
                "meta": "string",
            },
            "message": {
                "transaction_id": "t",
                "resolve_request": [
                    {
                        "reference_id": "string",
                        "timestamp": "2024-08-08 12:34:56.789",
                        "id": "token:bridge@nationalId",
                        "fa": "",
                        "name": None,
                        "scope": "details",
                        "additional_info": None,
                        "locale": "en",
                    }
                ],
            },
        }
        answer = self.call(self.lenient, "resolve", document).json()
        self.assertEqual(answer["header"]["action"], "resolve")
        (item,) = answer["message"]["resolve_response"]
        self.assertEqual(item["status"], "succ")
        self.assertEqual(item["status_reason_code"], "succ.id.active")
        self.assertEqual(item["id"], "token:bridge@nationalId")
        self.assertEqual(item["fa"], "account:bridge@BANK")
        self.assertEqual(item["locale"], "en")

    def test_refusals_of_the_strict_profile(self):
        items = build_items("p1", "p2", fa="account:{}@BANK", name=None)
        items[1]["reference_id"] = items[0]["reference_id"]
        items[1]["additional_info"] = [{"strategy_id": 3}]
        header = {"total_count": 0, "version": "0.1", "message_ts": "now"}
        answers = self.ask(self.lenient, "link", items, **header)
        self.assertEqual([a["status"] for a in answers], ["succ", "succ"])
        (found,) = self.ask(self.lenient, "resolve", build_items("p2", scope="details"))
        self.assertEqual(found["additional_info"], [{"strategy_id": 3}])
        (strict,) = self.ask(self.full, "resolve", build_items("p2", scope="details"))
        self.assertNotIn("additional_info", strict)

    def test_unlink_with_name_and_phone(self):
        self.link("un")
        items = build_items("un", name="A", phone_number="+1", fa="")
        answers = self.ask(self.lenient, "unlink", items)
        self.assertEqual(answers[0]["status"], "succ")

    def test_naive_time_is_accepted(self):
        self.link("naive")
        items = build_items("naive", fa="account:9@BANK")
        items[0]["timestamp"] = "1999-01-01 00:00:00"
        (answer,) = self.ask(self.lenient, "update", items)
        self.assertEqual(answer["status"], "succ")

    def test_rejected_message_has_an_empty_message(self):
        document = self.send(self.lenient, "link", build_items("x"), action="update")
        self.assertEqual(document["message"], {})
        self.assertEqual(
            document["header"]["status_reason_code"], "rjct.action.not_supported"
        )

    def test_identity_is_not_relaxed(self):
        message = build_message("link", "full.example", build_items("x"))
        response = self.call(self.lenient, "link", message)
        self.assertHttpError(response, 403, "err.sender_id.invalid")
        response = self.call(self.lenient, "link", message, Authorization="")
        self.assertHttpError(response, 401, "err.request.unauthorized")

    def test_limits_and_required_members_are_not_relaxed(self):
        small = self.make_participant(
            "small-openg2p.example", profile="openg2p-1.x", max_items=1, **EVERY_RIGHT
        )
        header = self.send(small, "resolve", build_items("1", "2"))["header"]
        self.assertEqual(
            header["status_reason_code"], "rjct.total_count.limit_exceeded"
        )
        items = build_items("x", fa="account:1@BANK")
        items[0]["id"] = None
        answers = self.ask(self.lenient, "link", items)
        self.assertCodes(answers, "rjct.id.invalid")

    def test_json_is_parsed_strictly_in_every_profile(self):
        response = self.call(self.lenient, "link", b'{"header": {}, "header": {}}')
        self.assertHttpError(response, 400, "G2P-REQ-102", "header")

    def test_strict_participant_has_no_leniency(self):
        message = build_message("resolve", "", build_items("x"))
        response = self.call(self.full, "resolve", message)
        self.assertHttpError(response, 400, "err.request.bad", "header.sender_id")
