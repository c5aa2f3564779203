"""Programmes in one database, and the store in another: over HTTP, signed.

``SPAR_READINESS_PEOPLE=100000`` measures payment readiness of so many people.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import pytest

from setup.apart import build_backend
from setup.demo_facts import API

from .backend import EVERY_RIGHT, make_participant
from .outbox import MAKE, collect, drain, run_script
from .people import make_card_holders
from .relay import Relay, relaying
from .test_readiness_kill import START, WORK, count_states

PEOPLE = int(os.environ.get("SPAR_OUTBOX_PEOPLE", "60"))
CHUNK = 20
READY = int(os.environ.get("SPAR_READINESS_PEOPLE", "2000"))
#: People whom readiness asks about in one go, and items in a message.
READY_CHUNK, READY_ITEMS = 500, 500
#: Rights of a participant that is a SPAR.
EXTENSION = (
    "may_use_extension",
    "may_suspend",
    "may_read_standing",
    "may_read_history",
    "may_read_waiting",
)
#: Implementation of the backend -> the first ID of the people that it is called for.
KINDS = {"spar.mapper.g2p_connect": 4_100_000_000, "spar.mapper.spar": 4_200_000_000}


@dataclass
class Apart:
    """The programme side, which calls the store through a relay."""

    server: object
    second: object
    relay: Relay
    kind: str
    values: dict
    first_id: int
    known: dict[str, tuple[int, int]] = field(default_factory=dict)

    def set_backend(self, **changed) -> None:
        """Let the store be the mapper of the programme side from now on."""
        problem = self.second.set_backend(self.kind, **{**self.values, **changed})
        assert problem == ""

    def get_ids(self) -> list[str]:
        return [f"token:{self.first_id + n}@nationalId" for n in range(PEOPLE)]

    def count_events(self) -> dict[str, tuple[int, int]]:
        """Return, by kind, how many new events it caused, and of how many people."""
        query = """SELECT kind, count(*), count(DISTINCT subject_id) FROM spar_event
                    WHERE actor = %s GROUP BY kind"""
        rows = self.server.query(query, f"participant:{self.values['sender_id']}")
        found = {}
        for kind, events, people in rows:
            earlier, known = self.known.get(kind, (0, 0))
            found[kind] = (events - earlier, people - known)
        return {kind: counts for kind, counts in found.items() if counts != (0, 0)}

    def kill_store(self) -> None:
        """Kill the store's Odoo, all its processes; its keeper starts it again."""
        process = self.server.keeper.odoo.process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def participant(server, second):
    """Return what the programme side is at the store."""
    key = json.dumps(second.facts["public_jwk"])
    rights = {**EVERY_RIGHT, **dict.fromkeys(EXTENSION, 1), "authority": "programme"}
    keys = [[0, 0, {"key_text": key}]]
    return make_participant(server, "programme-side", **rights, key_ids=keys)


@pytest.fixture(scope="module", params=KINDS, ids=str)
def apart(request, server, second, participant) -> Iterator[Apart]:
    """Yield two servers, of which one is a participant of the other."""
    with relaying(server.url) as relay:
        values = {
            **build_backend(server.api, asdict(participant)),
            "url": f"{relay.url}{API}",
            "timeout": 5,
            "chunk_size": CHUNK,
        }
        first_id = KINDS[request.param]
        made = Apart(server, second, relay, request.param, values, first_id)
        made.known = made.count_events()
        made.set_backend()
        run_script(second, MAKE.format(count=PEOPLE, first=first_id))
        yield made


def is_change(path: str) -> bool:
    return path.rpartition("/")[2] in ("link", "update")


def resolve(programme, apart: Apart) -> list[str | None]:
    found = programme.resolve(
        [{"id": each, "scope": "details"} for each in apart.get_ids()]
    )
    return [item.get("fa") for item in found]


def build_fas(prefix: int) -> list[str]:
    return [f"account:{prefix}{n:08}@BR01.DEMO" for n in range(PEOPLE)]


# === THE OUTBOX === #


