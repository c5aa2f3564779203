"""A single port for browsers, where Odoo with workers listens on two.

Odoo's workers cannot answer a websocket: a process of its own does, on another port.
This program passes each connection on to the right one of the two, as a reverse proxy
does in production, and adds the client's address (``X-Forwarded-For``). Odoo closes
each connection after one response, so that only the head of the first request needs to
be read. A single event loop handles all connections: one thread for each connection
would take twice the time.

    python -m setup.front FILE    serve as FILE says: {"port", "http", "websocket"}
"""

import errno
import json
import select
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from .front_heads import END, is_for_websocket, is_well_formed, rewrite_head

HOST = "127.0.0.1"
BACKLOG = 1024
CHUNK = 256 * 1024
HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 30
#: How long to wait when no more files can be opened.
FULL_SECONDS = 0.05
#: How long a client may still send after its response was sent.
LINGER_SECONDS = 2


# === CONNECTIONS === #


def build_refusal(status: str, text: str) -> bytes:
    """Return a response of our own, for when Odoo gives none."""
    lines = (
        f"HTTP/1.1 {status}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(text)}",
        "Retry-After: 1",
        "Connection: close",
    )
    return "\r\n".join(lines).encode() + END + text.encode()


UNREADABLE = build_refusal("400 Bad Request", "The head of the request is invalid.")
TOO_LONG = build_refusal(
    "431 Request Header Fields Too Large", "The head of the request is too long."
)
UNAVAILABLE = build_refusal("503 Service Unavailable", "Odoo is starting.")


class Side:
    """One end of a connection: the data still to send to it, whether it still sends."""

    def __init__(self, connection: socket.socket):
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.unsent = b""
        self.sends, self.takes, self.ends = True, True, False
        self.refused = False
        self.watched = 0

    def receive(self) -> bytes | None:
        """Return the data received, or None if there is none yet.

        No bytes mean that the other side has finished sending, or has hung up.
        """
        try:
            return self.socket.recv(CHUNK)
        except BlockingIOError:
            return None
        except OSError as error:
            self._note(error)
            return b""

    def send(self, data: bytes) -> None:
        """Send data, or keep it for later; drop what is no longer accepted."""
        self.unsent = self.unsent + data if self.unsent else data
        try:
            while self.takes and self.unsent:
                self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._note(error)
            self.takes, self.unsent = False, b""
        if self.ends and not self.unsent:
            self._shut()

    def end(self) -> None:
        """Signal that nothing more will be sent to this side."""
        self.ends = True
        self.send(b"")

    def _note(self, error: OSError) -> None:
        """Note a refused connection, which is only reported at its first use."""
        self.refused = self.refused or isinstance(error, ConnectionRefusedError)

    def _shut(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)


