import time

from odoo.tests import BaseCase

from odoo.addons.spar_g2p_connect.exceptions import (
    InvalidClient,
    InvalidToken,
    InvalidTokenRequest,
    SignatureInvalid,
    SignatureMissing,
)
from odoo.addons.spar_g2p_connect.lib import tokens
from odoo.addons.spar_g2p_connect.lib.assertions import (
    MAX_LIFE,
    read_assertion_client,
    verify_assertion,
)
from odoo.addons.spar_g2p_connect.lib.proofs import (
    RequestEvidence,
    get_sender,
    has_signature,
    is_listed,
    parse_networks,
    read_document_signature,
)
from odoo.addons.spar_g2p_connect.lib.token_request import (
    ASSERTION_TYPE,
    read_token_request,
)
from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect.signing import (
    IN_HTTP_HEADER,
    IN_MESSAGE,
    build_payloads,
    get_signed_members,
)
from odoo.addons.spar_mapper_connector.lib.jose.canonical import canonicalise
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey
from odoo.addons.spar_mapper_connector.lib.jose.signatures import sign_detached
from odoo.addons.spar_mapper_connector.lib.jose.tokens import sign_token

ALL = frozenset({Operation.LINK, Operation.RESOLVE})
MESSAGE = {"header": {"sender_id": "a"}, "message": {"x": 1}}


class TestEvidence(BaseCase):
    """The places of a signature, and the members that it has to cover."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = PrivateKey.generate("EdDSA")
        cls.text = sign_detached(canonicalise(MESSAGE), cls.key)

    def test_signature_is_read_only_from_its_configured_place(self):
        signed = {**MESSAGE, "signature": self.text}
        self.assertTrue(read_document_signature(IN_MESSAGE, signed, ""))
        self.assertTrue(read_document_signature(IN_HTTP_HEADER, MESSAGE, self.text))
        for place, document, header in (
            (IN_MESSAGE, MESSAGE, self.text),
            (IN_HTTP_HEADER, signed, ""),
            (IN_MESSAGE, {"signature": None}, ""),
            (IN_MESSAGE, {"signature": ["x"]}, ""),
            (IN_MESSAGE, [], ""),
            (IN_HTTP_HEADER, MESSAGE, "  "),
        ):
            with self.subTest(place=place), self.assertRaises(SignatureMissing):
                read_document_signature(place, document, header)

    def test_missing_signature_is_named_by_its_place(self):
        for place, word in (
            (IN_MESSAGE, "signature:"),
            (IN_HTTP_HEADER, "the HTTP header Signature"),
        ):
            with self.assertRaises(SignatureMissing) as caught:
                read_document_signature(place, MESSAGE, "")
            self.assertIn(word, caught.exception.description)

    def test_reason_of_an_invalid_signature_is_not_disclosed(self):
        with self.assertRaises(SignatureInvalid) as caught:
            read_document_signature(IN_HTTP_HEADER, MESSAGE, "x.y")
        self.assertIn("JWS", caught.exception.text)
        self.assertNotIn("JWS", str(caught.exception.build_document()))

    def test_signature_covers_header_and_message_or_the_whole_body(self):
        document = {**MESSAGE, "signature": "s", "extra": 1}
        self.assertEqual(get_signed_members(document), MESSAGE)
        self.assertEqual(get_signed_members(None), {})
        (payload,) = build_payloads(IN_MESSAGE, document, b"raw")
        self.assertEqual(payload, canonicalise(MESSAGE))
        raw, canonical = build_payloads(IN_HTTP_HEADER, document, b"raw")
        self.assertEqual((raw, canonical), (b"raw", canonicalise(document)))

    def test_presence_of_a_signature(self):
        self.assertTrue(has_signature({"signature": "x"}, ""))
        self.assertTrue(has_signature({}, "x"))
        for document in ({}, {"signature": ""}, {"signature": 7}, [], None, "x"):
            with self.subTest(repr(document)):
                self.assertFalse(has_signature(document, " "))

    def test_sender_named_by_a_message(self):
        openg2p = {"request_header": {"sender_app_mnemonic": "b"}}
        self.assertEqual(get_sender(MESSAGE), "a")
        self.assertEqual(get_sender(openg2p), "b")
        for document in (
            {},
            [],
            None,
            "x",
            {"header": []},
            {"header": {"sender_id": 7}},
            {"request_header": {"sender_app_mnemonic": None}},
        ):
            with self.subTest(repr(document)):
                self.assertEqual(get_sender(document), "")

    def test_evidence_is_not_in_its_repr(self):
        evidence = RequestEvidence("Bearer s3cret", "s3cret", "192.0.2.1")
        self.assertNotIn("s3cret", repr(evidence))
        self.assertTrue(evidence.has_token)
        self.assertFalse(RequestEvidence(" ").has_token)


class TestOrigin(BaseCase):
    def test_listed_addresses(self):
        networks = "192.0.2.0/24, 2001:db8::/32 198.51.100.7"
        for address in ("192.0.2.9", "::ffff:192.0.2.9", "2001:db8::1", "198.51.100.7"):
            with self.subTest(address):
                self.assertTrue(is_listed(address, networks))

    def test_unlisted_addresses(self):
        networks = "192.0.2.0/24"
        for address in ("192.0.3.1", "::1", "2001:db8::1", "", "host", "192.0.2"):
            with self.subTest(address):
                self.assertFalse(is_listed(address, networks))
        self.assertFalse(is_listed("192.0.2.1", ""))

    def test_invalid_networks(self):
        for text in ("here", "192.0.2.1/24", "10.0.0.0/33", "a, b", "*"):
            with self.subTest(text), self.assertRaises(ValueError):
                parse_networks(text)


class TestForeignTokens(BaseCase):
    """The claims that are read of another issuer's token."""

    def test_names_in_a_token(self):
        key = PrivateKey.generate("ES256")
        foreign = sign_token({"iss": "https://idp.example"}, key)
        self.assertEqual(tokens.read_names(foreign).issuer, "https://idp.example")
        self.assertFalse(tokens.read_names(foreign).is_ours)
        self.assertEqual(tokens.read_names(sign_token({}, key)).issuer, "")

    def test_invalid_tokens(self):
        for text in ("", "a", "a.b.c", "x" * 20000, "é.é.é"):
            with self.subTest(text[:9]), self.assertRaises(InvalidToken):
                tokens.read_names(text)

    def test_access_tokens(self):
        for payload, client in (
            ({"azp": "a"}, "a"),
            ({"client_id": "b"}, "b"),
            ({"azp": "a", "client_id": "b"}, "b"),
            ({"azp": "a", "typ": "Bearer"}, "a"),
        ):
            with self.subTest(payload):
                self.assertEqual(tokens.check_access_token(payload).client_id, client)

    def test_tokens_of_other_kinds_are_refused(self):
        for payload in (
            {},
            {"azp": ""},
            {"azp": 7},
            {"azp": "a", "typ": "ID"},
            {"azp": "a", "typ": "Refresh"},
            {"azp": "a", "typ": None},
            {"azp": "a", "scope": ["mapper.link"]},
        ):
            with self.subTest(payload), self.assertRaises(InvalidToken):
                tokens.check_access_token(payload)

    def test_token_without_a_scope_grants_nothing(self):
        for scope, operations in (
            ("", frozenset()),
            ("openid profile", frozenset()),
            ("mapper.link", frozenset({Operation.LINK})),
            ("mapper/link mapper.resolve", ALL),
        ):
            claims = tokens.check_access_token({"azp": "a", "scope": scope})
            with self.subTest(scope):
                self.assertEqual(claims.narrow(ALL), operations)
        self.assertEqual(tokens.Claims("ours").narrow(ALL), ALL)


