"""What work costs: processor time from the kernel, WAL and disk from PostgreSQL.

Processor time is what Linux has recorded for a process and all its descendants,
including those that have ended. WAL is the distance between two positions in it.
PostgreSQL writes a full image of each page when it first changes after a checkpoint;
the size of these images is read with the extension ``pg_walinspect`` where the server
is our own. It depends on the timing of checkpoints rather than on the work, and is
reported separately.
"""

import os
from dataclasses import dataclass

from .memory import PROC, get_family

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
#: Fields of ``/proc/<pid>/stat`` after the name: own time, and that of ended children.
TIMES = slice(11, 15)


def read_cpu_seconds(root: int | None) -> float | None:
    """Return the processor time of a process and its descendants, None if unknown.

    >>> read_cpu_seconds(None)
    """
    if root is None:
        return None
    ticks = [_read_ticks(pid) for pid in get_family(root)]
    known = [each for each in ticks if each is not None]
    return sum(known) * TICK_SECONDS if known else None


def _read_ticks(pid: int) -> int | None:
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return sum(map(int, stat.rpartition(")")[2].split()[TIMES]))


@dataclass(frozen=True)
class Watched:
    """What is measured: root processes, a database, a user that may read its WAL."""

    dsn: str
    odoo: int | None = None
    postgres: int | None = None
    #: the administrator's, for a database with ``pg_walinspect``; empty if there is
    #: none
    admin_dsn: str = ""


@dataclass
class Usage:
    """The total cost of a piece of work, in seconds and bytes."""

    odoo: float | None = None
    postgres: float | None = None
    client: float = 0.0
    wal: int = 0
    wal_images: int | None = None
    disk: int = 0

    def to_dict(self, items: int) -> dict:
        """Return the cost of one item, in microseconds and bytes.

        >>> Usage(odoo=2.0, client=1.0, wal=500).to_dict(1000)["cpu_us"]
        {'odoo': 2000.0, 'postgres': None, 'client': 1000.0}
        """
        seconds = {"odoo": self.odoo, "postgres": self.postgres, "client": self.client}
        plain = None if self.wal_images is None else self.wal - self.wal_images
        return {
            "cpu_us": {
                name: _divide(value, items, 10**6) for name, value in seconds.items()
            },
            "wal_bytes": _divide(self.wal, items),
            "wal_bytes_without_page_images": _divide(plain, items),
            "disk_bytes": _divide(self.disk, items),
        }


def _divide(value: float | None, items: int, factor: int = 1) -> float | None:
    return None if value is None or not items else round(value * factor / items, 2)
