"""The shipped configuration of the proxy: it buffers, and trusts no client."""

import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest
import requests

from setup.machine import get_free_port, get_free_ports
from setup.places import ROOT

from .raw import send_raw

SHIPPED = (ROOT / "docs" / "nginx.conf").read_text()
PLAIN = re.sub(r"#.*", "", SHIPPED)
TIMEOUT = 20
#: The body is sent in parts, with this pause between them.
PARTS, PAUSE = 8, 0.5


# === THE TEXT === #


@pytest.mark.parametrize(
    "directive",
    [
        "proxy_request_buffering on",
        "proxy_buffering on",
        "proxy_next_upstream off",
        "client_header_timeout 10s",
        "client_body_timeout 10s",
        "proxy_set_header X-Forwarded-For $remote_addr",
        'proxy_set_header Forwarded ""',
    ],
)
def test_config_has_the_promised_directives(directive):
    assert f"{directive};" in PLAIN


def test_locations_do_not_drop_headers_of_the_server():
    """Headers set in a location replace all of the server's."""
    for place in re.findall(r"location [^{]*\{([^}]*)\}", PLAIN):
        if "proxy_set_header" in place:
            for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded"):
                assert f"proxy_set_header {name} " in place
        assert "buffering off" not in place
    assert "$proxy_add_x_forwarded_for" not in PLAIN


def test_body_limit_equals_the_limit_of_the_server():
    text = (ROOT / "spar_g2p_connect" / "const.py").read_text()
    assert "MAX_MESSAGE_SIZE = 4 * 1024 * 1024" in text
    (place,) = re.findall(r"location /spar/v1 \{([^}]*)\}", PLAIN)
    assert "client_max_body_size 4m;" in place


# === THE BEHAVIOUR === #


class Origin:
    """A stand-in for Odoo: it records how long each request took to arrive."""

    def __init__(self, port: int):
        self.taken: list[tuple[float, bytes]] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _address = self._listener.accept()
                with peer:
                    self._answer(peer)

    def _answer(self, peer: socket.socket) -> None:
        """Answer one after the other, as a worker does."""
        begin, received = time.monotonic(), b""
        while b"\r\n\r\n" not in received:
            if not (data := peer.recv(65536)):
                return
            received += data
        head, _end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        while length and len(body) < int(length[1]):
            body += peer.recv(65536)
        self.taken.append((time.monotonic() - begin, head))
        lines = ("HTTP/1.1 200 OK", "Content-Length: 2", "Connection: close")
        peer.sendall("\r\n".join([*lines, "", "ok"]).encode())

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def build_config(folder, port: int, http: int, websocket: int) -> str:
    """Return the shipped file as it runs here: other ports, no certificate."""
    config = SHIPPED.replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    config = re.sub(r"(?m)^ *ssl_.*$", "", config)
    config = config.replace("127.0.0.1:8069", f"127.0.0.1:{http}")
    config = config.replace("127.0.0.1:8072", f"127.0.0.1:{websocket}")
    config = config.replace("10s;", "2s;")  # for clients that stop in the middle
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    return (
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        "worker_processes 1; events {}\n"
        f"http {{\naccess_log off;\n{places}{config}\n}}\n"
    )


