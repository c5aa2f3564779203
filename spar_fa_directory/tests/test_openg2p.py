import random
import re

from .common import DirectoryCase

# Addresses in OpenG2P's documents and data, and the meaning of each part
# (openg2p-spar.md 1.9 and 1.10, erp-integration.md 2.4).
SHAPES = {
    "account_number:123456789.branch_name:HDFC Mumbai Central Branch"
    ".branch_code:HDFC0000522.bank_name:HDFC Bank Ltd..bank_code:HDFC.fa_type:bank": (
        "bank_account",
        2,
        {
            "account_number": "123456789",
            "branch_name": "HDFC Mumbai Central Branch",
            "branch_code": "HDFC0000522",
            "bank_name": "HDFC Bank Ltd.",
            "bank_code": "HDFC",
        },
    ),
    "email_address:a.b@c.example.wallet_provider_name:PayPal Inc"
    ".wallet_provider_code:PAYPAL.fa_type:email_wallet_provider": (
        "email_wallet",
        3,
        {
            "email_address": "a.b@c.example",
            "wallet_name": "PayPal Inc",
            "wallet_code": "PAYPAL",
        },
    ),
    "mobile_number:9876543210.wallet_provider_name:T-Mobile Wallet"
    ".wallet_provider_code:TMOB.fa_type:mobile_wallet_provider": (
        "mobile_wallet",
        4,
        {
            "phone_number": "9876543210",
            "wallet_name": "T-Mobile Wallet",
            "wallet_code": "TMOB",
        },
    ),
    "account_number:123456789.branch_code:HDFC0000522.bank_code:HDFC"
    ".mobile_number:.email_address:.fa_type:BANK_ACCOUNT": (
        "bank_account",
        5,
        {
            "account_number": "123456789",
            "branch_code": "HDFC0000522",
            "bank_code": "HDFC",
        },
    ),
    "account_number:1234.branch_name:N.branch_code:HDFC0000522.bank_name:H"
    ".bank_code:HDFC.mobile_number:.email_address:.fa_type:BANK_ACCOUNT": (
        "bank_account",
        21,
        {
            "account_number": "1234",
            "branch_name": "N",
            "branch_code": "HDFC0000522",
            "bank_name": "H",
            "bank_code": "HDFC",
        },
    ),
    "email_address:a@b.c.wallet_provider_name:P.wallet_provider_code:PAYPAL"
    ".fa_type:EMAIL_WALLET": (
        "email_wallet",
        22,
        {"email_address": "a@b.c", "wallet_name": "P", "wallet_code": "PAYPAL"},
    ),
    "mobile_number:98.wallet_provider_name:T.wallet_provider_code:TMOB"
    ".fa_type:MOBILE_WALLET": (
        "mobile_wallet",
        23,
        {"phone_number": "98", "wallet_name": "T", "wallet_code": "TMOB"},
    ),
    "account:1234@indigo.dfsp1.bank_acc": (
        "bank_account",
        31,
        {"account_number": "1234", "branch_code": "indigo", "bank_code": "dfsp1"},
    ),
    "account:98@TMOB.wallet": (
        "mobile_wallet",
        32,
        {"phone_number": "98", "wallet_code": "TMOB"},
    ),
    "email:a.b@c.example.PAYPAL": (
        "email_wallet",
        33,
        {"email_address": "a.b@c.example", "wallet_code": "PAYPAL"},
    ),
    "account_no:1234@HDFCINBB": (
        "bank_account",
        41,
        {"account_number": "1234", "bank_bic": "HDFCINBB"},
    ),
}

# The patterns that G2P Bridge is shipped with: a greedy group for each label in turn,
# chosen by the word that an address ends in.
WALLET = ("wallet_provider_name", "wallet_provider_code", "fa_type")
BRIDGE_LABELS = {
    "BANK_ACCOUNT": (
        "account_number",
        "branch_code",
        "bank_code",
        "mobile_number",
        "email_address",
        "fa_type",
    ),
    "MOBILE_WALLET": ("mobile_number", *WALLET),
    "EMAIL_WALLET": ("email_address", *WALLET),
}
HARD = "@.:%/ 15aZ\u0130\u202e\U0001f600\u2022"


def read_as_bridge(text):
    """Return the address as G2P Bridge parses it."""
    for word, labels in BRIDGE_LABELS.items():
        if text.endswith(word):
            groups = r"\.".join(f"{label}:(?P<{label}>.*)" for label in labels)
            return re.match(f"^{groups}$", text).groupdict()
    return {}


