"""A large directory: how long it takes to load and to search."""

from pathlib import Path

from setup.installation import Installation

from .country import QUERIES

SCRIPT = Path(__file__).with_name("scripts") / "directory.py"


def measure_directory(
    installation: Installation, branches: int, queries: int = QUERIES
) -> dict:
    """Return what ``scripts/directory.py`` measures with this many branches.

    :raises Failure: when a row is rejected, or Odoo's shell fails
    """
    places = installation.places
    words = {
        "SPAR_ROOT": str(places.root),
        "BENCH_BRANCHES": str(branches),
        "BENCH_QUERIES": str(queries),
    }
    return installation.run_script(SCRIPT, **words)


def build_directory_lines(measured: dict) -> list[str]:
    """Return the lines of the report for people."""
    loading = measured["loading"]
    rows = {"all searches": measured["search"], **measured["kinds"]}
    return [
        "",
        f"directory of {loading['branches']:,} branches: loaded in "
        f"{loading['seconds']:,.0f} s, memory {loading['memory_before_mb']:.0f} MB "
        f"before, {loading['memory_most_mb']:.0f} MB at most",
        f"  {'search':<32}{'p50 ms':>9}{'p95 ms':>9}",
        *(
            f"  {name:<32}{row['p50_ms']:>9.1f}{row['p95_ms']:>9.1f}"
            for name, row in rows.items()
        ),
    ]
