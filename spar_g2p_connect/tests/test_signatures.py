import json
import time
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.spar_g2p_connect.exceptions import SignatureInvalid
from odoo.addons.spar_g2p_connect.lib.proofs import (
    IN_HTTP_HEADER,
    IN_MESSAGE,
    RequestEvidence,
)
from odoo.addons.spar_mapper_connector.lib.jose.keys import (
    ALGORITHMS,
    PrivateKey,
    PublicKey,
    decode_base64url,
    encode_base64url,
)
from odoo.addons.spar_mapper_connector.lib.jose.signatures import sign_detached

from .common import EVERY_RIGHT, build_items, build_message
from .signing import PLACES, SigningCase, canonicalise, sign, sign_message, verify


@tagged("post_install", "-at_install")
class TestSignedCalls(SigningCase):
    def test_every_algorithm_in_both_places_with_signed_answers(self):
        for place in PLACES:
            for algorithm in ALGORITHMS:
                with self.subTest(place=place, algorithm=algorithm):
                    participant = self.make_signer(
                        f"{place}-{algorithm}.example",
                        algorithm,
                        signature_place=place,
                        answer_algorithm=algorithm,
                    )
                    message = self.build(participant)
                    response = self.send_signed(participant, message)
                    self.assertEqual(response.status_code, 200, response.text)
                    self.check_answer(place, algorithm, response)

    def check_answer(self, place, algorithm, response):
        """Verify the response with another library and the keys that we publish."""
        answer = response.json()
        if place == IN_MESSAGE:
            signed = {k: answer[k] for k in ("header", "message") if k in answer}
            signature = answer["signature"]
        else:
            signed, signature = answer, response.headers["Signature"]
        header = json.loads(decode_base64url(signature.split(".")[0]))
        keys = self.open("/.well-known/jwks.json", method="GET").json()["keys"]
        (jwk,) = (jwk for jwk in keys if jwk["kid"] == header["kid"])
        self.assertEqual(jwk["alg"], algorithm)
        self.assertTrue(verify(signature, canonicalise(signed), jwk))

    def test_changes_are_made_by_signed_messages(self):
        message = self.build(self.signer, "link")
        answer = self.send_signed(self.signer, message, action="link").json()
        self.assertEqual(answer["header"]["status"], "succ", answer)
        (period,) = self.env["spar.mapper.local"]._history(
            None, "token:signed@nationalId"
        )
        self.assertEqual(period.actor, "participant:signer.example")

    def test_reformatted_message_verifies(self):
        message = sign_message(self.build(self.signer), self.private[self.signer])
        backwards = json.dumps(
            {name: message[name] for name in reversed(sorted(message))},
            indent=3,
            ensure_ascii=True,
        )
        response = self.post(backwards.encode(), **self.bearer(self.signer))
        self.assertEqual(response.status_code, 200, response.text)

    def test_signature_over_the_raw_body_verifies(self):
        body = json.dumps(self.build(self.header_signer), indent=2).encode()
        signature = sign(body, self.private[self.header_signer])
        headers = self.bearer(self.header_signer)
        response = self.post(body, Signature=signature, **headers)
        self.assertEqual(response.status_code, 200, response.text)

    def test_signature_alone_is_enough_if_configured(self):
        for place in PLACES:
            with self.subTest(place):
                participant = self.make_signer(
                    f"only-{place}.example", proof="signature", signature_place=place
                )
                message = self.build(participant)
                private = self.private[participant]
                if place == IN_MESSAGE:
                    response = self.post(sign_message(message, private))
                else:
                    header = sign(canonicalise(message), private)
                    response = self.post(message, Signature=header)
                self.assertEqual(response.status_code, 200, response.text)

    def test_keys_overlap_while_they_are_rotated(self):
        first = self.private[self.signer]
        soon = fields.Datetime.now() + timedelta(hours=1)
        second = self.add_key(self.signer, valid_to=soon)
        for private in (first, second):
            response = self.send_signed(self.signer, self.build(self.signer), private)
            self.assertEqual(response.status_code, 200, response.text)

    def test_without_a_key_id_the_only_fitting_key_is_used(self):
        message = self.build(self.signer)
        response = self.send_signed(self.signer, message, kid=None)
        self.assertEqual(response.status_code, 200, response.text)
        self.add_key(self.signer)
        response = self.send_signed(self.signer, self.build(self.signer), kid=None)
        self.assertHttpError(response, 401, "err.signature.invalid")

    def test_rejection_is_signed(self):
        message = self.build(self.signer, action="link")
        response = self.send_signed(self.signer, message)
        self.assertEqual(response.json()["header"]["status"], "rjct")
        self.check_answer(IN_MESSAGE, "ES256", response)

    def test_unsigned_participant_gets_unsigned_answers(self):
        message = build_message("resolve", "full.example", build_items("x"))
        response = self.call(self.full, "resolve", message)
        self.assertNotIn("signature", response.json())
        self.assertNotIn("Signature", response.headers)


