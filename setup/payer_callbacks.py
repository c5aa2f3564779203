"""A payer's side of an asynchronous call: send, be acknowledged, take the callback.

Small enough to be read and copied. As a program it listens, sends the items on standard
input (a JSON list), shows the acknowledgement and then the callback, verified:

    python -m setup.payer_callbacks KEY ACTION --settings FILE --port 9000

`http://HOST:9000/callback` must be the callback URL that is registered for us.
"""

import argparse
import json
import queue
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from .payer import (
    Key,
    build_message,
    failing_in_one_line,
    get_token,
    read_items,
    read_key,
    read_settings,
    verify_answer,
)

WAIT_SECONDS = 90


def build_ack(correlation_id: str) -> dict:
    """Return the acknowledgement of a callback, without which it is sent again."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    told = {"ack_status": "ACK", "timestamp": now, "correlation_id": correlation_id}
    return {"message": told}


class Listener:
    """A listener for callbacks on a port of this machine, one after the other."""

    def __init__(self, port: int):
        self.arrived: queue.SimpleQueue = queue.SimpleQueue()
        arrived = self.arrived

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                callback = json.loads(self.rfile.read(length))
                arrived.put((self.path, callback))
                message = callback.get("message") or {}
                body = json.dumps(build_ack(message.get("correlation_id", "")))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

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


def send(settings: dict, key: Key, action: str, items: list[dict]) -> dict:
    """Return the acknowledgement of a signed message."""
    api = settings["api"]
    token = get_token(api, settings["client_id"], settings["client_secret"])
    message = key.sign_message(build_message(settings["sender_id"], action, items))
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{api}/mapper/{action}"
    return requests.post(url, json=message, headers=headers, timeout=30).json()


@failing_in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="the private key (JWK)")
    parser.add_argument("action", nargs="?", default="resolve")
    about = "api, sender_id, client_id, ..."
    parser.add_argument("--settings", type=Path, required=True, help=about)
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    settings, key = read_settings(options.settings), read_key(options.file)
    items = read_items(sys.stdin)
    listener = Listener(options.port)
    ack = send(settings, key, options.action, items)
    print(json.dumps(ack, indent=1))
    if ack.get("message", {}).get("ack_status") != "ACK":
        sys.exit("the message was not taken")
    try:
        callback = listener.wait(ack["message"]["correlation_id"])
    except queue.Empty:
        sys.exit(f"no callback came within {WAIT_SECONDS} s")
    api = settings["api"]
    keys = requests.get(f"{api}/.well-known/jwks.json", timeout=30).json()["keys"]
    if not verify_answer(callback, keys):
        sys.exit("the callback is not signed by the registry")
    print(json.dumps(callback, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
