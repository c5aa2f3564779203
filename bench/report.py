"""The report of a measurement: a table for people, JSON for programs."""

import json
from datetime import datetime, timezone
from pathlib import Path

from setup.places import write_private

from .accounts import build_account_lines
from .desk import build_desk_lines
from .directory import build_directory_lines
from .readiness import build_readiness_lines

COLUMNS = (
    f"{'work':<8}{'a call':>7}{'items/s':>10}{'calls/s':>9}{'goal':>9}{'p50 ms':>9}"
    f"{'p95 ms':>9}{'floor':>11}{'of floor':>10}{'of empty':>10}"
)
COST_COLUMNS = (
    f"{'work':<8}{'a call':>7}{'odoo':>8}{'postgres':>9}{'together':>9}{'goal':>7}"
    f"{'client':>8}{'floor':>8}{'x floor':>8}{'WAL':>9}{'no pages':>9}{'goal':>7}"
    f"{'disk':>9}"
)
#: The targets of the design; processor time is that of Odoo and PostgreSQL together.
GOALS: dict[tuple[str, int], dict[str, float]] = {
    ("resolve", 1000): {"items_per_second": 38_000, "of_floor": 0.65, "cpu_us": 50},
    ("signed", 1): {"calls_per_second": 400, "of_empty_route": 0.6},
    ("link", 1): {"calls_per_second": 160},
    ("link", 1000): {
        "items_per_second": 12_000,
        "cpu_us": 130,
        "cpu_of_floor": 1.8,
        "wal_bytes": 3000,
    },
    ("update", 1000): {
        "items_per_second": 11_000,
        "cpu_us": 150,
        "cpu_of_floor": 1.8,
        "wal_bytes": 3500,
    },
    ("unlink", 1000): {
        "items_per_second": 15_000,
        "cpu_us": 110,
        "cpu_of_floor": 1.8,
    },
}
_FLOORS = {
    "floor": "with triggers",
    "floor_without_triggers": "without",
    "floor_of_one_row": "one row",
}
_NONE = "-"


def build_report(measured: dict, **about) -> dict:
    """Return the whole report as programs read it.

    :param measured: what ``load.py`` measured
    :param about: further facts to record: rows, clients, machine, memory
    """
    empty = measured["empty_route"]["calls_per_second"]
    work = [{**row, **_build_shares(row, empty)} for row in measured["work"]]
    wrong = sum(row["wrong"] for row in (*work, measured["empty_route"]))
    made_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"made_at": made_at, **about, **measured, "work": work, "wrong": wrong}


def _build_shares(row: dict, empty: float) -> dict:
    """Return how a kind of work compares with the floor and with its targets."""
    floor = row["floor"]["items_per_second"]
    served = _add(row["cpu_us"]["odoo"], row["cpu_us"]["postgres"])
    bare = _add(row["floor"]["cpu_us"]["postgres"], row["floor"]["cpu_us"]["client"])
    return {
        "of_floor": row["items_per_second"] / floor if floor else None,
        "of_empty_route": row["calls_per_second"] / empty if empty else None,
        "cpu_us_served": served,
        "cpu_us_floor": bare,
        "cpu_of_floor": round(served / bare, 2) if served and bare else None,
        "goals": GOALS.get((row["work"], row["batch"]), {}),
    }


def _add(*values: float | None) -> float | None:
    """Return the sum; None if any part is unknown.

    >>> _add(1.5, 2), _add(1, None)
    (3.5, None)
    """
    return None if None in values else round(sum(values), 2)


def _show(value: float | None, width: int, form: str = ",.0f") -> str:
    """Return a figure formatted for its column.

    >>> _show(1234.5, 8), _show(None, 4), _show(0.5, 5, ".0%")
    ('   1,234', '   -', '  50%')
    """
    return f"{_NONE if value is None else format(value, form):>{width}}"


def _format_row(row: dict) -> str:
    goals = row["goals"]
    goal = goals.get("items_per_second") or goals.get("calls_per_second")
    return (
        f"{row['work']:<8}{row['batch']:>7,}{row['items_per_second']:>10,.0f}"
        f"{row['calls_per_second']:>9,.1f}{_show(goal, 9)}"
        f"{row['p50_ms']:>9,.1f}{row['p95_ms']:>9,.1f}"
        f"{row['floor']['items_per_second']:>11,.0f}"
        f"{_show(row['of_floor'], 10, '.0%')}{_show(row['of_empty_route'], 10, '.0%')}"
    )