def sign_critical(message, private):
    """Return a signature with ``exp`` in ``crit``, which jwcrypto cannot make."""
    signed = {name: message[name] for name in ("header", "message")}
    exp = int(time.time()) + 60
    return sign_detached(canonicalise(signed), private, crit=["exp"], exp=exp)


@tagged("post_install", "-at_install")
class TestAttacks(SigningCase):
    """Anything wrong with a signature gets the same code, and changes nothing.

    The cause is stored.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        now = fields.Datetime.now()
        cls.other = cls.make_signer("other.example", **EVERY_RIGHT)
        cls.revoked = cls.add_key(cls.signer)
        cls.signer.key_ids.filtered(
            lambda key: key.kid == cls.revoked.public.kid
        ).action_revoke()
        cls.expired = cls.add_key(cls.signer, valid_to=now - timedelta(minutes=1))
        cls.early = cls.add_key(cls.signer, valid_from=now + timedelta(minutes=5))
        cls.waiting = cls.add_key(cls.signer)
        cls.signer.key_ids.filtered(
            lambda key: key.kid == cls.waiting.public.kid
        ).is_trusted = False
        cls.rsa = cls.add_key(cls.signer, "RS256")
        cls.env.flush_all()

    def get_attacks(self):
        """Return name -> (message, code of the cause), signed in the message."""
        ours, message = self.private[self.signer], self.build(self.signer)
        signed = sign_message(message, ours)
        stranger = PrivateKey.generate("ES256")
        kid, now = ours.public.kid, int(time.time())
        header = encode_base64url(b'{"alg":"none","kid":"%s"}' % kid.encode())
        hs256 = encode_base64url(b'{"alg":"HS256","kid":"%s"}' % kid.encode())
        tail = signed["signature"].rpartition(".")[2]
        return {
            "missing": (message, "missing"),
            "empty": ({**message, "signature": ""}, "missing"),
            "no text": ({**message, "signature": 7}, "missing"),
            "the specification's example": (
                {**message, "signature": 'Signature: namespace="g2p", kidId="x"'},
                "JWS",
            ),
            "not base64url": ({**message, "signature": "a..b=c"}, ""),
            "of another body": (
                {**signed, "message": {**message["message"], "transaction_id": "2"}},
                "did not sign this message",
            ),
            "of another header": (
                {**signed, "header": {**message["header"], "total_count": 2}},
                "did not sign this message",
            ),
            "of another message of ours": (
                {
                    **message,
                    "signature": sign_message(self.build(self.signer), ours)[
                        "signature"
                    ],
                },
                "did not sign this message",
            ),
            "of another participant": (
                sign_message(message, self.private[self.other]),
                "no key with this ID",
            ),
            "of a stranger under our key id": (
                sign_message(message, stranger, kid=kid),
                "did not sign this message",
            ),
            "of a stranger with his key": (
                sign_message(message, stranger, kid=kid, jwk=stranger.public.jwk),
                "did not sign this message",
            ),
            "of a stranger with his key's address": (
                sign_message(message, stranger, jku="https://attacker.example/jwks"),
                "no key with this ID",
            ),
            "of a stranger with his certificate": (
                sign_message(message, stranger, x5c=["AAAA"], x5u="https://a.example"),
                "no key with this ID",
            ),
            "a wrong key id": (sign_message(message, ours, kid="other"), "no key"),
            "a key id of another key": (
                sign_message(message, ours, kid=self.rsa.public.kid),
                "did not sign this message",
            ),
            "by a revoked key": (sign_message(message, self.revoked), "revoked"),
            "by an expired key": (sign_message(message, self.expired), "expired"),
            "by a key of tomorrow": (
                sign_message(message, self.early),
                "not valid yet",
            ),
            "by an unapproved key": (
                sign_message(message, self.waiting),
                "is not approved yet",
            ),
            "alg none": ({**message, "signature": f"{header}..{tail}"}, "alg"),
            "alg none, no signature": ({**message, "signature": f"{header}.."}, "alg"),
            "HS256": ({**message, "signature": f"{hs256}..{tail}"}, "alg"),
            "crit": ({**message, "signature": sign_critical(message, ours)}, "crit"),
            "expired itself": (sign_message(message, ours, exp=now - 60), "expired"),
            "from the future": (sign_message(message, ours, iat=now + 90), "future"),
            "an access token's": (sign_message(message, ours, typ="at+jwt"), "typ"),
            "in the other place": (message, "missing"),
        }

    def test_each_attack_is_refused_and_recorded_without_effect(self):
        messages = type(self.env["spar.message"])
        for name, (body, cause) in self.get_attacks().items():
            with self.subTest(name):
                headers = self.bearer(self.signer)
                if name == "in the other place":
                    private = self.private[self.signer]
                    headers["Signature"] = sign(canonicalise(body), private)
                with patch.object(messages, "_record_refusal") as note:
                    response = self.post(body, **headers)
                word = "missing" if cause == "missing" else "invalid"
                self.assertHttpError(response, 401, f"err.signature.{word}")
                (error,) = response.json()["errors"]
                text = "is missing" if word == "missing" else "is not valid"
                self.assertIn(text, error["message"])
                noted = note.call_args.kwargs
                self.assertEqual(noted["caller"].participant_id, self.signer.id)
                error = noted["error"]
                self.assertIn(cause, getattr(error, "text", error.description))

    def test_same_key_with_another_algorithm(self):
        only = self.make_signer("only-rs.example", "RS256")
        message = self.build(only)
        by_pss = PrivateKey("PS256", self.private[only].key)
        kid = self.private[only].public.kid
        response = self.send_signed(only, message, by_pss, kid=kid)
        self.assertHttpError(response, 401, "err.signature.invalid")

    def test_in_the_http_header(self):
        participant, private = self.header_signer, self.private[self.header_signer]
        message = self.build(participant)
        right = sign(canonicalise(message), private)
        for name, signature, body in (
            ("missing", "", message),
            ("of another body", right, self.build(participant)),
            ("of the body without a member", right, {**message, "extra": 1}),
            ("of a stranger", sign(canonicalise(message), self.rsa), message),
            ("of header and message alone", "", sign_message(message, private)),
        ):
            with self.subTest(name):
                headers = {**self.bearer(participant), "Signature": signature}
                response = self.post(body, **headers)
                word = "invalid" if signature else "missing"
                self.assertHttpError(response, 401, f"err.signature.{word}")

    def test_duplicate_member_is_refused_before_verification(self):
        message = sign_message(self.build(self.signer), self.private[self.signer])
        body = json.dumps(message)[:-1] + ', "message": {}}'
        response = self.post(body.encode(), **self.bearer(self.signer))
        self.assertHttpError(response, 400, "err.request.bad", "message")

    def test_signed_message_of_another_sender(self):
        message = self.build(self.other)
        signed = sign_message(message, self.private[self.signer])
        response = self.post(signed, **self.bearer(self.signer))
        self.assertHttpError(response, 403, "err.sender_id.invalid")

    def test_rights_are_checked_after_authentication(self):
        asker = self.make_signer("asker.example")
        message = self.build(asker, "link")
        response = self.post(message, "link", **self.bearer(asker))
        self.assertHttpError(response, 401, "err.signature.missing")
        response = self.send_signed(asker, message, action="link")
        self.assertHttpError(response, 403, "err.request.forbidden")

    def test_replayed_message_has_no_effect(self):
        message = sign_message(
            self.build(self.signer, "link"), self.private[self.signer]
        )
        headers = self.bearer(self.signer)
        first = self.post(message, "link", **headers).json()
        again = self.post(message, "link", **headers).json()
        self.assertEqual(first["message"], again["message"])
        other = sign_message(
            self.build(self.signer, "link", message_id=message["header"]["message_id"]),
            self.private[self.signer],
        )
        other["message"]["transaction_id"] = "x"
        other = sign_message(other, self.private[self.signer])
        answer = self.post(other, "link", **headers).json()
        self.assertEqual(
            answer["header"]["status_reason_code"], "rjct.message_id.duplicate"
        )


@tagged("post_install", "-at_install")
class TestWithoutToken(SigningCase):
    """Strangers cannot find out who is a participant here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.only = cls.make_signer("only.example", proof="signature")
        cls.gone = cls.make_signer("gone.example", proof="signature", state="disabled")

    def test_unknown_disabled_and_wrong_get_the_same_answer(self):
        stranger = PrivateKey.generate("ES256")
        answers = []
        for sender in ("only.example", "gone.example", "nobody.example", ""):
            message = build_message("resolve", sender, build_items("x"))
            response = self.post(sign_message(message, stranger))
            self.assertHttpError(response, 401, "err.signature.invalid")
            headers = dict(response.headers)
            headers.pop("Date")
            answers.append((response.content, headers))
        self.assertEqual([answers[0]] * 4, answers)

    def test_unknown_disabled_and_wrong_take_equal_work(self):
        known = self.private[self.only].public.kid
        works = {
            (sender, kid, place): self.measure(sender, kid, place)
            for sender in ("only.example", "gone.example", "nobody.example")
            for kid in (known, "unknown")
            for place in PLACES
        }
        self.assertEqual(len(set(works.values())), 1, works)

    def measure(self, sender, kid, place):
        """Return the statements and verifications that a stranger's message costs."""
        message = build_message("resolve", sender, build_items("x"))
        stranger, header = PrivateKey.generate("ES256"), ""
        if place == IN_MESSAGE:
            message = sign_message(message, stranger, kid=kid)
        else:
            header = sign(canonicalise(message), stranger, kid=kid)
        authentication = self.env["spar.g2p.connect.authentication"]
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        with (
            patch.object(PublicKey, "verifies", return_value=False) as verifies,
            self.assertRaises(SignatureInvalid),
        ):
            evidence = RequestEvidence(signature=header)
            authentication._authenticate(evidence, json.dumps(message).encode())
        return self.env.cr.sql_log_count - before, bool(verifies.call_count)

    def test_valid_signature_of_a_disabled_participant_is_refused(self):
        message = sign_message(self.build(self.gone), self.private[self.gone])
        self.assertHttpError(self.post(message), 401, "err.signature.invalid")

    def test_request_without_any_proof(self):
        for sender in ("only.example", "nobody.example"):
            message = build_message("resolve", sender, build_items("x"))
            response = self.post(message)
            self.assertHttpError(response, 401, "err.request.unauthorized")

    def test_signature_without_the_required_token(self):
        message = sign_message(self.build(self.signer), self.private[self.signer])
        response = self.post(message)
        self.assertHttpError(response, 401, "err.request.unauthorized", "token")

    def test_unreadable_body_is_refused(self):
        self.assertHttpError(self.post(b"{"), 400, "err.request.bad")
        self.assertHttpError(self.post(b"[]"), 401, "err.request.unauthorized")

    def test_too_large_body_is_refused(self):
        response = self.post(b"[" + b" " * (5 * 1024 * 1024) + b"]")
        self.assertHttpError(response, 413, "err.request.bad")


