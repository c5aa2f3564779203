import unicodedata
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as draws

from odoo.tests import BaseCase

from ..lib import fa_form, fa_reader, fa_syntax
from ..lib.fa_accounts import ProviderRule
from ..lib.fa_examination import KnownKind, KnownPart, Problem
from ..lib.fa_reader import NO_HOLDER, AddressPlace, Holder
from ..lib.fa_text import BLANKS, DASHES, to_plain

DATA = Path(__file__).parents[1] / "data"
DIGITS = [
    [chr(zero + place) for place in range(10)]
    for zero in range(0x30, 0x1FBFA)
    if unicodedata.category(chr(zero)) == "Nd" and unicodedata.decimal(chr(zero)) == 0
]
GAPS = [*BLANKS, *DASHES, ".", "/", " - ", "  "]
SETTINGS = settings(max_examples=150, deadline=None, derandomize=True, database=None)

BANK = Holder(
    1, 2, "bank", "XT", True, True, "Demo", "br01", True, "DEMOXTPPXXX", ("Demo",)
)
WALLET = Holder(3, None, "wallet", "PH", True, False, "PESO", "", False)
MAIL = Holder(5, None, "email_wallet", "", True, False, "MAIL", "", False)
BARE = BANK._replace(provider_id=7, branch_id=None, branch_code="", has_branches=False)
FOUND = {
    AddressPlace("code", "DEMO", "BR01"): BANK,
    AddressPlace("code", "DEMO", "BR02"): BANK._replace(
        branch_id=9, branch_code="BR02"
    ),
    AddressPlace("code", "DEMO", "NO"): BANK._replace(branch_id=None, branch_code=""),
    AddressPlace("code", "DEMO", ""): BANK._replace(branch_id=None, branch_code=""),
    AddressPlace("code", "BARE", ""): BARE._replace(provider_code="BARE"),
    AddressPlace("code", "BARE", "X"): BARE._replace(provider_code="BARE"),
    AddressPlace("bic", "BAREXTPPXXX", ""): BARE._replace(provider_code="BARE"),
    AddressPlace("code", "PESO", ""): WALLET,
    AddressPlace("code", "MAIL", ""): MAIL,
}
KINDS = {
    10: KnownKind(
        "bank",
        (
            KnownPart("bank_code", "provider"),
            KnownPart("branch_code", "branch"),
            KnownPart("account_number", "text", "regex", "[0-9A-Z]{4,34}", True, True),
        ),
        "bank_account",
    ),
    20: KnownKind(
        "wallet",
        (
            KnownPart("wallet_code", "provider"),
            KnownPart("phone_number", "text", "phone", "mobile"),
        ),
        "mobile_wallet",
    ),
    30: KnownKind(
        "email_wallet",
        (
            KnownPart("wallet_code", "provider"),
            KnownPart("email_address", "text", "email"),
        ),
        "email_wallet",
    ),
}
_TYPES = {
    "type_bank_account": (10, "bank_account", "bank_code", "branch_code"),
    "type_mobile_wallet": (20, "mobile_wallet", "wallet_code", None),
    "type_email_wallet": (30, "email_wallet", "wallet_code", None),
}


def know_shipped():
    """Return the shipped strategies of those kinds, in the order of their numbers."""
    known = []
    for record in ElementTree.parse(DATA / "spar_fa_strategy_data.xml").iter("record"):
        fields = {field.get("name"): field for field in record}
        if facts := _TYPES.get(fields["type_id"].get("ref")):
            type_id, code, *keys = facts
            number = int(fields["number"].text)
            template = fields["template"].text
            gaps = KINDS[type_id].list_gaps()
            known.append(
                fa_reader.build_known_strategy(
                    number, type_id, code, template, *keys, gaps
                )
            )
    return sorted(known, key=lambda each: each.number)


SHIPPED = know_shipped()
BY_SCHEME = fa_reader.group_by_scheme(SHIPPED)
#: The values of the names and BICs in templates.
SAID = {
    "bank_name": "Harbour Bank",
    "branch_name": "Old Town",
    "wallet_name": "A Wallet",
    "bank_bic": "DEMOXTPP",
}


