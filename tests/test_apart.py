"""``./spar demo --apart``: how it is made, chosen, described and stopped.

That portal and store work together is tested in ``test_portal_apart.py``.
"""

import ast
import json
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from setup import apart as apart_demo
from setup import serving, serving_apart
from setup.apart import (
    PORTAL_ADDONS,
    STORE_ADDONS,
    Apart,
    build_idp_facts,
    introduce,
    prepare_apart,
)
from setup.cli import main
from setup.demo_facts import (
    PORTAL_ROLES,
    STORE_COUNTS,
    build_apart_file,
    build_apart_greeting,
)
from setup.errors import DemoIncomplete, Failure
from setup.id_provider import build_config
from setup.machine import get_free_port
from setup.odoo_source import get_odoo
from setup.places import ROOT, Places, get_places, write_private
from setup.serving_apart import build_portal_url
from setup.serving_one import ONE

STORE_URL, PORTAL_URL = "http://127.0.0.1:8070", build_portal_url(8069)
ISSUER = "http://localhost:4455"


@pytest.fixture
def places(tmp_path) -> Places:
    """Return the places of an imagined checkout with one addon."""
    made = Places(tmp_path / "checkout", tmp_path / "cache")
    (made.root / "spar_mapper").mkdir(parents=True)
    (made.root / "spar_mapper" / "__manifest__.py").write_text("{}")
    made.logs.mkdir(parents=True)
    return made


def build_client(client_id: str) -> dict:
    return {
        "name": client_id,
        "login_path": "/spar/login/4",
        "redirect_path": f"/return/{client_id}",
        "logout_path": "/spar",
        "metadata": {"client_id": client_id},
    }


@pytest.fixture
def store() -> dict:
    """Return what the secrets' script reports of a store alone."""
    roles = ("viewer", "officer", "supervisor", "auditor", "administrator", "odoo")
    person = {"name": "Asha", "individual_id": "1", "otp": "123456"}
    credentials = {"client_secret": "s", "profile": "p", "private_jwk": None}
    return {
        "staff": [{"login": r, "password": f"{r}-1", "role": r} for r in roles],
        "participants": [
            {"sender_id": f"{name}.example", "client_id": name, **credentials}
            for name in ("programme", "payer", "bank")
        ],
        "beneficiaries": [{**person, "id_value": "token:1@nationalId"}],
        "idp": {
            "clients": [],
            "confirmation_clients": [build_client("spar-store")],
            "newcomers": [{"name": "Bo", "individual_id": "7", "otp": "654321"}],
        },
        "counts": dict(STORE_COUNTS),
    }


@pytest.fixture
def portal() -> dict:
    """Return what the script of logins reports of a portal."""
    staff = [
        {"login": role, "password": f"{role}-2", "role": role} for role in PORTAL_ROLES
    ]
    clients = {"clients": [build_client("spar-esignet")]}
    return {"staff": staff, "public_jwk": {"kty": "EC"}, "idp": clients}


class StandIn:
    """An installation whose scripts answer at once."""

    def __init__(self, places: Places, name: str, answers: dict):
        self.places, self.database, self.answers = places, f"spar_{name}", answers
        self.folder = places.state / "apart" / name
        self.server = SimpleNamespace(stop=lambda: None)
        self.installed: list[str] = []
        self.made = 0

    def create(self) -> None:
        self.made += 1
        write_private(self.folder / "keyring", "a key")

    def install_suite(self, *, demo: bool, only: list[str]) -> None:
        assert demo
        self.installed = only

    def run_script(self, script: Path, **_words) -> dict:
        answer = self.answers[script.name]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def imagined(monkeypatch, places, store, portal) -> Apart:
    """Return two installations that are made at once."""
    made = Apart(
        places.state / "apart",
        StandIn(places, "store", {"demo_secrets.py": store, "apart_store.py": {}}),
        StandIn(places, "portal", {"apart_logins.py": portal}),
    )
    monkeypatch.setattr(apart_demo, "get_apart", lambda _places: made)
    monkeypatch.setattr(apart_demo, "running", lambda *_server, **_how: nullcontext())
    return made


# === WHAT IT IS MADE OF === #


def find_needed(names: tuple[str, ...]) -> set[str]:
    """Return the addons that are installed with these."""
    folders = [ROOT, *map(Path, get_odoo(get_places()).addons)]
    needed, left = set(), [*names]
    while left:
        if (name := left.pop()) in needed:
            continue
        needed.add(name)
        files = [folder / name / "__manifest__.py" for folder in folders]
        file = next((each for each in files if each.exists()), None)
        # "base" is a part of Odoo itself.
        found = ast.literal_eval(file.read_text()) if file else {}
        left += found.get("depends", [])
    return needed


