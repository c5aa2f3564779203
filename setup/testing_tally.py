"""The counts of several runs of pytest, reported as those of one run."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: As pytest names and orders them.
OUTCOMES = (
    "failed",
    "passed",
    "skipped",
    "deselected",
    "xfailed",
    "xpassed",
    "warnings",
    "error",
)
NOTHING_COLLECTED = 5
GOOD = (0, NOTHING_COLLECTED)
WIDTH = 80


@dataclass
class Tally:
    """The number of tests with each outcome, and a line for each bad one."""

    counts: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.counts + other.counts, self.bad + other.bad)

    def add_error(self, what: str) -> None:
        """Count an error that occurred outside of every test."""
        self.counts["error"] += 1
        self.bad.append(f"ERROR {what}")


def read_tally(file: Path, name: str, code: int) -> Tally:
    """Return what a run counted; a run that ended badly has at least one error.

    :param name: of the run
    :param code: pytest's exit code
    """
    tally = Tally()
    if file.exists():
        document = json.loads(file.read_text())
        tally = Tally(Counter(document["counts"]), document["bad"])
    if code not in GOOD and not tally.bad:
        tally.add_error(f"{name}: pytest ended with {code} and names no test")
    return tally


def get_exit_code(codes: Sequence[int]) -> int:
    """Return one exit code for several runs; finding no tests is bad only if all do.

    >>> get_exit_code([0, 5]), get_exit_code([5, 5]), get_exit_code([0, 1])
    (0, 5, 1)
    """
    bad = [code for code in codes if code not in GOOD]
    if bad:
        return bad[0]
    return 0 if 0 in codes else NOTHING_COLLECTED


def _count(outcome: str, number: int) -> str:
    """Return a number with its outcome, in the singular or plural as pytest has it."""
    word = outcome.removesuffix("s") if outcome == "warnings" else outcome
    plural = outcome in ("warnings", "error") and number != 1
    return f"{number} {word}s" if plural else f"{number} {word}"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2f}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{seconds:.2f}s ({hours}:{minutes:02}:{rest:02})"


def build_closing_line(tally: Tally, seconds: float) -> str:
    """Return the line that pytest would close with.

    >>> build_closing_line(Tally(Counter(passed=3441, failed=2)), 1500.12).strip("= ")
    '2 failed, 3441 passed in 1500.12s (0:25:00)'
    >>> build_closing_line(Tally(Counter(error=2, warnings=1)), 9).strip("= ")
    '1 warning, 2 errors in 9.00s'
    """
    others = sorted(set(tally.counts) - set(OUTCOMES))
    parts = [
        _count(outcome, tally.counts[outcome])
        for outcome in (*OUTCOMES, *others)
        if tally.counts[outcome]
    ]
    words = ", ".join(parts) or "no tests ran"
    return f" {words} in {_time(seconds)} ".center(WIDTH, "=")


def build_summary(tally: Tally, seconds: float) -> list[str]:
    """Return the last lines of a whole run: the bad tests, then the counts."""
    title = " short test summary info ".center(WIDTH, "=")
    bad = [title, *tally.bad] if tally.bad else []
    return [*bad, build_closing_line(tally, seconds)]