def form(text):
    readings = fa_reader.read_text(BY_SCHEME, text)
    reading = fa_reader.choose_reading(readings, FOUND)
    if reading is None:
        return fa_form.keep_text(text)
    holder = FOUND.get(reading.place, NO_HOLDER)
    return fa_form.canonicalise(reading, holder, KINDS[reading.known.type_id])


@draws.composite
def spell(draw, text, gaps=GAPS, cases=True):
    """Draw a text with digits of any script, with gaps, in any case."""
    signs = []
    for sign in text:
        if sign.isdigit():
            sign = draw(draws.sampled_from(DIGITS))[int(sign)]
        elif cases:
            sign = draw(draws.sampled_from((sign.lower(), sign.upper())))
        gap = draw(draws.sampled_from(["", "", "", *gaps])) if signs else ""
        signs.append(gap + sign)
    around = draws.sampled_from(["", " ", "\t", "\u00a0 "])
    return draw(around) + "".join(signs) + draw(around)


numbers = draws.text("0123456789ABCXYZ", min_size=4, max_size=34).filter(
    lambda text: any(map(str.isdigit, text))
)


class TestSpellings(BaseCase):
    """Every spelling of the same parts gives the same key."""

    def _write(self, known, **parts):
        """Return an address as a strategy writes it, with values of names and BICs."""
        parts = SAID | parts
        return fa_syntax.build(
            known.syntax, {key: parts[key] for key in known.syntax.keys}
        )

    def _write_raw(self, known, **parts):
        """Return the same as people write it: without escaping."""
        parts = SAID | parts
        first, *literals = known.syntax.literals
        keys = known.syntax.keys
        pieces = [parts[key] + text for key, text in zip(keys, literals, strict=True)]
        return first + "".join(pieces)

    def _assert_same(self, type_id, plain, spelled, raw=True):
        """Assert that all strategies and spellings of the parts give one form."""
        keys = {}
        for known in SHIPPED:
            if known.type_id != type_id or known.provider_by != "code":
                continue
            texts = [(parts, self._write(known, **parts)) for parts in (plain, spelled)]
            if raw:
                texts.append((spelled, self._write_raw(known, **spelled)))
            for parts, text in texts:
                canonical = form(text)
                keys[canonical.key] = (known.number, parts, canonical)
                again = form(self._write(known, **SAID | canonical.parts))
                self.assertEqual(again.key, canonical.key, (known.number, parts))
                self.assertEqual(again.parts, canonical.parts)
        self.assertEqual(len(keys), 1, keys)

    @SETTINGS
    @given(draws.data())
    def test_accounts(self, data):
        number = data.draw(numbers)
        plain = {
            "account_number": number,
            "bank_code": "DEMO",
            "branch_code": "BR01",
        }
        spelled = {
            "account_number": data.draw(spell(number)),
            "bank_code": data.draw(spell("DEMO", gaps=[])),
            "branch_code": data.draw(spell("BR01", gaps=[])),
        }
        self._assert_same(10, plain, spelled)

    @SETTINGS
    @given(draws.data())
    def test_phone_numbers(self, data):
        number = data.draw(draws.from_regex(r"917[0-9]{7}", fullmatch=True))
        start = data.draw(draws.sampled_from(("0", "+63", "63", "0063", "", "+63 (0)")))
        spelled = start + data.draw(spell(number, gaps=[" ", "-", ".", "/", "\u2013"]))
        plain = {"phone_number": f"+63{number}", "wallet_code": "PESO"}
        self._assert_same(20, plain, plain | {"phone_number": spelled})

    @SETTINGS
    @given(draws.data())
    def test_e_mail_addresses(self, data):
        local = data.draw(
            draws.from_regex(r"[a-z0-9]{1,8}[.+_-][a-z0-9]{1,8}", fullmatch=True)
        )
        host = data.draw(
            draws.from_regex(r"[a-z][a-z0-9]{1,8}\.(com|org)", fullmatch=True)
        )
        plain = {"email_address": f"{local}@{host}", "wallet_code": "MAIL"}
        spelled = data.draw(spell(f"{local}@{host}", gaps=[]))
        # Dots and the at sign are part of an e-mail address.
        self._assert_same(30, plain, plain | {"email_address": spelled}, raw=False)

    @SETTINGS
    @given(draws.data())
    def test_ambiguous_text_is_not_read(self, data):
        pieces = data.draw(
            draws.lists(draws.text("12", min_size=1), min_size=3, max_size=5)
        )
        gaps = {"a": ".", "b": "."}
        known = fa_reader.build_known_strategy(1, 1, "k", "k:{a}.{b}", None, None, gaps)
        found = fa_reader.read_text({"k:": (known,)}, f"k:{'.'.join(pieces)}")
        self.assertEqual(found, [])

    @SETTINGS
    @given(numbers, numbers, draws.data())
    def test_significant_characters_are_not_ignored(self, number, serial, data):
        template = "k:{number}.{serial}@{bank}"
        known = fa_reader.build_known_strategy(
            1, 1, "k", template, "bank", None, {"number": "."}
        )
        spelled = data.draw(spell(number, gaps=["."], cases=False)).strip(BLANKS)
        (reading,) = fa_reader.read_text({"k:": (known,)}, f"k:{spelled}.{serial}@DEMO")
        self.assertEqual(to_plain(reading.parts["number"]).replace(".", ""), number)
        self.assertEqual(reading.parts["serial"], serial)
        found = fa_reader.read_text({"k:": (known,)}, f"k:{number}.{serial}@DE.MO")
        self.assertEqual(found, [])

    @SETTINGS
    @given(numbers, numbers)
    def test_other_numbers_give_other_keys(self, one, other):
        keys = {form(f"account:{number}@BR01.DEMO").key for number in (one, other)}
        self.assertEqual(len(keys), len({one, other}))

    @SETTINGS
    @given(*[draws.text(max_size=6)] * 4)
    def test_no_text_has_two_keys(self, one, two, three, four):
        parts = (KnownPart("a", "text"), KnownPart("b", "text"))
        kind = KnownKind("", parts, "kind")
        known = fa_reader.build_known_strategy(1, 1, "kind", "k:{a}/{b}", None, None)
        keys = {
            fa_form.canonicalise(
                fa_reader.AddressReading(
                    known, {"a": a, "b": b}, AddressPlace("code", "", "")
                ),
                NO_HOLDER,
                kind,
            ).key
            for a, b in ((one, two), (three, four), (one + two, ""), ("", one + two))
        }
        plain = {
            (to_plain(a), to_plain(b))
            for a, b in ((one, two), (three, four), (one + two, ""), ("", one + two))
        }
        self.assertLessEqual(len(plain), len(keys) + self._count_blank(plain))

    def _count_blank(self, pairs):
        """Return how many pairs have a text of blanks alone: it has no other form."""
        return sum(not (a and b) for a, b in pairs)

    def test_digits_of_every_script(self):
        self.assertGreater(len(DIGITS), 60)
        for digits in DIGITS:
            number = "".join(digits[int(sign)] for sign in "12345678")
            phone = "".join(digits[int(sign)] for sign in "09171234567")
            with self.subTest(zero=digits[0]):
                self.assertEqual(
                    form(f"account:{number}@BR01.DEMO").parts["account_number"],
                    "12345678",
                )
                self.assertEqual(
                    form(f"mobile:{phone}@PESO").parts["phone_number"],
                    "+639171234567",
                )


