"""The verification of an owner's proof: what is refused, and which part is named."""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

from odoo.tests import BaseCase

from ..lib.confirmed_change import Binding, build_change
from ..lib.contract import UpdateRequest
from ..lib.jose.keys import PrivateKey
from ..lib.jose.tokens import sign_token
from ..lib.owner_proof import make_salt
from ..lib.proof_check import (
    EVENT,
    ID_TOKEN,
    PAGE,
    USERINFO,
    IssuerRules,
    ProofRefused,
    check_id_token,
    check_proof,
)
from .id_provider import CLIENT, ISSUER, IdProvider

NOW = 1_800_000_000
VALUE = "4711"
REQUEST = UpdateRequest(f"token:{VALUE}@nationalId", "account:2@b", expected_version=1)


class ProofCase(BaseCase):
    def setUp(self):
        super().setUp()
        self.provider = IdProvider(NOW)
        self.change = build_change(
            REQUEST, Binding("spar.example.org", "draft-1", make_salt())
        )
        self.rules = IssuerRules(
            ISSUER,
            frozenset({CLIENT, "portal.example.org"}),
            ("ES256", "PS256"),
            frozenset({"urn:otp"}),
            "individual_id",
        )

    def confirm(self, **values):
        return self.provider.confirm(self.change, VALUE, **values)

    def check(self, proof, **values):
        usual = {
            "change": self.change,
            "rules": self.rules,
            "find_keys": self.provider.find_keys,
            "moment": NOW + 20,
        }
        return check_proof(proof, **{**usual, **values})

    def assert_refused(self, part, code, proof, **values):
        with self.assertRaises(ProofRefused) as caught:
            self.check(proof, **values)
        self.assertEqual((caught.exception.part, caught.exception.code), (part, code))


class TestAccepted(ProofCase):
    def test_person_who_confirmed_is_returned(self):
        person = self.check(self.confirm())
        self.assertEqual(person.id_value, VALUE)
        self.assertEqual(person.auth_time, NOW)
        self.assertEqual(person.keys, (self.provider.key.public,))

    def test_years_later_the_time_of_the_change_counts(self):
        proof, keys = self.confirm(), [self.provider.key.public]
        self.provider.rotate()
        person = self.check(proof, find_keys=lambda kid, algorithm: keys)
        self.assertEqual(person.id_value, VALUE)

    def test_id_may_be_in_a_signed_userinfo_of_the_same_person(self):
        claims = {"sub": f"sub-of-{VALUE}", "individual_id": VALUE}
        userinfo = self.provider.sign(claims)
        person = self.check(self.confirm(individual_id=None, userinfo=userinfo))
        self.assertEqual(person.id_value, VALUE)
        self.assertEqual(len(person.keys), 2)

    def test_subject_may_be_the_id(self):
        person = self.check(self.confirm(), rules=replace(self.rules, claim="sub"))
        self.assertEqual(person.id_value, f"sub-of-{VALUE}")

    def test_several_audiences_need_an_authorised_party_of_ours(self):
        audiences = [CLIENT, "other.example"]
        self.check(self.confirm(aud=audiences, azp=CLIENT))
        self.assert_refused(ID_TOKEN, "audience", self.confirm(aud=audiences))

    def test_of_two_keys_with_one_name_the_right_one_counts(self):
        proof, older = self.confirm(), self.provider.key.public
        other = replace(PrivateKey.generate("ES256").public, kid=older.kid)
        self.check(proof, find_keys=lambda kid, algorithm: [other, older])


