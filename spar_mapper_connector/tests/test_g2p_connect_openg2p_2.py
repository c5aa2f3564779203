from odoo.tests import BaseCase

from ..lib.g2p_connect import openg2p_2
from ..lib.g2p_connect.exceptions import MalformedMessage


def build(**changed):
    header = {
        "sender_app_mnemonic": "bridge",
        "request_id": "r",
        "request_timestamp": "2026-01-01T00:00:00",
        **changed.pop("header", {}),
    }
    payload = {"transaction_id": "t", "link_request": [{"id": "1"}]}
    return {
        "request_header": header,
        "request_body": {"request_payload": payload},
        **changed,
    }


class TestEnvelope(BaseCase):
    def test_it_is_recognised_by_its_header(self):
        self.assertTrue(openg2p_2.is_request(build()))
        for document in ({"header": {}}, [], None, "request_header"):
            self.assertFalse(openg2p_2.is_request(document))

    def test_it_becomes_a_message_of_g2p_connect(self):
        document = openg2p_2.from_wire(build(), "link")
        self.assertEqual(
            document["header"],
            {
                "message_id": "r",
                "message_ts": "2026-01-01T00:00:00",
                "action": "link",
                "sender_id": "bridge",
                "total_count": 1,
            },
        )
        self.assertEqual(document["message"]["link_request"], [{"id": "1"}])

    def test_missing_and_mistyped_members_are_named(self):
        for document, member in (
            (build(header={"request_id": None}), "request_header.request_id"),
            (build(header={"request_id": 7}), "request_header.request_id"),
            (build(request_header=None), "request_header"),
            (build(request_body=[]), "request_body"),
            (build(request_body={}), "request_body.request_payload"),
            (build(request_body={"request_payload": {}}), "link_request"),
            (
                build(request_body={"request_payload": {"link_request": {}}}),
                "link_request",
            ),
        ):
            with self.subTest(member=member):
                with self.assertRaises(MalformedMessage) as caught:
                    openg2p_2.from_wire(document, "link")
                self.assertIn(member, caught.exception.text)

    def test_response_status_is_success_or_error(self):
        items = [{"id": "1", "status": "rjct"}]
        message = {"transaction_id": "t", "correlation_id": "c", "link_response": items}
        answer = {"header": {"status": "succ"}, "message": message}
        wire = openg2p_2.to_wire("r", answer, "link")
        self.assertEqual(wire["response_header"]["response_status"], "SUCCESS")
        payload = wire["response_body"]["response_payload"]
        self.assertEqual(payload["link_response"], items)
        code = {"status": "rjct", "status_reason_code": "rjct.x"}
        wire = openg2p_2.to_wire("r", {"header": code, "message": {}}, "link")
        self.assertEqual(wire["response_header"]["response_status"], "ERROR")
        self.assertEqual(wire["response_header"]["response_error_code"], "rjct.x")
        self.assertEqual(wire["response_body"]["response_payload"]["link_response"], [])


class TestAddresses(BaseCase):
    def test_named_strategy_comes_first_and_others_stand_in(self):
        fa = {"strategy_id": 5, "fa_type": "BANK_ACCOUNT", "bank_code": "B", "x": "y"}
        numbers, parts = openg2p_2.read_parts(fa)
        self.assertEqual((numbers, parts), ((5, 21, 1), {"bank_code": "B"}))
        self.assertEqual(openg2p_2.read_parts({"fa_type": "EMAIL_WALLET"})[0], (22, 12))
        for odd in ({}, {"strategy_id": "5"}, {"strategy_id": True}, {"fa_type": []}):
            self.assertEqual(openg2p_2.read_parts(odd)[0], ())

    def test_parts_that_are_no_texts_are_left_out(self):
        fa = {"account_number": 7, "bank_code": "", "branch_code": ["x"]}
        self.assertEqual(openg2p_2.read_parts(fa)[1], {})

    def test_there_and_back(self):
        fa = {
            "strategy_id": 23,
            "fa_type": "MOBILE_WALLET",
            "mobile_number": "1",
            "wallet_provider_code": "W",
            "wallet_provider_name": "Wallet",
        }
        numbers, parts = openg2p_2.read_parts(fa)
        wire = openg2p_2.write_parts(numbers[0], "mobile_wallet", parts)
        self.assertEqual(wire, fa)
        self.assertEqual(openg2p_2.write_parts(13, "voucher", {"x": "y"}), {})

    def test_only_objects_are_stored(self):
        openg2p_2.check_addresses([{"fa": {}}, "no item"], "link")
        openg2p_2.check_addresses([{"fa": "text"}], "resolve")
        for fa in ("text", None, 7, []):
            with self.assertRaises(MalformedMessage):
                openg2p_2.check_addresses([{"fa": fa}], "update")
