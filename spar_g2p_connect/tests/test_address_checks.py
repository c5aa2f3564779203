from odoo import fields
from odoo.tests import tagged

from .common import EVERY_RIGHT, RestCase, build_items

EMPTY_PART = "account: @BANK"
#: Addresses that the directory refuses, and the answer to the sender.
WRONG = {
    "anything": "fa: does not have the format of any kind of address.",
    "account:12345678@nobody": "fa: no provider has this code.",
    "account:12345678@north.bank": "fa: this provider has no branch with this code.",
    "mobile:+15551234567@BANK": "fa: this provider has no addresses of this kind.",
    EMPTY_PART: "fa: the part number does not pass its check (empty).",
}


@tagged("post_install", "-at_install")
class TestAddressChecks(RestCase):
    """The profile determines whether an address has to be in the directory."""

    def test_strict_profile_names_the_problem(self):
        for fa, text in WRONG.items():
            with self.subTest(fa):
                (answer,) = self.ask(self.full, "link", build_items("no", fa=fa))
                self.assertEqual(answer["status"], "rjct")
                self.assertEqual(answer["status_reason_code"], "rjct.fa.invalid")
                self.assertEqual(answer["status_reason_message"], text)
        (found,) = self.ask(self.full, "resolve", build_items("no"))
        self.assertEqual(found["status_reason_code"], "succ.id.not_found")

    def test_archived_provider_accepts_no_new_links(self):
        self.link("before")
        self.env["spar.fsp"].search([("code", "=", "BANK")]).action_archive()
        items = build_items("after", fa="account:{}@BANK")
        (answer,) = self.ask(self.full, "link", items)
        self.assertEqual(
            answer["status_reason_message"], "fa: this provider is no longer in use."
        )
        (found,) = self.ask(
            self.full, "resolve", build_items("before", scope="details")
        )
        self.assertEqual(found["fa"], "account:before@BANK")

    def test_closed_provider_refuses_and_names_its_successor(self):
        self.link("before")
        heir = self.env["spar.fsp"].create({"name": "Heir Bank", "code": "HEIR"})
        bank = self.env["spar.fsp"].search([("code", "=", "BANK")])
        bank.closed_on = fields.Date.today()
        items = build_items("after", fa="account:{}@bank")
        (answer,) = self.ask(self.full, "link", items)
        self.assertEqual(
            answer["status_reason_message"], "fa: this provider has closed."
        )
        bank.successor_id = heir
        (answer,) = self.ask(self.full, "link", items)
        self.assertEqual(
            answer["status_reason_message"],
            "fa: this provider has closed; Heir Bank has taken over.",
        )
        (found,) = self.ask(
            self.full, "resolve", build_items("before", scope="details")
        )
        self.assertEqual(found["status_reason_code"], "succ.fa.inactive")
        self.assertNotIn("fa", found, "nothing may be paid to a closed bank")

    def test_lenient_profile_stores_the_address_as_given(self):
        lenient = self.make_participant(
            "openg2p.example", profile="openg2p-1.x", **EVERY_RIGHT
        )
        for number, fa in enumerate(WRONG):
            if fa == EMPTY_PART:
                continue
            with self.subTest(fa):
                items = build_items(f"free{number}", fa=fa)
                (answer,) = self.ask(lenient, "link", items)
                self.assertEqual(answer["status"], "succ")
        items = build_items("free0", scope="details")
        (found,) = self.ask(lenient, "resolve", items)
        self.assertEqual(found["fa"], "anything")
        self.assertNotIn("account_provider_info", found)

    def test_provider_of_an_address_comes_from_the_directory(self):
        self.link("held")
        (found,) = self.ask(self.full, "resolve", build_items("held", scope="details"))
        self.assertEqual(
            found["account_provider_info"],
            {"name": "Test Bank", "code": "BANK", "subcode": ""},
        )