class TestRefused(ProofCase):
    def test_claims_of_another_login_are_refused(self):
        cases = {
            "issuer": {"iss": "https://other.example"},
            "audience": {"aud": "bank.example"},
            "expired": {"exp": NOW - 600},
            "not_yet": {"iat": NOW + 600},
            "acr": {"acr": "urn:password"},
            "subject": {"sub": ""},
            "malformed": {"exp": "never"},
            "claim": {"individual_id": None},
        }
        for code, values in cases.items():
            with self.subTest(code):
                self.assert_refused(ID_TOKEN, code, self.confirm(**values))

    def test_claims_of_other_types_are_refused(self):
        for name, code in (
            ("aud", "audience"),
            ("azp", "audience"),
            ("auth_time", "old_login"),
            ("individual_id", "claim"),
            ("acr", "acr"),
        ):
            for value in ({"a": 1}, [[]], True):
                with self.subTest(name, value=value):
                    self.assert_refused(ID_TOKEN, code, self.confirm(**{name: value}))

    def test_login_from_before_the_page_was_shown_is_refused(self):
        for values in (
            {"shown_at": NOW + 1},
            {"auth_time": NOW - 31},
            {"auth_time": None},
        ):
            with self.subTest(values):
                self.assert_refused(ID_TOKEN, "old_login", self.confirm(**values))

    def test_login_later_than_the_change_is_refused(self):
        self.assert_refused(ID_TOKEN, "not_yet", self.confirm(), moment=NOW - 60)

    def test_login_for_another_change_is_refused(self):
        proof = self.confirm()
        others = (
            build_change(replace(REQUEST, fa="account:3@b"), self.get_binding()),
            build_change(replace(REQUEST, expected_version=2), self.get_binding()),
            replace(self.change, salt=make_salt()),
            replace(self.change, draft_id="draft-2"),
        )
        for other in others:
            with self.subTest(other):
                self.assert_refused(EVENT, "nonce", proof, change=other)

    def get_binding(self):
        change = self.change
        return Binding(change.receiver, change.draft_id, change.salt)

    def test_login_without_a_nonce_is_refused(self):
        for nonce in (None, 1, ""):
            with self.subTest(nonce):
                self.assert_refused(EVENT, "nonce", self.confirm(nonce=nonce))

    def test_proof_for_another_store_or_of_another_issuer_is_refused(self):
        for code, values in (
            ("receiver", {"receiver": "other.example"}),
            ("issuer", {"issuer": "https://other.example"}),
            ("version", {"version": 2}),
        ):
            with self.subTest(code):
                self.assert_refused(PAGE, code, self.confirm(**values))

    def test_token_by_an_unknown_key_is_refused(self):
        proof = self.confirm()
        self.provider.rotate()
        self.assert_refused(ID_TOKEN, "key", proof)

    def test_token_by_a_forger_who_names_the_right_key_is_refused(self):
        claims = self.provider.build_claims(self.change, VALUE)
        header, payload, _signature = self.confirm().id_token.split(".")
        forged = self.provider.sign(claims, PrivateKey.generate("ES256"))
        token = ".".join((header, payload, forged.split(".")[2]))
        self.assert_refused(
            ID_TOKEN, "signature", replace(self.confirm(), id_token=token)
        )

    def test_every_altered_byte_of_the_signed_part_is_noticed(self):
        proof = self.confirm()
        token = proof.id_token
        for place in range(0, token.rindex("."), 7):
            other = "A" if token[place] != "A" else "B"
            altered = token[:place] + other + token[place + 1 :]
            with self.assertRaises(ProofRefused):
                self.check(replace(proof, id_token=altered))

    def test_unsigned_token_is_refused(self):
        payload = self.confirm().id_token.split(".")[1]
        header = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        proof = replace(self.confirm(), id_token=f"{header}.{payload}.")
        self.assert_refused(ID_TOKEN, "algorithm", proof)

    def test_algorithm_that_was_not_agreed_is_refused(self):
        key = PrivateKey.generate("EdDSA")
        token = sign_token(self.provider.build_claims(self.change, VALUE), key)
        proof = replace(self.confirm(), id_token=token)
        self.assert_refused(ID_TOKEN, "algorithm", proof)

    def test_key_in_the_token_itself_is_ignored(self):
        key = PrivateKey.generate("ES256")
        token = sign_token(self.provider.build_claims(self.change, VALUE), key)
        self.assert_refused(ID_TOKEN, "key", replace(self.confirm(), id_token=token))


class TestUserinfo(ProofCase):
    def sign(self, **values):
        usual = {"sub": f"sub-of-{VALUE}", "individual_id": VALUE}
        return self.provider.sign({**usual, **values})

    def assert_userinfo_refused(self, code, userinfo, **values):
        proof = self.confirm(individual_id=None, userinfo=userinfo)
        self.assert_refused(USERINFO, code, proof, **values)

    def test_userinfo_in_plain_json_proves_nothing(self):
        plain = json.dumps({"sub": f"sub-of-{VALUE}", "individual_id": VALUE})
        self.assert_userinfo_refused("malformed", plain)

    def test_encrypted_userinfo_proves_nothing(self):
        self.assert_userinfo_refused("malformed", "a.b.c.d.e")

    def test_userinfo_of_another_person_is_refused(self):
        self.assert_userinfo_refused("subject", self.sign(sub="sub-of-other"))

    def test_userinfo_of_another_issuer_or_for_another_client_is_refused(self):
        for code, values in (
            ("issuer", {"iss": "https://other.example"}),
            ("audience", {"aud": "bank.example"}),
            ("claim", {"individual_id": None}),
            ("claim", {"individual_id": 4711}),
        ):
            with self.subTest(code):
                self.assert_userinfo_refused(code, self.sign(**values))

    def test_userinfo_by_another_key_is_refused(self):
        forged = self.provider.sign(
            {"sub": f"sub-of-{VALUE}", "individual_id": VALUE},
            PrivateKey.generate("ES256"),
        )
        self.assert_userinfo_refused("key", forged)

    def test_two_documents_with_different_ids_are_refused(self):
        proof = self.confirm(userinfo=self.sign(individual_id="4712"))
        self.assert_refused(USERINFO, "claim", proof)


class TestIdToken(ProofCase):
    """A token by itself: a person who has logged in at a portal."""

    def test_claims_are_returned(self):
        token = self.confirm(aud="portal.example.org").id_token
        claims = check_id_token(token, self.rules, self.provider.find_keys, NOW)
        self.assertEqual(claims["individual_id"], VALUE)

    def test_token_for_another_client_is_refused(self):
        token = self.confirm(aud="bank.example").id_token
        with self.assertRaises(ProofRefused):
            check_id_token(token, self.rules, self.provider.find_keys, NOW)

    def test_expired_token_is_refused(self):
        with self.assertRaises(ProofRefused):
            token = self.confirm().id_token
            check_id_token(token, self.rules, self.provider.find_keys, NOW + 311)
