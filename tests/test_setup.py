"""The parts of ``./spar``: their results, and the one line when something fails."""

import ast
import doctest
import importlib.metadata
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.specifiers import SpecifierSet

from setup import (
    debian,
    demo,
    interpreter,
    machine,
    odoo_source,
    packages,
    postgres,
    serving,
)
from setup.cli import build_parser, main
from setup.commands import get_reason, run
from setup.demo import get_digest
from setup.demo_facts import build_curl, build_demo_file, build_greeting, check_counts
from setup.errors import Failure
from setup.id_provider import (
    IdProvider,
    build_config,
    choose_port,
    prepare_id_provider,
)
from setup.installation import Installation
from setup.interpreter import Interpreter, choose, get_interpreter
from setup.locks import get_holder, hold
from setup.logs import get_alarms, get_allowed
from setup.machine import get_free_port
from setup.odoo_server import Keeper, OdooServer, end_orphan, is_ours
from setup.places import (
    ROOT,
    Places,
    get_addon_folders,
    get_places,
    write_private,
)
from setup.postgres import Cluster, ExternalServer, get_server, running
from setup.serving import NO_DEMO, stop

ISSUER = "http://localhost:4455"
LISTEN = (
    "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), "
    "type('H', (http.server.BaseHTTPRequestHandler,), {'do_GET': lambda self: ("
    "self.send_response(200), self.end_headers())})).serve_forever()"
)


@pytest.fixture
def places(tmp_path) -> Places:
    """Return the places of an imagined checkout."""
    made = Places(tmp_path / "checkout", tmp_path / "cache")
    for folder in (made.logs, made.cache):
        folder.mkdir(parents=True)
    return made


@pytest.fixture
def facts() -> dict:
    """Return what the secrets' script would report of a complete demo."""
    roles = ["viewer", "officer", "supervisor", "auditor", "administrator"]
    roles += ["programme user", "programme manager", "odoo"]
    return {
        "staff": [{"login": r, "password": "p", "role": r} for r in roles],
        "participants": [
            {
                "sender_id": f"{name}.example",
                "client_id": name,
                "client_secret": f"{name}'s".replace("'", ""),
                "profile": "openg2p-1.x",
                "private_jwk": None,
            }
            for name in ("programme", "payer", "bank")
        ],
        "beneficiaries": [
            {
                "name": "Asha",
                "individual_id": "1",
                "id_value": "token:1@nationalId",
                "otp": "123456",
            }
        ],
        "idp": {
            "clients": [
                {
                    "name": "National ID",
                    "login_path": "/spar/login/4",
                    "redirect_path": "/spar/oidc/callback/4",
                    "logout_path": "/spar",
                    "metadata": {
                        "client_id": "spar-esignet",
                        "client_secret": "a-secret-that-is-long-enough-for-hmac",
                        "token_endpoint_auth_method": "client_secret_basic",
                    },
                }
            ],
            "newcomers": [{"name": "Bo", "individual_id": "7", "otp": "654321"}],
        },
        "counts": {
            "spar.fsp": 447,
            "spar.fsp.branch": 50,
            "spar.subject": 1200,
            "spar.mapping": 1240,
            "spar.event": 1300,
            "spar.payment.account": 12,
        },
    }


@pytest.fixture
def cluster(tmp_path):
    """Yield a PostgreSQL for one test."""
    made = Cluster(tmp_path / "postgres", packages.get_postgres_binaries(get_places()))
    yield made
    made.stop()


# === THE COMMAND === #


def test_old_python_is_reported_in_one_line(monkeypatch):
    source = (ROOT / "spar").read_text()
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    with pytest.raises(SystemExit) as ended:
        exec(compile(source, str(ROOT / "spar"), "exec"), {"__name__": "x"})
    assert str(ended.value).startswith("spar needs Python 3.10 or later, this is ")


def test_command_can_be_read_by_old_python():
    ast.parse((ROOT / "spar").read_text(), feature_version=(3, 6))