SAME = [
    [
        "account:12345678@BR01.DEMO",
        "account:1234-5678@BR01.DEMO",
        "account:1234 5678@br01.demo",
        "ACCOUNT:1234%2E5678@BR01.DEMO",
        "account:1234/5678@BR01.DEMO.bank_acc",
        "account:1234.5678@BR01.DEMO",
        "account:12.34.56.78@BR01.DEMO",
        "account:1234.5678@BR01.DEMO.bank_acc",
        "account_number:1234.5678.branch_code:BR01.bank_code:DEMO.mobile_number:"
        ".email_address:.fa_type:BANK_ACCOUNT",
        "account:\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668@BR01.DEMO",
        "account_number:12345678.branch_name:Any.branch_code:BR01.bank_name:Bank Ltd."
        ".bank_code:DEMO.fa_type:bank",
        "account_number:12345678.branch_code:BR01.bank_code:DEMO.mobile_number:"
        ".email_address:.fa_type:BANK_ACCOUNT",
    ],
    # A provider without branches: by code, with any branch, or by BIC.
    [
        "account:12345678@.BARE",
        "account:12345678@X.BARE",
        "account:1234-5678@X.bare",
        "account:1234.5678@.bare",
        "account_no:12345678@BAREXTPP",
        "account_no:12345678@BAREXTPPXXX",
        "account_no:1234 5678@bare xt pp",
    ],
    [
        "account:de89370400440532013000@BR01.DEMO",
        "account:DE89 3704 0044 0532 0130 00@BR01.DEMO",
    ],
    ["email:Name@Example.org@MAIL", "email:name@example.org@mail"],
    [
        f"mobile:{number}@PESO"
        for number in (
            "09171234567",
            "+639171234567",
            "639171234567",
            "00639171234567",
            "9171234567",
        )
    ],
    [
        "account:1234@X.UNKNOWN-BANK",
        "account:12-34@x.unknown-bank",
        "account:1.2.3.4@x.unknown-bank",
    ],
    [
        "account:de89370400440532013000@BR01.DEMO",
        "account:DE89.3704.0044.0532.0130.00@BR01.DEMO",
    ],
    ["account:09171234567@PESO.wallet", "account:0917.123.4567@peso.wallet"],
    ["Free text", "Free text"],
    ["FREE:Text@Place", "free:Text@PLACE"],
]
OTHER = [
    "account:12345678@BR01.DEMO",
    "account:12345679@BR01.DEMO",
    "account:12345678@BR02.DEMO",
    "account:12345678@NO.DEMO",
    "account:12345678@.DEMO",
    "account:12345678@.BARE",
    "account:12345678@BR01.NOBANK",
    "account:12345678@BR01.NOBANK2",
    "account:12345678@BR01.Bänk",
    "account:12345678@BR01.Bönk",
    "account:12345678@Ä.DEMO",
    "account:12345678@Ö.DEMO",
    "account_no:12345678@NOBKXTPP",
    "mobile:09171234567@PESO",
    "mobile:0917FLOWERS@PESO",
    "mobile:09171234567@NOBODY",
    "account:1234.5678@BR.01.DEMO",
    "account:1234.5678@BR01.DE.MO",
    "account:1234.5678@DEMO",
    "free:text@place",
    "free:Text@place",
    "free text",
    "",
]

