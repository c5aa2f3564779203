from odoo.tools import mute_logger, safe_eval

from ..exceptions import SealBroken
from .test_directory_source import SourceCase


class TestSealedValues(SourceCase):
    def create_change(self):
        values = {"res_model": "spar.limit", "res_id": 7, "state": "waiting"}
        return self.env["spar.setting.change"].create(
            {
                **values,
                "uuid": "a-uuid",
                "proposer_id": self.administrator.id,
                "proposed_at": "2026-01-01",
            }
        )

    def test_rows_sealed_by_earlier_versions_open(self):
        source = self.source.sudo()
        self.assert_sealed_as(
            source, "directory-source", source.uuid, source.url, source.client_id
        )
        self.assert_sealed_as(
            self.create_change(), "setting change", "a-uuid", "spar.limit", 7
        )
        key = self.env["spar.signing.key"]._generate("test")
        self.assert_sealed_as(key, "signing key", key.kid, "test", "ES256")

    def test_a_value_of_another_row_does_not_open(self):
        first, second = self.create_change(), self.create_change()
        second.uuid = "another-uuid"
        first._write_sealed("a secret")
        second._store_sealed(first._fetch_sealed()[first.id])
        self.assert_refused(SealBroken, second._read_sealed)
        texts = (first + second)._read_sealed_rows()
        self.assertEqual(texts, {first.id: "a secret"})

    def test_an_altered_row_does_not_open(self):
        self.env.cr.execute(
            "UPDATE spar_directory_source SET url = 'https://evil.example' "
            "WHERE id = %s",
            [self.source.id],
        )
        self.source.invalidate_recordset()
        self.assert_refused(SealBroken, self.source._read_sealed)

    def test_an_erased_value_is_gone(self):
        self.source._write_sealed(None)
        self.assertIsNone(self.source._read_sealed())
        self.assertEqual(self.source._get_sealed_ids(), set())

    def test_expressions_open_no_value(self):
        self.open_names()
        for name in ("_read_sealed", "_read_sealed_rows"):
            with (
                self.subTest(name),
                mute_logger("odoo.addons.spar_mapper_connector.expressions"),
                self.assertRaises(Exception) as caught,
            ):
                safe_eval.safe_eval(f"source.{name}()", {"source": self.source})
            self.assertIn("CalledFromExpression", repr(caught.exception))
