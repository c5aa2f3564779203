"""A plugin for pytest: the counts of a run, written to the file that SPAR_TALLY names.

``./spar test`` runs several pytests side by side and reports their combined counts.
"""

import json
import os
from pathlib import Path

import pytest

BAD = {"failed": "FAILED", "error": "ERROR"}


def _get_message(report) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else str(report.longrepr)).strip().splitlines()
    return lines[0][:200] if lines else ""


def _describe(word: str, report) -> str:
    message = _get_message(report)
    return f"{word} {report.nodeid}" + (f" - {message}" if message else "")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Record how many tests had which outcome, and which ones are bad."""
    stats = terminalreporter.stats
    counts = {
        outcome: sum(getattr(each, "count_towards_summary", True) for each in reports)
        for outcome, reports in stats.items()
        if outcome  # setups and teardowns that passed have none
    }
    bad = [
        _describe(word, report)
        for outcome, word in BAD.items()
        for report in stats.get(outcome, ())
    ]
    tally = Path(os.environ["SPAR_TALLY"])
    tally.write_text(json.dumps({"counts": counts, "bad": bad}))
