"""The dialects in which another mapper can be called.

The wire format of each is a profile of ``lib.g2p_connect``; here is the rest that a
client must know. To add one, call ``register``; a backend names it by its code.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..contract import Capability
from ..g2p_connect.profiles import OPENG2P_1, OPENG2P_2, STRICT, Profile

_CHANGES = frozenset(
    {Capability.LINK, Capability.UPDATE, Capability.UNLINK, Capability.RESOLVE}
)


@dataclass(frozen=True)
class Dialect:
    """Paths below the mapper's URL, and what the other side can do."""

    profile: Profile
    #: paths of synchronous and asynchronous messages; "" where there are none
    sync_path: str
    async_path: str = ""
    status_path: str = ""
    capabilities: frozenset[Capability] = _CHANGES
    #: a resolve that names both an ID and an address compares them
    compares: bool = False

    @property
    def code(self) -> str:
        return self.profile.code

    @property
    def label(self) -> str:
        return self.profile.label


_DIALECTS: dict[str, Dialect] = {}


def register(dialect: Dialect) -> Dialect:
    """Register ``dialect`` under its code."""
    _DIALECTS[dialect.code] = dialect
    return dialect


def get_dialect(code: str) -> Dialect:
    """Return the dialect with ``code``; raises KeyError when there is none.

    >>> get_dialect("openg2p-1.x").sync_path
    '/sync/{operation}'
    """
    return _DIALECTS[code]


def selection() -> list[tuple[str, str]]:
    """Return ``(code, label)`` of every dialect, in the order of registration."""
    return [(dialect.code, dialect.label) for dialect in _DIALECTS.values()]


G2P_CONNECT = register(
    Dialect(
        STRICT,
        sync_path="/mapper/sync/{operation}",
        async_path="/mapper/{operation}",
        status_path="/mapper/sync/txn/status",
        capabilities=_CHANGES
        | {
            Capability.RESOLVE_BY_FA,
            Capability.TRANSACTION_STATUS,
            Capability.CHANGE_STATUS,
        },
        compares=True,
    )
)
register(Dialect(OPENG2P_1, "/sync/{operation}", "/async/{operation}"))
register(Dialect(OPENG2P_2, "/mapper/{operation}"))
