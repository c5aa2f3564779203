"""A clerk's search for a person and the person's page, beside an empty form of Odoo."""

from pathlib import Path

from setup.installation import Installation

SCRIPT = Path(__file__).with_name("scripts") / "desk.py"
#: The longest that any of them may take, at any number of mappings.
GOAL_MS = 300
#: A clerk's searches of one day: more are refused.
MAX_SEARCHES = 200


def measure_desk(installation: Installation, searches: int) -> dict:
    """Return what ``scripts/desk.py`` measures with this many searches.

    :raises Failure: when a person is not found, or Odoo's shell fails
    """
    places = installation.places
    words = {
        "SPAR_ROOT": str(places.root),
        "BENCH_SEARCHES": str(min(searches, MAX_SEARCHES)),
    }
    return {**installation.run_script(SCRIPT, **words), "goal_ms": GOAL_MS}


def build_desk_lines(measured: dict) -> list[str]:
    """Return the lines of the report for people."""
    words = {
        "search": "search",
        "name": "search by name",
        "page": "person's page",
        "empty": "empty Odoo form",
    }
    return [
        "",
        f"the desk at {measured['rows']:,} people, ms (goal {measured['goal_ms']})",
        *(
            f"  {text:<16} p50 {measured[name]['p50_ms']:>7,.1f}"
            f"  p95 {measured[name]['p95_ms']:>7,.1f}"
            for name, text in words.items()
        ),
    ]