class TestOpenG2P(DirectoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.providers = cls.env["spar.fsp"].create(
            [
                {"name": "H", "code": "HDFC", "bic": "HDFCINBB"},
                {"name": "D", "code": "dfsp1"},
                {"name": "T-Mobile", "code": "TMOB", "kind": "wallet"},
                {"name": "PayPal", "code": "PAYPAL", "kind": "email_wallet"},
            ]
        )
        cls.env["spar.fsp.branch"].create(
            {
                "provider_id": cls.providers[0].id,
                "name": "Mumbai",
                "code": "HDFC0000522",
            }
        )

    def test_each_shape_is_parsed_to_the_right_parts(self):
        for text, (type_code, number, parts) in SHAPES.items():
            with self.subTest(text=text):
                address = self._read(text)
                self.assertEqual(
                    (address.type_code, address.strategy_number, address.parts),
                    (type_code, number, parts),
                )
                self.assertIn(address.provider_id, self.providers.ids)
                if parts.get("branch_code") == "HDFC0000522":
                    self.assertEqual(address.branch_id, self.providers.branch_ids.id)

    def test_texts_that_only_look_alike_are_not_guessed_at(self):
        for text in (
            "account_number:1.branch_code:B.bank_code:HDFC.fa_type:bank",
            "account_number:1.branch_code:B.branch_code:C.bank_code:HDFC"
            ".mobile_number:.email_address:.fa_type:BANK_ACCOUNT",
            "mobile_number:98.fa_type:MOBILE_WALLET",
        ):
            with self.subTest(text=text):
                self.assertIsNone(self._read(text).parts)


class TestBridge(DirectoryCase):
    def _read_written(self, text, number):
        address = self._read(text)
        (written,) = self.strategies._write_addresses([address], number)
        return read_as_bridge(written)

    def test_an_account_is_read_by_the_bridge(self):
        read = self._read_written("account:12-34 5678@TB-S.TESTBANK", 5)
        self.assertEqual(
            read,
            {
                "account_number": "12-34 5678",
                "branch_code": "TB-S",
                "bank_code": "TESTBANK",
                "mobile_number": "",
                "email_address": "",
                "fa_type": "BANK_ACCOUNT",
            },
        )

    def test_wallets_are_read_by_the_bridge(self):
        wallet = {
            "wallet_provider_name": "Test Wallet",
            "wallet_provider_code": "TESTWALLET",
        }
        self.assertEqual(
            self._read_written("mobile:+15551234567@TESTWALLET", 23),
            {"mobile_number": "+15551234567", "fa_type": "MOBILE_WALLET", **wallet},
        )
        self.assertEqual(
            self._read_written("email:a.b@c.example@TESTWALLET", 22),
            {"email_address": "a.b@c.example", "fa_type": "EMAIL_WALLET", **wallet},
        )

    def test_no_account_number_changes_what_the_bridge_reads_elsewhere(self):
        hostile = "1.branch_code:EVIL.bank_code:EVIL.mobile_number:9"
        address = self._read("account:1@TB-S.TESTBANK")
        address.parts["account_number"] = hostile
        (written,) = self.strategies._write_addresses([address], 5)
        read = read_as_bridge(written)
        self.assertEqual(
            (read["branch_code"], read["bank_code"], read["mobile_number"]),
            ("TB-S", "TESTBANK", ""),
        )
        self.assertEqual(self._read(written).parts["account_number"], hostile)


class TestEveryKind(DirectoryCase):
    """Each kind is parsed into the parts it was built from, whatever people write."""

    def _draw_value(self, draw):
        if draw.random() < 0.5:
            return "".join(draw.choice(HARD) for _ in range(draw.randrange(9)))
        count = draw.randrange(6)
        return "".join(chr(draw.randrange(1, 0x110000)) for _ in range(count))

    def _write_and_read(self, strategy, values):
        """Return the text of an address with these parts, and the parts as read."""
        kind = strategy.type_id
        found = {p.key: p.kind for p in kind.part_ids if p.kind != "text"}
        codes = {"provider": "TestBank", "branch": "tb.n"}
        parts = values | {key: codes[kind] for key, kind in found.items()}
        text = "x:y"
        blank = self._read(text)
        address = type(blank)(
            text, None, kind.code, kind.id, self.bank.id, self.north.id, parts
        )
        (written,) = self.strategies._write_addresses([address], strategy.number)
        return parts, self._read(written)

    def test_parts_come_back_and_change_no_other(self):
        self.env["spar.fa.type"].create(
            {
                "name": "Own",
                "code": "own",
                "part_ids": [
                    (0, 0, {"key": "scheme", "label": "S", "kind": "provider"}),
                    (0, 0, {"key": "campaign", "label": "C"}),
                    (0, 0, {"key": "serial", "label": "N"}),
                ],
                "strategy_ids": [
                    (
                        0,
                        0,
                        {"name": "Own", "template": "own:{campaign}/{serial}@{scheme}"},
                    )
                ],
            }
        )
        draw = random.Random(20261125)
        for strategy in self.strategies.search([]):
            texts = strategy.type_id.part_ids.filtered(lambda part: part.kind == "text")
            for _ in range(60):
                values = {part.key: self._draw_value(draw) for part in texts}
                parts, read = self._write_and_read(strategy, values)
                self.assertEqual(read.type_id, strategy.type_id.id, strategy.template)
                self.assertEqual(read.provider_id, self.bank.id, strategy.template)
                found = {key: read.parts.get(key, parts[key]) for key in parts}
                self.assertEqual(found, parts, (strategy.template, values))
                self.assertLessEqual(values.keys(), read.parts.keys())
