import json

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_trial import (
    FAILED,
    PASSED,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    PASSED as PASSED_BY,
)
from odoo.addons.spar_mapper_connector.lib.passing import build_mark

from .common import EVERY_RIGHT, RestCase

ANSWERS_LOGGER = "odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_answers"
BANK = {
    "strategy_id": 5,
    "fa_type": "BANK",
    "bank_code": "OCEAN",
    "bank_name": "Ocean Bank",
    "branch_code": "B1",
    "branch_name": "Main",
    "account_number": "123456",
}


@tagged("post_install", "-at_install")
class TestOpenG2p2(RestCase):
    """The envelope of OpenG2P 2.x, and its addresses in parts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bridge = cls.make_participant(
            "bridge.example", profile="openg2p-2.x", **EVERY_RIGHT
        )
        branch = (0, 0, {"name": "Main", "code": "B1"})
        cls.env["spar.fsp"].create(
            [
                {
                    "name": "Ocean Bank",
                    "code": "OCEAN",
                    "kind": "bank",
                    "branch_ids": [branch],
                },
                {"name": "Mail One", "code": "M1", "kind": "email_wallet"},
            ]
        )

    def build(self, operation, *items, **header):
        return {
            "request_header": {
                "sender_app_mnemonic": "bridge.example",
                "sender_app_url": "https://bridge.example",
                "request_id": "request-1",
                "request_timestamp": "2026-01-01T00:00:00",
                **header,
            },
            "request_body": {
                "request_payload": {
                    "transaction_id": "transaction-1",
                    f"{operation}_request": [
                        {
                            "reference_id": item.get("id", ""),
                            "timestamp": "2026-01-01T00:00:00",
                            **item,
                        }
                        for item in items
                    ],
                }
            },
        }

    def post(self, operation, message, participant=None):
        return self.open(
            f"/mapper/{operation}",
            message,
            Authorization=f"Bearer {self.get_token(participant or self.bridge)}",
            Content_Type="application/json",
        )

    def exchange(self, operation, *items, status="SUCCESS"):
        response = self.post(operation, self.build(operation, *items))
        self.assertEqual(response.status_code, 200, response.text)
        document = response.json()
        header = document["response_header"]
        self.assertEqual(header["request_id"], "request-1")
        self.assertEqual(header["response_status"], status)
        payload = document["response_body"]["response_payload"]
        return payload[f"{operation}_response"]

    def test_address_in_parts_is_linked_and_resolved(self):
        (linked,) = self.exchange("link", {"id": "1", "fa": BANK})
        self.assertEqual(linked["status"], "succ", linked)
        self.assertIn("fa_type:BANK_ACCOUNT", linked["fa"])
        (found,) = self.exchange("resolve", {"id": "1", "scope": "details"})
        self.assertEqual((found["id"], found["fa"]), ("1", BANK))

    def test_wallet_and_mail(self):
        wallet = {
            "fa_type": "MOBILE_WALLET",
            "wallet_provider_code": "W1",
            "wallet_provider_name": "Wallet One",
            "mobile_number": "0917555123",
        }
        mail = {
            "fa_type": "EMAIL_WALLET",
            "wallet_provider_code": "M1",
            "email_address": "ada@example.org",
        }
        answers = self.exchange(
            "link", {"id": "w", "fa": wallet}, {"id": "m", "fa": mail}
        )
        self.assertEqual([a["status"] for a in answers], ["succ", "succ"], answers)
        asked = [{"id": key, "scope": "details"} for key in ("w", "m")]
        found = [item["fa"] for item in self.exchange("resolve", *asked)]
        self.assertEqual(found[0]["mobile_number"], "0917555123")
        self.assertEqual(found[0]["wallet_provider_code"], "W1")
        self.assertEqual(found[1]["email_address"], "ada@example.org")
        self.assertEqual(found[1]["fa_type"], "EMAIL_WALLET")

    def test_update_and_unlink(self):
        self.exchange("link", {"id": "2", "fa": BANK})
        other = {**BANK, "account_number": "654321"}
        (item,) = self.exchange("update", {"id": "2", "fa": other})
        self.assertEqual(item["status"], "succ")
        (item,) = self.exchange("unlink", {"id": "2", "fa": item["fa"]})
        self.assertEqual(item["status"], "succ", item)
        (item,) = self.exchange("resolve", {"id": "2", "scope": "details"})
        self.assertEqual(item["status_reason_code"], "succ.fa.not_linked_to_id")
        self.assertNotIn("fa", item)

    def test_unwritable_address_rejects_only_its_item(self):
        incomplete = {"fa_type": "BANK", "bank_code": "OCEAN"}
        unknown = {**BANK, "strategy_id": 999999, "fa_type": "STONE"}
        answers = self.exchange(
            "link",
            {"id": "3", "fa": incomplete},
            {"id": "4", "fa": unknown},
            {"id": "5", "fa": BANK},
        )
        codes = ["rjct.fa.invalid", "rjct.fa.invalid", None]
        self.assertCodes(answers, *codes)

    def test_delimiters_in_a_part_do_not_change_other_parts(self):
        nasty = {
            **BANK,
            "bank_code": "NOWHERE",
            "account_number": "1.branch_code:X.bank_code:EVIL",
        }
        linked = self.exchange("link", {"id": "6", "fa": nasty})
        self.assertCodes(linked, None)
        (found,) = self.exchange("resolve", {"id": "6", "scope": "details"})
        names = ("bank_name", "branch_name")  # of a bank that is in the directory
        sent = {key: value for key, value in nasty.items() if key not in names}
        self.assertEqual(found["fa"], sent)

    def test_free_text_does_not_become_an_object(self):
        message = self.build("link", {"id": "7", "fa": "free text"})
        path = "link_request[0].fa"
        response = self.post("link", message)
        self.assertHttpError(response, 400, "rjct.request.validation", path)

    def test_malformed_envelopes_name_the_member(self):
        for spoil, member in (
            (lambda m: m.pop("request_body"), "request_body"),
            (lambda m: m["request_header"].pop("request_id"), "request_id"),
            (lambda m: m["request_body"].pop("request_payload"), "request_payload"),
            (lambda m: m.update(request_header=[]), "request_header"),
        ):
            message = self.build("resolve", {"id": "8"})
            spoil(message)
            response = self.post("resolve", message)
            self.assertHttpError(response, 400, "rjct.request.validation", member)

    def test_envelope_is_accepted_only_with_its_profile(self):
        response = self.post("resolve", self.build("resolve", {"id": "9"}), self.full)
        self.assertHttpError(response, 400, "err.request.bad", "header")

    def test_foreign_sender_is_refused(self):
        message = self.build("resolve", {"id": "9"}, sender_app_mnemonic="other")
        response = self.post("resolve", message)
        self.assertHttpError(response, 403, "err.sender_id.invalid")

    def test_message_that_comes_back_is_refused(self):
        """The mark of a server travels in the member that this envelope lacks."""
        self.exchange("link", {"id": "10", "fa": BANK})
        own = self.env["spar.mapper.backend"]._get_own_mark()
        other = {**BANK, "account_number": "654321"}
        for operation, item in (
            ("link", {"id": "11", "fa": BANK}),
            ("update", {"id": "10", "fa": other}),
            ("unlink", {"id": "10"}),
            ("resolve", {"id": "10", "scope": "details"}),
        ):
            marks = {PASSED_BY: [build_mark("another"), own]}
            message = self.build(operation, item, meta=marks)
            with self.subTest(operation), mute_logger(ANSWERS_LOGGER):
                response = self.post(operation, message).json()
                payload = response["response_body"]["response_payload"]
                (answer,) = payload[f"{operation}_response"]
                self.assertEqual(answer["status_reason_code"], "rjct.other.error")
                self.assertIn("already passed", answer["status_reason_message"])
        (found,) = self.exchange("resolve", {"id": "10", "scope": "details"})
        self.assertEqual(found["fa"], BANK)
        (missing,) = self.exchange("resolve", {"id": "11", "scope": "details"})
        self.assertNotIn("fa", missing)

    def test_mark_of_another_server_or_none_is_no_obstacle(self):
        self.exchange("link", {"id": "12", "fa": BANK})
        for meta in ({PASSED_BY: [build_mark("another")]}, {"note": 1}, "a note"):
            message = self.build("resolve", {"id": "12"}, meta=meta)
            response = self.post("resolve", message)
            with self.subTest(meta):
                self.assertEqual(response.status_code, 200, response.text)
        message = self.build("resolve", {"id": "12"}, meta={PASSED_BY: ["x"]})
        self.assertEqual(self.post("resolve", message).status_code, 400)

    def test_too_many_items_are_an_error_in_its_envelope(self):
        self.bridge.max_items = 1
        items = self.exchange("resolve", {"id": "1"}, {"id": "2"}, status="ERROR")
        self.assertEqual(items, [])

    def test_message_can_be_tried(self):
        for fa, outcome in ((BANK, PASSED), ("account:1@OCEAN", FAILED)):
            raw = json.dumps(self.build("link", {"id": "1", "fa": fa})).encode()
            checks = self.env["spar.g2p.connect.trial"]._try_message(
                self.bridge, "link", raw, ""
            )
            outcomes = {check.outcome for check in checks}
            self.assertEqual(FAILED in outcomes, outcome == FAILED, checks)