#: Address, part, and the word for its problem.
WRONG = [
    ("mobile:0917FLOWERS@PESO", "phone_number", "phone_signs"),
    ("mobile:O9171234567@PESO", "phone_number", "phone_signs"),
    ("mobile:Juan 09171234567@PESO", "phone_number", "phone_signs"),
    ("mobile:GCash 09171234567@PESO", "phone_number", "phone_signs"),
    ("mobile:(02) 8123 4567@PESO", "phone_number", "phone_mobile"),
    ("mobile:+14155552671@PESO", "phone_number", "phone_country"),
    ("account:4111 1111 1111 1111@BR01.DEMO", "account_number", "card"),
    ("account:password@BR01.DEMO", "account_number", "no_account"),
    ("account:0000@BR01.DEMO", "account_number", "no_account"),
    ("account:xxxx@BR01.DEMO", "account_number", "no_account"),
    ("account:GB29NWBK60161331926819@BR01.DEMO", "account_number", "iban_country"),
]
NOTHING = [
    ("account:@BR01.DEMO", "account_number", "empty"),
    ("account: @BR01.DEMO", "account_number", "empty"),
    ("account:- -@BR01.DEMO", "account_number", "placeholder"),
    ("account:null@BR01.DEMO", "account_number", "placeholder"),
    ("account:{account}@BR01.DEMO", "account_number", "placeholder"),
    ("account:#N/A@BR01.DEMO", "account_number", "placeholder"),
    ("account:1%2E23E+11@BR01.DEMO", "account_number", "placeholder"),
    ("account:1.23E+11@BR01.DEMO", "account_number", "placeholder"),
    ("account:2007760620.0@BR01.DEMO", "account_number", "placeholder"),
    ("account:2007760620%2E0@BR01.DEMO", "account_number", "placeholder"),
    ("account:undefined@X.NOBANK", "account_number", "placeholder"),
    ("account:12345678@{branch}.DEMO", "branch_code", "placeholder"),
    ("account:12345678@X.null", "bank_code", "placeholder"),
    ("mobile:[object Object]@PESO", "phone_number", "placeholder"),
    ("email:nan@MAIL", "email_address", "placeholder"),
]


