"""How much memory the processes of the server use, as reported by Linux."""

import os
from collections import defaultdict
from pathlib import Path

PROC = Path("/proc")
KINDS = ("WorkerHTTP", "WorkerCron", "gevent")


def _read_parents() -> dict[int, int]:
    """Return the parent of each process; empty on systems that do not report it."""
    parents = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    return parents


def get_family(root: int) -> list[int]:
    """Return a process and all its descendants, the oldest first."""
    children = defaultdict(list)
    for pid, parent in _read_parents().items():
        children[parent].append(pid)
    found = [root]
    for pid in found:
        found += sorted(children[pid])
    return found


def read_size(pid: int, file: str, name: str) -> float:
    """Return a line of a process's memory in MB; 0 if it cannot be read."""
    try:
        lines = (PROC / str(pid) / file).read_text().splitlines()
    except OSError:
        return 0.0
    sizes = [int(line.split()[1]) for line in lines if line.startswith(f"{name}:")]
    return round(sum(sizes) / 1000, 1)


def _get_kind(pid: int, root: int) -> str:
    if pid == root:
        return "master"
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        words = ""
    return next((kind for kind in KINDS if kind in words), "worker")


def get_odoo_memory(root: int) -> list[dict]:
    """Return the current and peak memory of Odoo's processes, in MB."""
    return [
        {
            "process": f"odoo {_get_kind(pid, root)}",
            "rss_mb": read_size(pid, "status", "VmRSS"),
            "peak_mb": read_size(pid, "status", "VmHWM"),
        }
        for pid in get_family(root)
        if (PROC / str(pid)).exists()
    ]


def get_postgres_memory(root: int) -> list[dict]:
    """Return the memory of all PostgreSQL processes; shared memory counts once."""
    family = get_family(root)
    shared = sum(read_size(pid, "smaps_rollup", "Pss") for pid in family)
    plain = sum(read_size(pid, "status", "VmRSS") for pid in family)
    return [
        {
            "process": f"postgres ({len(family)} processes)",
            "rss_mb": round(shared or plain, 1),
            "peak_mb": None,
        }
    ]


def get_cpu_count() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
