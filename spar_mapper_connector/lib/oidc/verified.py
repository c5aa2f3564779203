"""The result of a login after everything has been checked."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_TEXT = 256

#: Claims about the token, not about the person.
PROTOCOL_CLAIMS = frozenset(
    [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "nonce",
        "acr",
        "amr",
        "azp",
        "at_hash",
        "c_hash",
        "s_hash",
        "auth_time",
        "sid",
        "typ",
    ]
)


@dataclass(frozen=True)
class Contacts:
    """Contacts that the person's ID provider has verified; empty where it has not."""

    email: str = ""
    phone_number: str = ""


@dataclass(frozen=True)
class VerifiedLogin:
    """A person at a provider: (issuer, subject), with verified claims of them.

    ``id_token`` and ``userinfo`` are the signed texts that the claims come from;
    userinfo is the JWS inside where it was encrypted, and "" where it was not signed.
    """

    issuer: str
    subject: str = field(repr=False)
    claims: dict[str, object] = field(repr=False)
    acr: str = ""
    auth_time: float | None = None
    id_token: str = field(default="", repr=False)
    userinfo: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """Return the name to greet the person by; "" where the provider has none."""
        return _read_text(self.claims, "name")

    @property
    def contacts(self) -> Contacts:
        """Return the contacts that the provider itself has verified (Core 5.1)."""
        return Contacts(
            email=self._read_verified("email"),
            phone_number=self._read_verified("phone_number"),
        )

    def _read_verified(self, name: str) -> str:
        verified = self.claims.get(f"{name}_verified")
        return _read_text(self.claims, name) if is_true(verified) else ""

    def get_id_claim(self, name: str) -> str:
        """Return the claim that holds the ID, or "" where it is not a usable text.

        >>> VerifiedLogin("https://op", "s", {"individual_id": 4711}).get_id_claim(
        ...     "individual_id")
        ''
        >>> VerifiedLogin("https://op", "AbC", {}).get_id_claim("sub")
        'AbC'
        """
        if name == "sub":
            return self.subject
        value = self.claims.get(name)
        return value if isinstance(value, str) else ""


def is_true(claim: object) -> bool:
    """Return whether a claim is true: as JSON, or, from some providers, as text.

    >>> [is_true(claim) for claim in (True, "true", "True", "1", 1, "false", None)]
    [True, True, True, False, False, False, False]
    """
    return claim is True or isinstance(claim, str) and claim.strip().lower() == "true"


def _read_text(claims: dict[str, object], name: str) -> str:
    """Return a text claim; with language tags (``name#fr``) the first present."""
    for key in (name, *sorted(k for k in claims if k.startswith(f"{name}#"))):
        value = claims.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()[:MAX_TEXT]
    return ""


def merge_claims(
    id_token: dict[str, object], userinfo: dict[str, object]
) -> dict[str, object]:
    """Return the claims of both that are about the person.

    Userinfo is requested later, so its claims take precedence.
    """
    claims = {**id_token, **userinfo}
    return {
        name: value for name, value in claims.items() if name not in PROTOCOL_CLAIMS
    }
