"""An ID provider of the tests' own: it signs whatever it is asked to."""

from ..lib.jose.keys import PrivateKey, PublicKey
from ..lib.jose.tokens import sign_token
from ..lib.owner_proof import ConfirmedChange, OwnerProof, build_nonce

ISSUER, CLIENT = "https://id.example.org", "store.example.org"


class IdProvider:
    """A provider with a key, which it may rotate.

    ``now`` is the moment of its logins, in seconds since 1970.
    """

    def __init__(self, now: int, issuer: str = ISSUER, claim: str = "individual_id"):
        self.now, self.issuer, self.claim = now, issuer, claim
        self.key = PrivateKey.generate("ES256")

    def rotate(self) -> None:
        """Replace the key; the previous one is no longer published."""
        self.key = PrivateKey.generate("ES256")

    def publish(self) -> dict[str, object]:
        """Return the key set (JWKS)."""
        return {"keys": [self.key.public.jwk]}

    def find_keys(self, kid: str, algorithm: str) -> list[PublicKey]:
        """Return the published key, if it has this name."""
        key = self.key.public
        return [key] if kid in ("", key.kid) and algorithm in key.algorithms else []

    def build_claims(self, change: ConfirmedChange, value: str) -> dict[str, object]:
        """Return the claims of a login for ``change`` by the person with an ID."""
        return {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": f"sub-of-{value}",
            "nonce": build_nonce(change),
            "iat": self.now,
            "exp": self.now + 300,
            "auth_time": self.now,
            "acr": "urn:otp",
            self.claim: value,
        }

    def sign(self, claims: dict[str, object], key: PrivateKey | None = None) -> str:
        """Return ``claims`` signed; those that are None are left out."""
        given = {name: value for name, value in claims.items() if value is not None}
        return sign_token(given, key or self.key)

    def confirm(self, change: ConfirmedChange, value: str, **values) -> OwnerProof:
        """Return the proof of a person who confirmed ``change``.

        :param value: their ID, as this provider has it
        :param values: claims, and attributes of the proof, that differ from the usual
        """
        names = ("issuer", "shown_at", "userinfo", "receiver", "version", "draft_id")
        own = {name: values.pop(name) for name in names if name in values}
        token = self.sign({**self.build_claims(change, value), **values})
        usual = {
            "issuer": self.issuer,
            "id_token": token,
            "draft_id": change.draft_id,
            "salt": change.salt,
            "receiver": change.receiver,
            "shown_at": self.now - 30,
        }
        return OwnerProof(**{**usual, **own})
