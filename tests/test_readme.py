"""Every command of the README and of the documents works as written there."""

import csv
import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from setup.cli import build_parser
from setup.demo_facts import build_demo_file
from setup.machine import get_free_port
from setup.places import ROOT

from .backend import EVERY_RIGHT, approve_all, get_backend, get_secret
from .workers import running_workers

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
#: What a reader replaces these with.
PLACEHOLDERS = {"--port N": "--port 1", "DATABASE": "spar"}


def get_blocks() -> list[str]:
    """Return the shell blocks in their order, without the indentation of lists."""
    found = re.finditer(r"^( *)```sh\n(.*?)^ *```$", TEXT, re.M | re.S)
    return [re.sub(f"^{each[1]}", "", each[2], flags=re.M) for each in found]


def get_block(word: str) -> str:
    """Return the one block that contains a word."""
    (block,) = (block for block in get_blocks() if word in block)
    return block


def get_calls(program: str) -> list[str]:
    """Return the arguments of every call of a program, in blocks and in the text."""
    blocks = "\n".join(get_blocks()).replace("\\\n", " ")
    prose = re.sub(r"^ *```.*?^ *```$", "", TEXT, flags=re.M | re.S)
    inline = (" ".join(each.split()) for each in re.findall(r"`([^`]+)`", prose))
    found = (
        re.match(rf"{re.escape(program)}\b(.*)", each.strip())
        for each in [*blocks.splitlines(), *inline]
    )
    return sorted({each[1].split("#")[0].strip() for each in found if each})


@pytest.fixture
def clone(server, tmp_path) -> Path:
    """Return a folder that looks like a clone with the demo running."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".spar").mkdir()
    dsn = server.installation.server.get_dsn(server.database)
    content = build_demo_file(
        server.facts, server.url, "http://localhost:1", server.database, dsn
    )
    (tmp_path / ".spar/demo.json").write_text(json.dumps(content))
    return tmp_path


def run(folder: Path, *blocks: str, fails: bool = False) -> str:
    """Return what a shell prints for some blocks, one after the other."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout


# === CALLS === #


def test_calls_of_spar_are_valid():
    calls = get_calls("./spar")
    assert len(calls) >= 8
    for call in calls:
        for placeholder, value in PLACEHOLDERS.items():
            call = call.replace(placeholder, value)
        if call:
            assert build_parser().parse_args(shlex.split(call)).call


def test_calls_of_odoo_commands_are_valid(server):
    calls = [call for call in get_calls("odoo") if "spar_" in call]
    assert len(calls) >= 8
    for call in calls:
        name = re.search(r"spar_\w+", call)[0]
        described = server.run_command(name, "--help").stdout
        rest = re.sub(r"-[cd] \S+", "", call.partition(name)[2])
        for word in re.findall(r"(?<!\S)[a-z-][\w-]+", rest):
            assert word in described, (name, word)


def test_every_block_is_run_by_a_test():
    """A new block needs a test; these are the words that the tests look for."""
    tested = (*ONE_SHELL, "examples.payer key", "cat > payer.json", "private_jwk")
    tested += ("examples.payer.callbacks", "dfsp_level_values")
    untested = [
        block
        for block in get_blocks()
        if not block.startswith(("./spar ", "odoo "))
        and not any(word in block for word in tested)
    ]
    assert untested == []


# === BLOCKS === #

ONE_SHELL = (
    "7001002003",
    "mapper/sync/link",
    "client_id=$CLIENT_ID",
    "$API/participant",
    "directory/providers",
)
#: What a payer has instead of the demo's file.
CREDENTIALS = """
CLIENT_ID=$(get '["participants"][0]["client_id"]')
CLIENT_SECRET=$(get '["participants"][0]["client_secret"]')
"""


def test_first_five_minutes_and_the_following_calls_work(server, clone):
    officer = get_backend(server, "officer")
    account = {"fa_text": "account:001234567890@BR01.DEMO"}
    officer.act("link", id_value="token:7001002003@nationalId", **account)
    first, *others = (get_block(word) for word in ONE_SHELL)
    output = run(clone, first, CREDENTIALS, *others)
    assert output.count('"fa":"account:001234567890@BR01.DEMO"') == 3
    assert '"status":"rjct"' not in output
    assert "Harbour Bank of Tavoria" in output
    assert '"sender_id":"programme.demo.example"' in output
    assert '"expires_in":' in output


