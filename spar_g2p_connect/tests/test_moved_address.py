"""Answers to payers that ask by an address at a provider that has closed."""

from odoo import fields
from odoo.tests import tagged

from odoo.addons.spar_mapper.store.moving import Mover

from .common import EVERY_RIGHT, RestCase, build_items

CLOSED = "The provider of this address has closed; its successor has it now."
YES_NO = {**EVERY_RIGHT, "scope": "yes_no"}


@tagged("post_install", "-at_install")
class TestMovedAddress(RestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        providers = cls.env["spar.fsp"]
        cls.closed = providers.search([("code", "=", "BANK")])
        cls.heir = providers.create({"name": "Heir Bank", "code": "HEIR"})

    def move(self):
        """Move all accounts of the closed bank, as two people decided."""
        self.closed.write(
            {"closed_on": fields.Date.today(), "successor_id": self.heir.id}
        )
        self.env.flush_all()
        move = self.env["spar.move"].create(
            {"provider_id": self.closed.id, "reason": "It has closed"}
        )
        mapper = self.env["spar.mapper.local"]
        work = mapper._begin_work(move._build_call())
        mover = Mover(work, move._build_plan(), move._build_directory(work))
        self.assertEqual(mover.move_piece(0, 200).moved, 1)
        mapper._finish_work(work)
        self.env.flush_all()

    def resolve_by_address(self, participant, scope="details", **members):
        items = build_items("x", fa="account:m1@BANK", scope=scope, **members)
        if not members:
            del items[0]["id"]
        (answer,) = self.ask(participant, "resolve", items)
        return answer

    def assert_disclosed(self, answer, fa="account:M1@HEIR"):
        self.assertEqual(
            (
                answer["status"],
                answer["status_reason_code"],
                answer["status_reason_message"],
                answer.get("fa"),
            ),
            ("succ", "succ.fa.inactive", CLOSED, fa),
        )

    def make_participants(self, **rights):
        return [
            self.make_participant(f"{profile}.example", profile=profile, **rights)
            for profile in ("g2p-connect-1.0-strict", "openg2p-1.x", "openg2p-2.x")
        ]

    def test_successors_address_is_returned(self):
        self.link("m1")
        (before,) = [self.resolve_by_address(self.full)]
        self.assertEqual(before["status_reason_code"], "succ.fa.active")
        given = before["fa"]
        self.move()
        for participant in self.make_participants(**EVERY_RIGHT):
            with self.subTest(participant.profile):
                answer = self.resolve_by_address(participant)
                self.assert_disclosed(answer, given.replace("BANK", "HEIR"))
                self.assertEqual(answer["id"], "token:m1@nationalid")
                self.assertEqual(answer["account_provider_info"]["code"], "HEIR")

    def test_strict_participant_with_the_id_is_informed(self):
        self.link("m1")
        self.move()
        answer = self.resolve_by_address(self.full, id="token:m1@nationalId")
        self.assertEqual(answer["status_reason_code"], "succ.fa.inactive")
        self.assertTrue(answer["fa"].endswith("@HEIR"))

    def test_openg2p_ignores_an_address_beside_an_id(self):
        self.link("m1")
        self.move()
        lenient = self.make_participants(**EVERY_RIGHT)[1]
        answer = self.resolve_by_address(lenient, id="token:m1@nationalId")
        self.assertEqual(answer["status_reason_code"], "succ.id.active")
        self.assertTrue(answer["fa"].endswith("@HEIR"))

    def test_yes_or_no_returns_no_address(self):
        self.link("m1")
        self.move()
        for participant in self.make_participants(**YES_NO):
            with self.subTest(participant.profile):
                answer = self.resolve_by_address(participant, "yes_no")
                self.assert_disclosed(answer, None)
                self.assertNotIn("id", answer)

    def test_caller_that_may_not_compare_is_not_informed(self):
        self.link("m1")
        self.move()
        stranger = self.make_participant("stranger.example", **YES_NO)
        answer = self.resolve_by_address(stranger, "yes_no", id="token:m1@nationalId")
        self.assertEqual(
            answer["status_reason_code"], "rjct.resolve_type.not_supported"
        )
        self.assertNotIn("HEIR", str(answer))
