"""The upgrade of a demo whose code has changed, whatever goes wrong on the way.

It uses a PostgreSQL of its own, and a stand-in for Odoo: ``test_old_demo.py`` has the
real one.
"""

import json
import re
from pathlib import Path

import pytest

from setup import demo, demo_aside, demo_upgrade
from setup.demo_facts import MIN_COUNTS, ROLES
from setup.errors import Failure, ServerUnavailable
from setup.installation import Installation
from setup.odoo_source import OdooSource
from setup.packages import get_postgres_binaries
from setup.places import Places, get_places, write_private
from setup.postgres import Cluster, ExternalServer, get_server, running

TABLES = [model.replace(".", "_") for model in MIN_COUNTS]
FACTS = {
    "digest": "of before",
    "addons": ["spar_a"],
    "staff": [{"login": role, "role": role} for role in sorted(ROLES)],
    "participants": [{"client_id": str(number)} for number in range(3)],
    "beneficiaries": [{"name": "Asha"}],
}


class Killed(BaseException):
    """The end of a process: none of our code catches it."""


class StandIn(Installation):
    """An installation whose Odoo is some statements; ``fails`` says which one fails."""

    empty: Cluster
    fails: dict[str, BaseException] = {}
    done: list[str] = []

    def say(self, statement: str) -> str:
        return self.server.get_answer(statement, self.database)

    def count(self, table: str = "spar_event") -> str:
        return self.say(f"SELECT count(*) FROM {table}")

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what in self.fails:
            raise self.fails.pop(what)

    def upgrade(self, addons):
        self.say("CREATE TABLE half_way ()")
        self._do(f"upgrade {' '.join(addons)}")

    def install(self, addons, *, demo):
        self._do(f"install {' '.join(addons)}")

    def run_script(self, script, **words):
        self._do(script.stem)
        if script.stem != "demo_secrets":
            return {}
        counts = {m: self.count(m.replace(".", "_")) or 0 for m in MIN_COUNTS}
        return {**FACTS, "counts": {m: int(number) for m, number in counts.items()}}

    def install_suite(self, *, demo):
        self._do("make")
        self.server.get_answer(f"CREATE DATABASE {self.database}", "postgres")
        write_private(self.keyring, "a new keyring")


@pytest.fixture
def places(tmp_path) -> Places:
    made = Places(tmp_path / "checkout", tmp_path / "cache")
    for folder in (made.logs, made.cache):
        folder.mkdir(parents=True)
    for addon in ("spar_a", "spar_new"):
        (made.root / addon).mkdir()
        (made.root / addon / "__manifest__.py").write_text("{}")
    return made


