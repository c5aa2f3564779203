"""A mapper that only acknowledges messages: its answers arrive at the real server."""

import json
import subprocess

import pytest
import requests

from setup.places import ROOT

from .people import make_people
from .workers import running_workers

SCRIPT = ROOT / "tests" / "remote_answers.py"


@pytest.fixture(scope="module", autouse=True)
def workers(server):
    with running_workers(server) as keeper:
        yield keeper


def test_answers_arrive_by_callback(server, tmp_path):
    (person,) = make_people(1)
    asked = {"api": server.api, "id": person.id, "fa": person.fa}
    answer = tmp_path / "answer.json"
    variables = {"SPAR_QUESTIONS": json.dumps(asked), "SPAR_ANSWER": str(answer)}
    done = subprocess.run(
        server.build_command("shell", "--no-http"),
        input=SCRIPT.read_text(),
        env={**server.environment, **variables},
        cwd=server.installation.folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert answer.exists(), done.stderr[-3000:]
    assert json.loads(answer.read_text()) == {
        "linked": "linked",
        "found": "found",
        "fa": person.fa,
        "answers": [["link", True], ["resolve", True]],
    }


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"message": {}}'])
def test_what_nobody_expects_is_refused(server, body):
    for path in ("1/on-link", "999999/on-link", "1/other"):
        answer = requests.post(
            f"{server.url}/spar/callback/{path}", data=body, timeout=30
        )
        assert answer.status_code == 401
        assert answer.json()["message"]["ack_status"] == "ERR"


def test_it_is_posted_to(server):
    answer = requests.get(f"{server.url}/spar/callback/1/on-link", timeout=30)
    assert answer.status_code in (404, 405)
