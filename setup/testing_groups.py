"""Which tests run side by side: files of `tests/`, in groups with a server each.

The groups are always the same, on any machine: what a test finds in its database does
not depend on how fast the others were.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

TESTS = "tests"
#: Groups that run side by side.
GROUPS = 3
#: Kill processes or measure time: these run last, and nothing runs beside them.
ALONE = ("test_bench_smoke.py", "test_checkpoints.py", "test_crash.py")
#: Seconds that the longer files take, as measured on two cores.
SECONDS = {}
#: What a file takes that is not named.
OTHERS = 10


def split_evenly(seconds: Mapping[str, float], count: int) -> list[list[str]]:
    """Return the names in groups that take about as long as each other.

    >>> split_evenly({"a": 5, "b": 4, "c": 3, "d": 1}, 2)
    [['a', 'd'], ['b', 'c']]
    """
    groups: list[list[str]] = [[] for _each in range(count)]
    taken = [0.0] * count
    for name in sorted(seconds, key=lambda each: (-seconds[each], each)):
        least = taken.index(min(taken))
        groups[least].append(name)
        taken[least] += seconds[name]
    return [sorted(group) for group in groups]


def get_groups(files: Iterable[str]) -> dict[str, Sequence[str]]:
    """Return the names of groups with the files of each; `alone` is the last one."""
    known = set(files)
    alone = known & set(ALONE)
    seconds = {name: SECONDS.get(name, OTHERS) for name in known - alone}
    groups: dict[str, Sequence[str]] = {
        f"server-{number}": group
        for number, group in enumerate(split_evenly(seconds, GROUPS), 1)
    }
    return {**groups, "alone": sorted(alone)}


def get_test_files(root: Path) -> list[str]:
    return sorted(path.name for path in (root / TESTS).glob("test_*.py"))
