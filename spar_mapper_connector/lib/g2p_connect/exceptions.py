"""What a message can be refused for as a whole.

``member`` names the part of the message; no value of a message ever gets into a text.
"""

from __future__ import annotations


class WireError(Exception):
    """Base: ``code`` is the protocol's word, ``text`` says it to people."""

    code = "err.request.bad"

    def __init__(self, text: str, member: str = ""):
        super().__init__(f"{member}: {text}" if member else text)
        self.member = member

    @property
    def text(self) -> str:
        return str(self)


class MalformedMessage(WireError):
    """The message cannot be read; nothing in it was looked at further."""


class EncryptionNotSupported(WireError):
    """The message is encrypted, or says that it is."""

    code = "err.encryption.invalid"


class RejectedMessage(WireError):
    """The message was read and is not accepted; ``code`` is a header reason code."""

    def __init__(self, code: str, text: str, member: str = ""):
        super().__init__(text, member)
        self.code = code
