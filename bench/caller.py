"""The example payer's client, over a connection that costs it little time."""

import http.client
import json
import urllib.parse
from dataclasses import dataclass

from examples.payer.client import Client, ClientSettings

from .target import BenchTarget

TIMEOUT = 300


@dataclass(frozen=True)
class BenchResponse:
    """The parts of a response that are read here, named as ``requests`` names them."""

    status_code: int
    content: bytes

    def json(self):
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        """Check that the request succeeded.

        :raises http.client.HTTPException: when it failed
        """
        if self.status_code >= 400:
            raise http.client.HTTPException(f"HTTP {self.status_code}: {self.content}")


class PersistentConnection:
    """A session for the client: one connection of the standard library, kept open.

    The client shares the processors with the server that is measured; ``requests``
    would take several times as long for each call.
    """

    def __init__(self, host: str):
        self._connection = http.client.HTTPConnection(host, timeout=TIMEOUT)

    def get(self, url: str, headers=None, timeout=None) -> BenchResponse:
        return self._request("GET", url, None, headers)

    def post(self, url: str, data, headers=None, timeout=None) -> BenchResponse:
        """Send bytes, or the fields of a form."""
        if isinstance(data, dict):
            data = urllib.parse.urlencode(data).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._request("POST", url, data, headers)

    def _request(self, method: str, url: str, body, headers) -> BenchResponse:
        """Return a response, whatever its status; the caller checks it.

        A kept-alive connection that the server has closed in the meantime is reopened
        once: the server has not read what was sent on it.
        """
        words = (method, urllib.parse.urlsplit(url).path, body, headers or {})
        try:
            return self._exchange(*words)
        except (http.client.RemoteDisconnected, BrokenPipeError):
            self._connection.close()
            return self._exchange(*words)

    def _exchange(self, *words) -> BenchResponse:
        self._connection.request(*words)
        response = self._connection.getresponse()
        return BenchResponse(response.status, response.read())


class BenchCaller:
    """The calls of one client process, as bytes."""

    def __init__(self, target: BenchTarget):
        settings = ClientSettings(
            target.api, target.sender_id, target.client_id, target.client_secret
        )
        host = urllib.parse.urlsplit(target.api).netloc
        self.client = Client(settings, session=PersistentConnection(host))

    def send(self, operation: str, body: bytes) -> bytes:
        """Return the response to a message, which is signed already if it has to be."""
        return self.client.post(f"/mapper/sync/{operation}", data=body).content

    def get_health(self) -> bytes:
        """Return the response of the cheapest route that needs the database."""
        url = f"{self.client.api}/health"
        return self.client.session.get(url).content
