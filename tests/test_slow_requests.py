"""Requests that arrive slowly, or have no clear end: Odoo itself, without a proxy.

The front of these tests passes bytes on as they arrive.
"""

import contextlib
import socket
import threading
import time

import pytest
import requests

from .raw import send_raw

#: SPAR_REQUEST_SECONDS of the server, and the delay that a busy machine adds.
REQUEST_SECONDS, SLACK = 30, 6
PATH = "/spar/v1/mapper/sync/link"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def get_head(server, *lines: str, path: str = PATH) -> list[str]:
    first = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}"]
    return [*first, f"Content-Type: {JSON}", *lines]


def drip(server, path: str, answers: list) -> None:
    """Send a body at a byte per second until the server closes the connection."""
    head = get_head(server, "Content-Length: 1000", path=path)
    with socket.create_connection(("127.0.0.1", server.port), 120) as peer:
        peer.sendall("\r\n".join([*head, "", ""]).encode())
        peer.settimeout(1)
        answer = b""
        for _number in range(3 * REQUEST_SECONDS):
            try:
                peer.sendall(b" ")
                if not (data := peer.recv(65536)):
                    break
                answer += data
            except TimeoutError:
                continue
            except OSError:
                break
        answers.append(answer)


@pytest.mark.parametrize("path", [PATH, "/spar/v1/nowhere", "/web/login"])
def test_bodies_at_one_byte_a_second_time_out(server, path):
    answers: list[bytes] = []
    words = (server, path, answers)
    dripping = [threading.Thread(target=drip, args=words) for _each in range(2)]
    begin = time.monotonic()
    with server.expecting("No CSRF validation token"):
        for each in dripping:
            each.start()
        time.sleep(1)
        assert requests.get(f"{server.api}/health", timeout=120).ok
        assert time.monotonic() - begin < REQUEST_SECONDS + SLACK
        for each in dripping:
            each.join()
    if path == PATH:
        assert all(b" 408 " in answer for answer in answers), answers
        assert all(b"err.request.timeout" in answer for answer in answers)


@pytest.mark.parametrize("path", [PATH, "/spar/v1/oauth2/client/token", "/web/login"])
def test_conflicting_lengths_are_refused(server, path):
    lines = ("Content-Length: 5", "Transfer-Encoding: chunked")
    head = get_head(server, *lines, path=path)
    head[2] = f"Content-Type: {JSON if path == PATH else FORM}"
    answer = send_raw(server.port, head, b"2\r\n{}\r\n0\r\n\r\n")
    assert answer.status == 400


@pytest.mark.parametrize("path", [PATH, "/spar/v1/oauth2/client/token"])
def test_chunked_body_over_the_limit_is_refused(server, path):
    head = get_head(server, "Transfer-Encoding: chunked", path=path)
    if path != PATH:
        head[2] = f"Content-Type: {FORM}"
    size = 5 * 1024 * 1024
    body = f"{size:x}\r\n".encode() + b" " * size + b"\r\n0\r\n\r\n"
    answer = send_raw(server.port, head, body)
    assert answer.status == 413
    assert answer.document["errors"][0]["code"] == "err.request.bad"


def test_chunked_body_within_the_limit_is_read(server):
    head = get_head(server, "Transfer-Encoding: chunked")
    answer = send_raw(server.port, head, b"2\r\n{}\r\n0\r\n\r\n")
    assert answer.status == 401


def test_broken_chunk_is_not_taken_for_a_slow_one(server):
    head = get_head(server, "Transfer-Encoding: chunked")
    answer = send_raw(server.port, head, b"zz\r\n{}\r\n0\r\n\r\n")
    assert answer.status == 400


def test_access_log_lines_are_short(server):
    """60 kB of our own name used to take the filter three seconds."""
    start = server.log.stat().st_size
    with contextlib.closing(requests.Session()) as session:
        session.get(f"{server.url}/spar/{'x' * 15_000}", timeout=60)
        session.get(f"{server.url}/spar{'/spar' * 3000}", timeout=60)
    with open(server.log, "rb") as log:
        log.seek(start)
        lines = log.read().splitlines()
    assert any(b"/spar" in line for line in lines)
    assert max(map(len, lines)) < 4000