def get_imported(path: Path) -> set[str]:
    """Return the absolute names of all that a file imports, anywhere in it."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = f"{package}.{node.module or ''}" if node.level else node.module
            base = base.strip(".")
            imported |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return imported


def test_command_uses_the_standard_library_only():
    """Every module that the command imports, directly or not, is checked."""
    waiting, seen = [ROOT / "spar"], set()
    while waiting:
        path = waiting.pop()
        seen.add(path.name)
        for name in get_imported(path):
            top = name.partition(".")[0]
            assert top in {*sys.stdlib_module_names, "setup", "bench"}, (path, name)
            module = (ROOT / name.replace(".", "/")).with_suffix(".py")
            if module.exists() and module.name not in seen:
                waiting.append(module)
    assert {"benchmark.py", "demo.py", "testing_runs.py"} <= seen


def test_command_is_executable():
    assert os.access(ROOT / "spar", os.X_OK)


@pytest.mark.parametrize("words", [[], ["dance"], ["demo", "--port", "many"]])
def test_wrong_call_is_refused(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: spar" in capsys.readouterr().err


def test_arguments_of_pytest_are_unchanged():
    parsed = build_parser().parse_args(["test", "spar_mapper", "-k", "seal", "-x"])
    assert parsed.words == ["spar_mapper", "-k", "seal", "-x"]
    assert build_parser().parse_args(["test", "-q"]).words == ["-q"]


@pytest.mark.parametrize("call", ["keyring", "audit"])
@pytest.mark.parametrize("words", [[], ["show"], ["check", "--help", "-d", "x"]])
def test_arguments_of_odoo_commands_are_unchanged(monkeypatch, call, words):
    """The exit code of the command is ours, too."""
    called = []
    monkeypatch.setattr(
        "setup.serving.run_odoo",
        lambda _places, *given, part="": called.append((given, part)) or 3,
    )
    assert main([call, *words]) == 3
    assert main([call, "--apart", "store", *words]) == 3
    command = (f"spar_{call}", *words)
    assert called == [(command, ""), (command, "store")]


@pytest.mark.parametrize("call", ["keyring", "audit", "shell"])
def test_odoo_commands_need_a_demo(monkeypatch, places, capsys, call):
    monkeypatch.setattr("setup.cli.get_places", lambda: places)
    assert main([call, *([] if call == "shell" else ["show"])]) == 1
    assert capsys.readouterr().err == f"spar: {NO_DEMO}\n"


def test_failure_is_one_line(monkeypatch, capsys):
    def fail(*_arguments):
        raise Failure("What failed: do that.")

    monkeypatch.setattr("setup.serving.stop", fail)
    assert main(["stop"]) == 1
    assert capsys.readouterr().err == "spar: What failed: do that.\n"


# === THE MACHINE === #


def test_taken_port_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Failure, match=f"Port {port} is in use: .*--port"):
            machine.check_port(port)
    machine.check_port(port)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_impossible_port_is_refused(port):
    with pytest.raises(Failure, match="is not a port"):
        machine.check_port(port)


def test_full_disk_is_refused(monkeypatch, tmp_path):
    usage = SimpleNamespace(free=machine.GIBIBYTE // 2)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _folder: usage)
    with pytest.raises(Failure, match="Too little disk: .* 0.5 GiB free, 2.0 GiB"):
        machine.check_disk(tmp_path, 2)
    machine.check_disk(tmp_path, 0.25)


def test_uncreatable_folder_is_reported(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(Failure, match="Cannot make the folder .*XDG_CACHE_HOME"):
        get_places(tmp_path)


def test_private_file_is_read_by_its_owner_only(tmp_path):
    path = tmp_path / "deep" / "secret"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["secret"]


def test_failed_program_is_reported_with_its_reason(tmp_path):
    script = "import sys; print('first'); sys.exit('ValueError: no luck')"
    with pytest.raises(Failure, match=r"It failed \(ValueError: no luck; log: .*log\)"):
        run([sys.executable, "-c", script], log=tmp_path / "log", failing="It failed")


def test_missing_program_is_reported(tmp_path):
    with pytest.raises(Failure, match="It failed .*no-such-program"):
        run(["no-such-program"], log=tmp_path / "log", failing="It failed")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("ValueError: bad\nlater words", "ValueError: bad"),
        ("E: no mirror\nW: old\nDone", "W: old"),
        ("2026-01-01 10:00:00,000 7 ERROR db x: y\nend", "2026-01-01 10:00:00,000 7 "
         "ERROR db x: y"),
    ],
)  # fmt: skip
def test_reason_is_the_last_error_of_a_log(tmp_path, text, reason):
    log = tmp_path / "log"
    log.write_text(text)
    assert get_reason(log) == reason


def test_reason_of_a_missing_log_is_empty(tmp_path):
    assert get_reason(tmp_path / "none") == ""


def test_lock_is_held_by_one_process(tmp_path):
    lock = tmp_path / "lock"
    assert get_holder(lock) is None
    with hold(lock, "taken"):
        assert get_holder(lock) == os.getpid()
        with pytest.raises(Failure, match="^taken$"), hold(lock, "taken"):
            pytest.fail("two hold it")
    assert get_holder(lock) is None


# === ODOO === #


def make_odoo(home: Path, series: str, *, packaged: bool) -> Path:
    """Create the minimum that looks like an Odoo."""
    package = home / ("usr/lib/python3/dist-packages/odoo" if packaged else "odoo")
    package.mkdir(parents=True)
    (package / "release.py").write_text(f"version_info = ({series}, 0, FINAL, 0, '')\n")
    script = home / ("usr/bin/odoo" if packaged else "odoo-bin")
    script.parent.mkdir(parents=True, exist_ok=True)
    script.touch()
    return home


@pytest.mark.parametrize("packaged", [True, False])
def test_odoo_19_is_recognised(tmp_path, packaged):
    home = make_odoo(tmp_path / "o", "19, 0", packaged=packaged)
    source = odoo_source.read_home(home)
    assert source.script.is_file()
    assert (source.python_path / "odoo").is_dir()


@pytest.mark.parametrize("series", ["18, 0", "19, 1"])
def test_other_odoo_is_not_used(tmp_path, series):
    assert odoo_source.read_home(make_odoo(tmp_path, series, packaged=False)) is None


def test_odoo_home_has_precedence(monkeypatch, tmp_path):
    home = make_odoo(tmp_path / "mine", "19, 0", packaged=False)
    make_odoo(tmp_path / "cache/odoo-19.0-debian", "19, 0", packaged=True)
    monkeypatch.setenv("ODOO_HOME", str(home))
    assert odoo_source.find_odoo(tmp_path / "cache").script == home / "odoo-bin"


def test_odoo_home_without_odoo_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("ODOO_HOME", str(tmp_path))
    with pytest.raises(Failure, match="ODOO_HOME=.* does not contain Odoo 19: "):
        odoo_source.find_odoo(tmp_path)


def test_missing_network_is_reported_in_one_line(monkeypatch, places):
    """apt and git have no connection; everything begun is cleaned up."""
    programs = places.root / "bin"
    programs.mkdir()
    for name in ("apt-get", "apt-config", "dpkg-deb", "tar", "git"):
        (programs / name).write_text(
            "#!/bin/sh\necho 'E: no route to host'; exit 100\n"
        )
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("ODOO_HOME", raising=False)
    monkeypatch.setattr(odoo_source, "_read_importable", lambda: None)
    with pytest.raises(Failure) as failure:
        odoo_source.get_odoo(places)
    assert "Cannot clone Odoo's repository" in str(failure.value)
    assert "\n" not in str(failure.value)
    assert not list(places.cache.glob("odoo-*"))


def test_mirror_serves_the_suite_of_the_machine():
    uris = (
        "'http://other/linux/dists/stable/InRelease' a 0\n"
        "'http://mirror/debian/dists/bookworm/InRelease' b 0\n"
        "'http://mirror/debian/dists/bookworm-updates/InRelease' c 0\n"
        "'http://mirror/debian/dists/bookworm/main/Packages.xz' d 0\n"
    )
    assert debian.extract_mirrors(uris, "bookworm") == ["http://mirror/debian"]


@pytest.mark.parametrize(
    ("text", "suite"),
    [
        ('ID=debian\nVERSION_CODENAME="trixie"\n', "trixie"),
        ("ID=ubuntu\nVERSION_CODENAME=noble\n", ""),
        ("ID=debian\n", ""),
        ("", ""),
    ],
)
def test_suite_is_read_from_debian(text, suite):
    assert debian.get_suite(text) == suite


# === PACKAGES === #


def test_every_package_is_pinned():
    for name in (packages.PINS, packages.TEST_PINS):
        assert (pins := read_pins(name))
        assert [pin for pin in pins if "==" not in pin] == []


def read_pins(name: str) -> dict[str, list[str]]:
    """Return each pin of a file, with its hashes."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    words = {line.partition(" --hash=")[0].strip(): line.split() for line in lines}
    return {
        pin: [word for word in each if word.startswith("--hash=sha256:")]
        for pin, each in words.items()
    }


