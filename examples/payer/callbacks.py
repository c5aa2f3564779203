"""Call the registry asynchronously and wait for its callback.

The program listens, sends the items on standard input (a JSON list), shows the
acknowledgement and then the callback, verified:

    python -m examples.payer.callbacks KEY ACTION --settings FILE --port 9000

``http://HOST:9000/callback`` must be the callback URL that is registered for the
participant.
"""

import argparse
import json
import queue
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .client import Client
from .files import failing_in_one_line, read_items, read_key, read_settings
from .messages import build_acknowledgement, build_items
from .signatures import verify_answer

WAIT_SECONDS = 90


class Listener:
    """A server for callbacks on a port of this machine."""

    def __init__(self, port: int):
        self.arrived: queue.SimpleQueue = queue.SimpleQueue()
        arrived = self.arrived

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                callback = json.loads(self.rfile.read(length))
                arrived.put((self.path, callback))
                message = callback.get("message") or {}
                acknowledgement = build_acknowledgement(
                    message.get("correlation_id", "")
                )
                body = json.dumps(acknowledgement).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words):
                """Log nothing: the program shows what arrives."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait(self, correlation_id: str) -> dict:
        """Return the callback to the message that was acknowledged with this ID.

        :raises queue.Empty: when none arrives in time
        """
        while True:
            _path, callback = self.arrived.get(timeout=WAIT_SECONDS)
            message = callback.get("message") or {}
            if message.get("correlation_id") == correlation_id:
                return callback

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def send(client: Client, action: str, values: list[dict]) -> dict:
    """Return the acknowledgement of a signed message."""
    message = client.build_message(action, build_items(values))
    return client.send_asynchronously(action, message).json()


def wait_for_callback(client: Client, listener: Listener, correlation_id: str) -> dict:
    """Return the callback, after verifying its signature.

    :raises ValueError: when none arrives in time, or the signature is not the
        registry's
    """
    try:
        callback = listener.wait(correlation_id)
    except queue.Empty as error:
        raise ValueError(f"no callback arrived within {WAIT_SECONDS} s") from error
    if not verify_answer(callback, client.fetch_keys()):
        raise ValueError("the callback is not signed by the registry")
    return callback


@failing_in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m examples.payer.callbacks",
        description=__doc__.replace("`", ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="the private key (JWK)")
    parser.add_argument("action", nargs="?", default="resolve")
    about = "a JSON file: api, sender_id, client_id, ..."
    parser.add_argument("--settings", type=Path, required=True, help=about)
    parser.add_argument("--port", type=int, default=9000, help="where to listen")
    options = parser.parse_args()
    client = Client(read_settings(options.settings), read_key(options.file))
    values = read_items(sys.stdin)
    listener = Listener(options.port)
    acknowledgement = send(client, options.action, values)
    print(json.dumps(acknowledgement, indent=1))
    message = acknowledgement.get("message", {})
    if message.get("ack_status") != "ACK":
        sys.exit("the message was not accepted")
    callback = wait_for_callback(client, listener, message["correlation_id"])
    print(json.dumps(callback, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
