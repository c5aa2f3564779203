"""The one module that sends HTTP: backends, tokens, key sets, discovery, callbacks.

A host name is resolved once, every address is checked (``network_targets``), and the
connection goes to a checked address: there is no second look-up that could return
another one. TLS is verified against the name. No redirect is followed, no proxy of the
environment is used, an answer is read up to a maximum size, and one deadline applies to
the whole request.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from ..exceptions import (
    AnswerLost,
    AnswerTooLarge,
    CertificateInvalid,
    OutgoingFailed,
    OutgoingRefused,
    TargetTooSlow,
    TargetUnknown,
    TargetUnreachable,
    TlsUnavailable,
)
from .network_targets import ALLOW_VARIABLE, Address, AllowList, NetworkTarget

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TIMEOUT = 10.0
MAX_BYTES = 1024 * 1024

_CONNECT_TIMEOUT = 5.0
_CHUNK = 64 * 1024
_FIRST_PAUSE = 0.2


@dataclass(frozen=True)
class HttpResponse:
    """An answer, whatever its status; names of headers are in lower case."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = TIMEOUT,
    max_bytes: int = MAX_BYTES,
    allowed: AllowList | None = None,
    attempts: int = 1,
) -> HttpResponse:
    """Return the answer of ``url``; a redirect is an answer like any other.

    ``allowed`` is by default what the environment allows. More than one attempt is for
    requests that may arrive twice: a GET, or a message with an id of its own. Raises
    OutgoingRefused if nothing may be sent, else a leaf of OutgoingFailed.
    """
    allowed = get_allowed() if allowed is None else allowed
    target, deadline = NetworkTarget.parse(url), _Deadline(timeout)
    pause = _FIRST_PAUSE
    while True:
        attempts -= 1
        try:
            addresses = _resolve(target, allowed, deadline)
            return _send_once(
                target, addresses, method, headers or {}, body, max_bytes, deadline
            )
        except TargetTooSlow:
            raise
        except OutgoingFailed:
            if attempts < 1 or not deadline.has_time_for(pause):
                raise
        time.sleep(pause)
        pause *= 2


def check_url(url: str, timeout: float = TIMEOUT) -> None:
    """Raise OutgoingRefused or TargetUnknown if ``url`` could not be sent to now.

    It is called when a user enters an address: ``send`` checks it again.
    """
    _resolve(NetworkTarget.parse(url), get_allowed(), _Deadline(timeout))


def get_allowed() -> AllowList:
    """Return the private targets that the environment allows."""
    return AllowList.parse(os.environ.get(ALLOW_VARIABLE, ""))