def test_store_is_killed_twice(apart, programme):
    """Once between its commit and its answer, once at work."""
    killed: list[str] = []
    once = (PEOPLE, PEOPLE)

    def kill_before_the_answer(path: str, content: bytes) -> bytes | None:
        if not is_change(path) or killed:
            return content
        killed.append("answered")
        apart.kill_store()
        return None

    def kill_at_work(path: str) -> None:
        if is_change(path) and len(killed) == 1:
            killed.append("at work")
            threading.Timer(0.03, apart.kill_store).start()

    with apart.server.expecting("."):
        collect(apart.second, 1)
        apart.relay.change_answer = kill_before_the_answer
        assert drain(apart.second, 120) == 0
        assert apart.count_events() == {"linked": once}
        assert resolve(programme, apart) == build_fas(1)
        apart.relay.change_answer = None
        apart.relay.notice = kill_at_work
        collect(apart.second, 2)
        assert drain(apart.second, 120) == 0
        apart.relay.notice = None
        apart.server.wait()
    assert killed == ["answered", "at work"]
    assert resolve(programme, apart) == build_fas(2)
    assert apart.count_events() == {"linked": once, "updated": once}


def test_altered_answers_are_not_believed(apart, programme):
    """Somebody on the way says that every change was made, or refused."""
    before, _people = apart.count_events()["updated"]
    collect(apart.second, 3)
    for real, false in ((b'"succ"', b'"rjct"'), (b"BR01.DEMO", b"BR02.DEMO")):
        apart.relay.change_answer = lambda _path, content, r=real, f=false: (
            content.replace(r, f)
        )
        assert drain(apart.second, 4) == PEOPLE
    apart.relay.change_answer = None
    assert drain(apart.second) == 0
    assert resolve(programme, apart) == build_fas(3)
    updated, _people = apart.count_events()["updated"]
    assert updated == before + PEOPLE


def test_unsigned_answers_are_not_believed(apart, programme):
    def strip(_path: str, content: bytes) -> bytes:
        document = json.loads(content)
        document.pop("signature", None)
        return json.dumps(document).encode()

    collect(apart.second, 4)
    apart.relay.change_answer = strip
    assert drain(apart.second, 4) == PEOPLE
    apart.relay.change_answer = None
    assert drain(apart.second) == 0
    assert resolve(programme, apart) == build_fas(4)


# === PAYMENT READINESS === #


def test_payment_readiness(apart, programme, tmp_path):
    people = make_card_holders(READY)
    linked = people[::2]
    for start in range(0, len(linked), 500):
        answers = programme.link([p.linked for p in linked[start : start + 500]])
        assert {answer["status"] for answer in answers} == {"succ"}
    apart.set_backend(chunk_size=READY_ITEMS)
    numbers = tmp_path / "numbers.json"
    numbers.write_text(json.dumps([person.value for person in people]))
    made = apart.second.installation.run_script(
        START, SPAR_IDS=f"@{numbers}", SPAR_CHUNK=str(READY_CHUNK)
    )
    apart.relay.calls.clear()
    begun = time.monotonic()
    peak = check(apart.second)
    calls = sum(apart.relay.calls.values())
    print(
        f"readiness of {READY:,} people: {time.monotonic() - begun:.1f} s, "
        f"{calls} calls, {peak} MB at most"
    )
    assert count_states(apart.second, made["run_id"]) == {
        "payable": len(linked),
        "not_linked": READY - len(linked),
    }
    assert READY / READY_ITEMS <= calls <= READY / READY_ITEMS + 10


def check(second) -> int:
    """Check everybody; return the memory that this took, in MB."""
    with open(WORK, "rb") as script:
        process = subprocess.Popen(
            second.build_command("shell", "--no-http"),
            stdin=script,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**second.environment, "SPAR_PAUSE": "0"},
            cwd=second.installation.folder,
        )
    _pid, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_maxrss // 1024


def test_readiness_does_not_guess_while_the_store_is_away(apart):
    people = make_card_holders(40)
    ids = json.dumps([person.value for person in people])
    made = apart.second.installation.run_script(START, SPAR_IDS=ids)
    apart.relay.change_answer = lambda _path, _content: None
    try:
        check(apart.second)
    finally:
        apart.relay.change_answer = None
    assert set(count_states(apart.second, made["run_id"])) == {"error"}
