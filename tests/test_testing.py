"""Which tests run in parallel, and their common closing line."""

import json
from pathlib import Path

import pytest

from setup.machine import get_free_ports
from setup.odoo_source import OdooSource
from setup.places import ROOT, get_places
from setup.testing import build_runs, split_arguments
from setup.testing_groups import ALONE, OTHERS, SECONDS, get_groups, get_test_files
from setup.testing_runs import build_ending, is_ending
from setup.testing_tally import Tally, build_summary, get_exit_code, read_tally

GROUPS = [*get_groups(get_test_files(ROOT))]


@pytest.mark.parametrize(
    ("words", "options", "ours", "theirs"),
    [
        ([], [], ["spar_a"], ["tests"]),
        (["-k", "seal"], ["-k", "seal"], ["spar_a"], ["tests"]),
        (["spar_a", "-x"], ["-x"], ["spar_a"], None),
        (["tests/t.py::test_x"], [], None, ["tests/t.py::test_x"]),
        (["./tests/t.py"], [], None, ["./tests/t.py"]),
    ],
)
def test_arguments_go_to_the_run_of_their_tests(tmp_path, words, options, ours, theirs):
    (tmp_path / "spar_a").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/t.py").touch()
    assert split_arguments(words, tmp_path, ["spar_a"]) == (options, ours, theirs)


def test_every_file_is_in_one_group_and_the_last_ones_run_alone():
    files = get_test_files(ROOT)
    groups = get_groups(files)
    assert sorted(name for group in groups.values() for name in group) == files
    assert {*ALONE, *SECONDS} <= {*files}
    assert list(groups)[-1] == "alone" and groups["alone"] == sorted(ALONE)
    totals = [
        sum(SECONDS.get(name, OTHERS) for name in group)
        for key, group in groups.items()
        if key != "alone"
    ]
    assert max(totals) < 1.5 * min(totals)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["tests/test_testing.py", "-x"], ["server"]),
        (["spar_mapper"], ["addons"]),
        (["spar_mapper", "./tests/test_setup.py"], ["addons", "server"]),
        (["tests"], GROUPS),
        ([], ["addons", *GROUPS]),
        (["-k", "seal"], ["addons", *GROUPS]),
    ],
)
def test_whole_suite_is_split_and_a_named_file_is_not(words, names):
    source = OdooSource(Path("/o"), Path("/o"), ())
    runs = build_runs(get_places(), source, words)
    assert [run.name for run in runs] == names
    folders = {run.installation.folder for run in runs}
    assert len(folders) == len(runs), "one would see what another one does"


def test_run_that_failed_silently_is_an_error(tmp_path):
    tally = read_tally(tmp_path / "none.json", "server-1", -9)
    assert tally.counts == {"error": 1}
    assert "server-1" in tally.bad[0] and "-9" in tally.bad[0]
    assert not read_tally(tmp_path / "none.json", "server-1", 5).bad


def test_counts_of_several_runs_are_one_closing_line(tmp_path):
    tally = Tally()
    for number, bad in enumerate(([], ["FAILED tests/t.py::test_x - why"])):
        file = tmp_path / f"{number}.json"
        counts = {"passed": 20, "failed": len(bad), "warnings": 1}
        file.write_text(json.dumps({"counts": counts, "bad": bad}))
        tally += read_tally(file, "x", len(bad))
    *_title, failed, closing = build_summary(tally, 100)
    assert failed == "FAILED tests/t.py::test_x - why"
    assert closing.strip("= ") == "1 failed, 40 passed, 2 warnings in 100.00s (0:01:40)"


def test_server_ports_are_not_ephemeral():
    ports = get_free_ports(50)
    assert len({*ports}) == 50 and all(20000 <= port < 32000 for port in ports)


@pytest.mark.parametrize(
    ("codes", "code"),
    [([0, 0, 0], 0), ([0, 5, 0], 0), ([5, 5], 5), ([0, 1, 0], 1), ([5, 2], 2)],
)
def test_one_failed_run_fails_the_whole(codes, code):
    assert get_exit_code(codes) == code


def test_closing_line_covers_all_runs():
    """A reader of the closing line must not find one that covers only a part."""
    ending = ["==== FAILURES ====", "why", "==== 1 failed, 2 passed in 3.00s ===="]
    assert [is_ending(line) for line in ending] == [True, False, True]
    assert not is_ending("==== test session starts ====")
    lines = build_ending("server-1", ending)
    assert lines[:2] == ending[:2]
    assert lines[2] == "server-1: 1 failed, 2 passed in 3.00s"
    assert "without a last word" in build_ending("server-1", [])[-1]
