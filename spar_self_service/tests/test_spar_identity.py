import hashlib
import logging
import os
from unittest.mock import patch

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.oidc.authorization import (
    AttemptSecrets,
    LoginAttempt,
)
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import (
    NoUsableId,
    UserNotAllowed,
)
from odoo.addons.spar_mapper_connector.lib.oidc.verified import VerifiedLogin

from ..models.spar_login_attempt import PendingLogin
from .common import LoginCase, ProviderCase

CLAIMS = {"individual_id": "7712345678", "name": "Asha Devi"}


class IdentityCase(ProviderCase):
    """A person who authenticated, as the relying party returns them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.identities = cls.env["spar.identity"]

    def build_login(self, subject="asha", issuer=None, **claims):
        return VerifiedLogin(
            issuer or self.hostile.issuer, subject, {**CLAIMS, **claims}, acr="otp"
        )

    def recognise(self, login=None, with_user=True):
        login = login or self.build_login()
        return self.identities._recognise(self.provider, login, with_user)

    def seal_of(self, identity):
        query = SQL("SELECT sealed FROM spar_identity WHERE id = %s", identity.id)
        return bytes(self.env.execute_query(query)[0][0])


@tagged("post_install", "-at_install")
class TestSparIdentity(IdentityCase):
    """One person at one issuer: recognised, sealed, and separate from all others."""

    def test_person_is_issuer_and_subject_together(self):
        first = self.recognise()
        self.assertEqual(self.recognise(), first)
        self.assertNotEqual(self.recognise(self.build_login("bela")), first)
        elsewhere = self.build_login(issuer="https://other.example")
        self.assertNotEqual(self.recognise(elsewhere), first)

    def test_parts_of_issuer_and_subject_cannot_be_moved(self):
        first = self.recognise(self.build_login("c", "https://a.example/b"))
        second = self.recognise(self.build_login("b/c", "https://a.example/"))
        self.assertNotEqual(first, second)

    def test_current_data_of_the_provider_is_used(self):
        self.recognise()
        claims = {"email": "new@people.example", "email_verified": True}
        identity = self.recognise(self.build_login(name="Asha Rao", **claims))
        person = identity._get_beneficiary()
        self.assertEqual(person.name, "Asha Rao")
        self.assertEqual(person.contacts.email, "new@people.example")

    def test_person_without_a_name_is_no_problem(self):
        identity = self.recognise(self.build_login(name=None))
        self.assertEqual(identity._get_beneficiary().name, "")

    def test_person_helped_by_an_officer_gets_a_user_later(self):
        before = self.recognise(with_user=False)
        self.assertFalse(before.user_id)
        self.assertEqual(self.recognise(), before)
        self.assertTrue(before.user_id)

    def test_claim_that_names_the_id_may_be_the_subject(self):
        self.provider.id_claim = "sub"
        identity = self.recognise(self.build_login("a_Token_of_1"))
        value = identity._get_beneficiary().id_value
        self.assertEqual(value, "token:a_Token_of_1@nationalid")

    def test_every_spelling_of_a_claim_is_one_id(self):
        plain = "7712345678"
        spellings = (plain, "7712 345 678", "7712-345678", "٧٧١٢٣٤٥٦٧٨", f" {plain} ")
        for spelling in spellings:
            with self.subTest(spelling):
                identity = self.recognise(self.build_login(individual_id=spelling))
                value = identity._get_beneficiary().id_value
                self.assertEqual(value, "token:7712345678@nationalid")

    def test_id_that_does_not_match_the_card_is_refused(self):
        """On the pages and with an officer's help: both recognise a person here."""
        rule = {"card_pattern": "[0-9]+", "card_min_length": 10}
        self.provider.id_type_id.write({"card_look": "10 digits", **rule})
        for wrong in ("John Smith", "771234567"):
            for with_user in (True, False):
                with self.subTest(wrong), self.assertRaises(NoUsableId) as caught:
                    login = self.build_login(individual_id=wrong)
                    self.recognise(login, with_user=with_user)
                self.assertEqual(caught.exception.reason, "card")
        self.assertTrue(self.recognise())

    def test_placeholder_for_an_id_is_refused(self):
        for wrong in ("undefined", "null", "N/A", "[object Object]", "7.71E+09"):
            with self.subTest(wrong), self.assertRaises(NoUsableId):
                self.recognise(self.build_login(individual_id=wrong))

    def test_id_of_another_type_is_refused(self):
        """A value that the type's own check refuses, or that is another type's."""
        self.provider.id_type_id.write({"check": "regex", "check_parameter": "[0-9]+"})
        with self.assertRaises(NoUsableId):
            self.recognise(self.build_login(individual_id="no digits"))
        last = {"name": "Tax", "code": "tax_test", "sequence": 2000}
        self.provider.id_type_id = self.env["spar.id.type"].create(last)
        with self.assertRaises(NoUsableId) as caught:
            self.recognise()
        self.assertEqual(caught.exception.reason, "type")

    def test_nothing_is_stored_for_a_person_without_a_usable_id(self):
        for wrong in ("", " ", "a:b", "a@b", "null", "{sub}", "x" * 300, None, 77):
            with self.subTest(wrong), self.assertRaises(NoUsableId):
                self.recognise(self.build_login(individual_id=wrong))
        self.assertFalse(self.identities.search_count([]))

    def test_same_person_in_two_windows_at_once(self):
        login = self.build_login()
        self.recognise(login)
        with (
            patch.object(
                type(self.identities), "_find", lambda self, login: self.browse()
            ),
            self.assertRaises(ConcurrencyError),
        ):
            self.recognise(login)

    # === THE USER === #

    def test_user_is_created_without_open_sign_up(self):
        scope = "auth_signup.invitation_scope"
        self.env["ir.config_parameter"].set_param(scope, "b2b")
        user = self.recognise().user_id
        self.assertTrue(user.active and user._is_portal())
        self.assertFalse(user.partner_id.email or user.signature)

    def test_user_has_no_password(self):
        user = self.recognise().user_id
        self.env.flush_all()
        query = SQL("SELECT password FROM res_users WHERE id = %s", user.id)
        self.assertEqual(self.env.execute_query(query), [(None,)])

    def test_user_speaks_the_language_of_the_login(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        identities = self.identities.with_context(lang="fr_FR")
        identity = identities._recognise(self.provider, self.build_login(), True)
        self.assertEqual(identity.user_id.lang, "fr_FR")

    def test_blocked_user_stays_blocked(self):
        identity = self.recognise()
        identity.user_id.active = False
        with self.assertRaises(UserNotAllowed):
            self.recognise()

    # === SEALED === #

    def write_by_hand(self, identity, column, value):
        self.env.cr.execute(
            SQL(
                "UPDATE spar_identity SET %s = %s WHERE id = %s",
                SQL.identifier(column),
                value,
                identity.id,
            )
        )
        identity.invalidate_recordset()

    def test_data_sealed_for_one_person_cannot_be_unsealed_for_another(self):
        asha = self.recognise()
        bela = self.recognise(self.build_login("bela", individual_id="99"))
        self.write_by_hand(bela, "sealed", self.seal_of(asha))
        with self.assertRaises(SealBroken):
            bela._get_beneficiary()

    def test_person_moved_to_another_user_by_sql_cannot_be_unsealed(self):
        asha = self.recognise()
        bela = self.recognise(self.build_login("bela", individual_id="99"))
        user = bela.user_id
        self.write_by_hand(bela, "user_id", None)
        self.write_by_hand(asha, "user_id", user.id)
        with self.assertRaises(SealBroken):
            self.env["spar.beneficiary"].with_user(user)._get_current()

    def test_person_with_a_changed_id_type_cannot_be_unsealed(self):
        asha = self.recognise()
        other = self.env["spar.id.type"].create({"name": "Tax", "code": "tax_test"})
        self.write_by_hand(asha, "id_type_id", other.id)
        with self.assertRaises(SealBroken):
            asha._get_beneficiary()

    def test_old_rows_are_deleted_automatically(self):
        proofs = self.env["spar.login.proof"]
        mac = proofs._get_mac("agent", self.env.uid, "draft")
        proofs._add("agent", self.env.uid, mac, "nonce", {})
        self.env.cr.execute(
            "UPDATE spar_login_proof SET made_at = made_at - interval '1 hour'"
        )
        proofs._gc_old()
        self.env.cr.execute("SELECT count(*) FROM spar_login_proof")
        self.assertEqual(self.env.cr.fetchone(), (0,))


@tagged("post_install", "-at_install")
class TestRotation(IdentityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.use_new_keyring()
        cls.provider = cls.create_provider(client_id="with new keys")

    def test_everything_is_resealed_with_a_new_key(self):
        self.provider._set_client_secret("secret")
        asha = self.recognise()
        proofs = self.env["spar.login.proof"]
        mac = proofs._get_mac("agent", self.env.uid, "draft")
        proofs._add("agent", self.env.uid, mac, "nonce", {"x": 1})
        before = self.seal_of(asha)
        self.keyrings._start_rotation()
        with patch.object(self.env.cr, "commit"):
            list(self.keyrings._reseal_steps())
        self.assertEqual(self.keyrings._finish_rotation(), 0)
        self.assertNotEqual(self.seal_of(asha), before)
        self.assertEqual(asha._get_beneficiary().name, "Asha Devi")
        self.assertEqual(self.provider._get_client_secret(), "secret")
        self.assertEqual(
            proofs._take("agent", self.env.uid, "draft"), ("nonce", {"x": 1})
        )

    def test_rows_sealed_by_earlier_versions_open(self):
        provider_id, user_id = self.provider.id, self.env.uid
        self.assert_sealed_as(
            self.provider, "client secret", "auth.oauth.provider", provider_id
        )
        asha = self.recognise()
        place = (asha.uuid, "national_id", asha.user_id.id)
        self.assert_sealed_as(asha, "identity", "spar.identity", *place)
        proofs = self.env["spar.login.proof"]
        proofs._add("agent", user_id, b"mac", "nonce", {})
        proof = proofs.search([], order="id desc", limit=1)
        self.assert_sealed_as(
            proof, "login proof", "spar.login.proof", "nonce", user_id
        )
        draft = self.env["spar.draft"]._open_draft("set", 0, owner_key="asha-key")
        self.assert_sealed_as(
            draft, "self-service draft", "self-service draft", draft.uuid, 1
        )

    def test_attempts_sealed_by_earlier_versions_open(self):
        attempts = self.env["spar.login.attempt"]
        secrets = AttemptSecrets("the state", "nonce", "verifier")
        attempt = LoginAttempt(secrets, "https://spar.example/callback", 1, True)
        pending = PendingLogin(self.provider.id, "login", "/", attempt)
        attempts._add(pending, "browser")
        digest = hashlib.sha256(b"the state").hexdigest()
        row = attempts.search([], order="id desc", limit=1)
        self.assert_sealed_as(row, "login attempt", "spar.login.attempt", digest)


@tagged("post_install", "-at_install")
class TestDark(LoginCase):
    """Without the keyring, no login is possible and nothing is written."""

    def go_dark(self):
        return patch.dict(os.environ, {"SPAR_KEYRING": "/nowhere/keyring.json"})

    def test_login_is_not_begun_without_the_keyring(self):
        token = self.get_token()
        with self.go_dark(), mute_logger("odoo.addons.spar_self_service"):
            answer = self.url_open(
                f"/spar/login/{self.provider.id}", data={"csrf_token": token}
            )
        self.assertEqual(answer.status_code, 503)
        self.assertIn("Nothing was changed", answer.text)

    def test_login_is_not_finished_without_the_keyring(self):
        self.begin()
        with self.go_dark(), mute_logger("odoo.addons.spar_self_service"):
            answer = self.come_back()
        self.assertEqual(answer.status_code, 503)
        self.assertIsNone(self.get_session_user())
        self.assertEqual(self.count_people(), 0)

    def test_nothing_of_a_person_or_token_is_logged(self):
        ours = "odoo.addons.spar_self_service"
        with self.assertLogs(ours, logging.INFO) as logs:
            self.log_in()
            self.authenticate(None, None)
            self.begin()
            self.hostile.id_token_claims = {"nonce": "x"}
            self.come_back()
        text = "\n".join(logs.output)
        self.assertIn("login refused: token_refused nonce", text)
        for known in ("7712345678", "Asha", "access-token", "subject-of", "verifier"):
            self.assertNotIn(known, text)
        self.assertNotIn(self.hostile.authorization_request["state"], text)
