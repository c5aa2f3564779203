"""The foreign mapper's protocol over HTTP.

Every request is a POST with a JSON object, and the answer is one. The requests of a
batch have names of the caller's choice, and so have the answers to them:

- ``/accounts``: ``{"people": {"a": "PERSON"}}``; answered by the account or a number
- ``/changes``: ``{"changes": {"a": {"act": "add", "person": …, "account": …}}}``, with
  the acts add, replace and remove; answered by a ticket, or by the number of a refusal
- ``/tickets``: ``{"tickets": {"a": "T1"}}``; answered by the number of a state
"""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .accounts import Accounts

#: What the batch of each path is called.
BATCHES = {"/accounts": "people", "/changes": "changes", "/tickets": "tickets"}


class ForeignMapper:
    """The server; tests make it slow, silent or wrong.

    :param token: what callers have to prove that they know
    """

    def __init__(self, token: str, accounts: Accounts | None = None, port: int = 0):
        self.token = token
        self.accounts = accounts or Accounts()
        #: what it was asked: path and batch
        self.asked: list[tuple[str, dict]] = []
        #: the number of next changes that are accepted, and whose answers get lost
        self.losing = 0
        #: the status of each answer, if it is not 200
        self.status = 0
        #: answers about a person or a ticket, in place of its own; None leaves it out
        self.faults: dict[str, object] = {}
        #: the body of each answer, in place of its own
        self.rubbish = b""
        #: seconds that each answer takes
        self.pause = 0.0
        self._readers = {
            "/accounts": self.accounts.find,
            "/changes": self._change,
            "/tickets": self.accounts.get_state,
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._build_handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _build_handler(self) -> type[BaseHTTPRequestHandler]:
        mapper = self

        class MapperHandler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                proof = self.headers.get("Authorization", "")
                status, answer = mapper.answer(self.path, proof, body)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_words):
                """Do nothing: a path or a body is nobody's business."""

        return MapperHandler

    def answer(self, path: str, proof: str, body: bytes) -> tuple[int, bytes]:
        """Return the status of an answer and its body; status 0 for no answer."""
        if not hmac.compare_digest(proof.encode(), f"Bearer {self.token}".encode()):
            return 401, b"{}"
        try:
            batch = json.loads(body)[BATCHES[path]]
            read = self._readers[path]
            self.asked.append((path, batch))
            answers = {name: read(each) for name, each in batch.items()}
            answers |= self._spoil(batch)
        except (AttributeError, KeyError, TypeError, ValueError):
            return 400, b"{}"
        if path == "/changes" and self.losing:
            self.losing -= 1
            return 0, b""
        time.sleep(self.pause)
        document = json.dumps({"answers": _leave_out(answers)}).encode()
        return self.status or 200, self.rubbish or document

    def _change(self, change: dict) -> str | int:
        account = change.get("account")
        return self.accounts.accept(change["act"], change["person"], account)

    def _spoil(self, batch: dict) -> dict[str, object]:
        """Return the wrong answers of a batch."""
        about = {
            name: each["person"] if isinstance(each, dict) else each
            for name, each in batch.items()
        }
        known = self.faults
        return {name: known[one] for name, one in about.items() if one in known}

    # === RUNNING === #

    def serve(self) -> None:
        """Answer requests until ``stop``."""
        self._server.serve_forever()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _leave_out(answers: dict) -> dict:
    return {name: answer for name, answer in answers.items() if answer is not None}


@contextmanager
def serving(token: str, **words) -> Iterator[ForeignMapper]:
    """Yield a foreign mapper that answers as long as the block runs."""
    mapper = ForeignMapper(token, **words)
    threading.Thread(target=mapper.serve, daemon=True).start()
    try:
        yield mapper
    finally:
        mapper.stop()
