"""The plain columns of stored messages and callbacks, as their seals bind them.

What decides in whose name a message runs, what it does, and where its answer goes is in
plain columns beside the sealed ones. It is in the context of the seal: where a column
was altered, the value does not open.
"""

from __future__ import annotations

from typing import NamedTuple

from odoo.addons.spar_mapper_connector.lib.keyring import bind

WAITING, DONE = "waiting", "done"

# The second format; the first one bound the UUID alone.
_MESSAGE, _CALLBACK = "spar.message.2", "spar.callback.2"


class MessageBinding(NamedTuple):
    """The bound columns of a message; its fields are named as they are."""

    uuid: str
    participant_id: int
    action: str
    mode: str
    message_id: str
    correlation_id: str
    callback: str | None

    def build_context(self, state: str) -> bytes:
        """Return the context of its sealed columns in ``state``.

        What was sealed while it waited does not open once it is answered, nor the
        other way round: so an answered message cannot wait again.

        >>> message = MessageBinding("u", 7, "link", "async", "m", "c", None)
        >>> message.build_context("waiting") == message.build_context("done")
        False
        >>> other = message._replace(participant_id=8)
        >>> message.build_context("waiting") == other.build_context("waiting")
        False
        """
        return bind(
            _MESSAGE,
            state,
            self.uuid,
            self.participant_id,
            self.action,
            self.mode,
            self.message_id,
            self.correlation_id,
            self.callback or "",
        )


class CallbackBinding(NamedTuple):
    """What the seal of a callback binds: its columns, and its message's UUID.

    The URL includes the kind of answer.
    """

    uuid: str
    participant_id: int
    url: str
    message_uuid: str

    def build_context(self) -> bytes:
        """Return the context of its sealed column.

        >>> callback = CallbackBinding("u", 7, "https://a.example/on-link", "m")
        >>> other = callback._replace(participant_id=8)
        >>> callback.build_context() == other.build_context()
        False
        """
        return bind(_CALLBACK, *self)
