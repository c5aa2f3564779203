"""Another mapper of the tests' own: an HTTP server on loopback that speaks the wire.

It keeps addresses by ID, gives tokens, signs its answers, and misbehaves as instructed.
"""

import json
import threading
from contextlib import contextmanager
from urllib.parse import parse_qs
from uuid import uuid4

from ..lib.g2p_connect.acks import build_ack
from ..lib.g2p_connect.signing import (
    IN_MESSAGE,
    build_payloads,
    find_signature,
    place_signature,
)
from ..lib.g2p_connect.timestamps import format_timestamp, now
from ..lib.jose.keys import PrivateKey
from ..lib.jose.signatures import read_signature, sign_detached
from .web_server import WebServer, build_answer

SENDER, RECEIVER, TOKEN_PATH = "us.example", "registry.example", "/oauth2/client/token"
KEY = PrivateKey.generate("ES256")


class RemoteMapperStub:
    """A G2P Connect mapper in memory.

    ``faults`` are functions ``(connection, request, answer) -> answered``, one for each
    of the next messages; they may send something else than ``answer``, or nothing.
    """

    def __init__(self):
        self.addresses: dict[str, str] = {}
        self.stored: dict[str, dict] = {}
        self.transactions: dict[str, dict] = {}
        self.faults: list = []
        self.messages: list[tuple[str, dict]] = []
        self.http_headers: list[dict[str, str]] = []
        self.token_forms: list[dict[str, str]] = []
        self.tokens = ["token-1", "token-2", "token-3"]
        self.bearer = ""
        self.verify_with = None
        self.place = IN_MESSAGE
        #: How many questions about a status are answered before it is final.
        self.late = 0
        self.lock = threading.Lock()
        self.server = WebServer(self.behave)
        self.url = f"http://127.0.0.1:{self.server.port}/spar/v1"

    @property
    def paths(self) -> list[str]:
        return [path for path, _document in self.messages]

    # === HTTP === #

    def behave(self, connection, raw: bytes) -> None:
        head, _blank, body = raw.partition(b"\r\n\r\n")
        line, *rest = head.decode().split("\r\n")
        path = line.split(" ")[1].removeprefix("/spar/v1")
        headers = dict(each.lower().split(": ", 1) for each in rest)
        values = dict(each.split(": ", 1) for each in rest)
        self.http_headers.append(values)
        if path == TOKEN_PATH:
            connection.sendall(self.grant(body))
            return
        if self.bearer and headers.get("authorization") != f"bearer {self.bearer}":
            connection.sendall(refuse("401 Unauthorized", "err.request.unauthorized"))
            return
        with self.lock:
            self.answer(connection, path, values, body)

    def answer(self, connection, path, headers, body) -> None:
        document = json.loads(body)
        self.messages.append((path, document))
        fault = self.faults.pop(0) if self.faults else None
        if getattr(fault, "comes_first", False):
            fault(connection, None)
            return
        if self.verify_with:
            text = find_signature(self.place, document, headers.get("Signature", ""))
            payloads = build_payloads(self.place, document, body)
            read_signature(text).verify(payloads, self.verify_with)
        answer = self.serve(path, document)
        if fault:
            fault(connection, answer)
        else:
            connection.sendall(self.build_http(answer))

    def build_http(self, answer: dict) -> bytes:
        signed, headers = place_signature(
            self.place, answer, lambda payload: sign_detached(payload, KEY)
        )
        names = {name.replace("-", "_"): value for name, value in headers}
        return build_answer(json.dumps(signed).encode(), **names)

    def grant(self, body: bytes) -> bytes:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.token_forms.append(form)
        if not self.tokens:
            return refuse("401 Unauthorized", "err.request.unauthorized")
        self.bearer = self.tokens.pop(0)
        granted = {"access_token": self.bearer, "expires_in": "300"}
        return build_answer(json.dumps(granted).encode())

    # === THE MAPPER === #

    def serve(self, path: str, document: dict) -> dict:
        header, message = document["header"], document["message"]
        if path.endswith("/txn/status"):
            return self.serve_status(header, message)
        operation = path.rpartition("/")[2]
        if "/sync/" not in path:
            self.serve(f"/mapper/sync/{operation}", document)
            return build_ack(str(uuid4()))
        known = self.stored.get(header["message_id"])
        if known and operation != "resolve":
            return known
        items = [
            self.serve_item(operation, item) for item in message[f"{operation}_request"]
        ]
        answer = build_document(
            header, f"on-{operation}", message["transaction_id"], operation, items
        )
        self.stored[header["message_id"]] = answer
        self.transactions[message["transaction_id"]] = answer
        return answer

    def serve_item(self, operation: str, item: dict) -> dict:
        known = self.addresses.get(item.get("id"))
        words = {"link": self.link, "update": self.update, "unlink": self.end}
        if operation == "resolve":
            words_of_item = resolve(known, item)
        else:
            words_of_item = words[operation](item, known)
        answered = {
            "reference_id": item["reference_id"],
            "timestamp": format_timestamp(now()),
            "id": item.get("id"),
        }
        return {**answered, **words_of_item}

    def link(self, item, known) -> dict:
        if known:
            return {"status": "rjct", "status_reason_code": "rjct.id.invalid"} | {
                "status_reason_message": "The ID is already linked."
            }
        self.addresses[item["id"]] = item["fa"]
        return {"status": "succ"}

    def update(self, item, known) -> dict:
        if not known:
            return not_linked()
        self.addresses[item["id"]] = item["fa"]
        return {"status": "succ", "fa": item["fa"]}

    def end(self, item, known) -> dict:
        if not known:
            return not_linked()
        del self.addresses[item["id"]]
        return {"status": "succ"}

    def serve_status(self, header: dict, message: dict) -> dict:
        request = message["txnstatus_request"]
        found = self.transactions.get(request["attribute_value"])
        if not found:
            return {"header": build_header(header, "txn-on-status", "rjct")}
        if self.late:
            self.late -= 1
            found = mark_received(found, request["txn_type"])
        return {
            "header": build_header(header, "txn-on-status", "succ"),
            "message": {
                "transaction_id": message["transaction_id"],
                "correlation_id": "c",
                "txnstatus_response": {
                    "reference_id": request["reference_id"],
                    "txn_type": f"on-{request['txn_type']}",
                    "txn_status": found["message"],
                },
            },
        }


