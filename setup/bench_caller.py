"""A participant that calls over REST with nothing but the standard library."""

import http.client
import json
import time
import urllib.parse
from dataclasses import dataclass, field, replace

TIMEOUT = 300
RENEW_SECONDS = 120  # tokens live for five minutes


@dataclass(frozen=True)
class Target:
    """The server to call, and the credentials to call it with."""

    host: str
    port: int
    path: str
    sender_id: str
    client_id: str
    client_secret: str = field(repr=False)
    private_jwk: dict | None = field(default=None, repr=False)
    #: the same fields for the participant that also signs
    signer: dict | None = field(default=None, repr=False)

    def as_signer(self) -> "Target":
        """Return the same target, called by the participant that signs."""
        return replace(self, signer=None, **self.signer)


class Caller:
    """One connection, reused for as long as the server keeps it open."""

    def __init__(self, target: Target):
        self.target = target
        self._connection = http.client.HTTPConnection(
            target.host, target.port, timeout=TIMEOUT
        )
        self._renewed = 0.0
        self._headers: dict[str, str] = {}

    def _ask(self, method: str, path: str, body=None, headers=None) -> bytes:
        """Return the body of a response, whatever its status; the caller checks it.

        A kept-alive connection that the server has closed in the meantime is reopened
        once: the server has not read what was sent on it.
        """
        words = (method, f"{self.target.path}{path}", body, headers or {})
        try:
            self._connection.request(*words)
            return self._connection.getresponse().read()
        except (http.client.RemoteDisconnected, BrokenPipeError):
            self._connection.close()
            self._connection.request(*words)
            return self._connection.getresponse().read()

    def _renew(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.target.client_id,
            "client_secret": self.target.client_secret,
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urllib.parse.urlencode(form).encode()
        answer = self._ask("POST", "/oauth2/client/token", body, kind)
        self._headers = {
            "Authorization": f"Bearer {json.loads(answer)['access_token']}",
            "Content-Type": "application/json",
        }
        self._renewed = time.monotonic()

    def send(self, operation: str, body: bytes) -> bytes:
        """Return the response to a message."""
        if not self._headers or time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renew()
        return self._ask("POST", f"/mapper/sync/{operation}", body, self._headers)

    def ask_empty(self, _body: bytes) -> bytes:
        """Return the response of the cheapest route that needs the database."""
        return self._ask("GET", "/health")
