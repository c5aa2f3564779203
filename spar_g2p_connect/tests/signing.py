"""Participants that sign with another JOSE library than the one under test."""

import json

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS, InvalidJWSSignature

from odoo.addons.spar_g2p_connect.lib.proofs import IN_HTTP_HEADER, IN_MESSAGE
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey

from .common import EVERY_RIGHT, RestCase, build_items, build_message

PLACES = (IN_MESSAGE, IN_HTTP_HEADER)


def canonicalise(document) -> bytes:
    """Return the bytes to sign, without using the code under test."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def sign(payload: bytes, private: PrivateKey, **header) -> str:
    """Return a detached JWS by jwcrypto; ``header`` replaces protected members."""
    jwk = {k: v for k, v in private.to_jwk().items() if k not in ("kid", "use", "alg")}
    protected = {"alg": private.algorithm, "kid": private.public.kid, **header}
    protected = {name: value for name, value in protected.items() if value is not None}
    signed = JWS(payload)
    signed.add_signature(JWK(**jwk), protected=json.dumps(protected))
    signed.detach_payload()
    return signed.serialize(compact=True)


def sign_message(message: dict, private: PrivateKey, **header) -> dict:
    signed = {name: message[name] for name in ("header", "message")}
    return {**message, "signature": sign(canonicalise(signed), private, **header)}


def verify(signature: str, payload: bytes, jwk: dict) -> bool:
    """Return whether jwcrypto accepts ``signature`` for ``payload``."""
    read = JWS.from_jose_token(signature)
    try:
        read.verify(JWK(**jwk), jwk["alg"], detached_payload=payload)
    except InvalidJWSSignature:
        return False
    return True


class SigningCase(RestCase):
    """Participants outside of any demo, with a key each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.private = {}
        cls.signer = cls.make_signer("signer.example", **EVERY_RIGHT)
        cls.header_signer = cls.make_signer(
            "header.example", signature_place=IN_HTTP_HEADER, **EVERY_RIGHT
        )

    @classmethod
    def make_signer(cls, sender_id, algorithm="ES256", **values):
        participant = cls.make_participant(
            sender_id, **{"proof": "token_and_signature", "demo_only": False, **values}
        )
        cls.private[participant] = cls.add_key(participant, algorithm)
        return participant

    @classmethod
    def add_key(cls, participant, algorithm="ES256", **values) -> PrivateKey:
        """Return a new key for ``participant``, trusted at once."""
        private = PrivateKey.generate(algorithm)
        vals = {"participant_id": participant.id, **values}
        vals["key_text"] = json.dumps(private.public.jwk)
        cls.env["spar.participant.key"].create(vals)
        cls.env.flush_all()
        return private

    def build(self, participant, action="resolve", **header):
        values = {"fa": "account:{}@BANK"} if action != "resolve" else {}
        items = build_items("signed", **values)
        return build_message(action, participant.sender_id, items, **header)

    def send_signed(self, participant, message, private=None, action="resolve", **jws):
        """Post ``message``, signed at the participant's place with its key."""
        private = private or self.private[participant]
        headers = {"Authorization": f"Bearer {self.get_token(participant)}"}
        if participant.signature_place == IN_MESSAGE:
            message = sign_message(message, private, **jws)
        else:
            headers["Signature"] = sign(canonicalise(message), private, **jws)
        return self.post(message, action, **headers)

    def post(self, body, action="resolve", **headers):
        """Post ``body`` with exactly these headers."""
        headers = {"Content_Type": "application/json", **headers}
        return self.open(f"/mapper/sync/{action}", body, **headers)

    def bearer(self, participant):
        return {"Authorization": f"Bearer {self.get_token(participant)}"}
