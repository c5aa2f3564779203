"""Requests that no HTTP library would send: bytes in, the answer's parts out."""

import json
import socket
from dataclasses import dataclass
from http.client import HTTPResponse

from examples.payer.client import TIMEOUT


@dataclass(frozen=True)
class Answer:
    """The status, the headers (names in lower case) and the body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict:
        return json.loads(self.body)


def send_raw(port: int, head: list[str], body: bytes = b"") -> Answer:
    """Send a request line with headers as they are, and read the answer.

    The server may answer and close the connection while the body is still sent.
    """
    method = head[0].partition(" ")[0]
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
        try:
            connection.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has closed the connection
        response = HTTPResponse(connection, method=method)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