class TestForm(BaseCase):
    def test_the_same_address_has_one_key(self):
        for texts in SAME:
            with self.subTest(texts[0]):
                self.assertEqual(len({form(text).key for text in texts}), 1)

    def test_other_addresses_have_other_keys(self):
        keys = {form(text).key: text for text in OTHER}
        self.assertEqual(list(keys.values()), OTHER)

    def test_problems_are_reported_by_part(self):
        for text, part, word in WRONG:
            with self.subTest(text):
                canonical = form(text)
                self.assertEqual(canonical.problem, Problem("part", part, word))
                self.assertFalse(canonical.lacks_value)
                self.assertTrue(canonical.key)

    def test_placeholder_is_refused_for_every_provider(self):
        for text, part, word in NOTHING:
            with self.subTest(text):
                canonical = form(text)
                self.assertEqual(canonical.problem, Problem("part", part, word))
                self.assertTrue(canonical.lacks_value)
        for text in ("null", "", "{account}", "undefined", "#N/A"):
            with self.subTest(text):
                self.assertEqual(form(text).problem, Problem("placeholder"))
                self.assertTrue(form(text).lacks_value)

    def test_an_address_in_order_has_no_problem(self):
        for texts in SAME[:1] + SAME[3:5]:
            for text in texts:
                with self.subTest(text):
                    self.assertIsNone(form(text).problem)
        self.assertEqual(form("free text").problem, Problem("unread"))

    def test_a_form_is_that_of_an_address(self):
        address = form("account:1234-5678@br01.demo").to_address("as typed")
        self.assertEqual(
            address,
            fa_reader.Address(
                "as typed",
                1,
                "bank_account",
                10,
                1,
                2,
                {
                    "account_number": "12345678",
                    "bank_code": "Demo",
                    "branch_code": "br01",
                },
            ),
        )
        self.assertEqual(form("text").to_address("Text"), fa_reader.Address("Text"))

    def test_a_branch_that_was_not_named_is_not_made_up(self):
        known = fa_reader.build_known_strategy(
            1, 10, "bank_account", "x:{account_number}@{bank_code}", "bank_code", "b"
        )
        (reading,) = fa_reader.read_text({"x:": (known,)}, "x:1234@DEMO")
        holder = FOUND[AddressPlace("code", "DEMO", "")]
        parts = fa_form.canonicalise(reading, holder, KINDS[10]).parts
        self.assertNotIn("branch_code", parts)
        bare = FOUND[AddressPlace("code", "BARE", "")]
        parts = fa_form.canonicalise(reading, bare, KINDS[10]).parts
        self.assertEqual(parts["branch_code"], "")

    def test_the_person_s_own_id_is_no_account(self):
        canonical = form("account:2007-816053@BR01.DEMO")
        self.assertEqual(
            fa_form.find_own_id(canonical, ["token:2007816053@nationalId"]),
            Problem("part", "account_number", "own_id"),
        )
        self.assertIsNone(fa_form.find_own_id(canonical, ["2007816054"]))
        self.assertIsNone(fa_form.find_own_id(form("free"), ["free"]))

    def test_a_provider_s_pattern_lets_it_be_one(self):
        (reading,) = fa_reader.read_text(
            {"account:": SHIPPED[:1]}, "account:2007816053@BR01.DEMO"
        )
        holder = BANK._replace(rule=ProviderRule("[0-9]{10}"))
        canonical = fa_form.canonicalise(reading, holder, KINDS[10])
        self.assertIsNone(fa_form.find_own_id(canonical, ["2007816053"]))