def test_every_pin_has_the_hashes_of_its_files():
    for name in (packages.PINS, packages.TEST_PINS):
        pins = read_pins(name)
        assert [pin for pin, hashes in pins.items() if not hashes] == []
        one_of_several = [pin for pin, hashes in pins.items() if len(hashes) > 10]
        assert one_of_several, "wheels for each platform are listed"


def test_pip_requires_hashes(places, monkeypatch):
    calls = []
    monkeypatch.setattr(
        packages, "run", lambda command, **_words: calls.append(list(command))
    )
    pins = places.root / packages.PINS
    pins.parent.mkdir(parents=True, exist_ok=True)
    pins.write_text("x==1\n")
    places.venv.mkdir(parents=True)
    packages._install(places, packages.PINS)
    assert [call for call in calls if "--require-hashes" in call]


def test_pins_name_the_odoo_that_was_tested():
    text = (ROOT / packages.PINS).read_text()
    assert re.search(r"Odoo 19\.0 of 20\d\d-\d\d-\d\d", text)


PYTHONS = ("3.10.0", "3.11.2", "3.12.0", "3.13.0")


def test_pinned_packages_install_on_every_supported_python():
    refusing = [
        (found.name, found.metadata["Requires-Python"])
        for found in importlib.metadata.distributions()
        if (wanted := found.metadata["Requires-Python"])
        and not all(SpecifierSet(wanted).contains(version) for version in PYTHONS)
    ]
    assert refusing == []


