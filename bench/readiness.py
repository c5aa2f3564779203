"""Payment readiness of many people, beside the rate of resolving their IDs."""

from pathlib import Path

from setup.installation import Installation

SCRIPT = Path(__file__).with_name("scripts") / "readiness.py"
#: The share of the raw rate that a run reaches at least.
GOAL = 0.5


def measure_readiness(installation: Installation, people: int) -> dict:
    """Return what ``scripts/readiness.py`` measures with this many people.

    :raises Failure: when the totals are wrong, or Odoo's shell fails
    """
    places = installation.places
    words = {"SPAR_ROOT": str(places.root), "BENCH_PEOPLE": str(people)}
    measured = installation.run_script(SCRIPT, **words)
    rate = round(people / measured["seconds"])
    share = round(rate / measured["resolve_per_second"], 2)
    return {**measured, "people_per_second": rate, "of_resolve": share, "goal": GOAL}


def build_readiness_lines(measured: dict) -> list[str]:
    """Return the lines of the report for people."""
    return [
        "",
        f"payment readiness of {measured['people']:,} people: started in "
        f"{measured['start_seconds']:.1f} s, checked in {measured['seconds']:.1f} s",
        f"  {measured['people_per_second']:,} people/s, "
        f"{measured['of_resolve']:.0%} of resolving alone in one process "
        f"({measured['resolve_per_second']:,}/s; goal {measured['goal']:.0%})",
        f"  {measured['calls']:,} calls of at most {measured['people_a_call']:,} "
        f"people, {measured['statements_a_call']:.0f} statements each; memory "
        f"{measured['memory_before_mb']:.0f} MB before, "
        f"{measured['memory_tenth_mb']:.0f} MB after a tenth, "
        f"{measured['memory_end_mb']:.0f} MB at the end",
    ]
