"""What Odoo fetches from other servers while it serves a request.

Odoo asks for previews of links, for pictures and titles of videos, at addresses that a
caller names, even without a login. Its time limits start again with each byte, so a
server that sends one now and then occupies a worker until Odoo kills it; and it fetches
from our own network, too. Here all connections of one request share a time limit, and
lead to public addresses only (``lib/fetching.py``).

This is so for everything that uses ``requests``, ``urllib3`` or ``http.client``, for
each connection, and so for each redirect. Neither scheduled jobs nor our own calls
(``lib/outgoing.py``), which have limits of their own, are concerned, nor is mail.
"""

import http.client
import logging
import socket
import weakref
from urllib.parse import urlsplit

from urllib3.util import connection as urllib3_connection

from odoo.http import request

from ..lib.fetching import Connections, Time, find_addresses
from ..lib.waiting import FETCH_SECONDS

_logger = logging.getLogger(__name__)

#: The providers of logins that Odoo itself asks, and what holds their addresses.
_PROVIDERS = "auth.oauth.provider"
_PORTS = {"http": 80, "https": 443}

_connections = Connections()
#: The time of each request that has fetched something.
_times: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def limit_fetching() -> None:
    """Limit what Odoo fetches during a request, by every means that it has."""
    urllib3_connection.create_connection = _limit(urllib3_connection.create_connection)
    connect = http.client.HTTPConnection.connect
    create_limited = _limit(socket.create_connection)

    def connect_in_time(self):
        # Our own calls bring a connection along and never come here.
        self._create_connection = create_limited
        return connect(self)

    http.client.HTTPConnection.connect = connect_in_time


def _limit(create_connection):
    def create_limited(address, timeout=None, *arguments, **words):
        if not request:
            return create_connection(address, timeout, *arguments, **words)
        served = request._get_current_object()
        allotted = _times.setdefault(served, Time.begin(FETCH_SECONDS))
        host, port = address
        found = _find(host, port, allotted.get_left())
        failure = None
        for each in found:
            seconds = allotted.get_left(timeout)
            try:
                made = create_connection((each, port), seconds, *arguments, **words)
            except OSError as error:
                failure = error
            else:
                _connections.add(made, allotted.until, weakref.ref(served))
                return made
        raise failure

    return create_limited


def _find(host: str, port: int, seconds: float) -> list[str]:
    try:
        return find_addresses(host, port, seconds, _is_set)
    except OSError as error:
        _logger.info("Odoo does not fetch from another server: %s", error)
        raise


def _is_set(host: str, port: int) -> bool:
    """Return whether an administrator has set a provider of logins at this address."""
    if request.env is None or _PROVIDERS not in request.env:
        return False
    providers_sudo = request.env[_PROVIDERS].sudo().search([])
    return any(
        _is_at(provider_sudo[name], host, port)
        for provider_sudo in providers_sudo
        for name, field in provider_sudo._fields.items()
        if field.type == "char" and field.store
    )


def _is_at(url, host: str, port: int) -> bool:
    """Return whether a URL leads to this host and port."""
    try:
        parts = urlsplit(url or "")
        return (parts.hostname, parts.port or _PORTS.get(parts.scheme)) == (host, port)
    except ValueError:
        return False