def test_store_has_no_website_and_portal_has_no_store():
    store, portal = find_needed(STORE_ADDONS), find_needed(PORTAL_ADDONS)
    assert {"spar_mapper", "spar_g2p_connect", "spar_confirmation"} <= store
    assert not store & {"website", "spar_self_service", "spar_registry"}
    assert {"spar_self_service", "spar_mapper_connector", "website"} <= portal
    assert not portal & {"spar_mapper", "spar_g2p_connect", "spar_confirmation"}


# === MAKING === #


def test_it_is_made_once(imagined, places, store, portal):
    for _time in range(2):
        assert prepare_apart(places) is imagined
    assert (imagined.store.made, imagined.portal.made) == (1, 1)
    facts = imagined.read_facts()
    assert (facts["store"], facts["portal"]) == (store, portal)
    assert imagined.facts_file.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize("part", ["store", "portal"])
def test_broken_first_run_starts_over(imagined, places, part):
    answers = getattr(imagined, part).answers
    script = next(iter(answers))
    good, answers[script] = answers[script], Failure("the disk is full")
    with pytest.raises(Failure, match="disk is full"):
        prepare_apart(places)
    assert imagined.read_facts() is None
    answers[script] = good
    prepare_apart(places)
    assert imagined.read_facts() and imagined.store.made == 2


def test_incomplete_data_is_refused(imagined, places, store, portal):
    counts = {**STORE_COUNTS, "spar.event": 3}
    imagined.store.answers["demo_secrets.py"] = {**store, "counts": counts}
    with pytest.raises(DemoIncomplete, match=r"3 of at least .* spar\.event"):
        prepare_apart(places)
    imagined.store.answers["demo_secrets.py"] = store
    imagined.portal.answers["apart_logins.py"] = {**portal, "staff": []}
    with pytest.raises(DemoIncomplete, match="no staff for administrator, odoo, off"):
        prepare_apart(places)
    assert imagined.read_facts() is None


def test_demo_of_other_code_is_set_aside_with_its_keys(imagined, places, capsys):
    prepare_apart(places)
    (places.root / "spar_mapper" / "data.xml").write_text("<odoo/>")
    prepare_apart(places)
    assert imagined.store.made == 2
    (place,) = places.state.glob("apart-*")
    assert str(place) in capsys.readouterr().out
    for part in ("store", "portal"):
        assert (place / part / "keyring").read_text() == "a key"
    assert json.loads((place / "facts.json").read_text())["digest"]


def test_demo_that_is_not_made_is_not_served(imagined):
    with pytest.raises(Failure, match=r"run \./spar demo --apart"):
        imagined.get_facts()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"store": {}}'])
def test_unreadable_facts_are_made_anew(imagined, places, text):
    write_private(imagined.facts_file, text)
    prepare_apart(places)
    assert imagined.store.made == 1 and imagined.read_facts()


def test_another_server_than_before_is_refused(imagined, places, monkeypatch):
    prepare_apart(places)
    (imagined.folder / "postgres").mkdir()
    monkeypatch.setenv("PGHOST", "elsewhere")
    with pytest.raises(Failure, match=r"in \.spar/apart: unset PGHOST"):
        prepare_apart(places)
    assert imagined.store.made == 1


def test_portal_that_cannot_call_the_store_is_reported(imagined, places):
    prepare_apart(places)
    credentials = {"sender_id": "p", "client_id": "c", "client_secret": "s"}
    imagined.store.answers = {"apart_admission.py": credentials}
    imagined.portal.answers = {
        "demo_addresses.py": {},
        "apart_backend.py": {"problem": "token"},
    }
    with pytest.raises(Failure, match=r"cannot call the store \(token\)"):
        introduce(imagined, STORE_URL, PORTAL_URL, ISSUER)


# === ITS ID PROVIDER, ITS DESCRIPTION === #


def test_each_client_returns_to_its_own_server(store, portal):
    facts = build_idp_facts(store, portal)
    config = build_config(facts, PORTAL_URL, 4455, STORE_URL)
    uris = {each["client_id"]: each["redirect_uris"] for each in config["clients"]}
    assert uris == {
        "spar-esignet": [f"{PORTAL_URL}/return/spar-esignet"],
        "spar-store": [f"{STORE_URL}/return/spar-store"],
    }
    assert {person["individual_id"] for person in config["people"]} == {"1", "7"}


def test_portal_and_store_do_not_share_cookies():
    """Cookies are a host's, whatever the port."""
    assert PORTAL_URL.split(":")[1] != STORE_URL.split(":")[1]


