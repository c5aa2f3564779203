"""Refusals; ``code`` is a stable word, and no text contains a key or a token."""

from __future__ import annotations


class JoseError(Exception):
    """Base of the refusals."""

    def __init__(self, code: str, text: str):
        super().__init__(text)
        self.code = code


class KeyRefused(JoseError):
    """A key that cannot be used here.

    ``code``: unreadable, private, symmetric, kind, weak, algorithm, use, several.
    """


class SignatureRefused(JoseError):
    """A signature that proves nothing.

    ``code``: malformed, algorithm, critical, type, unknown_key, expired, mismatch.
    """


class JwtRefused(JoseError):
    """A token that is not valid here.

    ``code``: malformed, algorithm, critical, type, unknown_key, mismatch, expired,
    not_yet, issuer, audience, claim.
    """


class DecryptionFailed(JoseError):
    """A message cannot be decrypted. ``code``: malformed, algorithm, mismatch."""


class KeySetUnavailable(JoseError):
    """The keys of another party cannot be determined now. ``code``: unavailable."""

    def __init__(self, text: str):
        super().__init__("unavailable", text)
