"""A large file of accounts: how long it takes to check and to load."""

from pathlib import Path

from setup.installation import Installation

SCRIPT = Path(__file__).with_name("scripts") / "accounts.py"


def measure_accounts(installation: Installation, rows: int) -> dict:
    """Return what ``scripts/accounts.py`` measures with a file of this many rows.

    :raises Failure: when a row is refused, or Odoo's shell fails
    """
    places = installation.places
    words = {"SPAR_ROOT": str(places.root), "BENCH_ACCOUNTS": str(rows)}
    return installation.run_script(SCRIPT, **words)


def build_account_lines(measured: dict) -> list[str]:
    """Return the lines of the report for people."""
    return [
        "",
        f"file of {measured['rows']:,} accounts: memory "
        f"{measured['memory_before_mb']:.0f} MB before, "
        f"{measured['memory_after_mb']:.0f} MB after",
        f"  {'':<32}{'seconds':>9}{'rows/s':>9}{'CPU s':>9}",
        *(
            f"  {name:<32}{run['seconds']:>9,.1f}{run['rows_per_second']:>9,.0f}"
            f"{run['cpu_seconds']:>9,.1f}"
            for name, run in measured["runs"].items()
        ),
    ]
