import json
from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.spar_g2p_connect.models.participant import spar_participant
from odoo.addons.spar_g2p_connect.models.server import (
    spar_g2p_connect_authentication as authentication,
)
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import KeySetCache
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey
from odoo.addons.spar_mapper_connector.tests.test_jose_keys import (
    KINDS,
    to_certificate,
    to_pem,
    to_private_pem,
)

from .common import KeyringMixin
from .signing import SigningCase


class TwoAdministratorsCase(KeyringMixin, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_keyring()
        group = "base.group_user,spar_fa_directory.group_administrator"
        cls.first = new_test_user(cls.env, "first", groups=group)
        cls.second = new_test_user(cls.env, "second", groups=group)
        cls.participant = cls.env["spar.participant"].create(
            {"name": "Payer", "sender_id": "payer.test"}
        )

    def approve(self, record=None):
        """Approve the participant's pending changes as the second administrator."""
        self.env.invalidate_all()
        record = self.participant if record is None else record
        record.setting_change_ids.with_user(self.second).action_approve()
        self.env.invalidate_all()

    def add_key(self, text=None, user=None, **values):
        text = text or json.dumps(PrivateKey.generate("ES256").public.jwk)
        vals = {"participant_id": self.participant.id, "key_text": text, **values}
        return (
            self.env["spar.participant.key"].with_user(user or self.first).create(vals)
        )


@tagged("post_install", "-at_install")
class TestOnboarding(TwoAdministratorsCase):
    """draft → approved by a second person → active → disabled."""

    def test_second_person_activates(self):
        mine = self.participant.with_user(self.first)
        mine.write({"may_link": True, "scope": "details"})
        key = self.add_key()
        self.assertEqual(key.state, "active")
        mine.action_activate()
        self.assertEqual(self.participant.state, "draft")
        self.approve()
        self.assertEqual(self.participant.state, "active")

    def test_proposer_cannot_approve(self):
        self.participant.with_user(self.first).action_activate()
        with self.assertRaises(UserError):
            self.participant.setting_change_ids.with_user(self.first).action_approve()
        self.assertEqual(self.participant.state, "draft")

    def test_draft_is_locked_while_its_activation_waits(self):
        mine = self.participant.with_user(self.first)
        key = self.add_key()
        mine.action_activate()
        self.env.invalidate_all()
        attempts = {
            "right": lambda: mine.write({"may_unlink": True}),
            "name": lambda: mine.write({"name": "Other"}),
            "key added": self.add_key,
            "key changed": lambda: key.write({"valid_to": "2999-01-01"}),
            "key deleted": key.unlink,
        }
        for name, attempt in attempts.items():
            words = "is waiting for a second person"
            with self.subTest(name), self.assertRaisesRegex(UserError, words):
                with self.env.cr.savepoint():
                    attempt()
            self.env.invalidate_all()
        self.assertTrue(self.participant.setting_change_ids)
        self.assertFalse(self.participant.may_unlink)

    def test_disabling_cancels_the_activation(self):
        mine = self.participant.with_user(self.first)
        mine.action_activate()
        mine.action_disable()
        self.env.invalidate_all()
        self.assertFalse(self.participant.setting_change_ids)
        self.assertTrue(mine.is_overtaken)
        self.assertEqual(self.participant.state, "disabled")

    def test_approver_sees_rights_and_keys(self):
        key = self.add_key()
        mine = self.participant.with_user(self.first)
        mine.write({"may_link": True, "scope": "details"})
        mine.action_activate()
        self.env.invalidate_all()
        summary = self.participant.setting_change_ids.with_user(self.second).summary
        for text in ("Link: yes", "Scope: Details", key.thumbprint):
            self.assertIn(text, summary)
        self.assertNotIn("Unlink", summary)

    def test_disabled_participant_is_changed_by_two_people(self):
        self.participant.state = "disabled"
        self.participant.with_user(self.first).write({"may_unlink": True})
        self.assertEqual(self.add_key().state, "waiting")
        self.env.invalidate_all()
        self.assertFalse(self.participant.may_unlink)

    def test_approved_participant_cannot_become_a_draft(self):
        for state in ("active", "disabled"):
            self.participant.state = state
            mine = self.participant.with_user(self.first)
            with self.subTest(state), self.assertRaises(UserError):
                mine.write({"state": "draft"})
            with self.subTest(state), self.assertRaises(UserError):
                mine.unlink()

    def test_relations_cannot_edit_other_records(self):
        id_type = self.env["spar.id.type"].search([], limit=1)
        self.participant.state = "active"
        for command in ([1, id_type.id, {"name": "X"}], [0, 0, {"name": "X"}]):
            with self.subTest(command), self.assertRaises(UserError):
                self.participant.with_user(self.first).write(
                    {"id_type_ids": [command, [4, id_type.id]]}
                )

    def test_created_participant_is_not_active(self):
        participants = self.env["spar.participant"].with_user(self.first)
        values = {"name": "N", "sender_id": "n", "state": "active"}
        with self.assertRaises(AccessError):
            participants.create(values)
        made = participants._as_code().create(values)
        self.assertEqual(made.state, "draft")
        self.approve(made)
        self.assertEqual(made.state, "active")

    def test_disabling_needs_one_person(self):
        self.participant.state = "active"
        self.participant.with_user(self.first).action_disable()
        self.assertEqual(self.participant.state, "disabled")
        self.participant.with_user(self.first).action_activate()
        self.assertEqual(self.participant.state, "disabled")

    def test_every_setting_of_an_active_participant_waits(self):
        self.participant.state = "active"
        free = {"name", "note"}
        automatic = {"id", "create_uid", "create_date", "write_uid", "write_date"}
        kept = {
            name
            for name, field in self.participant._fields.items()
            if field.store and field.type != "one2many" and name not in automatic
        }
        self.assertEqual(kept - set(self.participant._guarded_fields), free)
        for name, value in (
            ("may_unlink", True),
            ("scope", "details"),
            ("profile", "openg2p-1.x"),
            ("rule_max_age_seconds", "0"),
            ("proof", "signature"),
            ("max_items", 9999),
            ("daily_item_limit", 0),
            ("sender_id", "other.test"),
            ("authority", "programme"),
        ):
            with self.subTest(name):
                before = self.participant[name]
                self.participant.with_user(self.first).write({name: value})
                self.env.invalidate_all()
                self.assertEqual(self.participant[name], before)
                self.approve()
                self.assertEqual(self.participant[name], value)

    def test_callback_secret_is_never_shown(self):
        self.participant.state = "active"
        self.participant.with_user(self.first).callback_secret = "s3cret"
        change = self.participant.setting_change_ids
        self.assertNotIn("s3cret", change.summary)
        self.assertFalse(self.participant.has_callback_secret)
        self.approve()
        secrets = self.env["spar.callback.secret"]
        self.assertEqual(secrets._get(self.participant.id), "s3cret")
        self.assertNotIn("s3cret", str(change._open_kept()))

    def test_wrong_value_is_refused_to_its_proposer(self):
        self.participant.state = "active"
        mine = self.participant.with_user(self.first)
        for values in (
            {"jwks_url": "http://payer.test/jwks"},
            {"jwks_url": "https://10.0.0.1/jwks"},
            {"origin_networks": "here"},
            {"proof": "token"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                mine.write(values)
        self.assertFalse(self.participant.setting_change_ids)


@tagged("post_install", "-at_install")
class TestKeys(TwoAdministratorsCase):
    def test_pem_certificate_and_jwk_are_the_same_key(self):
        for kind, (make, algorithms) in KINDS.items():
            private = make()
            jwk = json.dumps(
                PrivateKey.from_pem(to_private_pem(private), "").public.jwk
            )
            thumbprints = set()
            for text in (to_pem(private.public_key()), to_certificate(private), jwk):
                with self.subTest(kind):
                    key = self.add_key(text)
                    self.assertIn(algorithms[0], key.algorithms)
                    thumbprints.add(key.thumbprint)
                    key.action_revoke()
            self.assertEqual(len(thumbprints), 1)

    def test_certificate_sets_its_dates(self):
        key = self.add_key(to_certificate(KINDS["EC"][0](), days=2))
        self.assertTrue(key.valid_from < fields.Datetime.now() < key.valid_to)
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        shorter = self.add_key(to_certificate(KINDS["EC"][0]()), valid_to=tomorrow)
        self.assertEqual(shorter.valid_to, tomorrow)

    def test_attributes_of_the_key_cannot_be_overridden(self):
        forged = {"thumbprint": "x", "public_jwk": "{}", "algorithms": "none"}
        with self.assertRaises(AccessError):
            self.add_key(**forged)
        key = self.add_key(user=self.env.user, **forged)
        self.assertEqual(key.algorithms, "ES256")
        self.assertNotEqual(key.thumbprint, "x")

    def test_invalid_key_is_refused_with_a_reason(self):
        for text, words in (
            ("hello", "not a key"),
            (to_private_pem(KINDS["EC"][0]()), "private key"),
            ('{"kty": "oct", "k": "AAAA"}', "secret"),
            (" ", "not a key"),
        ):
            with self.subTest(words), self.assertRaises(ValidationError) as caught:
                self.add_key(text)
            self.assertIn(words, str(caught.exception))

    @mute_logger("odoo.sql_db")
    def test_key_belongs_to_one_participant(self):
        text = json.dumps(PrivateKey.generate("ES256").public.jwk)
        self.add_key(text)
        other = self.participant.copy({"sender_id": "other.test"})
        for values in ({"participant_id": other.id}, {"kid": "renamed"}):
            with self.subTest(values), self.assertRaises(psycopg2.IntegrityError):
                with self.env.cr.savepoint():
                    self.add_key(text, **values)

    def test_key_cannot_be_changed(self):
        key = self.add_key()
        for values in ({"key_text": "x"}, {"kid": "x"}, {"thumbprint": "x"}):
            with self.subTest(values), self.assertRaises(UserError):
                key.write(values)

    def test_key_must_end_after_it_begins(self):
        now = fields.Datetime.now()
        with self.assertRaises(ValidationError):
            self.add_key(valid_from=now, valid_to=now)

    def test_new_key_of_an_active_participant_waits(self):
        self.participant.state = "active"
        key = self.add_key()
        self.assertEqual(key.state, "waiting")
        self.assertIn("is not approved yet", self.get_problem(key))
        self.approve(key)
        self.assertEqual((key.state, self.get_problem(key)), ("active", ""))

    def test_longer_validity_waits_and_revocation_does_not(self):
        key = self.add_key(valid_to=fields.Datetime.now() + timedelta(days=1))
        self.participant.state = "active"
        key.with_user(self.first).valid_to = False
        self.env.invalidate_all()
        self.assertTrue(key.valid_to)
        key.with_user(self.first).action_revoke()
        self.assertEqual(key.state, "revoked")
        self.assertIn("revoked", self.get_problem(key))

    def test_restoring_a_revoked_key_needs_two_people(self):
        key = self.add_key()
        key.action_revoke()
        for state in ("draft", "active"):
            self.participant.state = state
            with self.subTest(state):
                mine = key.with_user(self.first)
                with self.assertRaises(AccessError):
                    mine.write({"revoked_at": False})
                mine._as_code().write({"revoked_at": False})
                self.env.invalidate_all()
                self.assertTrue(key.revoked_at)
                key.setting_change_ids.with_user(self.first).action_refuse()

    def test_computed_fields_cannot_be_written_directly(self):
        types = self.env["spar.id.type"].search([], limit=1)
        self.participant.write({"state": "active", "id_type_ids": types.ids})
        with self.assertRaises(AccessError):
            self.participant.with_user(self.first).write({"has_id_types": False})
        self.env.invalidate_all()
        self.assertTrue(self.participant.has_id_types)

    def get_problem(self, key):
        known = key._read_keys(self.participant.id)[key.kid]
        return known.get_problem(self.env.cr.now())

    def test_used_key_cannot_be_deleted(self):
        key = self.add_key()
        self.participant.state = "active"
        with self.assertRaises(UserError):
            key.unlink()

    def test_access_of_other_users(self):
        key = self.add_key()
        group = "base.group_user,spar_fa_directory.group_"
        for role in ("supervisor", "auditor"):
            user = new_test_user(self.env, role, groups=group + role)
            self.assertTrue(key.with_user(user).kid)
            with self.assertRaises(AccessError):
                key.with_user(user).action_revoke()
            with self.assertRaises(AccessError):
                self.add_key(user=user)
        officer = new_test_user(self.env, "officer", groups=group + "officer")
        with self.assertRaises(AccessError):
            key.with_user(officer).read(["kid"])


@tagged("post_install", "-at_install")
class TestKeySet(SigningCase):
    """Keys that a participant publishes itself."""

    def setUp(self):
        super().setUp()
        self.published = [PrivateKey.generate("ES256")]
        self.away = False
        self.now = 0.0
        cache = KeySetCache(self.fetch, lambda: self.now)
        for module in (spar_participant, authentication):
            self.startPatcher(patch.object(module, "CACHE", cache))
        self.startPatcher(patch.object(spar_participant, "check_url"))
        self.publisher = self.make_signer("jwks.example")
        self.publisher.key_ids.action_revoke()
        self.publisher.jwks_url = "https://jwks.example/keys"
        self.env.flush_all()

    def fetch(self, address):
        if self.away:
            raise spar_participant.OutgoingRefused("unavailable")
        return json.dumps({"keys": [key.public.jwk for key in self.published]}).encode()

    def send_signed_request(self, private):
        return self.send_signed(self.publisher, self.build(self.publisher), private)

    def test_published_new_and_withdrawn_keys(self):
        first, second = self.published[0], PrivateKey.generate("ES256")
        self.assertEqual(self.send_signed_request(first).status_code, 200)
        self.assertHttpError(
            self.send_signed_request(second), 401, "err.signature.invalid"
        )
        self.published = [second]
        self.now += 31
        self.assertEqual(self.send_signed_request(second).status_code, 200)
        self.assertHttpError(
            self.send_signed_request(first), 401, "err.signature.invalid"
        )

    def test_unavailable_jwks_url_is_no_server_error(self):
        self.away = True
        response = self.send_signed_request(self.published[0])
        self.assertHttpError(response, 401, "err.signature.invalid")
