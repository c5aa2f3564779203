from odoo.tests import BaseCase

from ..lib.g2p_connect import acks


class TestAcks(BaseCase):
    def test_every_kind_has_what_the_contract_requires(self):
        documents = [
            acks.build_ack("correlation"),
            acks.build_nack("nobody to answer"),
            acks.build_err("err.request.bad", "why"),
        ]
        for document, status in zip(documents, ("ACK", "NACK", "ERR"), strict=True):
            message = document["message"]
            self.assertEqual(message["ack_status"], status)
            self.assertTrue(message["timestamp"].endswith("+00:00"))
            self.assertTrue(0 < len(message["correlation_id"]) <= 99)
        self.assertEqual(documents[0]["message"]["correlation_id"], "correlation")
        self.assertNotIn("error", documents[0]["message"])

    def test_version_has_a_code_of_its_own(self):
        error = acks.build_err("rjct.version.invalid", "x")["message"]["error"]
        self.assertEqual(error["code"], "err.version.not_supported")

    def test_text_is_cut_to_the_maximum_length(self):
        error = acks.build_err("rjct.action.invalid", "x" * 2000)["message"]["error"]
        self.assertEqual(len(error["message"]), 999)
        self.assertTrue(error["message"].startswith("rjct.action.invalid: "))

    def test_only_an_acknowledgement_is_one(self):
        for document in (
            None,
            [],
            "ACK",
            7,
            {},
            {"message": None},
            {"message": []},
            {"message": {"ack_status": "NACK"}},
            {"ack_status": "ACK"},
            acks.build_nack("no"),
        ):
            self.assertFalse(acks.is_acknowledged(document), document)
        self.assertTrue(acks.is_acknowledged({"message": {"ack_status": "ACK"}}))