@tagged("post_install", "-at_install")
class TestTokenAlone(SigningCase):
    """Participants that do not sign call from listed addresses, and only resolve."""

    def make(self, sender_id, **values):
        settings = {"proof": "token", "demo_only": False, **EVERY_RIGHT, **values}
        return self.make_participant(sender_id, **settings)

    def test_listed_address_resolves_and_changes_nothing(self):
        listed = self.make("listed.example", origin_networks="127.0.0.0/8, ::1")
        self.ask(listed, "resolve", build_items("x"))
        message = build_message("link", "listed.example", build_items("x"))
        for action in ("link", "update", "unlink"):
            response = self.call(listed, action, message)
            self.assertHttpError(response, 403, "err.request.forbidden")

    def test_unlisted_address_is_refused(self):
        elsewhere = self.make("elsewhere.example", origin_networks="192.0.2.0/24")
        message = build_message("resolve", "elsewhere.example", build_items("x"))
        response = self.call(elsewhere, "resolve", message)
        self.assertHttpError(response, 403, "err.request.forbidden", "address")

    def test_allowed_networks_apply_to_signed_calls(self):
        signer = self.make_signer("held.example", origin_networks="192.0.2.0/24")
        response = self.send_signed(signer, self.build(signer))
        self.assertHttpError(response, 403, "err.request.forbidden", "address")

    def test_signature_in_an_unused_place_is_ignored(self):
        message = build_message("resolve", "full.example", build_items("x"))
        response = self.call(self.full, "resolve", {**message, "signature": "x..y"})
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self.header_signer.signature_place, IN_HTTP_HEADER)