def enter_payer(server, public: dict, **values) -> tuple[str, str]:
    """Do what two administrators do there; return the payer's ID and secret."""
    backend = get_backend(server, "administrator")
    participant = {
        "name": "README",
        "sender_id": "payments.example.org",
        "key_ids": [[0, 0, {"key_text": json.dumps(public)}]],
        "may_resolve": 1,
        "scope": "details",
        **values,
    }
    (row_id,) = backend.call("spar.participant", "create", [participant])
    secret = get_secret(backend, row_id)
    backend.call("spar.participant", "action_activate", [row_id])
    approve_all(server)
    (row,) = backend.find("spar.participant", [("id", "=", row_id)], "client_id")
    return row["client_id"], secret


def test_payer_steps_lead_to_a_signed_call(server, clone):
    make = get_block("examples.payer key")
    public = json.loads(run(clone, make))
    run(clone, make, fails=True)
    client_id, secret = enter_payer(server, public, sender_id="payments.readme.example")
    call = get_block("cat > payer.json")
    replaced = {
        "http://127.0.0.1:8069/spar/v1": server.api,
        "payments.example.org": "payments.readme.example",
        '"spar-…"': f'"{client_id}"',
        '"…"': f'"{secret}"',
    }
    for written, real in replaced.items():
        assert written in call
        call = call.replace(written, real)
    (answer,) = json.loads(run(clone, call))["message"]["resolve_response"]
    assert answer["status"] == "succ"


def test_demo_payer_calls(clone):
    document = json.loads(run(clone, get_block("private_jwk")))
    (answer,) = document["message"]["resolve_response"]
    assert answer["status"] == "succ" and answer["fa"]


def wait_for_workers(server, begin: int) -> None:
    """Return when the workers run: the payer's program waits only for a callback."""
    end = time.monotonic() + 300
    while "SPAR: send callbacks" not in server.log.read_text()[begin:]:
        assert time.monotonic() < end, "no worker runs"
        time.sleep(0.5)


def test_payer_receives_its_callback(server, clone):
    port = get_free_port()
    public = json.loads(run(clone, get_block("examples.payer key")))
    # The block calls as the demo's payer; this one is in the same place.
    (clone / "payer.jwk").rename(clone / "demo-payer.jwk")
    sender_id = "callbacks.readme.example"
    values = {**EVERY_RIGHT, "callback_url": f"http://127.0.0.1:{port}/callback"}
    client_id, secret = enter_payer(server, public, sender_id=sender_id, **values)
    settings = {"api": server.api, "sender_id": sender_id, "client_id": client_id}
    settings_file = clone / "demo-payer.json"
    settings_file.write_text(json.dumps({**settings, "client_secret": secret}))
    block = get_block("examples.payer.callbacks")
    assert "--port 9000" in block
    begin = len(server.log.read_text())
    with running_workers(server):
        wait_for_workers(server, begin)
        shown = run(clone, block.replace("--port 9000", f"--port {port}"))
    assert '"ack_status": "ACK"' in shown
    assert "resolve_response" in shown


# === MOVING IN === #

SAMPLES = ROOT / "spar_registry/tests/openg2p"


def read_sample(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.fixture
def their_database(server):
    """Create an empty database in which tables of an OpenG2P SPAR are made."""
    postgres = server.installation.server
    name = f"openg2p_{server.database}"
    subprocess.run(
        [postgres.binaries / "createdb", name], env=postgres.environment, check=True
    )
    yield name
    subprocess.run(
        [postgres.binaries / "dropdb", name], env=postgres.environment, check=True
    )


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_tables_are_exported_as_they_are_read(
    server, tmp_path, monkeypatch, their_database, version
):
    postgres = server.installation.server
    for name, value in postgres.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{postgres.binaries}{os.pathsep}{os.environ['PATH']}")
    samples = sorted((SAMPLES / version).glob("*.csv"))
    for sample in samples:
        header, *_rows = read_sample(sample)
        columns = ", ".join(
            f"{name} {'integer' if name == 'id' else 'text'}" for name in header
        )
        statements = [
            f"CREATE TABLE {sample.stem} ({columns})",
            f"\\copy {sample.stem} FROM '{sample}' WITH (FORMAT csv, HEADER)",
        ]
        for statement in statements:
            postgres.get_answer(statement, their_database)
    block = get_block("dfsp_level_values").replace("-d spardb", f"-d {their_database}")
    run(tmp_path, block.replace("$v1;", f"${version};"))
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == [
        sample.name for sample in samples
    ]
    for sample in samples:
        assert read_sample(tmp_path / sample.name) == read_sample(sample)
