"""The front of the demo: routing by port, client addresses, and complete answers."""

import contextlib
import json
import resource
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import websocket

from setup.front_heads import is_for_websocket, rewrite_head
from setup.front_server import FrontServer
from setup.machine import get_free_ports

from .raw import send_raw

TIMEOUT = 20


class Backend:
    """A stand-in for Odoo: it answers once with what it received, then closes."""

    def __init__(self, port: int, name: str):
        self.name = name
        self.heads: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _address = self._listener.accept()
                threading.Thread(target=self._answer, args=(peer,)).start()

    def _answer(self, peer: socket.socket) -> None:
        with peer:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := peer.recv(65536)):
                    return
                head += data
            self.heads.append(head)
            if b"/early" in head:
                peer.sendall(b"HTTP/1.0 413 No\r\nContent-Length: 5\r\n\r\nearly")
                return
            if b"Connection: Upgrade" in head:
                peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                while data := peer.recv(65536):
                    peer.sendall(data.upper())
                return
            document = json.dumps({"by": self.name, "head": head.decode("latin-1")})
            lines = [
                "HTTP/1.0 200 OK",
                f"Content-Length: {len(document)}",
                "",
                document,
            ]
            peer.sendall("\r\n".join(lines).encode())

    def close(self) -> None:
        with contextlib.suppress(OSError):  # if it was closed earlier
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def front(tmp_path):
    """Yield a front with two servers behind it."""
    port, http, other = get_free_ports(3)
    backends = Backend(http, "http"), Backend(other, "websocket")
    made = FrontServer(tmp_path, port, http, other)
    made.backends = backends
    made.start()
    made.wait()
    yield made
    made.stop()
    for backend in backends:
        backend.close()
    assert made.log.read_text() == ""


def send_get(front, path="/", **words) -> requests.Response:
    return requests.get(f"{front.url}{path}", timeout=TIMEOUT, **words)


# === ROUTING === #


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"GET /websocket HTTP/1.1", True),
        (b"GET /websocket?version=19.0-2 HTTP/1.1", True),
        (b"POST /websocket/peek_notifications HTTP/1.1", True),
        (b"GET http://spar.example/websocket HTTP/1.1", True),
        (b"GET /websockets HTTP/1.1", False),
        (b"GET /spar/websocket HTTP/1.1", False),
        (b"POST /spar/v1/mapper/sync/link?/websocket HTTP/1.1", False),
        (b"", False),
    ],
)
def test_only_websockets_go_to_the_other_port(line, wanted):
    assert is_for_websocket(line) is wanted


@pytest.mark.parametrize("path", ["/", "/web/login", "/websocket", "/websocket/health"])
def test_request_reaches_the_right_server(front, path):
    by = "websocket" if path.startswith("/websocket") else "http"
    assert send_get(front, path).json()["by"] == by


def test_websocket_stays_open_both_ways(front):
    with socket.create_connection(("127.0.0.1", front.port), TIMEOUT) as client:
        client.sendall(b"GET /websocket HTTP/1.1\r\nUpgrade: websocket\r\n\r\n")
        assert b"101" in client.recv(1000)
        for word in (b"one", b"two", b"x" * 60_000):
            client.sendall(word)
            received = b""
            while len(received) < len(word):
                received += client.recv(65536)
            assert received == word.upper()
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1000) == b""


# === CLIENT ADDRESSES === #


@pytest.mark.parametrize(
    "lie",
    [
        "X-Forwarded-For: 6.6.6.6",
        "x-forwarded-for:6.6.6.6",
        "X_Forwarded_For: 6.6.6.6",
        "X-Forwarded-For : 6.6.6.6",
        "X-Forwarded-For: 127.0.0.1,\r\n 6.6.6.6",
        "X-Forwarded-Host: 6.6.6.6",
        "X-Forwarded-Proto: 6.6.6.6",
        "Forwarded: for=6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        " 6.6.6.6",
    ],
)
def test_forged_client_address_is_dropped(lie):
    head = f"GET / HTTP/1.1\r\n{lie}\r\nHost: spar\r\n\r\n".encode()
    rewritten = rewrite_head(head, "127.0.0.9", "127.0.0.1:1")
    assert b"6.6.6.6" not in rewritten
    assert rewritten.count(b"127.0.0.9") == 1
    assert b"\r\nHost: spar\r\n" in rewritten
    assert rewritten.endswith(b"\r\n\r\n")


