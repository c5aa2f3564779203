import json
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.spar_g2p_connect.lib.proofs import IN_HTTP_HEADER, IN_MESSAGE
from odoo.addons.spar_g2p_connect.models.participant import spar_token_issuer as issuers
from odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_signature import (
    KEY_USE,
)
from odoo.addons.spar_mapper_connector.lib.jose.exceptions import SignatureRefused
from odoo.addons.spar_mapper_connector.lib.jose.keys import read_jwk
from odoo.addons.spar_mapper_connector.lib.jose.signatures import read_signature

from .signing import SigningCase, canonicalise
from .test_participant_key import TwoAdministratorsCase

ANSWER = {"header": {"action": "on-link"}, "message": {"link_response": []}}


@tagged("post_install", "-at_install")
class TestOurSignatures(SigningCase):
    """Everything that we send is signed by a key that we publish."""

    def sign(self, place, document, algorithm="ES256"):
        signature = self.env["spar.g2p.connect.signature"]
        return signature._sign_document(place, algorithm, document)

    def find_key(self, text):
        """Return the published key that a signature names."""
        keys = self.open("/.well-known/jwks.json", method="GET").json()["keys"]
        kid = read_signature(text).kid
        return read_jwk(next(jwk for jwk in keys if jwk["kid"] == kid))

    def test_in_the_message(self):
        document, headers = self.sign(IN_MESSAGE, ANSWER)
        self.assertEqual(headers, [])
        signature = read_signature(document["signature"])
        key = self.find_key(document["signature"])
        signature.verify([canonicalise(ANSWER)], key)
        with self.assertRaises(SignatureRefused):
            signature.verify([canonicalise({**ANSWER, "message": {}})], key)

    def test_in_the_http_header(self):
        document, headers = self.sign(IN_HTTP_HEADER, ANSWER)
        self.assertEqual(document, ANSWER)
        ((name, text),) = headers
        self.assertEqual(name, "Signature")
        read_signature(text).verify([canonicalise(ANSWER)], self.find_key(text))

    def test_acknowledgement_is_signed_only_in_the_http_header(self):
        ack = {"message": {"ack_status": "ACK"}}
        self.assertEqual(self.sign(IN_MESSAGE, ack), (ack, []))
        _document, headers = self.sign(IN_HTTP_HEADER, ack)
        self.assertEqual(len(headers), 1)

    def test_nothing_is_signed_for_an_unsigned_participant(self):
        self.assertEqual(self.sign("", ANSWER), (ANSWER, []))

    def test_rotated_key_stays_published_and_verifies(self):
        before, _headers = self.sign(IN_MESSAGE, ANSWER)
        self.env["spar.signing.key"]._rotate(KEY_USE)
        after, _headers = self.sign(IN_MESSAGE, ANSWER)
        for document in (before, after):
            key = self.find_key(document["signature"])
            read_signature(document["signature"]).verify([canonicalise(ANSWER)], key)
        kids = {read_signature(d["signature"]).kid for d in (before, after)}
        self.assertEqual(len(kids), 2)

    def test_key_set_is_public_and_cacheable_without_private_keys(self):
        response = self.open("/.well-known/jwks.json", method="GET")
        self.assertIn("public", response.headers["Cache-Control"])
        self.assertNotIn("Set-Cookie", response.headers)
        states = self.env["spar.signing.key"].search([("use", "=", KEY_USE)])
        self.assertEqual(set(states.mapped("state")), {"current", "next"})
        for jwk in response.json()["keys"]:
            self.assertFalse({"d", "p", "q", "k"} & set(jwk))

    def test_callback_is_signed_in_the_place_of_its_receiver(self):
        callbacks = self.env["spar.callback"]
        for participant, place in (
            (self.signer, IN_MESSAGE),
            (self.header_signer, IN_HTTP_HEADER),
            (self.full, ""),
        ):
            with self.subTest(place):
                document, headers = callbacks._sign(participant, dict(ANSWER))
                self.assertEqual("signature" in document, place == IN_MESSAGE)
                self.assertEqual(bool(headers), place == IN_HTTP_HEADER)

    def test_without_a_keyring_nothing_is_answered(self):
        moved = self.keyring_path.with_suffix(".away")
        self.keyring_path.rename(moved)
        self.addCleanup(moved.rename, self.keyring_path)
        response = self.open("/.well-known/jwks.json", method="GET")
        self.assertHttpError(response, 503, "err.service.unavailable")


@tagged("post_install", "-at_install")
class TestIssuerRights(TwoAdministratorsCase):
    """Two people decide whose tokens are accepted, once a participant uses them."""

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(issuers, "check_url"))
        self.issuer = (
            self.env["spar.token.issuer"]
            .with_user(self.first)
            .create(
                {
                    "name": "Keycloak",
                    "issuer": "https://idp.example",
                    "audience": "spar",
                    "jwks_url": "https://idp.example/certs",
                }
            )
        )

        self.assertFalse(self.issuer.active, "one person cannot activate it")
        self.approve(self.issuer)
        self.assertTrue(self.issuer.active)

    def test_new_issuer_needs_two_people(self):
        self.issuer.audience = "other"
        self.env.invalidate_all()
        self.assertEqual(self.issuer.audience, "spar")
        self.approve(self.issuer)
        self.assertEqual(self.issuer.audience, "other")

    def test_one_person_can_archive_an_issuer(self):
        self.issuer.active = False
        self.assertFalse(self.issuer.active)

    def test_change_of_an_issuer_needs_two_people(self):
        self.participant.write(
            {
                "token_issuer_id": self.issuer.id,
                "issuer_client_id": "payer",
                "state": "active",
            }
        )
        for name, value in (("audience", "x"), ("jwks_url", "https://x.example")):
            with self.subTest(name):
                self.issuer.write({name: value})
                self.env.invalidate_all()
                self.assertNotEqual(self.issuer[name], value)
                self.approve(self.issuer)
                self.assertEqual(self.issuer[name], value)

    def test_other_users_have_no_access(self):
        for role in ("supervisor", "auditor", "officer"):
            group = f"base.group_user,spar_fa_directory.group_{role}"
            user = new_test_user(self.env, role, groups=group)
            with self.subTest(role), self.assertRaises(AccessError):
                self.issuer.with_user(user).write({"name": json.dumps(role)})
