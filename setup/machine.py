"""What the machine must offer before anything long starts."""

import os
import random
import shutil
import socket
from pathlib import Path

from .errors import Failure

GIBIBYTE = 1024**3
#: Where Linux states the memory limit of a container, for both versions of cgroups.
MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
#: Below the range that Linux, macOS and the BSDs use for outgoing connections.
SERVERS_PORTS = range(20000, 32000)


def check_disk(folder: Path, gibibytes: float) -> None:
    """Check that the disk has enough room before starting.

    :raises Failure: naming what is missing
    """
    free = shutil.disk_usage(folder).free / GIBIBYTE
    if free < gibibytes:
        raise Failure(
            f"Too little disk: {folder} has {free:.1f} GiB free, "
            f"{gibibytes:.1f} GiB are needed. Make room and run this again."
        )


def get_memory_bytes() -> int:
    """Return the memory that processes here may use: the machine's, or a limit.

    0 if the system does not report it.
    """
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0
    limits = [read_limit(path) for path in MEMORY_LIMITS]
    return min(memory, *(limit for limit in limits if limit), memory)


def read_limit(path: Path) -> int:
    """Return the limit of a control group in bytes; 0 if there is none."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such group, or "max"
        return 0


def is_port_free(port: int) -> bool:
    """Return whether a process could listen on the port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def check_port(port: int) -> None:
    """Check that a port is free.

    :raises Failure: when the port is taken or is not a valid port
    """
    if not 0 < port < 65536:
        raise Failure(f"{port} is not a port: choose one between 1 and 65535.")
    if not is_port_free(port):
        raise Failure(
            f"Port {port} is in use: stop the program that uses it, or choose another "
            "with --port."
        )


def get_free_ports(count: int) -> list[int]:
    """Return distinct ports of this machine on which nothing is listening now.

    None of them is one that the system gives to outgoing connections: such a port may
    be taken before a slow-starting server listens on it.
    """
    found: list[int] = []
    for port in random.sample(SERVERS_PORTS, len(SERVERS_PORTS)):
        if len(found) == count:
            break
        if is_port_free(port):
            found.append(port)
    return found


def get_free_port() -> int:
    """Return a port of this machine on which nothing is listening now."""
    (port,) = get_free_ports(1)
    return port
