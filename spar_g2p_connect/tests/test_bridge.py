import re

from odoo.tests import tagged

from .common import EVERY_RIGHT, RestCase, build_items

#: How OpenG2P's G2P Bridge splits an address: by its suffix, into named groups
#: (erp-integration.md 2.3).
PATTERNS = {
    "BANK_ACCOUNT": (
        r"account_number:(?P<account_number>.*?)\.(?:branch_name:.*?\.)?"
        r"branch_code:(?P<branch_code>.*?)\.(?:bank_name:.*?\.)?"
        r"bank_code:(?P<bank_code>.*?)\.mobile_number:(?P<mobile_number>.*?)\."
        r"email_address:(?P<email_address>.*?)\.fa_type:(?P<fa_type>.*)"
    ),
    "MOBILE_WALLET": (
        r"mobile_number:(?P<mobile_number>.*?)\.wallet_provider_name:.*?\."
        r"wallet_provider_code:(?P<mobile_wallet_provider>.*?)\.fa_type:(?P<fa_type>.*)"
    ),
    "EMAIL_WALLET": (
        r"email_address:(?P<email_address>.*)\.wallet_provider_name:.*?\."
        r"wallet_provider_code:(?P<email_wallet_provider>.*?)\.fa_type:(?P<fa_type>.*)"
    ),
}


def deconstruct(fa: str) -> dict[str, str]:
    """Return the parts of an address as the bridge finds them; {} for none."""
    for ending, pattern in PATTERNS.items():
        if fa.endswith(ending):
            return re.fullmatch(pattern, fa).groupdict()
    return {}


@tagged("post_install", "-at_install")
class TestBridge(RestCase):
    """Both generations of the payment bridge get answers that they can parse."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        branch = (0, 0, {"name": "Main", "code": "B1"})
        cls.env["spar.fsp"].create(
            [
                {
                    "name": "Sea Bank",
                    "code": "SEA",
                    "kind": "bank",
                    "branch_ids": [branch],
                },
                {"name": "Sea Pay", "code": "PAY", "kind": "wallet"},
                {"name": "Sea Mail", "code": "MAIL", "kind": "email_wallet"},
            ]
        )

    def make_bridge(self, number, profile):
        strategies = self.env["spar.fa.strategy"]
        strategy = strategies._get_by_number(number) if number else strategies
        return self.make_participant(
            f"bridge{number}.example",
            profile=profile,
            fa_strategy_id=strategy.id,
            **EVERY_RIGHT,
        )

    def resolve_as_bridge_1(self, bridge, *keys):
        """Send what the bridge of 1.x sends, and join the answers by ID as it does."""
        message = {
            "signature": "",
            "header": {
                "message_id": "m",
                "message_ts": "2024-12-01 10:00:00.000",
                "action": "resolve",
                "sender_id": "",
                "total_count": len(keys),
            },
            "message": {
                "transaction_id": "t",
                "resolve_request": [
                    {
                        "reference_id": "r",
                        "timestamp": "2024-12-01 10:00:00.000",
                        "id": f"token:{key}@nationalId",
                        "scope": "details",
                    }
                    for key in keys
                ],
            },
        }
        answer = self.call(bridge, "resolve", message).json()
        items = answer["message"]["resolve_response"]
        return {item["id"]: item for item in items}

    def test_bank_account_of_the_first_generation(self):
        fa = "account:123456@B1.SEA"
        self.ask(self.full, "link", build_items("b1", "b2", fa=fa))
        for number in (5, 21):
            bridge = self.make_bridge(number, "openg2p-1.x")
            found = self.resolve_as_bridge_1(bridge, "b1", "nobody", "b2")
            parts = deconstruct(found["token:b1@nationalId"]["fa"])
            self.assertEqual(parts["account_number"], "123456")
            self.assertEqual((parts["branch_code"], parts["bank_code"]), ("B1", "SEA"))
            self.assertEqual(parts["fa_type"], "BANK_ACCOUNT")
            self.assertNotIn("fa", found["token:nobody@nationalId"])
            info = found["token:b2@nationalId"]["account_provider_info"]
            self.assertEqual(info["name"], "Sea Bank")

    def test_wallets_of_the_first_generation(self):
        phone = build_items("w1", fa="mobile:+639175551234@PAY")
        mail = build_items("m1", fa="email:ada@example.org@MAIL")
        self.ask(self.full, "link", [*phone, *mail])
        bridge = self.make_bridge(23, "openg2p-1.x")
        found = self.resolve_as_bridge_1(bridge, "w1")
        parts = deconstruct(found["token:w1@nationalId"]["fa"])
        self.assertEqual(parts["mobile_number"], "+639175551234")
        self.assertEqual(parts["mobile_wallet_provider"], "PAY")
        bridge = self.make_bridge(22, "openg2p-1.x")
        found = self.resolve_as_bridge_1(bridge, "m1")
        parts = deconstruct(found["token:m1@nationalId"]["fa"])
        self.assertEqual(parts["email_wallet_provider"], "MAIL")

    def test_second_generation_receives_parts(self):
        fa = "account:123456@B1.SEA"
        self.ask(self.full, "link", build_items("g2", fa=fa))
        bridge = self.make_bridge(0, "openg2p-2.x")
        item_id = "token:g2@nationalId"
        message = {
            "request_header": {
                "sender_app_mnemonic": bridge.sender_id,
                "sender_app_url": "",
                "request_id": "r",
                "request_timestamp": "2026-01-01T00:00:00.000000",
            },
            "request_body": {
                "request_payload": {
                    "transaction_id": "t",
                    "resolve_request": [
                        {
                            "reference_id": item_id,
                            "timestamp": "2026-01-01T00:00:00",
                            "id": item_id,
                            "scope": "details",
                        }
                    ],
                }
            },
        }
        response = self.open(
            "/mapper/resolve",
            message,
            Authorization=f"Bearer {self.get_token(bridge)}",
            Content_Type="application/json",
        )
        document = response.json()
        header = document["response_header"]
        self.assertEqual(header["response_status"], "SUCCESS", response.text)
        payload = document["response_body"]["response_payload"]
        (item,) = payload["resolve_response"]
        self.assertEqual((item["id"], item["reference_id"]), (item_id, item_id))
        self.assertEqual(item["fa"]["account_number"], "123456")
        self.assertEqual(item["fa"]["bank_code"], "SEA")
        self.assertEqual(item["fa"]["bank_name"], "Sea Bank")
        self.assertEqual(item["fa"]["fa_type"], "BANK")

    def test_unlinked_id_is_an_item_without_an_address(self):
        bridge = self.make_bridge(5, "openg2p-1.x")
        found = self.resolve_as_bridge_1(bridge, "unlinked")
        item = found["token:unlinked@nationalId"]
        self.assertEqual(item["status"], "succ")
        self.assertEqual(item["status_reason_code"], "succ.fa.not_linked_to_id")
        self.assertNotIn("fa", item)
