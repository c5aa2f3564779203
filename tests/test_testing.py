"""Which tests run in parallel, and their common closing line."""

import json
from pathlib import Path

import pytest

from setup.demo import SCRIPT
from setup.installation import MISSING_ASSETS
from setup.machine import get_free_ports
from setup.odoo_source import OdooSource
from setup.packages import PINS
from setup.places import ROOT, get_places
from setup.testing import COMMON, build_runs, split_arguments
from setup.testing_databases import BUNDLES_SCRIPT, REGISTRIES, _build_digest
from setup.testing_groups import LAST, OTHERS, SECONDS, get_groups, get_test_files
from setup.testing_runs import build_ending, is_ending
from setup.testing_tally import Tally, build_summary, get_exit_code, read_tally

GROUPS = [*get_groups(get_test_files(ROOT))]


GLUE_PATHS = {
    other.name: [f"glue/{name}" for name in other.glue] for other in REGISTRIES
}
WHOLE = {"addons": ["spar_a", *COMMON], **GLUE_PATHS, "server": ["tests"]}


@pytest.mark.parametrize(
    ("words", "options", "paths"),
    [
        ([], [], WHOLE),
        (["-k", "seal"], ["-k", "seal"], WHOLE),
        (["spar_a", "-x"], ["-x"], {"addons": ["spar_a"]}),
        (["tests/t.py::test_x"], [], {"server": ["tests/t.py::test_x"]}),
        (["./tests/t.py"], [], {"server": ["./tests/t.py"]}),
        (
            ["glue/spar_programme_openg2p", "spar_a"],
            [],
            {"addons": ["spar_a"], "openg2p": ["glue/spar_programme_openg2p"]},
        ),
        (["glue"], [], GLUE_PATHS),
    ],
)
def test_arguments_go_to_the_run_of_their_tests(tmp_path, words, options, paths):
    for folder in ("spar_a", "tests", "glue/spar_programme_openg2p"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tests/t.py").touch()
    assert split_arguments(words, tmp_path, ["spar_a"]) == (options, paths)


def test_every_addon_for_another_registry_is_in_one_run():
    names = [name for other in REGISTRIES for name in other.glue]
    folders = {path.parent.name for path in (ROOT / "glue").glob("*/__manifest__.py")}
    assert sorted(names) == sorted(folders - {"spar_registry_source"})
    for other in REGISTRIES:
        assert (other.get_stubs(ROOT) / other.stub / "__manifest__.py").exists()


def test_changed_stub_makes_its_database_anew(tmp_path):
    places = get_places(tmp_path)
    for path in (SCRIPT, MISSING_ASSETS, BUNDLES_SCRIPT, ROOT / PINS):
        (tmp_path / path.relative_to(ROOT)).parent.mkdir(exist_ok=True)
        (tmp_path / path.relative_to(ROOT)).write_text(path.read_text())
    stub = tmp_path / "tests/stub_addons/openspp/x/models/x.py"
    stub.parent.mkdir(parents=True)
    digests = []
    for text in ("a = 1", "a = 2"):
        stub.write_text(text)
        digests.append(
            [
                _build_digest(places, name)
                for name in ("spar_test", "spar_test_openspp_base")
            ]
        )
    (plain, first), (same, second) = digests
    assert plain == same and first != second


def test_every_file_is_in_one_group_and_some_run_last():
    files = get_test_files(ROOT)
    groups = get_groups(files)
    assert sorted(name for group in groups.values() for name in group) == files
    assert {*SECONDS}.union(*LAST.values()) <= {*files}
    names = list(groups)
    assert names[-len(LAST) :] == [*LAST]
    for some in (names[: -len(LAST)], [*LAST]):
        totals = [
            sum(SECONDS.get(name, OTHERS) for name in groups[key]) for key in some
        ]
        assert max(totals) < 1.5 * min(totals)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["tests/test_testing.py", "-x"], ["server"]),
        (["spar_mapper"], ["addons"]),
        (["spar_mapper", "./tests/test_setup.py"], ["addons", "server"]),
        (["tests"], GROUPS),
        (["glue"], ["openspp", "openg2p"]),
        ([], ["addons", "openspp", "openg2p", *GROUPS]),
        (["-k", "seal"], ["addons", "openspp", "openg2p", *GROUPS]),
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
