"""The reasons for refusing a message as a whole.

``member`` names the part of the message; no text ever contains a value of a message.
"""

from __future__ import annotations


class WireError(Exception):
    """Base: ``code`` is the protocol's word, ``text`` is for people."""

    code = "err.request.bad"

    def __init__(self, text: str, member: str = ""):
        super().__init__(f"{member}: {text}" if member else text)
        self.member = member

    @property
    def text(self) -> str:
        return str(self)


class MalformedMessage(WireError):
    """The message cannot be read; the rest of it was not examined."""


class EncryptionNotSupported(WireError):
    """The message is encrypted, or declares that it is."""

    code = "err.encryption.invalid"


class RejectedMessage(WireError):
    """The message was read and is not accepted; ``code`` is a header reason code."""

    def __init__(self, code: str, text: str, member: str = ""):
        super().__init__(text, member)
        self.code = code
