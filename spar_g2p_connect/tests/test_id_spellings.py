"""One person, however a program writes the ID; and items without an ID."""

from odoo.tests import tagged

from .common import EVERY_RIGHT, RestCase, build_items

NUMBER = "2007816053"
SPELLINGS = (
    "2007 816 053",
    "2007-816053",
    "٢٠٠٧٨١٦٠٥٣",
    "２００７８１６０５３",
    "2007.816/053",
    f" {NUMBER} ",
    "2007\u00a0816\u2011053",
)
NO_IDS = (
    "token:{sub}@nationalId",
    "token:undefined@nationalId",
    "token:null@nationalId",
    "token:NaN@nationalId",
    "token:undefined@x",
    "token:4711",
    "4711@nationalId",
    "null",
    "NULL",
    "none",
    "undefined",
    "{sub}",
    "${sub}",
    "<id>",
    "%s",
    "n/a",
    "#N/A",
    "[object Object]",
    "1.23E+11",
    "2007760620.0",
    " ",
    "vid:null@x",
)
NO_ADDRESSES = ("account:null@BANK", "account:undefined@BANK", "account:{number}@BANK")


@tagged("post_install", "-at_install")
class TestIdSpellings(RestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("spar_mapper_connector.id_type_national_id").ignores_gaps = True
        lenient = {"profile": "openg2p-1.x", **EVERY_RIGHT}
        cls.callers = [
            cls.full,
            cls.make_participant("lenient.example", **lenient),
        ]

    def build(self, ids, **members):
        items = build_items(*range(len(ids)), **members)
        return [{**item, "id": text} for item, text in zip(items, ids, strict=True)]

    def test_every_spelling_is_one_person(self):
        self.link(NUMBER)
        ids = [f"token:{spelling}@nationalId" for spelling in SPELLINGS]
        for caller in self.callers:
            with self.subTest(caller.profile):
                items = self.build(ids, scope="details")
                for answer in self.ask(caller, "resolve", items):
                    self.assertEqual(answer["fa"], f"account:{NUMBER}@BANK")
                items = self.build(ids, fa="account:{}@BANK")
                for answer in self.ask(caller, "link", items):
                    self.assertEqual(answer["status"], "rjct")
        ended = self.ask(self.full, "unlink", self.build(ids[:1]))
        self.assertCodes(ended, None)
        found = self.ask(self.full, "resolve", self.build(ids[1:2]))
        self.assertCodes(found, "succ.id.not_found")

    def test_invalid_id_rejects_only_its_item(self):
        for number, caller in enumerate(self.callers):
            for operation in ("link", "update", "unlink", "resolve"):
                with self.subTest(caller.profile, operation=operation):
                    good = f"token:900{number}@nationalId"
                    fa = {"fa": "account:{}@BANK"} if operation != "resolve" else {}
                    items = self.build([*NO_IDS, good], **fa)
                    answers = self.ask(caller, operation, items)
                    for text, answer in zip(NO_IDS, answers, strict=False):
                        found = (answer["status"], answer["status_reason_code"])
                        self.assertEqual(found, ("rjct", "rjct.id.invalid"), text)
                    if operation == "link":
                        self.assertEqual(answers[-1]["status"], "succ")

    def test_placeholder_is_not_part_of_an_address(self):
        for caller in self.callers:
            items = build_items(*map(str, range(len(NO_ADDRESSES))))
            items = [
                {**item, "fa": fa} for item, fa in zip(items, NO_ADDRESSES, strict=True)
            ]
            with self.subTest(caller.profile):
                answers = self.ask(caller, "link", items)
                self.assertCodes(answers, *["rjct.fa.invalid"] * len(items))

    def test_card_is_checked_only_where_its_type_requires_it(self):
        id_type = self.env.ref("spar_mapper_connector.id_type_national_id")
        rule = {"card_pattern": "[0-9]+", "card_min_length": 10, "card_max_length": 10}
        id_type.write({"card_look": "10 digits", **rule})
        items = build_items("John Smith", fa="account:7@BANK")
        self.assertEqual(self.ask(self.full, "link", items)[0]["status"], "succ")
        id_type.card_binds_programs = True
        for caller in self.callers:
            items = build_items("Jane Smith", fa="account:7@BANK")
            with self.subTest(caller.profile):
                answers = self.ask(caller, "link", items)
                self.assertCodes(answers, "rjct.id.invalid")
                self.assertNotIn("Jane", answers[0]["status_reason_message"])
