"""A participant's own server, which receives callbacks: a real one, on loopback."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

ACK = {
    "message": {
        "ack_status": "ACK",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "correlation_id": "received",
    }
}
#: A receiver's answer to a path and its number: status, headers, body.
Behaviour = Callable[[str, int], tuple[int, dict, bytes]]


def acknowledge(path: str, number: int) -> tuple[int, dict, bytes]:
    return 200, {}, json.dumps(ACK).encode()


class Receiver:
    """A server that stores callbacks in order; ``behave`` returns its answers."""

    def __init__(self, behave: Behaviour = acknowledge):
        self.behave = behave
        self.received: list[dict] = []
        self.tokens_given = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                status, headers, answer = receiver.take(self.path, self.headers, body)
                self.send_response(status)
                for name, value in {"Content-Length": len(answer), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_words):
                """Do nothing: a test's output is pytest's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/callback"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, path: str, headers, body: bytes) -> tuple[int, dict, bytes]:
        """Store a callback; return a token if one is requested."""
        if path == "/token":
            self.tokens_given += 1
            assert parse_qs(body.decode())["grant_type"] == ["client_credentials"]
            token = {"access_token": f"token-{self.tokens_given}", "expires_in": "300"}
            return 200, {"Content-Type": "application/json"}, json.dumps(token).encode()
        self.received.append(
            {"path": path, "headers": dict(headers), "document": json.loads(body)}
        )
        return self.behave(path, len(self.received))

    def get_documents(self) -> list[dict]:
        return [each["document"] for each in self.received]

    def wait(self, count: int, seconds: float = 90) -> list[dict]:
        """Return the callbacks, once there are ``count`` of them.

        :raises TimeoutError: with the number received
        """
        end = time.monotonic() + seconds
        while len(self.received) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self.received)} of {count} callbacks")
            time.sleep(0.05)
        return list(self.received)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def receiving(behave: Behaviour = acknowledge) -> Iterator[Receiver]:
    """Yield a receiver that runs as long as the block."""
    receiver = Receiver(behave)
    try:
        yield receiver
    finally:
        receiver.close()
