"""A small client of the registry's REST interface: token, messages, the four calls.

It signs for participants that have a key, as ``setup/payer.py`` does.
"""

import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone

import requests

from setup.payer import Key

OPENG2P, OPENG2P_2 = "openg2p-1.x", "openg2p-2.x"
STRICT = "g2p-connect-1.0-strict"
TIMEOUT = 120
_RENEW_SECONDS = 120  # tokens live for five minutes

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Participant:
    """A calling participant, as described in ``.spar/demo.json``."""

    sender_id: str
    client_id: str
    client_secret: str = field(repr=False)
    token_url: str
    profile: str = STRICT
    private_jwk: dict | None = field(default=None, repr=False)


def get_timestamp() -> str:
    """Return the present time as RFC 3339 requires."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def get_naive_timestamp() -> str:
    """Return the present time as OpenG2P's clients write it: without a zone."""
    return datetime.now().isoformat(sep=" ", timespec="milliseconds")


def build_items(values: list[dict], timestamp: str = "") -> list[dict]:
    """Return items of a message: missing required members are added to each.

    >>> build_items([{"id": "token:1@nationalId"}], "2026-01-01T00:00:00Z")
    [{'reference_id': '1', 'timestamp': '2026-01-01T00:00:00Z', \
'id': 'token:1@nationalId'}]
    """
    timestamp = timestamp or get_timestamp()
    return [
        {"reference_id": str(number), "timestamp": timestamp, **value}
        for number, value in enumerate(values, start=1)
    ]


class Client:
    """One participant's calls over one persistent connection; not thread-safe."""

    def __init__(self, api: str, participant: Participant):
        self.api = api
        self.participant = participant
        self.session = requests.Session()
        self.key = Key(participant.private_jwk) if participant.private_jwk else None
        self._token, self._renewed = "", 0.0

    # === TOKEN === #

    def ask_token(self, **changed: str) -> requests.Response:
        """Return the token endpoint's raw answer; ``changed`` replaces form members."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.participant.client_id,
            "client_secret": self.participant.client_secret,
            **changed,
        }
        return self.session.post(self.participant.token_url, data=form, timeout=TIMEOUT)

    def get_token(self) -> str:
        """Return a token that stays valid for a while."""
        if not self._token or time.monotonic() - self._renewed > _RENEW_SECONDS:
            answer = self.ask_token()
            answer.raise_for_status()
            self._token = answer.json()["access_token"]
            self._renewed = time.monotonic()
        return self._token

    def get_headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.get_token()}",
            "Content-Type": "application/json",
        }

    # === MESSAGES === #

    def build_message(self, operation: str, items: list[dict], **header) -> dict:
        """Return the message for ``operation`` as this participant's profile writes it.

        :param header: members of the header to replace
        """
        number = f"{threading.get_ident()}-{time.time_ns()}-{next(_numbers)}"
        build = _HEADERS[self.participant.profile]
        return {
            "signature": "",
            "header": {
                "version": "1.0.0",
                "message_id": number,
                "action": operation,
                "total_count": len(items),
                **build(self.participant),
                **header,
            },
            "message": {
                "transaction_id": number,
                f"{operation}_request": items,
            },
        }

    def sign_header(self, message: dict) -> dict[str, str]:
        """Return the HTTP header that signs ``message`` (jws_header)."""
        return {"Signature": self.key.sign_body(json.dumps(message).encode())}

    def post(self, path: str, sign: bool = True, **words) -> requests.Response:
        """Return the raw answer of a path below the base path.

        A JSON object is signed if the participant has a key, unless ``sign`` is false.
        """
        if sign and self.key and isinstance(words.get("json"), dict):
            words["json"] = self.key.sign_message(words["json"])
        headers = {**self.get_headers(), **words.pop("headers", {})}
        return self.session.post(
            f"{self.api}{path}", headers=headers, timeout=TIMEOUT, **words
        )

    def send(self, operation: str, message: dict) -> requests.Response:
        """Return the raw answer to a message."""
        return self.post(f"/mapper/sync/{operation}", json=message)

    def call(self, operation: str, values: list[dict], **header) -> list[dict]:
        """Return the answers to the items ``values``, in their order.

        :raises requests.HTTPError: when the call as a whole is refused
        """
        items = build_items(values, _TIMESTAMPS[self.participant.profile]())
        answer = self.send(operation, self.build_message(operation, items, **header))
        answer.raise_for_status()
        return answer.json()["message"][f"{operation}_response"]

    def link(self, values: list[dict]) -> list[dict]:
        return self.call("link", values)

    def update(self, values: list[dict]) -> list[dict]:
        return self.call("update", values)

    def unlink(self, values: list[dict]) -> list[dict]:
        return self.call("unlink", values)

    def resolve(self, values: list[dict]) -> list[dict]:
        return self.call("resolve", values)


def _build_openg2p_header(_participant: Participant) -> dict:
    """Return what OpenG2P's bridge sends: no sender, no zone (g2p-connect.md 6.2)."""
    return {"message_ts": get_naive_timestamp(), "sender_id": "", "sender_uri": ""}


_TIMESTAMPS = {
    STRICT: get_timestamp,
    OPENG2P: get_naive_timestamp,
    OPENG2P_2: get_naive_timestamp,
}
_HEADERS = {
    STRICT: lambda participant: {
        "message_ts": get_timestamp(),
        "sender_id": participant.sender_id,
    },
    OPENG2P: _build_openg2p_header,
    # The envelope of 1.x is accepted there, too.
    OPENG2P_2: _build_openg2p_header,
}
