"""Reading Odoo's logs: which lines are alarms, and which of them are allowed."""

import configparser
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ALARMING = re.compile(r"^\d{4}-\d\d-\d\d \S+ \d+ (?:WARNING|ERROR|CRITICAL) ")


def get_allowed(root: Path) -> list[str]:
    """Return the patterns of ``checklog-odoo.cfg``, the only list of allowed lines."""
    config = configparser.RawConfigParser()
    config.read(root / "checklog-odoo.cfg")
    return config.get("checklog-odoo", "ignore").split("\n")[1:]


def get_alarms(lines: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """Return the lines of level WARNING or above that match no allowed pattern.

    >>> get_alarms(["2026-01-01 10:00:00,000 7 WARNING db x: odd "], ["even"])
    ['2026-01-01 10:00:00,000 7 WARNING db x: odd']
    >>> get_alarms(["2026-01-01 10:00:00,000 7 WARNING db x: odd "], ["x: odd"])
    []
    """
    known = [re.compile(pattern) for pattern in allowed]
    return [
        line.rstrip()
        for line in lines
        if ALARMING.match(line) and not any(each.search(line) for each in known)
    ]


def read_alarms(logs: Iterable[Path], allowed: Iterable[str]) -> list[str]:
    """Return the alarms in those logs that exist."""
    patterns = list(allowed)
    return [
        alarm
        for log in logs
        if log.exists()
        for alarm in get_alarms(log.read_text(errors="replace").splitlines(), patterns)
    ]


def count_alike(alarms: Iterable[str]) -> Counter[str]:
    """Return how often each alarm occurred, regardless of time and process.

    >>> count_alike(["2026-01-01 10:00:00,000 7 ERROR db x: a",
    ...              "2026-01-01 11:11:11,111 8 ERROR db x: a"])
    Counter({'ERROR db x: a': 2})
    """
    return Counter(" ".join(alarm.split()[3:]) for alarm in alarms)
