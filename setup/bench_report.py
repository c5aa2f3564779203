"""What is told of a measurement: a table for people, JSON for programs."""

import json
from datetime import datetime, timezone
from pathlib import Path

from .bench_directory import build_directory_lines
from .places import write_private

COLUMNS = (
    f"{'work':<8}{'a call':>7}{'items/s':>10}{'calls/s':>9}{'p50 ms':>9}{'p95 ms':>9}"
    f"{'floor':>11}{'of floor':>10}{'of empty':>10}"
)


def build_report(told: dict, **about) -> dict:
    """The whole as programs read it.

    :param told: what `bench_load` measured
    :param about: what else is to be known: rows, clients, machine, memory
    """
    empty = told["empty_route"]["calls_per_second"]
    work = [{**row, **_build_shares(row, empty)} for row in told["work"]]
    wrong = sum(row["wrong"] for row in (*work, told["empty_route"]))
    made_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"made_at": made_at, **about, **told, "work": work, "wrong": wrong}


def _build_shares(row: dict, empty: float) -> dict:
    """How a kind of work compares, as parts of one."""
    floor = row["floor"]["items_per_second"]
    return {
        "of_floor": row["items_per_second"] / floor if floor else None,
        "of_empty_route": row["calls_per_second"] / empty if empty else None,
    }


def _format_row(row: dict) -> str:
    return (
        f"{row['work']:<8}{row['batch']:>7,}{row['items_per_second']:>10,.0f}"
        f"{row['calls_per_second']:>9,.1f}{row['p50_ms']:>9,.1f}{row['p95_ms']:>9,.1f}"
        f"{row['floor']['items_per_second']:>11,.0f}"
        f"{row['of_floor'] or 0:>10.0%}{row['of_empty_route'] or 0:>10.0%}"
    )


def build_table(report: dict) -> list[str]:
    """The lines that people read."""
    empty = report["empty_route"]
    lines = [
        f"{report['mappings']:,} mappings, {report['clients']} clients, "
        f"{report['workers']} workers, {report['seconds']:g} s each, "
        f"{report['cpus']} processors",
        "",
        COLUMNS,
        *(_format_row(row) for row in report["work"]),
        f"{'empty':<8}{'':>7}{'':>10}{empty['calls_per_second']:>9,.1f}"
        f"{empty['p50_ms']:>9,.1f}{empty['p95_ms']:>9,.1f}",
        "",
        "memory, MB",
    ]
    for process in report["memory"]:
        peak = f"  (at most {process['peak_mb']:.0f})" if process["peak_mb"] else ""
        lines.append(f"  {process['process']:<28}{process['rss_mb']:>7.0f}{peak}")
    if "directory" in report:
        lines += build_directory_lines(report["directory"])
    return lines


def write_report(folder: Path, report: dict) -> Path:
    """Write the report under its time, and as the latest."""
    text = json.dumps(report, indent=2) + "\n"
    name = report["made_at"].replace(":", "").replace("+0000", "Z")
    path = folder / f"{name}.json"
    for each in (path, folder / "latest.json"):
        write_private(each, text)
    return path
