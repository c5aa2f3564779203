"""The head of a request, as the front receives it and as it is passed on to Odoo."""

import re
from urllib.parse import unquote_to_bytes

END = b"\r\n\r\n"
#: Headers that we set: the client's address is ours to state, and whether a connection
#: is kept alive is ours to decide.
OURS = re.compile(rb"(x-forwarded-.*|x-real-ip|forwarded|connection|keep-alive)$")
WEBSOCKET = re.compile(rb"\S+ (?:https?://[^/ ]*)?/websocket[/? ]", re.IGNORECASE)


def is_well_formed(head: bytes) -> bool:
    r"""Return whether all line ends of a head are CR LF (RFC 9112 2.2), without a NUL.

    Odoo also takes a bare CR or LF for a line end, and would read as headers what we
    passed on as part of a value.

    >>> is_well_formed(b"GET / HTTP/1.1\r\nHost: a")
    True
    >>> is_well_formed(b"GET / HTTP/1.1\r\nA: b\nX-Forwarded-For: 6.6.6.6")
    False
    >>> is_well_formed(b"GET / HTTP/1.1\r\nA: b\rX-Forwarded-For: 6.6.6.6")
    False
    """
    rest = head.replace(b"\r\n", b"")
    return not any(sign in rest for sign in (b"\r", b"\n", b"\0"))


def is_for_websocket(head: bytes) -> bool:
    """Return whether a request is for Odoo's websocket port.

    >>> is_for_websocket(b"GET /websocket?version=19.0-2 HTTP/1.1")
    True
    >>> is_for_websocket(b"GET /%77ebsocket HTTP/1.1")
    True
    >>> is_for_websocket(b"GET /websockets HTTP/1.1")
    False
    """
    target = head.partition(b"\r\n")[0]
    return bool(WEBSOCKET.match(unquote_to_bytes(target)))


def _get_name(line: bytes) -> bytes:
    """Return a header's name as Odoo understands it: ``X_Real_IP`` is ``x-real-ip``."""
    return line.partition(b":")[0].strip().lower().replace(b"_", b"-")


def _keep(lines: list[bytes]) -> list[bytes]:
    """Return the headers that the client may set, each with its folded lines."""
    kept, keeps = [], False
    for line in lines:
        if not line.startswith((b" ", b"\t")):
            keeps = not OURS.match(_get_name(line))
        if keeps:
            kept.append(line)
    return kept


def rewrite_head(head: bytes, client: str, host: str) -> bytes:
    """Return the head of a request as Odoo receives it, with our headers first.

    :param client: the address of the client
    :param host: the address where we listen, for a client that names no host
    """
    first, *lines = head.removesuffix(END).split(b"\r\n")
    fields = {_get_name(line): line.partition(b":")[2].strip() for line in lines}
    upgrades = fields.get(b"upgrade", b"").lower() == b"websocket"
    ours = [
        b"X-Forwarded-For: " + client.encode(),
        b"X-Forwarded-Host: " + (fields.get(b"host") or host.encode()),
        b"X-Forwarded-Proto: http",
        b"Connection: " + (b"Upgrade" if upgrades else b"close"),
    ]
    return b"\r\n".join([first, *ours, *_keep(lines)]) + END
