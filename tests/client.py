"""The tests' client: the example payer's, with profiles and messages to spoil."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from examples.payer.client import Client as PayerClient
from examples.payer.client import ClientSettings
from examples.payer.messages import build_items, get_timestamp
from examples.payer.signatures import SigningKey

OPENG2P, OPENG2P_2 = "openg2p-1.x", "openg2p-2.x"
STRICT = "g2p-connect-1.0-strict"


@dataclass(frozen=True)
class Participant:
    """A calling participant, as described in ``.spar/demo.json``."""

    sender_id: str
    client_id: str
    client_secret: str = field(repr=False)
    profile: str = STRICT
    private_jwk: dict | None = field(default=None, repr=False)


def get_naive_timestamp() -> str:
    """Return the present time as OpenG2P's clients write it: without a zone."""
    return datetime.now().isoformat(sep=" ", timespec="milliseconds")


def build_openg2p_header() -> dict:
    """Return what OpenG2P's bridge sends: no sender, no zone (g2p-connect.md 6.2)."""
    return {"message_ts": get_naive_timestamp(), "sender_id": "", "sender_uri": ""}


#: The members of the header in which a profile differs; 1.x's are accepted in 2.x, too.
HEADERS: dict[str, Callable[[], dict]] = {
    STRICT: dict,
    OPENG2P: build_openg2p_header,
    OPENG2P_2: build_openg2p_header,
}
TIMESTAMPS: dict[str, Callable[[], str]] = {
    STRICT: get_timestamp,
    OPENG2P: get_naive_timestamp,
    OPENG2P_2: get_naive_timestamp,
}


class Client(PayerClient):
    """The calls of one participant, written as its profile writes them."""

    def __init__(self, api: str, participant: Participant):
        settings = ClientSettings(
            api,
            participant.sender_id,
            participant.client_id,
            participant.client_secret,
        )
        jwk = participant.private_jwk
        super().__init__(settings, SigningKey(jwk) if jwk else None)
        self.participant = participant

    def build_message(self, action: str, items: list[dict], /, **header) -> dict:
        """Return the message for ``action``, its signature empty.

        :param header: members of the header to replace
        """
        header = {**HEADERS[self.participant.profile](), **header}
        return {"signature": "", **super().build_message(action, items, **header)}

    def call(self, action: str, values: list[dict], **header) -> list[dict]:
        """Return the answers to the items ``values``, in their order.

        :raises requests.HTTPError: when the call as a whole is refused
        """
        timestamp = TIMESTAMPS[self.participant.profile]()
        return super().call(action, build_items(values, timestamp), **header)

    def link(self, values: list[dict]) -> list[dict]:
        return self.call("link", values)

    def update(self, values: list[dict]) -> list[dict]:
        return self.call("update", values)

    def unlink(self, values: list[dict]) -> list[dict]:
        return self.call("unlink", values)

    def resolve(self, values: list[dict]) -> list[dict]:
        return self.call("resolve", values)