def test_requirements_of_the_addons_are_pinned():
    pinned = (ROOT / packages.PINS).read_text().lower().replace("_", "-")
    for folder in get_addon_folders(ROOT).values():
        manifest = ast.literal_eval((folder / "__manifest__.py").read_text())
        needed = manifest.get("external_dependencies", {}).get("python", [])
        assert [
            need for need in needed if f"\n{need.split('>')[0]}==" not in pinned
        ] == []


def test_missing_packages_are_reported(monkeypatch, places):
    """No registry answers: a pin that exists nowhere simulates that."""
    (places.root / "setup").mkdir()
    (places.root / packages.PINS).write_text("spar-no-such-package==1\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    source = SimpleNamespace(python_path=places.root)
    with pytest.raises(Failure, match="Cannot install the Python packages: .*network"):
        packages.prepare_packages(places, source, testing=False)
    assert not list(places.venv.glob(".installed-*"))


# === THE PYTHON OF THE ENVIRONMENT === #


def build_python(name: str, version=(3, 11, 2), *, optimised=True, complete=True):
    return Interpreter(Path(name), version, optimised, complete)


SYSTEM_PYTHON = build_python("/usr/bin/python3")
PYENV = build_python("/opt/python3.12", (3, 12, 1), optimised=False)


def test_optimised_system_python_is_used():
    assert choose([SYSTEM_PYTHON], PYENV, None) is SYSTEM_PYTHON
    assert choose([SYSTEM_PYTHON], PYENV, PYENV) is SYSTEM_PYTHON


@pytest.mark.parametrize(
    "other",
    [
        build_python("/usr/bin/python3", (3, 10, 13)),
        build_python("/usr/bin/python3", (3, 14, 0)),
        build_python("/usr/bin/python3", optimised=False),
        build_python("/usr/bin/python3", complete=False),
    ],
)
def test_other_python_is_not_used(other):
    assert choose([other], PYENV, None) is PYENV


def test_environment_is_kept_without_a_better_python():
    other = build_python("/opt/python3.13", (3, 13, 0), optimised=False)
    assert choose([], PYENV, None) is PYENV
    assert choose([], PYENV, other) is other


def test_running_optimised_python_is_used():
    own = build_python("/opt/python3.12", (3, 12, 1))
    assert choose([], own, PYENV) is own
    assert choose([], PYENV, own) is own


def test_python_of_an_environment_is_its_base():
    (one, other) = map(get_interpreter, (get_places().python, Path(sys.executable)))
    assert one.is_same(other) and one.version == sys.version_info[:3]
    assert not one.is_same(replace(one, version=(3, 9, 0)))
    assert one.path.resolve() != get_places().venv


def test_missing_python_is_none(tmp_path):
    assert get_interpreter(tmp_path / "python") is None
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho Python\n")
    script.chmod(0o755)
    assert get_interpreter(script) is None


def prepare_venv(monkeypatch, places, *, chosen, present, used=False) -> list:
    """Prepare an environment; return the Pythons that one was made with."""
    made = []
    monkeypatch.setattr(packages, "get_interpreter", lambda _path: present)
    monkeypatch.setattr(packages, "get_system_interpreters", lambda: [chosen])
    monkeypatch.setattr(packages, "get_running", lambda: PYENV)
    monkeypatch.setattr(packages, "_is_used", lambda _places: used)
    monkeypatch.setattr(packages, "_make_venv", lambda _p, python: made.append(python))
    packages._prepare_venv(places)
    return made


@pytest.mark.parametrize("present", [None, PYENV])
def test_environment_of_another_python_is_replaced(
    monkeypatch, places, capsys, present
):
    made = prepare_venv(monkeypatch, places, chosen=SYSTEM_PYTHON, present=present)
    assert made == [SYSTEM_PYTHON]
    said = "Using Python 3.11.2, optimised (/usr/bin/python3)"
    assert said in capsys.readouterr().out


def test_environment_of_the_chosen_python_is_kept(monkeypatch, places, capsys):
    present = replace(SYSTEM_PYTHON)
    assert not prepare_venv(monkeypatch, places, chosen=SYSTEM_PYTHON, present=present)
    assert capsys.readouterr().out == ""


def test_environment_in_use_is_kept(monkeypatch, places, capsys):
    given = {"chosen": SYSTEM_PYTHON, "present": PYENV, "used": True}
    assert not prepare_venv(monkeypatch, places, **given)
    assert "once no server of this checkout runs" in capsys.readouterr().out


def test_python_without_venv_is_reported_in_one_line(monkeypatch, places, capsys):
    bare = build_python("/usr/bin/python3", complete=False)
    made = prepare_venv(monkeypatch, places, chosen=bare, present=None)
    assert made == [PYENV]
    lines = capsys.readouterr().out.splitlines()
    assert "(/usr/bin/python3) has no `venv` (package python3-venv)" in lines[0]
    assert lines[1:] == [f"- Using {PYENV.description}"]


def test_running_server_is_detected(places):
    data = places.state / "demo" / "postgres" / "data"
    data.mkdir(parents=True)
    assert not packages._is_used(places)
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert packages._is_used(places)


@pytest.mark.parametrize("module", [interpreter, postgres])
def test_doctests_of_the_setup_pass(module):
    done = doctest.testmod(module)
    assert done.attempted and not done.failed


# === POSTGRESQL === #


def test_cluster_is_made_started_and_stopped(cluster):
    with running(cluster, hasty=True):
        assert cluster.is_running()
        assert cluster.get_answer("SELECT current_user", "postgres") == "spar"
        assert cluster.get_answer("SHOW is_superuser", "postgres") == "off"
        assert cluster.get_answer("SHOW listen_addresses", "postgres") == "127.0.0.1"
    assert not cluster.is_running()


def test_shared_buffers_follow_the_memory_of_the_machine(cluster):
    cluster.start()
    expected = postgres.get_shared_buffers(machine.get_memory_bytes(), cluster.pages)
    assert cluster.get_answer("SHOW shared_buffers", "postgres") in (
        expected,
        f"{int(expected.removesuffix('MB')) // 1024}GB",
    )


@pytest.mark.parametrize(
    "gibibytes, most, expected",
    [
        (1, 2048, "256MB"),
        (24, 2048, "2048MB"),
        (24, 8192, "6144MB"),
        (0.2, 64, "128MB"),
    ],
)
def test_shared_buffers_are_a_quarter_within_bounds(gibibytes, most, expected):
    memory = int(gibibytes * machine.GIBIBYTE)
    assert postgres.get_shared_buffers(memory, most) == expected


def test_memory_of_a_container_is_its_limit(monkeypatch, tmp_path):
    limit, none = tmp_path / "limit", tmp_path / "max"
    limit.write_text("67108864\n")
    none.write_text("max\n")
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for files, expected in (([none], whole), ([limit, none], 67108864)):
        monkeypatch.setattr(machine, "MEMORY_LIMITS", [*files, tmp_path / "missing"])
        assert machine.get_memory_bytes() == expected


def test_killed_cluster_restarts_on_its_port(cluster):
    cluster.start()
    port = cluster.settings["port"]
    assert cluster.get_answer("CREATE DATABASE kept", "postgres") == ""
    pid = int((cluster.data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not cluster.is_running()
    time.sleep(0.5)  # its children need time to notice
    cluster.start()
    assert cluster.settings["port"] == port
    assert cluster.has_database("kept")


def test_cluster_requires_its_password(cluster):
    cluster.start()
    psql = [str(cluster.binaries / "psql"), "-XAtqwc", "SELECT 1", "postgres"]
    env = {**cluster.environment, "PGPASSWORD": "wrong"}
    done = subprocess.run(psql, env=env, capture_output=True, text=True)
    assert done.returncode
    assert "password authentication failed" in done.stderr


def test_incomplete_cluster_is_recreated(cluster):
    cluster.data.mkdir(parents=True)
    (cluster.data / "half").touch()
    cluster.start()
    assert cluster.is_running()


def test_copied_database_equals_the_original(cluster, tmp_path):
    cluster.start()
    cluster.get_answer("CREATE DATABASE one", "postgres")
    cluster.get_answer("CREATE TABLE kept AS SELECT 7 AS seven", "one")
    cluster.copy_database("one", "two", tmp_path / "log")
    assert cluster.get_answer("SELECT seven FROM kept", "two") == "7"


def test_pghost_is_used_where_it_is_set(monkeypatch, tmp_path):
    monkeypatch.setenv("PGHOST", "db.example")
    monkeypatch.setenv("PGUSER", "payer")
    server = get_server(tmp_path, tmp_path)
    assert type(server) is ExternalServer
    assert server.get_dsn("x") == "host=db.example port=5432 user=payer dbname=x"


def test_unavailable_pghost_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("PGHOST", "127.0.0.1")
    monkeypatch.setenv("PGPORT", str(get_free_port()))
    server = get_server(tmp_path, packages.get_postgres_binaries(get_places()))
    with pytest.raises(Failure, match="PostgreSQL at 127.0.0.1 .*check PGHOST"):
        server.start()


# === SERVING === #


@pytest.fixture
def listener(tmp_path):
    """Yield a small server in place of Odoo."""
    port = get_free_port()
    command = [sys.executable, "-c", LISTEN, str(port)]
    made = OdooServer(command, dict(os.environ), tmp_path / "odoo.log", port)
    yield made
    made.stop()


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_server_starts_and_stops(listener):
    listener.start()
    listener.wait()
    pid = listener.pid
    with urllib.request.urlopen(f"{listener.url}/x", timeout=10) as answer:
        assert answer.status == 200
    listener.stop()
    assert not is_alive(pid)


def test_server_that_stops_at_once_is_reported(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('RuntimeError: bad settings')"]
    server = OdooServer(command, {}, tmp_path / "odoo.log", get_free_port())
    server.start()
    with pytest.raises(Failure, match="Odoo does not start .*bad settings; log: "):
        server.wait()


def test_dead_server_is_started_again(listener):
    postgres = SimpleNamespace(is_running=lambda: True)
    keeper = Keeper(listener, postgres)
    listener.start()
    listener.wait()
    before = listener.pid
    os.kill(before, signal.SIGKILL)
    listener.process.wait()
    keeper.check()
    listener.wait()
    assert listener.pid not in (None, before)


def test_dead_server_waits_for_postgres(listener):
    started = []
    postgres = SimpleNamespace(
        is_running=lambda: bool(started), start=lambda: started.append(1)
    )
    keeper = Keeper(listener, postgres)
    keeper.keeps_postgres = False
    keeper.check()
    assert not listener.is_running()
    keeper.keeps_postgres = True
    keeper.check()
    assert started and listener.is_running()


def test_orphan_is_stopped_by_its_configuration_only(tmp_path):
    config, pid_file = tmp_path / "x.conf", tmp_path / "x.pid"
    command = [sys.executable, "-c", "import time; time.sleep(60)", str(config)]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        while not is_ours(process.pid, config):
            time.sleep(0.01)  # its output is not there at once
        pid_file.write_text(str(process.pid))
        end_orphan(pid_file, tmp_path / "another.conf")
        assert process.poll() is None
        pid_file.write_text(str(process.pid))
        end_orphan_and_reap(pid_file, config, process)
        assert not pid_file.exists()
    finally:
        process.kill()


def end_orphan_and_reap(pid_file: Path, config: Path, process) -> None:
    """End a real orphan, which the system would reap; here it is our child."""
    signal.signal(signal.SIGCHLD, lambda *_received: process.poll())
    try:
        end_orphan(pid_file, config)
        assert process.wait(10) == -signal.SIGKILL
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def test_stop_without_a_demo_is_reported(places, capsys):
    stop(places)
    assert "no demo yet" in capsys.readouterr().out


@pytest.mark.parametrize("holder", [None, 1])
def test_odoo_command_runs_whether_or_not_the_demo_runs(
    monkeypatch, places, capfd, holder
):
    """A served demo's configuration stays as it is; the exit code is passed on."""
    written = []
    script = "import os, sys; print(sys.argv[1:], os.environ['SPAR_CALLED_AS'])"
    script += "; sys.exit(7)"
    installed = SimpleNamespace(
        server=None,
        folder=places.state,
        environment={},
        write_config=lambda **output: written.append(output),
        get_command=lambda *words: [sys.executable, "-c", script, *words],
    )
    write_private(demo.get_facts_file(places), "{}")
    monkeypatch.setattr(serving, "get_installation", lambda places: installed)
    monkeypatch.setattr(serving, "running", lambda server: nullcontext())
    monkeypatch.setattr(serving, "get_holder", lambda lock: holder)
    assert serving.run_odoo(places, "spar_audit", "check", "--help") == 7
    output = capfd.readouterr().out
    assert "['spar_audit', 'check', '--help']" in output
    # Its usage and its errors name the command that was typed.
    assert "./spar audit" in output
    assert bool(written) is (holder is None)
    for word in ("-d", "-dother", "--database=other"):
        with pytest.raises(Failure, match="leave out -d"):
            serving.run_odoo(places, "spar_audit", word, "check")


# === THE DEMO === #


@pytest.fixture
def installation(places, cluster) -> Installation:
    source = odoo_source.OdooSource(Path("/o/odoo"), Path("/o"), (Path("/o/addons"),))
    folder = places.state / "demo"
    folder.mkdir()
    server = SimpleNamespace(
        settings={"host": "127.0.0.1", "port": "5", "user": "spar", "password": "p"}
    )
    return Installation(places, source, server, folder, "spar_demo")


def read_options(installation: Installation) -> dict[str, str]:
    installation.write_config(port=8069, workers=2)
    lines = installation.config.read_text().splitlines()[1:]
    return dict(line.split(" = ", 1) for line in lines)


def test_configuration_isolates_odoo(installation):
    options = read_options(installation)
    assert options["http_interface"] == "127.0.0.1"
    assert options["list_db"] == options["proxy_mode"] == "False"
    # Clients that reach Odoo without a front must not declare their own address.
    installation.write_config(port=1, workers=2, websocket=2, fronted=True)
    text = installation.config.read_text()
    assert "\nproxy_mode = True\n" in text and "\ngevent_port = 2\n" in text
    assert options["db_name"] == "spar_demo"
    assert "dbfilter" not in options, "each request would list all databases"
    assert stat.S_IMODE(installation.config.stat().st_mode) == 0o600


def test_master_password_is_new_each_time(installation):
    first = read_options(installation)["admin_passwd"]
    assert len(first) >= 32
    assert read_options(installation)["admin_passwd"] != first


def test_keyring_is_outside_the_data_directory(installation):
    assert not installation.keyring.is_relative_to(installation.data)
    assert installation.environment["SPAR_KEYRING"] == str(installation.keyring)


def test_environment_of_odoo_has_no_settings_of_another(installation, monkeypatch):
    for name in ("PGHOST", "ODOO_RC", "SPAR_KEYRING"):
        monkeypatch.setenv(name, "another")
    assert "another" not in installation.environment.values()


def test_addons_path_comes_before_the_command_of_an_addon(installation):
    words = [str(word) for word in installation.get_command("spar_keyring", "init")]
    assert words[2].startswith("--addons-path=")
    assert words[3:5] == ["spar_keyring", "init"]


def test_demo_passes_its_own_check(facts):
    check_counts(facts)


@pytest.mark.parametrize("model", ["spar.fsp", "spar.mapping", "spar.event"])
def test_demo_without_its_data_is_refused(facts, model):
    facts["counts"][model] = 0
    with pytest.raises(Failure, match=f"did not load: 0 of at least .* {model}"):
        check_counts(facts)


@pytest.mark.parametrize("what", ["staff", "participants", "beneficiaries"])
def test_demo_without_its_people_is_refused(facts, what):
    facts[what] = []
    with pytest.raises(Failure, match="The demo data did not load"):
        check_counts(facts)


def test_demo_file_has_what_programs_need(facts):
    document = build_document(facts)
    assert set(document) == {
        "url",
        "api",
        "idp",
        "database",
        "staff",
        "beneficiaries",
        "participants",
    }
    assert document["database"] == {"name": "spar_demo", "dsn": "dbname=x"}
    assert set(document["participants"][0]) == {
        "sender_id",
        "client_id",
        "client_secret",
        "token_url",
        "profile",
        "private_jwk",
    }
    assert document["participants"][0]["token_url"].startswith(document["api"])
    (client,) = document["idp"]["clients"]
    assert document["idp"]["issuer"] == ISSUER
    assert client["login_url"] == "http://127.0.0.1:8069/spar/login/4"
    assert document["idp"]["newcomers"] == facts["idp"]["newcomers"]
    assert "secret" not in json.dumps(document["idp"])
    json.dumps(document)


def build_document(facts: dict) -> dict:
    """Return what ``.spar/demo.json`` would contain."""
    url = "http://127.0.0.1:8069"
    return build_demo_file(facts, url, ISSUER, "spar_demo", "dbname=x")


# === THE ID PROVIDER === #


def test_id_provider_is_configured_with_clients_and_people(facts):
    config = build_config(facts, "http://127.0.0.1:8069", 4455)
    (client,) = config["clients"]
    assert config["issuer"] == ISSUER
    assert client["client_id"] == "spar-esignet"
    assert client["redirect_uris"] == ["http://127.0.0.1:8069/spar/oidc/callback/4"]
    assert client["post_logout_redirect_uris"] == ["http://127.0.0.1:8069/spar"]
    known = {person["individual_id"]: person["otp"] for person in config["people"]}
    assert known == {"1": "123456", "7": "654321"}


def test_id_provider_answers_and_leaves_no_process(places, facts, tmp_path):
    provider = make_id_provider(places, facts, tmp_path)
    provider.start()
    try:
        provider.wait()
        pid = provider.pid
        assert int(provider.pid_file.read_text()) == pid
        assert is_ours(pid, provider.config)
        document = json.load(
            urllib.request.urlopen(
                f"{provider.issuer}/.well-known/openid-configuration", timeout=30
            )
        )
        assert document["issuer"] == provider.issuer
    finally:
        provider.stop()
    assert not is_alive(pid)
    assert not provider.pid_file.exists()


def test_orphaned_id_provider_is_stopped(places, facts, tmp_path):
    provider = make_id_provider(places, facts, tmp_path)
    provider.start()
    provider.wait()
    end_orphan_and_reap(provider.pid_file, provider.config, provider.process)
    assert not is_alive(provider.process.pid)


def test_id_provider_start_failure_is_reported_in_one_line(places, facts, tmp_path):
    provider = make_id_provider(places, facts, tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", json.loads(provider.config.read_text())["port"]))
        provider.start()
        with pytest.raises(Failure, match="does not start .*EADDRINUSE") as failed:
            provider.wait()
    assert "\n" not in str(failed.value)


def test_missing_packages_of_the_id_provider_are_reported(monkeypatch, places):
    places.venv.parent.mkdir(parents=True, exist_ok=True)
    places.venv.symlink_to(get_places().venv)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1/")
    monkeypatch.setenv("npm_config_cache", str(places.cache))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(Failure, match="Cannot get the demo's ID provider"):
        prepare_id_provider(places)


def test_port_of_the_id_provider_is_reused_while_free(tmp_path):
    first = choose_port(tmp_path)
    assert choose_port(tmp_path) == first
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        assert choose_port(tmp_path) != first


def test_lock_file_names_no_host_and_a_digest_of_every_package():
    lock = json.loads((ROOT / "setup/idp/package-lock.json").read_text())
    for name, package in lock["packages"].items():
        assert "resolved" not in package
        assert not name or package["integrity"].startswith("sha512-")


def make_id_provider(places, facts: dict, folder: Path) -> IdProvider:
    """Return a provider with the packages of this checkout."""
    config = build_config(facts, "http://127.0.0.1:8069", get_free_port())
    return IdProvider(get_places(), folder, config)


def test_greeting_has_every_login_and_a_valid_curl(facts):
    demo = build_document(facts)
    greeting = "\n".join(build_greeting(demo))
    assert all(person["login"] in greeting for person in demo["staff"])
    for line in build_curl(demo):
        assert subprocess.run(["sh", "-n", "-c", line]).returncode == 0
        assert line in greeting


def test_digest_covers_everything_but_tests(tmp_path):
    addon = tmp_path / "spar_x"
    (addon / "tests").mkdir(parents=True)
    (addon / "__manifest__.py").write_text("{}")
    before = get_digest(tmp_path)
    (addon / "tests" / "test_x.py").write_text("x")
    assert get_digest(tmp_path) == before
    (addon / "data.xml").write_text("x")
    assert get_digest(tmp_path) != before


# === TESTING === #


def test_alarm_in_a_log_is_found_unless_it_is_allowed():
    allowed = get_allowed(ROOT)
    line = "2026-01-01 10:00:00,000 7 ERROR db odoo.addons.base: {}".format
    good = line("PyPDF2 is deprecated")
    assert get_alarms([good, line("bad query")], allowed) == [line("bad query")]
    assert get_alarms(["2026-01-01 10:00:00,000 7 INFO db x: y"], []) == []


def test_every_allowed_alarm_has_its_reason():
    lines = (ROOT / "checklog-odoo.cfg").read_text().splitlines()
    start = lines.index("ignore =") + 1
    reasons, patterns = lines[start::2], lines[start + 1 :: 2]
    assert len(reasons) == len(patterns) == len(get_allowed(ROOT))
    assert all(reason.strip().startswith("# ") for reason in reasons)