def test_greeting_has_both_with_every_login(store, portal):
    databases = {name: {"name": name, "dsn": "x"} for name in ("store", "portal")}
    urls = (STORE_URL, PORTAL_URL, ISSUER)
    document = build_apart_file(store, portal, *urls, databases)
    assert document["idp"]["clients"][0]["login_url"].startswith(PORTAL_URL)
    assert document["store"]["participants"][0]["token_url"].startswith(STORE_URL)
    greeting = "\n".join(build_apart_greeting(document))
    for person in [*store["staff"], *portal["staff"]]:
        assert person["password"] in greeting
    for text in (STORE_URL, f"{PORTAL_URL}/spar", "123456", "654321", "./spar stop"):
        assert text in greeting


# === THE COMMAND === #


@pytest.fixture
def kinds(monkeypatch, tmp_path):
    """Replace both demos by ones that are ready at once; return what was called."""
    called = []

    def build(kind):
        def serve(_places, options, when_ready):
            called.append(("serve", kind.name, options.port))
            when_ready()

        return replace(
            kind,
            prepare=lambda _places: called.append(("prepare", kind.name)),
            serve=serve,
            describe=lambda _places: [f"This is {kind.name}."],
        )

    one, apart = build(ONE), build(serving_apart.APART)
    monkeypatch.setattr(serving, "ONE", one)
    monkeypatch.setattr(serving, "APART", apart)
    monkeypatch.setattr(serving, "KINDS", (one, apart))
    monkeypatch.setattr("setup.cli.get_places", lambda: Places(tmp_path, tmp_path))
    return called


@pytest.mark.parametrize(("words", "name"), [([], "demo"), (["--apart"], "apart")])
def test_option_chooses_the_demo(kinds, capsys, words, name):
    port = get_free_port()
    assert main(["demo", *words, f"--port={port}"]) == 0
    assert kinds == [("prepare", name), ("serve", name, port)]
    output = capsys.readouterr().out
    assert f"This is {name}." in output and "has stopped" in output


def test_taken_second_port_is_refused(kinds, capsys):
    """The store listens on the one after the portal's."""
    code = "import socket, sys; at = '127.0.0.1', int(sys.argv[1])"
    code += "; s = socket.create_server(at); print(flush=True); sys.stdin.read()"
    port = get_free_port()
    words = [sys.executable, "-c", code, str(port + 1)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, **pipes) as taken:
        taken.stdout.readline()
        assert main(["demo", "--apart", f"--port={port}"]) == 1
        taken.stdin.close()
    assert str(port + 1) in capsys.readouterr().err
    assert kinds == []


def test_second_call_says_that_it_runs(kinds, tmp_path, capsys):
    apart = serving.APART
    places = Places(tmp_path, tmp_path)
    apart.get_folder(places).mkdir(parents=True)
    with serving.hold(apart.get_lock(places), "taken"):
        apart.get_ready_file(places).touch()
        assert main(["demo", "--apart"]) == 0
        output = capsys.readouterr().out
        assert "already running" in output and "This is apart." in output
        apart.get_ready_file(places).unlink()
        assert main(["demo", "--apart"]) == 1
        assert "Another ./spar is running the demo" in capsys.readouterr().err
    assert kinds == []


def test_stop_ends_both(monkeypatch, kinds, tmp_path, capsys):
    places = Places(tmp_path, tmp_path)
    ended, orphans = [], []
    monkeypatch.setattr(
        serving, "_end_holder", lambda kind, _places: ended.append(kind.name)
    )
    monkeypatch.setattr(serving, "end_orphan", lambda pid, conf: orphans.append(pid))
    assert main(["stop"]) == 0
    assert "no demo yet" in capsys.readouterr().out
    for path in ("demo/a", "apart/b", "apart/store/c", "apart/portal/d"):
        write_private(places.state / f"{path}.pid", "1")
    assert main(["stop"]) == 0
    assert ended == ["demo", "apart"]
    assert sorted(path.name for path in orphans) == ["a.pid", "b.pid", "c.pid", "d.pid"]


def test_commands_need_the_demo_of_one_database(kinds, tmp_path, capsys):
    write_private(tmp_path / ".spar" / "apart" / "facts.json", "{}")
    assert main(["shell"]) == 1
    assert "choose one, as in ./spar shell --apart store" in capsys.readouterr().err
    for words in (["--apart"], ["--apart", "both"]):
        assert main(["audit", *words, "check"]) == 1
        assert "Write --apart store or --apart portal" in capsys.readouterr().err