def test_headers_of_the_client_are_passed_on():
    lines = ["Host: spar", "Accept: a,", " b", "Connection: keep-alive", "X: y"]
    head = "\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode()
    passed = rewrite_head(head, "127.0.0.1", "x").decode().split("\r\n")
    assert passed[0] == "GET / HTTP/1.1"
    assert "Connection: close" in passed and "Connection: keep-alive" not in passed
    assert "X-Forwarded-Host: spar" in passed
    assert passed[-6:] == ["Host: spar", "Accept: a,", " b", "X: y", "", ""]


def test_missing_host_is_added():
    rewritten = rewrite_head(b"GET / HTTP/1.0\r\n\r\n", "127.0.0.1", "127.0.0.1:8069")
    assert b"\r\nX-Forwarded-Host: 127.0.0.1:8069\r\n" in rewritten


def test_odoo_receives_the_address_of_the_client(server):
    start = len(server.log.read_text())
    source = ("127.0.0.7", 0)
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT, source) as peer:
        head = "GET /spar/v1/health HTTP/1.1\r\nHost: spar\r\n"
        peer.sendall(f"{head}X-Forwarded-For: 6.6.6.6\r\n\r\n".encode())
        assert b" 200 " in peer.recv(1000)
    logged = server.log.read_text()[start:]
    assert " 127.0.0.7 - - " in logged
    assert "6.6.6.6" not in logged


# === NOTHING IS LOST === #


def test_answer_sent_before_the_end_of_the_request_arrives(front):
    size = 20 * 1024 * 1024
    head = ["POST /early HTTP/1.1", "Host: spar", f"Content-Length: {size}"]
    for _each in range(5):
        answer = send_raw(front.port, head, b" " * size)
        assert (answer.status, answer.body) == (413, b"early")


def test_parallel_requests_are_all_answered(front):
    with ThreadPoolExecutor(40) as pool:
        answers = list(
            pool.map(lambda number: send_get(front, f"/{number}"), range(400))
        )
    for number, answer in enumerate(answers):
        assert f"GET /{number} " in answer.json()["head"]


def test_head_in_pieces_is_read(front):
    with socket.create_connection(("127.0.0.1", front.port), TIMEOUT) as client:
        for piece in (b"GET / HT", b"TP/1.1\r\nHost: spar\r", b"\n\r", b"\n"):
            client.sendall(piece)
        assert b"200 OK" in client.recv(1000)


def test_silent_connections_block_no_request(front):
    """Browsers open spare connections; a worker of Odoo would wait on one."""
    silent = [
        socket.create_connection(("127.0.0.1", front.port), TIMEOUT) for _ in range(50)
    ]
    before = len(front.backends[0].heads)
    assert send_get(front).ok
    assert len(front.backends[0].heads) == before + 1
    for each in silent:
        each.close()


def test_endless_head_is_refused(front):
    answer = send_raw(front.port, ["GET / HTTP/1.1", "X: " + "x" * 200_000])
    assert answer.status == 431


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nA: b\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA: b\rX-Forwarded-For: 6.6.6.6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\nX-Forwarded-Proto: https\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n",
    ],
)
def test_other_line_endings_are_refused(front, head):
    """Odoo would read a header where the front read part of a value."""
    with socket.create_connection(("127.0.0.1", front.port), TIMEOUT) as peer:
        peer.sendall(head)
        assert peer.recv(65536).startswith(b"HTTP/1.1 400 ")
    passed = [head for backend in front.backends for head in backend.heads]
    assert all(b"/websocket/health" in head for head in passed)


def test_front_survives_more_connections_than_files(front):
    files = len(list(Path(f"/proc/{front.pid}/fd").iterdir()))
    resource.prlimit(front.pid, resource.RLIMIT_NOFILE, (files + 4, files + 4))
    with contextlib.ExitStack() as idle:
        for _number in range(12):
            peer = socket.create_connection(("127.0.0.1", front.port), TIMEOUT)
            idle.enter_context(peer)
            peer.sendall(b"GET / HTTP/1.1\r\n")
    assert send_get(front).status_code == 200


def test_unavailable_odoo_is_reported_with_retry_after(front):
    for backend in front.backends:
        backend.close()
    answer = send_get(front)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


# === THE REAL ONE === #


def test_odoo_websocket_opens(server):
    url = f"ws://127.0.0.1:{server.port}/websocket?version=19.0-2"
    opened = websocket.create_connection(url, timeout=TIMEOUT, origin=server.url)
    assert opened.getstatus() == 101
    opened.close()
