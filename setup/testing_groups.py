"""Which tests run in parallel: files of ``tests/``, in groups with a server each.

The groups are always the same, on any machine, so that what a test finds in its
database does not depend on how fast the others were.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

TESTS = "tests"
#: More than run at once: a slot that is free early starts the next one.
GROUPS = 5
#: These kill processes or measure time, so they run last: two servers, for two
#: processors.
LAST = {
    "last-1": (
        "test_asynchronous.py",
        "test_checkpoints.py",
        "test_crash.py",
        "test_guessing.py",
    ),
    "last-2": (
        "test_bench_smoke.py",
        "test_in_front.py",
        "test_pages_browser.py",
    ),
}
#: Seconds that the longer files take, as measured on two cores.
SECONDS = {
    "test_asynchronous.py": 50,
    "test_bad_input.py": 30,
    "test_bench_smoke.py": 110,
    "test_caching.py": 40,
    "test_checkpoints.py": 190,
    "test_confirmation.py": 60,
    "test_contract_async.py": 40,
    "test_crash.py": 40,
    "test_dark_dump.py": 50,
    "test_demo_upgrade.py": 50,
    "test_description.py": 90,
    "test_directory_file.py": 60,
    "test_fetching.py": 20,
    "test_first_minutes.py": 250,
    "test_foreign_mapper.py": 150,
    "test_forms_browser.py": 50,
    "test_front.py": 40,
    "test_guessing.py": 20,
    "test_hostile_portal.py": 30,
    "test_house_rules.py": 120,
    "test_id_provider.py": 60,
    "test_in_front.py": 70,
    "test_keyboard_browser.py": 60,
    "test_keys.py": 60,
    "test_limits.py": 30,
    "test_menus_browser.py": 100,
    "test_old_demo.py": 80,
    "test_openg2p_callbacks.py": 60,
    "test_other_people.py": 30,
    "test_pages_browser.py": 80,
    "test_portal_apart.py": 150,
    "test_races.py": 30,
    "test_readiness_kill.py": 50,
    "test_readme.py": 60,
    "test_setup.py": 40,
    "test_staff_host_browser.py": 30,
    "test_tampering.py": 90,
    "test_two_servers.py": 150,
    "test_without_store.py": 90,
}
#: These have a second server, without the store.
WITH_SECOND = (
    "test_foreign_mapper.py",
    "test_portal_apart.py",
    "test_two_servers.py",
)
#: Seconds for a file that is not listed.
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
    """Return the names of groups with the files of each; ``LAST`` is at the end."""
    known = set(files)
    last = {name: sorted(known & set(group)) for name, group in LAST.items()}
    together = known.difference(*last.values())
    seconds = {name: SECONDS.get(name, OTHERS) for name in together}
    groups: dict[str, Sequence[str]] = {
        f"server-{number}": group
        for number, group in enumerate(split_evenly(seconds, GROUPS), 1)
    }
    return groups | last


def get_test_files(root: Path) -> list[str]:
    return sorted(path.name for path in (root / TESTS).glob("test_*.py"))