@pytest.fixture
def proxy(tmp_path):
    """Yield the port of nginx with the shipped configuration, and its origin."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")
    nginx = shutil.which("nginx") or nginx
    if not nginx:
        pytest.skip("nginx is not on this machine: its configuration is read only")
    port, http, websocket = get_free_ports(3)
    config = tmp_path / "nginx.conf"
    config.write_text(build_config(tmp_path, port, http, websocket))
    tmp_path.chmod(0o755)
    origin = Origin(http)
    command = [nginx, "-p", tmp_path, "-e", tmp_path / "error.log", "-c", config]
    process = subprocess.Popen([str(part) for part in command])
    try:
        wait_for(port, process, tmp_path / "error.log")
        yield port, origin
    finally:
        process.terminate()
        process.wait()
        origin.close()


def wait_for(port: int, process, log) -> None:
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text() if log.exists() else "nginx does not start")


def send_slowly(port: int, path: str) -> bytes:
    """Send a body part by part; return the answer."""
    head = f"POST {path} HTTP/1.1\r\nHost: spar\r\nContent-Length: {PARTS}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as peer:
        peer.sendall(head.encode())
        for _number in range(PARTS):
            time.sleep(PAUSE)
            peer.sendall(b"x")
        return peer.recv(65536)


@pytest.mark.parametrize("path", ["/spar/v1/mapper/sync/link", "/web/login"])
def test_slow_body_blocks_no_other_request(proxy, path):
    port, origin = proxy
    slow = threading.Thread(target=send_slowly, args=(port, path))
    slow.start()
    begin = time.monotonic()
    answer = requests.get(f"http://127.0.0.1:{port}/", timeout=TIMEOUT)
    assert answer.text == "ok"
    assert time.monotonic() - begin < PARTS * PAUSE / 2
    slow.join()
    assert len(origin.taken) == 2
    assert all(seconds < PARTS * PAUSE / 2 for seconds, _head in origin.taken)


def test_silent_connections_block_no_request_and_time_out(proxy):
    port, origin = proxy
    with contextlib.ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), TIMEOUT))
            for _number in range(50)
        ]
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=TIMEOUT).ok
        assert len(origin.taken) == 1
        silent[0].sendall(b"GET / HT")
        with contextlib.suppress(ConnectionResetError):
            assert silent[0].recv(1000) == b""


def test_incomplete_body_is_not_passed_on(proxy):
    port, origin = proxy
    head = b"POST /spar/v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as peer:
        peer.sendall(head)
        with contextlib.suppress(ConnectionResetError):
            peer.recv(65536)
    assert origin.taken == []


def test_chunks_reach_odoo_with_their_length(proxy):
    port, origin = proxy
    head = ["POST /spar/v1/x HTTP/1.1", "Host: a", "Transfer-Encoding: chunked"]
    answer = send_raw(port, [*head, "Connection: close"], b"3\r\nabc\r\n0\r\n\r\n")
    assert answer.status == 200
    ((_seconds, passed),) = origin.taken
    assert b"content-length: 3" in passed.lower()
    assert b"transfer-encoding" not in passed.lower()


@pytest.mark.parametrize(
    ("lines", "body", "status"),
    [
        (["Content-Length: 3", "Transfer-Encoding: chunked"], b"0\r\n\r\n", 400),
        (["Content-Length: 5000000"], b"", 413),
        (
            ["Transfer-Encoding: chunked"],
            b"500000\r\n" + b"x" * 0x500000 + b"\r\n0\r\n\r\n",
            413,
        ),
    ],
)
def test_requests_refused_by_the_proxy_are_answered_in_json(proxy, lines, body, status):
    port, origin = proxy
    head = ["POST /spar/v1/mapper/sync/link HTTP/1.1", "Host: a", *lines]
    answer = send_raw(port, [*head, "Connection: close"], body)
    assert answer.status == status
    assert origin.taken == []
    if status != 400:  # before it has read the path, nginx answers in its own words
        assert answer.document["errors"][0]["code"].startswith("err.")


def test_unavailable_origin_is_reported_in_json(proxy):
    port, origin = proxy
    origin.close()
    answer = send_raw(port, ["GET /spar/v1/health HTTP/1.1", "Host: a"])
    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.document["errors"][0]["code"] == "err.service.unavailable"


def test_forged_client_address_is_dropped(proxy):
    port, origin = proxy
    lies = ["X-Forwarded-For: 6.6.6.6", "X-Real-IP: 6.6.6.6", "Forwarded: for=6.6.6.6"]
    assert send_raw(port, ["GET / HTTP/1.1", "Host: a", *lies]).status == 200
    ((_seconds, head),) = origin.taken
    assert b"6.6.6.6" not in head
    assert b"X-Forwarded-For: 127.0.0.1" in head


def test_databases_are_not_listed(proxy):
    port, origin = proxy
    head = ["GET /web/database/manager HTTP/1.1", "Host: a"]
    assert send_raw(port, head).status == 403
    assert origin.taken == []


def test_config_works_on_free_ports():
    """The replaced texts are in the shipped file, so that the tests cover that file."""
    config = build_config(ROOT, get_free_port(), 1, 2)
    for text in ("listen 443", "8069", "8072", "ssl_certificate"):
        assert text in SHIPPED
        assert text not in re.sub(r"#.*", "", config)
