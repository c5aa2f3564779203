import json
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result

from .common import EVERY_RIGHT, build_items, build_message


class FakeMapper:
    """A mapper that finds everything and costs nothing."""

    _shares_transaction = True

    def _resolve_fa(self, call, requests):
        return [Result(Outcome.FOUND, r.id_value, "account:1@BANK") for r in requests]


@tagged("post_install", "-at_install")
class TestStatements(TransactionCase):
    """The REST layer's own number of queries does not grow with the batch."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        participant = cls.env["spar.participant"].create(
            {
                "name": "Batch",
                "sender_id": "batch.example",
                "state": "active",
                "proof": "token",
                "demo_only": True,
                **EVERY_RIGHT,
            }
        )
        cls.caller = participant._build_caller()
        cls.server = cls.env["spar.g2p.connect.server"]
        cls.backends = cls.env["spar.g2p.connect.backends"]

    def answer(self, count):
        items = build_items(*range(count), scope="details")
        raw = json.dumps(build_message("resolve", "batch.example", items)).encode()
        with patch.object(
            type(self.backends), "_get_mapper", lambda *_words: FakeMapper()
        ):
            return self.server._serve(self.caller, "resolve", raw)

    def test_only_counting_needs_queries(self):
        with self.enter_registry_test_mode():
            self.answer(1)
        for count in (1, 1000):
            with self.enter_registry_test_mode(), self.assertQueryCount(4):
                document = self.answer(count)
            answers = document["message"]["resolve_response"]
            self.assertEqual(len(answers), count)
            self.assertEqual(answers[-1]["fa"], "account:1@BANK")