class TestAssertions(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = PrivateKey.generate("ES256")

    def build(self, **changed):
        now = int(time.time())
        claims = {"iss": "c", "sub": "c", "aud": "spar", "exp": now + 60, "jti": "1"}
        claims |= changed
        payload = {name: value for name, value in claims.items() if value is not None}
        return sign_token(payload, self.key)

    def verify(self, text, client="c"):
        return verify_assertion(text, client, ["spar"], lambda k, a: self.key.public)

    def test_valid_assertion_has_an_id_and_an_expiry(self):
        assertion = self.verify(self.build())
        self.assertAlmostEqual(assertion.expires_at, time.time() + 60, delta=2)
        other = self.verify(self.build(jti="2"))
        self.assertNotEqual(assertion.id_digest, other.id_digest)
        self.assertEqual(read_assertion_client(self.build()), "c")

    def test_invalid_assertions_are_refused(self):
        too_late = int(time.time()) + MAX_LIFE + 60
        for changed in (
            {"iss": "d"},
            {"sub": "d"},
            {"aud": "other"},
            {"exp": too_late},
            {"exp": 1},
            {"exp": None},
            {"jti": None},
            {"jti": ""},
            {"jti": 7},
            {"jti": "x" * 256},
        ):
            with self.subTest(str(changed)[:30]), self.assertRaises(InvalidClient):
                self.verify(self.build(**changed))

    def test_assertion_without_a_readable_client_is_refused(self):
        for text in ("", "a.b.c", self.build(sub=None), self.build(sub="")):
            with self.subTest(text[:9]), self.assertRaises(InvalidClient):
                read_assertion_client(text)

    def test_forms(self):
        form = [("grant_type", "client_credentials")]
        asserted = [
            *form,
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", self.build()),
        ]
        request = read_token_request(asserted, None)
        self.assertEqual((request.client_id, request.client_secret), ("c", ""))
        self.assertNotIn(request.assertion, repr(request))
        for more, error in (
            ([("client_secret", "x")], InvalidTokenRequest),
            ([("client_id", "other")], InvalidClient),
        ):
            with self.subTest(more), self.assertRaises(error):
                read_token_request([*asserted, *more], None)
        with self.assertRaises(InvalidTokenRequest):
            read_token_request(asserted, "Basic YTpi")
        with self.assertRaises(InvalidTokenRequest):
            read_token_request([*form, ("client_assertion", "a b")], None)