def mark_received(answer: dict, operation: str) -> dict:
    """Return ``answer`` as the status of a message that is still queued."""
    name = f"{operation}_response"
    items = [
        {"reference_id": item["reference_id"], "status": "rcvd"}
        for item in answer["message"][name]
    ]
    return {**answer, "message": {**answer["message"], name: items}}


def not_linked() -> dict:
    return {
        "status": "rjct",
        "status_reason_code": "rjct.id.invalid",
        "status_reason_message": "The ID is not linked.",
    }


def resolve(known, item) -> dict:
    if not known:
        return {"status": "succ", "status_reason_code": "succ.id.not_found"}
    if "fa" in item and item["fa"] != known:
        return {"status": "succ", "status_reason_code": "succ.fa.not_linked_to_id"}
    shown = {"fa": known} if item.get("scope") == "details" else {}
    return {"status": "succ", "status_reason_code": "succ.id.active", **shown}


def build_header(header: dict, action: str, status: str) -> dict:
    return {
        "version": "1.0.0",
        "message_id": str(uuid4()),
        "message_ts": format_timestamp(now()),
        "action": action,
        "status": status,
        "sender_id": header.get("receiver_id", ""),
        "receiver_id": header["sender_id"],
    }


def build_document(header, action, transaction_id, operation, items) -> dict:
    return {
        "header": build_header(header, action, "succ"),
        "message": {
            "transaction_id": transaction_id,
            "correlation_id": str(uuid4()),
            f"{operation}_response": items,
        },
    }


def refuse(status: str, code: str) -> bytes:
    document = {"errors": [{"code": code, "message": "token:1@nationalId is secret"}]}
    return build_answer(json.dumps(document).encode(), status)


# === FAULTS === #


def send_raw(raw: bytes, comes_first: bool = False):
    """Return a fault that answers with ``raw``."""

    def fault(connection, _answer):
        connection.sendall(raw)

    fault.comes_first = comes_first
    return fault


def stay_silent(seconds: float, comes_first: bool = False):
    """Return a fault that does not answer within ``seconds``."""

    def fault(_connection, _answer):
        threading.Event().wait(seconds)

    fault.comes_first = comes_first
    return fault


@contextmanager
def running():
    """Yield another mapper that ends with the block."""
    stub = RemoteMapperStub()
    try:
        yield stub
    finally:
        stub.server.close()