@pytest.fixture(scope="module", autouse=True)
def empty(tmp_path_factory) -> Cluster:
    """Return an empty PostgreSQL: creating one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("empty") / "postgres"
    made = Cluster(folder, get_postgres_binaries(get_places()))
    made.start(hasty=True)
    made.stop()
    StandIn.empty = made
    return made


@pytest.fixture
def shared(tmp_path, monkeypatch, empty):
    """Yield a server that another user runs, which PGHOST names."""
    server = Cluster(tmp_path / "theirs", get_postgres_binaries(get_places()))
    server.copy_from(empty)
    server.start(hasty=True)
    for key, value in server.settings.items():
        monkeypatch.setenv(f"PG{key.upper()}", value)
    yield server
    server.stop()


def build(places: Places) -> StandIn:
    folder = demo.get_folder(places)
    server = get_server(folder / "postgres", get_postgres_binaries(get_places()))
    name = demo.get_database_name(folder, server, "spar_demo")
    return StandIn(places, OdooSource(Path("/o"), Path("/o"), ()), server, folder, name)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, places):
    """Use the stand-in everywhere; end everything that a test starts."""
    monkeypatch.setattr(demo, "get_installation", build)
    monkeypatch.setattr(StandIn, "fails", {})
    monkeypatch.setattr(StandIn, "done", [])
    monkeypatch.setattr(demo, "check_counts", lambda facts: None)
    yield
    Cluster(demo.get_folder(places) / "postgres", Path()).stop()


def make_old(places: Places) -> StandIn:
    """Return an old demo: a database with rows, files, a keyring, checkpoints."""
    old = build(places)
    if isinstance(old.server, Cluster):
        old.server.copy_from(StandIn.empty)
    with running(old.server, hasty=True):
        old.server.get_answer(f"CREATE DATABASE {old.database}", "postgres")
        for table in TABLES:
            old.say(f"CREATE TABLE {table} AS SELECT generate_series(1, 50) AS id")
    write_private(old.keyring, "the keyring")
    write_private(old.checkpoints, "the checkpoints")
    write_private(old.filestore / "ab" / "abcd", "a file")
    write_private(demo.get_facts_file(places), json.dumps(FACTS))
    write_private(places.demo_file, "the logins")
    return old


def get_aside(places: Places) -> Path:
    """Return the only dated folder."""
    (place,) = places.state.glob("demo-*")
    return place


def assert_is_old(old: StandIn) -> None:
    assert old.keyring.read_text() == "the keyring"
    assert old.checkpoints.read_text() == "the checkpoints"
    assert (old.filestore / "ab" / "abcd").read_text() == "a file"
    assert old.places.demo_file.read_text() == "the logins"
    assert json.loads(demo.get_facts_file(old.places).read_text()) == FACTS
    with running(old.server):
        assert old.count() == "50"
        assert old.say("SELECT to_regclass('half_way') IS NULL") == "t"


def get_databases(server: ExternalServer) -> set[str]:
    with running(server):
        query = "SELECT datname FROM pg_database WHERE datname ~ 'spar'"
        return set(server.get_answer(query, "postgres").split())


# === IN PLACE === #


def assert_is_upgraded(old: StandIn) -> None:
    assert old.keyring.read_text() == "the keyring"
    assert old.checkpoints.read_text() == "the checkpoints"
    assert (old.filestore / "ab" / "abcd").read_text() == "a file"
    facts = json.loads(demo.get_facts_file(old.places).read_text())
    assert facts["digest"] == demo.get_digest(old.places.root)
    assert facts["addons"] == ["spar_a", "spar_new"]
    with running(old.server):
        assert old.count() == "50"
        assert old.say("SELECT to_regclass('half_way') IS NULL") == "f"
    assert get_databases(old.server) == {old.database}
    assert not list(old.places.state.glob("demo-*"))


def test_demo_is_upgraded_in_place(places):
    old = make_old(places)
    assert demo.prepare_demo(places).database == old.database
    assert StandIn.done == [
        "upgrade spar_a",
        "install spar_new portal",
        "demo_additions",
        "demo_secrets",
    ]
    assert_is_upgraded(old)


def test_demo_is_upgraded_on_an_external_server(places, shared):
    old = make_old(places)
    demo.prepare_demo(places)
    assert_is_upgraded(old)


def test_demo_of_the_same_code_is_not_upgraded(places):
    make_old(places)
    facts = {**FACTS, "digest": demo.get_digest(places.root)}
    write_private(demo.get_facts_file(places), json.dumps(facts))
    demo.prepare_demo(places)
    assert StandIn.done == []


STEPS = ("upgrade spar_a", "install spar_new portal", "demo_additions", "demo_secrets")


@pytest.mark.parametrize("what", STEPS)
def test_upgrade_killed_at_any_step_continues(places, monkeypatch, what):
    old = make_old(places)
    StandIn.fails[what] = Killed()
    monkeypatch.setattr(demo_upgrade, "_remove_draft", lambda installation: None)
    with pytest.raises(Killed):
        demo.prepare_demo(places)
    assert_is_old(old)
    monkeypatch.undo()
    monkeypatch.setattr(demo, "get_installation", build)
    StandIn.fails.clear()
    demo.prepare_demo(places)
    assert_is_upgraded(old)


def test_upgrade_killed_after_the_swap_is_repeated(places, monkeypatch):
    old = make_old(places)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(demo_upgrade, "_remove_draft", lambda installation: None)
        patch.setattr(demo, "_write_facts", kill)
        demo.prepare_demo(places)
    assert f"{old.database}_replaced" in get_databases(old.server)
    demo.prepare_demo(places)
    assert_is_upgraded(old)


def kill(*_arguments, **_words):
    raise Killed


# === SET ASIDE === #


def assert_is_set_aside(old: StandIn, output: str) -> Path:
    place = get_aside(old.places)
    kept = {path.relative_to(place).as_posix() for path in place.rglob("*")}
    name = old.database
    wanted = {f"{name}.keyring.json", f"checkpoints/{name}.jsonl", "facts.json"}
    assert {*wanted, "demo.json", f"data/filestore/{name}/ab/abcd"} <= kept
    assert (place / f"{name}.keyring.json").read_text() == "the keyring"
    lines = [line for line in output.splitlines() if str(place) in line]
    assert any("keyring and checkpoints stay in" in line for line in lines)
    assert (
        json.loads(demo.get_facts_file(old.places).read_text())["digest"] != "of before"
    )
    return place


@pytest.mark.parametrize("what", STEPS)
def test_failed_upgrade_sets_the_whole_demo_aside(places, capsys, what):
    old = make_old(places)
    StandIn.fails[what] = Failure(f"No luck (log: {old.folder}/x.log)")
    demo.prepare_demo(places)
    output = capsys.readouterr().out
    place = assert_is_set_aside(old, output)
    assert f"No luck (log: {place}/x.log)" in output
    aside = Cluster(place / "postgres", old.server.binaries)
    with running(aside):
        assert aside.get_answer("SELECT count(*) FROM spar_event", "spar_demo") == "50"
        query = "SELECT to_regclass('half_way') IS NULL"
        assert aside.get_answer(query, "spar_demo") == "t"
    assert old.keyring.read_text() == "a new keyring"


def test_upgrade_that_loses_rows_fails(places, capsys, monkeypatch):
    old = make_old(places)
    upgrade = StandIn.upgrade

    def lose(self, addons):
        upgrade(self, addons)
        self.say("DELETE FROM spar_event WHERE id = 7")

    monkeypatch.setattr(StandIn, "upgrade", lose)
    demo.prepare_demo(places)
    output = capsys.readouterr().out
    assert "49 of 50 spar.event are left" in output
    assert_is_set_aside(old, output)


def test_broken_cluster_is_set_aside(places, capsys):
    old = make_old(places)
    (old.server.data / "PG_VERSION").write_text("9")
    demo.prepare_demo(places)
    output = capsys.readouterr().out
    place = assert_is_set_aside(old, output)
    assert (place / "postgres/data/PG_VERSION").read_text() == "9"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_unreadable_facts_lose_nothing(places, capsys, text):
    old = make_old(places)
    demo.get_facts_file(places).write_text(text)
    demo.prepare_demo(places)
    assert_is_set_aside(old, capsys.readouterr().out)


def test_lost_keyring_loses_nothing_else(places):
    old = make_old(places)
    old.keyring.unlink()
    demo.prepare_demo(places)
    assert (get_aside(places) / "postgres/data/PG_VERSION").exists()


def test_old_database_on_an_external_server_gets_a_dated_name(places, shared, capsys):
    old = make_old(places)
    StandIn.fails["upgrade spar_a"] = Failure("No luck")
    fresh = demo.prepare_demo(places)
    output = capsys.readouterr().out
    assert_is_set_aside(old, output)
    dated = re.search(rf"{old.database}_\d{{4}}-\d\d-\d\d-\d{{6}}", output)[0]
    assert get_databases(old.server) == {dated, fresh.database}
    assert fresh.database != old.database
    assert old.server.get_answer("SELECT count(*) FROM spar_event", dated) == "50"


@pytest.mark.parametrize("begun", ["lock", "a", "spar_demo.keyring.json", "postgres"])
def test_interrupted_move_is_completed(places, monkeypatch, begun):
    old = make_old(places)
    StandIn.fails["upgrade spar_a"] = Failure("No luck")
    rename = Path.rename

    def rename_until(path, target):
        if path.parent == old.folder and path.name >= begun:
            raise Killed
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, "rename", rename_until)
        demo.prepare_demo(places)
    demo.prepare_demo(places)
    place = get_aside(places)
    assert (place / "spar_demo.keyring.json").read_text() == "the keyring"
    assert (place / "checkpoints/spar_demo.jsonl").exists()
    assert (place / "postgres/data/PG_VERSION").exists()
    assert (place / "facts.json").exists()
    assert not (old.folder / demo_aside.NOTE).exists()
    assert old.keyring.read_text() == "a new keyring"


# === PUT BACK === #


def fail_at_both() -> None:
    StandIn.fails["upgrade spar_a"] = Failure("The code is broken")
    StandIn.fails["make"] = Failure("The code is broken, again")


def test_old_demo_is_kept_where_no_new_one_can_be_made(places):
    old = make_old(places)
    fail_at_both()
    with pytest.raises(Failure, match="was not changed.*The code is broken, again"):
        demo.prepare_demo(places)
    assert_is_old(old)
    assert not list(places.state.glob("demo-*"))
    StandIn.fails.clear()
    demo.prepare_demo(places)
    assert_is_upgraded(old)


def test_failed_upgrade_on_an_external_server_changes_nothing(places, shared):
    old = make_old(places)
    fail_at_both()
    with pytest.raises(Failure, match="was not changed"):
        demo.prepare_demo(places)
    assert build(places).database == old.database
    assert get_databases(old.server) == {old.database}
    assert_is_old(old)


def test_interrupted_restore_is_completed(places, monkeypatch):
    old = make_old(places)
    fail_at_both()
    rename = Path.rename

    def rename_until(path, target):
        if target == old.folder / "postgres":
            raise Killed
        return rename(path, target)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Path, "rename", rename_until)
        demo.prepare_demo(places)
    StandIn.fails.clear()
    demo.prepare_demo(places)
    assert_is_upgraded(old)


# === NOT NOW === #


def test_unavailable_server_moves_nothing(places, shared, monkeypatch):
    old = make_old(places)
    port = shared.settings["port"]
    monkeypatch.setenv("PGPORT", "1")
    with pytest.raises(ServerUnavailable, match="check PGHOST"):
        demo.prepare_demo(places)
    monkeypatch.setenv("PGPORT", port)
    assert_is_old(old)


def test_other_server_is_not_queried(places, shared, monkeypatch):
    make_old(places)
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD"):
        monkeypatch.delenv(name)
    with pytest.raises(Failure, match="set PGHOST"):
        demo.prepare_demo(places)
    assert not list(places.state.glob("demo-*"))


def test_pghost_is_refused_for_a_local_demo(places, monkeypatch):
    old = make_old(places)
    with monkeypatch.context() as patch:
        patch.setenv("PGHOST", "127.0.0.1")
        with pytest.raises(Failure, match="unset PGHOST"):
            demo.prepare_demo(places)
    assert_is_old(old)


def test_failed_additions_are_reported(places, monkeypatch, capsys):
    old = make_old(places)
    run_script = StandIn.run_script

    def add(self, script, **words):
        result = run_script(self, script, **words)
        return (
            {"failed": ["spar_a/demo/x.xml"]} if "additions" in script.stem else result
        )

    monkeypatch.setattr(StandIn, "run_script", add)
    demo.prepare_demo(places)
    assert (
        "spar_a/demo/x.xml is new in the demo and cannot be" in capsys.readouterr().out
    )
    assert_is_upgraded(old)
