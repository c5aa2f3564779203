"""Other mappers for the tests: HTTP servers on loopback that speak G2P Connect.

They keep addresses by ID, sign nothing, and are slow, broken or down as a test wants.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

_ALREADY = {
    "status": "rjct",
    "status_reason_code": "rjct.id.invalid",
    "status_reason_message": "The ID is already linked.",
}
_UNKNOWN = {**_ALREADY, "status_reason_message": "The ID is not linked."}


class MapperStub:
    """A mapper in memory, and what it was asked."""

    def __init__(self, port: int = 0):
        self.fas: dict[str, str] = {}
        self.messages: list[dict] = []
        #: seconds that each answer takes
        self.delay = 0.0
        #: the body of each answer, in place of a message
        self.rubbish = b""
        #: set while a message is being answered
        self.is_busy = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = stub.answer(self.path.rpartition("/")[2], json.loads(body))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_words):
                """Do nothing: a test's output is pytest's."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/mapper"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, operation: str, document: dict) -> bytes:
        self.messages.append(document)
        self.is_busy.set()
        time.sleep(self.delay)
        header, message = document["header"], document["message"]
        moment = datetime.now(timezone.utc).isoformat()
        items = [
            {
                "reference_id": item["reference_id"],
                "timestamp": moment,
                **({"id": item["id"]} if "id" in item else {}),
                **getattr(self, f"do_{operation}")(item),
            }
            for item in message[f"{operation}_request"]
        ]
        answer = {
            "header": {
                "version": "1.0.0",
                "message_id": str(uuid4()),
                "message_ts": moment,
                "action": f"on-{operation}",
                "status": "succ",
                "sender_id": header.get("receiver_id", ""),
                "receiver_id": header["sender_id"],
                "total_count": len(items),
                "completed_count": len(items),
            },
            "message": {
                "transaction_id": message["transaction_id"],
                "correlation_id": str(uuid4()),
                f"{operation}_response": items,
            },
        }
        self.is_busy.clear()
        return self.rubbish or json.dumps(answer).encode()

    def do_link(self, item: dict) -> dict:
        if item["id"] in self.fas:
            return _ALREADY
        self.fas[item["id"]] = item["fa"]
        return {"status": "succ"}

    def do_update(self, item: dict) -> dict:
        if item["id"] not in self.fas:
            return _UNKNOWN
        self.fas[item["id"]] = item["fa"]
        return {"status": "succ"}

    def do_unlink(self, item: dict) -> dict:
        found = self.fas.pop(item["id"], None)
        return {"status": "succ"} if found else _UNKNOWN

    def do_resolve(self, item: dict) -> dict:
        if "id" in item:
            known = self.fas.get(item["id"])
            code = "succ.id.active" if known else "succ.id.not_found"
            found = {"fa": known} if known else {}
            return {"status": "succ", "status_reason_code": code, **found}
        owner = next((key for key, fa in self.fas.items() if fa == item["fa"]), None)
        code = "succ.fa.active" if owner else "succ.fa.not_found"
        found = {"id": owner, "fa": item["fa"]} if owner else {}
        return {"status": "succ", "status_reason_code": code, **found}

    def count_items(self, operation: str) -> int:
        """Return the number of items that it was sent."""
        found = (each["message"].get(f"{operation}_request") for each in self.messages)
        return sum(map(len, filter(None, found)))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def mapper_stub() -> Iterator[MapperStub]:
    """Yield another mapper that runs as long as the block."""
    stub = MapperStub()
    try:
        yield stub
    finally:
        stub.close()