class _Deadline:
    def __init__(self, seconds: float):
        self._end = time.monotonic() + seconds
        self.was_sent = False

    def get_left(self) -> float:
        """Return the remaining seconds; raises TargetTooSlow when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TargetTooSlow("the other server is too slow", self.was_sent)
        return left

    def has_time_for(self, seconds: float) -> bool:
        return self._end - time.monotonic() > seconds


# === TARGETS === #


def _resolve(
    target: NetworkTarget, allowed: AllowList, deadline: _Deadline
) -> tuple[Address, ...]:
    """Return the checked addresses of ``target``."""
    addresses = look_up(target.host, target.port, deadline.get_left())
    target.check(addresses, allowed)
    return addresses


def look_up(host: str, port: int, timeout: float) -> tuple[Address, ...]:
    """Return every address of ``host``; in a thread, as look-ups have no timeout."""
    found: queue.SimpleQueue[tuple[Address, ...]] = queue.SimpleQueue()
    thread = threading.Thread(
        target=_put_addresses, args=(host, port, found), daemon=True
    )
    thread.start()
    try:
        addresses = found.get(timeout=timeout)
    except queue.Empty:
        raise TargetTooSlow(f"{host}: its address cannot be found in time") from None
    if not addresses:
        raise TargetUnknown(f"{host}: the name has no address")
    return addresses


def _put_addresses(
    host: str, port: int, found: queue.SimpleQueue[tuple[Address, ...]]
) -> None:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        infos = []
    # A scope (fe80::1%eth0) belongs to addresses that are refused anyway.
    texts = dict.fromkeys(str(info[4][0]).partition("%")[0] for info in infos)
    found.put(tuple(map(ipaddress.ip_address, texts)))


# === ONE REQUEST === #


def _send_once(
    target: NetworkTarget,
    addresses: tuple[Address, ...],
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    max_bytes: int,
    deadline: _Deadline,
) -> HttpResponse:
    connection = http.client.HTTPConnection(target.host, target.port)
    # The name for the header Host, which omits the port of the scheme.
    connection.default_port = 443 if target.scheme == "https" else 80
    sock = _connect(target, addresses, deadline)
    connection.sock = _TimedSocket(sock, deadline)
    plain = {"Accept-Encoding": "identity", "Connection": "close", **headers}
    try:
        connection.request(method, target.path, body=body, headers=plain)
        return _read_answer(connection.getresponse(), max_bytes)
    except TimeoutError:
        raise TargetTooSlow(f"{target.host}: is too slow", deadline.was_sent) from None
    except ValueError:
        # http.client's message repeats the header, which may be a token.
        raise OutgoingRefused("a header contains invalid characters") from None
    except (OSError, http.client.HTTPException):
        raise AnswerLost(f"{target.host}: the response is incomplete") from None
    finally:
        connection.close()
        sock.close()


def _connect(
    target: NetworkTarget, addresses: tuple[Address, ...], deadline: _Deadline
) -> socket.socket:
    """Return a connection to the first address that accepts one, with TLS for https."""
    for address in addresses:
        timeout = min(deadline.get_left(), _CONNECT_TIMEOUT)
        try:
            plain = socket.create_connection((str(address), target.port), timeout)
        except OSError:
            continue
        return _secure(plain, target, deadline) if target.scheme == "https" else plain
    deadline.get_left()
    raise TargetUnreachable(f"{target.host}: no connection")


def _secure(
    plain: socket.socket, target: NetworkTarget, deadline: _Deadline
) -> socket.socket:
    try:
        plain.settimeout(deadline.get_left())
        return _get_tls_context().wrap_socket(plain, server_hostname=target.host)
    except TimeoutError:
        plain.close()
        raise TargetTooSlow(f"{target.host}: is too slow") from None
    except ssl.SSLCertVerificationError:
        plain.close()
        raise CertificateInvalid(
            f"{target.host}: its certificate is not valid for this name"
        ) from None
    except ssl.SSLError:
        plain.close()
        raise TlsUnavailable(f"{target.host}: it does not speak TLS") from None
    except (OSError, ValueError):
        plain.close()
        raise TargetUnreachable(f"{target.host}: no secure connection") from None


@lru_cache(maxsize=1)
def _get_tls_context() -> ssl.SSLContext:
    """Return the machine's trusted authorities (or SSL_CERT_FILE's), TLS 1.2 and up."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _read_answer(response: http.client.HTTPResponse, max_bytes: int) -> HttpResponse:
    headers = {name.lower(): value for name, value in response.getheaders()}
    if headers.get("content-encoding", "identity") != "identity":
        raise AnswerTooLarge("the response is compressed, which was not requested")
    body = response.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise AnswerTooLarge(f"the response has more than {max_bytes} bytes")
    if response.length:
        raise AnswerLost("the response ended too early")
    return HttpResponse(response.status, headers, body)


class _TimedSocket:
    """The part of a socket that ``http.client`` needs, with one deadline for all."""

    def __init__(self, sock: socket.socket, deadline: _Deadline):
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._deadline.was_sent = True
        for start in range(0, len(data), _CHUNK):
            self._sock.settimeout(self._deadline.get_left())
            self._sock.sendall(data[start : start + _CHUNK])

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._deadline))

    def close(self) -> None:
        """Do nothing: ``http.client`` calls this before the answer's body was read."""


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: _Deadline):
        super().__init__()
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._sock.settimeout(self._deadline.get_left())
        return self._sock.recv_into(buffer)
