"""Participants, keys and issuers that were altered by SQL alone are not used."""

import json
from contextlib import contextmanager

from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.spar_g2p_connect.exceptions import InvalidClient
from odoo.addons.spar_g2p_connect.lib.token_request import TokenRequest
from odoo.addons.spar_mapper_connector.lib import settings_seal
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey
from odoo.addons.spar_mapper_connector.tests.test_settings_seal import (
    ALARM_LOGGER,
    SEAL_LOGGER,
)

from .common import KeyringMixin


@tagged("post_install", "-at_install")
class TestParticipantSealed(KeyringMixin, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_keyring()
        cls.participants = cls.env["spar.participant"]
        cls.payer, cls.other = (
            cls.participants.create(
                {"name": name, "sender_id": f"{name}.test", "state": "active"}
            )
            for name in ("payer", "other")
        )
        cls.secret = cls.payer._set_new_client_secret()
        cls.other_secret = cls.other._set_new_client_secret()
        cls.key = cls.add_key(cls.payer)

    @classmethod
    def add_key(cls, participant):
        jwk = PrivateKey.generate("ES256").public.jwk
        return cls.env["spar.participant.key"].create(
            {"participant_id": participant.id, "key_text": json.dumps(jwk)}
        )

    def run_sql(self, query, *values, replica=False):
        self.env.flush_all()
        if replica:
            self.env.cr.execute("SET LOCAL session_replication_role = replica")
        self.env.cr.execute(query, values)
        if replica:
            self.env.cr.execute("SET LOCAL session_replication_role = origin")
        self.env.invalidate_all()
        self.env["spar.row.versions"]._forget()

    @contextmanager
    def alarms(self):
        with mute_logger(SEAL_LOGGER, ALARM_LOGGER), self.enter_registry_test_mode():
            yield

    def load(self, participant=None):
        participant = participant or self.payer
        with self.alarms():
            return self.env["spar.participant.cache"]._find("p.id = %s", participant.id)

    def request_token(self, participant, secret):
        request = TokenRequest(participant.client_id, secret, "", "")
        with self.alarms():
            return self.env["spar.g2p.connect.token"]._get_client(
                self.env["spar.keyring"]._open(), request
            )

    def test_unaltered_participant_is_accepted(self):
        self.assertTrue(self.load().may_call)
        self.assertEqual(list(self.load().keys), [self.key.kid])
        self.assertEqual(self.request_token(self.payer, self.secret), self.payer)

    def test_altered_participant_is_refused(self):
        bank = self.env["spar.fsp"].create({"name": "B", "code": "SEALBANK"})
        attacks = (
            "UPDATE spar_participant SET may_update = true WHERE id = %s",
            "UPDATE spar_participant SET authority = 'programme' WHERE id = %s",
            "UPDATE spar_participant SET daily_item_limit = 0 WHERE id = %s",
            "UPDATE spar_participant SET callback_url = 'https://x.y' WHERE id = %s",
            "UPDATE spar_participant SET jwks_url = 'https://x.y' WHERE id = %s",
            "UPDATE spar_participant SET proof = 'token' WHERE id = %s",
            f"""INSERT INTO {self.participants._fields["own_provider_ids"].relation}
                VALUES (%s, {bank.id})""",
        )
        for attack in attacks:
            for replica in (False, True):
                with self.subTest(attack, replica=replica):
                    with self.env.cr.savepoint() as savepoint:
                        self.run_sql(attack, self.payer.id, replica=replica)
                        self.assertFalse(self.load().may_call)
                        with self.assertRaises(InvalidClient):
                            self.request_token(self.payer, self.secret)
                        self.assertTrue(self.load(self.other).may_call)
                        savepoint.rollback()
                    self.env["spar.row.versions"]._forget()

    def test_order_of_chosen_records_in_the_database_does_not_matter(self):
        """The rows of a many2many field have no order of their own."""
        names = ("first", "second", "third")
        self.payer.own_provider_ids = self.env["spar.fsp"].create(
            [{"name": name, "code": f"seal_{name}"} for name in names]
        )
        self.env.flush_all()
        field = self.participants._fields["own_provider_ids"]
        rows = self.env.execute_query(
            SQL(
                "DELETE FROM %s WHERE %s = %s RETURNING %s",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                self.payer.id,
                SQL.identifier(field.column2),
            )
        )
        for (provider_id,) in sorted(rows, reverse=True):
            self.env.cr.execute(
                SQL(
                    "INSERT INTO %s (%s, %s) VALUES (%s, %s)",
                    SQL.identifier(field.relation),
                    SQL.identifier(field.column1),
                    SQL.identifier(field.column2),
                    self.payer.id,
                    provider_id,
                )
            )
        self.env.invalidate_all()
        self.assertEqual(len(rows), len(names))
        self.assertEqual(self.payer._filter_true(), self.payer)

    def test_participant_enabled_by_sql_is_refused(self):
        self.payer.state = "disabled"
        self.run_sql(
            "UPDATE spar_participant SET state = 'active' WHERE id = %s", self.payer.id
        )
        self.assertFalse(self.load().may_call)

    def test_copied_secret_digest_is_refused(self):
        self.run_sql(
            """UPDATE spar_participant SET secret_digest = (
                   SELECT secret_digest FROM spar_participant WHERE id = %s)
                WHERE id = %s""",
            self.other.id,
            self.payer.id,
        )
        # Even with a forged seal: the digest belongs to another client.
        self.env["spar.settings.seal"]._seal_as_it_is(self.participants)
        with self.assertRaises(InvalidClient):
            self.request_token(self.payer, self.other_secret)

    def test_keys(self):
        theirs = self.add_key(self.other)
        attacks = (
            (
                "UPDATE spar_participant_key SET public_jwk = %s WHERE id = %s",
                (theirs.public_jwk, self.key.id),
            ),
            (
                "UPDATE spar_participant_key SET participant_id = %s WHERE id = %s",
                (self.payer.id, theirs.id),
            ),
            (
                """INSERT INTO spar_participant_key
                          (participant_id, kid, public_jwk, key_text, is_trusted)
                   VALUES (%s, 'mine', %s, 'x', true)""",
                (self.payer.id, theirs.public_jwk),
            ),
        )
        for query, values in attacks:
            with self.subTest(query), self.env.cr.savepoint() as savepoint:
                self.run_sql(query, *values, replica=True)
                jwks = [cached.key.jwk["x"] for cached in self.load().keys.values()]
                self.assertNotIn(json.loads(theirs.public_jwk)["x"], jwks)
                savepoint.rollback()
            self.env["spar.row.versions"]._forget()

    def test_key_restored_by_sql_is_refused(self):
        self.key.action_revoke()
        self.run_sql(
            "UPDATE spar_participant_key SET revoked_at = NULL WHERE id = %s",
            self.key.id,
        )
        self.assertFalse(self.load().keys)

    def test_deleted_key_is_reported(self):
        self.run_sql("DELETE FROM spar_participant_key WHERE id = %s", self.key.id)
        found = self.env["spar.settings.seal"]._check_all()
        expected = ("spar_participant_key", self.key.id, settings_seal.MISSING)
        self.assertEqual(found, [expected])

    def test_altered_issuer_is_refused(self):
        issuers = self.env["spar.token.issuer"]
        issuer = issuers.create(
            {
                "name": "Keycloak",
                "issuer": "https://a.example",
                "audience": "spar",
                "jwks_url": "https://93.184.216.34/keys",
            }
        )
        self.assertIn("https://a.example", issuers._read_issuers())
        self.run_sql(
            "UPDATE spar_token_issuer SET jwks_url = 'https://x.y' WHERE id = %s",
            issuer.id,
        )
        with self.alarms():
            self.assertNotIn("https://a.example", issuers._read_issuers())
