"""A client of the registry: it obtains tokens, signs messages and sends them."""

import time
from dataclasses import dataclass, field

import requests

from .messages import build_items, build_message
from .signatures import SigningKey

TIMEOUT = 120
TOKEN_SECONDS = 120  # a token lives for five minutes; it is renewed well before that
TOKEN_PATH = "/oauth2/client/token"
KEYS_PATH = "/.well-known/jwks.json"


@dataclass(frozen=True)
class ClientSettings:
    """What a participant receives from the registry, and the base URL of its API."""

    api: str
    sender_id: str
    client_id: str
    client_secret: str = field(repr=False)


class Client:
    """One participant's calls over one persistent connection; not thread-safe."""

    def __init__(
        self,
        settings: ClientSettings,
        key: SigningKey | None = None,
        session: requests.Session | None = None,
    ):
        """Prepare the calls.

        :param key: signs every message; without it, none is signed
        :param session: makes the requests, where it is not an ordinary one
        """
        self.settings = settings
        self.key = key
        self.session = session or requests.Session()
        self._token, self._renewed_at = "", 0.0

    @property
    def api(self) -> str:
        return self.settings.api

    # === TOKENS === #

    def request_token(self, **changed: str) -> requests.Response:
        """Return the token endpoint's answer; ``changed`` replaces form members."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
            **changed,
        }
        url = f"{self.api}{TOKEN_PATH}"
        return self.session.post(url, data=form, timeout=TIMEOUT)

    def get_token(self) -> str:
        """Return a token that stays valid for a while.

        :raises requests.HTTPError: when the registry issues none
        """
        if not self._token or time.monotonic() - self._renewed_at > TOKEN_SECONDS:
            answer = self.request_token()
            answer.raise_for_status()
            self._token = answer.json()["access_token"]
            self._renewed_at = time.monotonic()
        return self._token

    def get_headers(self) -> dict[str, str]:
        """Return the headers that every call needs."""
        return {
            "Authorization": f"Bearer {self.get_token()}",
            "Content-Type": "application/json",
        }

    # === CALLS === #

    def build_message(
        self, action: str, items: list[dict], /, **header: object
    ) -> dict:
        """Return a message of this participant with ``items``.

        :param header: members of the header to replace
        """
        header = {"sender_id": self.settings.sender_id, **header}
        return build_message(action, items, **header)

    def post(self, path: str, sign: bool = True, **words) -> requests.Response:
        """Return the answer of a path below the base URL.

        A JSON object is signed if the client has a key, unless ``sign`` is false.

        :param words: further arguments of ``session.post``
        """
        if sign and self.key and isinstance(words.get("json"), dict):
            words["json"] = self.key.sign_message(words["json"])
        headers = {**self.get_headers(), **words.pop("headers", {})}
        return self.session.post(
            f"{self.api}{path}", headers=headers, timeout=TIMEOUT, **words
        )

    def send(self, action: str, message: dict) -> requests.Response:
        """Return the answer to a message."""
        return self.post(f"/mapper/sync/{action}", json=message)

    def send_asynchronously(self, action: str, message: dict) -> requests.Response:
        """Return the acknowledgement of a message, which is answered by a callback."""
        return self.post(f"/mapper/{action}", json=message)

    def call(self, action: str, values: list[dict], **header: object) -> list[dict]:
        """Return the answers to the items ``values``, in their order.

        :raises requests.HTTPError: when the call as a whole is refused
        """
        message = self.build_message(action, build_items(values), **header)
        answer = self.send(action, message)
        answer.raise_for_status()
        return answer.json()["message"][f"{action}_response"]

    def fetch_keys(self) -> list[dict]:
        """Return the registry's public keys, which verify its signatures."""
        answer = self.session.get(f"{self.api}{KEYS_PATH}", timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()["keys"]