def _format_cost(row: dict) -> str:
    cpu, goals = row["cpu_us"], row["goals"]
    return (
        f"{row['work']:<8}{row['batch']:>7,}{_show(cpu['odoo'], 8)}"
        f"{_show(cpu['postgres'], 9)}{_show(row['cpu_us_served'], 9)}"
        f"{_show(goals.get('cpu_us'), 7)}{_show(cpu['client'], 8)}"
        f"{_show(row['cpu_us_floor'], 8)}{_show(row['cpu_of_floor'], 8, '.2f')}"
        f"{_show(row['wal_bytes'], 9)}"
        f"{_show(row['wal_bytes_without_page_images'], 9)}"
        f"{_show(goals.get('wal_bytes'), 7)}{_show(row['disk_bytes'], 9)}"
    )


def _format_empty(empty: dict) -> list[str]:
    """Return the empty route's lines in both tables."""
    cpu = empty["cpu_us"]
    served = _add(cpu["odoo"], cpu["postgres"])
    return [
        f"{'empty':<8}{'':>7}{'':>10}{empty['calls_per_second']:>9,.1f}{'':>9}"
        f"{empty['p50_ms']:>9,.1f}{empty['p95_ms']:>9,.1f}",
        f"{'empty':<8}{'':>7}{_show(cpu['odoo'], 8)}{_show(cpu['postgres'], 9)}"
        f"{_show(served, 9)}{'':>7}{_show(cpu['client'], 8)}",
    ]


def _build_floor_lines(work: list[dict]) -> list[str]:
    """Return the floors of writes side by side."""
    lines = []
    for row in work:
        floors = {name: row[name] for name in _FLOORS if name in row}
        if len(floors) == 1:
            continue
        parts = [
            f"{_FLOORS[name]} {floor['items_per_second']:,.0f}/s "
            f"({_show(_add(floor['cpu_us']['postgres'], floor['cpu_us']['client']), 0)}"
            f" us, {_show(floor['wal_bytes_without_page_images'], 0)} B)"
            for name, floor in floors.items()
        ]
        lines.append(f"  {row['work']:<8}{row['batch']:>6,}  {', '.join(parts)}")
    return lines


def _build_memory_lines(memory: list[dict]) -> list[str]:
    lines = ["", "memory, MB"]
    for process in memory:
        peak = f"  (at most {process['peak_mb']:.0f})" if process["peak_mb"] else ""
        lines.append(f"  {process['process']:<28}{process['rss_mb']:>7.0f}{peak}")
    return lines


def build_table(report: dict) -> list[str]:
    """Return the lines of the table for people."""
    work, (empty, empty_cost) = report["work"], _format_empty(report["empty_route"])
    lines = [
        f"{report['mappings']:,} mappings, {report['clients']} clients, "
        f"{report['workers']} workers, {report['seconds']:g} s each, "
        f"{report['cpus']} processors; {report['python']}",
        "",
        COLUMNS,
        *map(_format_row, work),
        empty,
        "",
        "per item: processor time in us (floor: PostgreSQL and client), WAL and disk "
        "in bytes; 'no pages': WAL without full-page images",
        COST_COLUMNS,
        *map(_format_cost, work),
        empty_cost,
        "",
        "floors of writes: the store's own rows by bare psycopg2, and one plain row",
        *_build_floor_lines(work),
        *_build_memory_lines(report["memory"]),
    ]
    if "desk" in report:
        lines += build_desk_lines(report["desk"])
    if "readiness" in report:
        lines += build_readiness_lines(report["readiness"])
    if "directory" in report:
        lines += build_directory_lines(report["directory"])
    if "accounts" in report:
        lines += build_account_lines(report["accounts"])
    return lines


def write_report(folder: Path, report: dict) -> Path:
    """Write the report under its timestamp, and as the latest one."""
    text = json.dumps(report, indent=2) + "\n"
    name = report["made_at"].replace(":", "").replace("+0000", "Z")
    path = folder / f"{name}.json"
    for each in (path, folder / "latest.json"):
        write_private(each, text)
    return path