class Connection:
    """A client, and its connection to Odoo once the request's head is complete."""

    def __init__(self, front: "Front", client: socket.socket, address: str):
        self.front, self.address = front, address
        self.client, self.odoo = Side(client), None
        self.sides = [self.client]
        self.head = b""
        self.until = time.monotonic() + HEAD_SECONDS

    def begin(self) -> None:
        """Read what may have arrived already."""
        self._read(self.client)
        self.watch()

    def get_ready(self, side: Side, event: int) -> None:
        """Do what one of the sockets is ready for."""
        if side.unsent and event & ~select.EPOLLIN:
            side.send(b"")
        if side.watched & select.EPOLLIN and event & ~select.EPOLLOUT:
            self._read(side)
        self.watch()

    def watch(self) -> None:
        """Wait for the sockets that can make progress; hang up when none can."""
        for side, other in zip(self.sides, reversed(self.sides), strict=True):
            wanted = select.EPOLLIN if side.sends and not other.unsent else 0
            wanted |= select.EPOLLOUT if side.unsent else 0
            self.front.watch(self, side, wanted)
        if not any(side.watched for side in self.sides):
            self.close()

    def close(self) -> None:
        for side in self.sides:
            self.front.watch(self, side, 0)
            side.socket.close()
        self.front.connections.discard(self)

    def _read(self, side: Side) -> None:
        if (data := side.receive()) is None:
            return
        if self.odoo:
            self._pass(side, data)
        else:
            self._read_head(data)

    def _read_head(self, data: bytes) -> None:
        self.head += data
        head, end, _rest = self.head.partition(END)
        if len(head) > HEAD_BYTES:
            self._refuse(TOO_LONG)
        elif not is_well_formed(head.removesuffix(b"\r")):
            self._refuse(UNREADABLE)
        elif end:
            self._find_odoo()
        elif not data:
            self.client.sends = False

    def _find_odoo(self) -> None:
        """Pass the request on to the right one of Odoo's ports."""
        try:
            odoo = socket.socket()
        except OSError:  # the limit of open files is reached
            return self._refuse(UNAVAILABLE)
        self.until = None
        head, _end, rest = self.head.partition(END)
        rewritten = rewrite_head(head, self.address, f"{HOST}:{self.front.port}")
        self.odoo = Side(odoo)
        self.sides.append(self.odoo)
        port = self.front.websocket if is_for_websocket(head) else self.front.http
        error = self.odoo.socket.connect_ex((HOST, port))
        self.odoo.refused = error == errno.ECONNREFUSED
        self.odoo.send(rewritten + rest)

    def _refuse(self, answer: bytes) -> None:
        """Answer in Odoo's place."""
        self.client.send(answer)
        self.client.end()
        self.until = time.monotonic() + LINGER_SECONDS

    def _pass(self, source: Side, data: bytes) -> None:
        """Pass on what one side sent, or its end."""
        target = self.odoo if source is self.client else self.client
        if data:
            return target.send(data)
        source.sends = False
        if source.refused and source is self.odoo:
            return self._refuse(UNAVAILABLE)
        target.end()
        if source is self.odoo:
            # A client that is still sending would lose the response if we hung up now.
            self.until = time.monotonic() + LINGER_SECONDS


class Front:
    """The listener that accepts connections and passes them on."""

    def __init__(self, port: int, http: int, websocket: int):
        self.port, self.http, self.websocket = port, http, websocket
        self.connections: set[Connection] = set()
        self._next_sweep = 0.0
        self._epoll = select.epoll()
        self._watched: dict[int, tuple[Connection, Side]] = {}

    def serve(self) -> None:
        """Listen, and never return."""
        with socket.create_server((HOST, self.port), backlog=BACKLOG) as listener:
            listener.setblocking(False)
            self._epoll.register(listener, select.EPOLLIN)
            while True:
                self._handle_events(listener)

    def watch(self, connection: Connection, side: Side, wanted: int) -> None:
        """Register for a socket's read and write events; 0 to unregister."""
        if wanted == side.watched:
            return
        number = side.socket.fileno()
        if not wanted:
            self._epoll.unregister(number)
            del self._watched[number]
        elif side.watched:
            self._epoll.modify(number, wanted)
        else:
            self._epoll.register(number, wanted)
            self._watched[number] = connection, side
        side.watched = wanted

    def _handle_events(self, listener: socket.socket) -> None:
        """Handle pending events; wait briefly if there are none."""
        for number, event in self._epoll.poll(1):
            if number == listener.fileno():
                self._accept(listener)
            elif number in self._watched:
                connection, side = self._watched[number]
                connection.get_ready(side, event)
        if (now := time.monotonic()) >= self._next_sweep:
            self._next_sweep = now + 1
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        """Hang up on connections whose time is over."""
        for each in list(self.connections):
            if each.until and each.until < now:
                each.close()

    def _accept(self, listener: socket.socket) -> None:
        try:
            client, (address, _port) = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                # No client can connect until another one leaves: do not spin meanwhile.
                time.sleep(FULL_SECONDS)
            return
        connection = Connection(self, client, address)
        self.connections.add(connection)
        connection.begin()


# === THE PROGRAM === #


def main(config: str) -> None:
    """Serve until a signal ends it."""
    Front(**json.loads(Path(config).read_text())).serve()


if __name__ == "__main__":
    main(sys.argv[1])
