"""Permitted targets of requests: public addresses, and those allowed by name.

A request that a stranger causes (a callback, a key set, a discovery document) must
reach nothing in our own network. So every address of a host name is checked, and those
that are not public unicast addresses are refused, whatever their form: an IPv4 address
inside an IPv6 one (RFC 4291 2.5.5, RFC 6052) counts as itself.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from ..exceptions import OutgoingRefused

#: The variable that allows private targets: ``host:port`` or a network.
ALLOW_VARIABLE = "SPAR_OUTGOING_ALLOW"

MAX_URL = 2048

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS = {"https": 443, "http": 80}
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Not private according to ``ipaddress`` in every version of Python, but never valid
#: targets: local NAT64, Teredo, 6to4, IPv4-compatible and site-local addresses; 6to4
#: relays.
_NEVER = tuple(
    map(
        ipaddress.ip_network,
        ("64:ff9b:1::/48", "2001::/32", "2002::/16", "::/96", "fec0::/10", "100::/64")
        + ("192.88.99.0/24", "192.0.0.0/24"),
    )
)


def is_public(address: Address) -> bool:
    """Return whether ``address`` belongs to a host on the public internet.

    >>> [is_public(ipaddress.ip_address(text)) for text in ("1.1.1.1", "10.0.0.1")]
    [True, False]
    >>> is_public(ipaddress.ip_address("::ffff:127.0.0.1"))
    False
    >>> is_public(ipaddress.ip_address("64:ff9b::7f00:1"))
    False
    """
    address = _unwrap(address)
    if any(address.version == n.version and address in n for n in _NEVER):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _unwrap(address: Address) -> Address:
    """Return the IPv4 address in an IPv6 address, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


@dataclass(frozen=True)
class AllowList:
    """Targets that may be private and may be reached without TLS."""

    hosts: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    @lru_cache(maxsize=16)
    def parse(cls, text: str) -> AllowList:
        """Return the list in ``text``; raises OutgoingRefused for an invalid entry.

        >>> allowed = AllowList.parse("idp.intern:8443, 10.1.0.0/16")
        >>> allowed.has("IDP.intern", 8443, ())
        True
        >>> allowed.has("other", 80, [ipaddress.ip_address("10.1.2.3")])
        True
        >>> allowed.has("idp.intern", 80, [ipaddress.ip_address("10.2.0.1")])
        False
        """
        hosts, networks = set(), []
        for entry in filter(None, map(str.strip, text.split(","))):
            match = _HOST_AND_PORT.fullmatch(entry)
            if match:
                hosts.add((match[1].strip("[]").lower(), int(match[2])))
            else:
                networks.append(_read_network(entry))
        return cls(frozenset(hosts), tuple(networks))

    def names(self, host: str, port: int) -> bool:
        """Return whether this target is allowed by its name.

        >>> AllowList.parse("idp.intern:8443, 10.1.0.0/16").names("IDP.intern", 8443)
        True
        """
        return (host.lower(), port) in self.hosts

    def has(self, host: str, port: int, addresses: tuple[Address, ...]) -> bool:
        """Return whether this target is allowed: by name, or by all its addresses."""
        if self.names(host, port):
            return True
        return bool(addresses) and all(map(self._has_address, addresses))

    def _has_address(self, address: Address) -> bool:
        address = _unwrap(address)
        return any(address.version == n.version and address in n for n in self.networks)


def _read_network(entry: str) -> Network:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        raise OutgoingRefused(
            f"{ALLOW_VARIABLE}: an entry is neither host:port nor a network"
        ) from None


@dataclass(frozen=True)
class NetworkTarget:
    """A URL in parts; ``path`` is the one in the request line."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> NetworkTarget:
        """Return the target of ``url``; raises OutgoingRefused, naming the error.

        >>> target = NetworkTarget.parse("https://payer.example/callback?x=1")
        >>> target.scheme, target.host, target.port, target.path
        ('https', 'payer.example', 443, '/callback?x=1')
        """
        if len(url) > MAX_URL or not re.fullmatch(r"[!-~]+", url):
            raise OutgoingRefused(
                "the address contains characters that are not allowed in a URL"
            )
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise OutgoingRefused("the address is not a URL") from None
        if parts.scheme not in _PORTS or not host or port == 0:
            raise OutgoingRefused("the address must begin with https:// and a host")
        if parts.username is not None or parts.password is not None:
            raise OutgoingRefused(
                "the address must not contain a user name or password"
            )
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], _get_path(parts))

    def check(self, addresses: tuple[Address, ...], allowed: AllowList) -> None:
        """Raise OutgoingRefused unless this target, at ``addresses``, may be called."""
        if allowed.has(self.host, self.port, addresses):
            return
        if self.scheme != "https":
            raise OutgoingRefused(f"{self.host}: the address must begin with https://")
        if not all(map(is_public, addresses)):
            raise OutgoingRefused(f"{self.host}: is not on the public internet")


def _get_path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
