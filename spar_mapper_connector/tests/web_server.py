"""A web server of the test's own, on loopback, that behaves as instructed."""

import socket
import ssl
import threading
from contextlib import contextmanager


class WebServer:
    """A server that answers connections with ``behave(connection, request)``.

    It counts them.
    """

    def __init__(self, behave, context=None):
        self.behave = behave
        self.context = context
        self.requests = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.scheme = "https" if context else "http"
        self.url = f"{self.scheme}://127.0.0.1:{self.port}/path"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,)).start()

    def _answer(self, connection):
        with connection:
            try:
                connection.settimeout(5)
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                request = self._read(connection)
                self.requests.append(request)
                self.behave(connection, request)
                if self.context:
                    connection.unwrap()
            except (OSError, ValueError):
                return

    @staticmethod
    def _read(connection) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _blank, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def close(self):
        self._listener.close()


def build_answer(body=b"", status="200 OK", **headers) -> bytes:
    """Return an HTTP answer; underscores in names of headers stand for dashes."""
    sent = {"Content_Length": len(body), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in sent.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def answer_with(*parts: bytes):
    """Return a behaviour: send ``parts`` and end the connection."""
    return lambda connection, request: [connection.sendall(p) for p in parts]


@contextmanager
def serving(behave, context: ssl.SSLContext | None = None):
    """Yield a server with this behaviour, which ends with the block."""
    server = WebServer(behave, context)
    try:
        yield server
    finally:
        server.close()
