"""A file of branches, loaded by a process that is killed in the middle."""

import base64
import subprocess
import time

import pytest
import requests

from .backend import Refused, get_backend

ROWS, KILLED_AFTER = 12_000, 2
SCRIPT = b'env["spar.directory.import"]._cron_load()\n'
COUNT = (
    "SELECT count(*), count(DISTINCT code) FROM spar_fsp_branch WHERE import_id = %s"
)
CHUNKS = "SELECT count(*), coalesce(sum(added), 0) FROM spar_directory_import_chunk"


@pytest.fixture
def administrator(server):
    return get_backend(server, "administrator")


def upload(administrator, rows, filename="branches.csv") -> int:
    data = "\n".join(["provider,name,code,city", *rows]).encode()
    values = {"filename": filename, "file": base64.b64encode(data).decode()}
    (row_id,) = administrator.call("spar.directory.import", "create", [values])
    administrator.call("spar.directory.import", "action_load", [row_id])
    return row_id


def begin_loading(server) -> subprocess.Popen:
    process = subprocess.Popen(
        server.build_command("shell", "--no-http"),
        env=server.environment,
        cwd=server.installation.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    process.stdin.write(SCRIPT)
    process.stdin.close()
    return process


def count_chunks(server, row_id) -> tuple:
    return server.query(f"{CHUNKS} WHERE import_id = %s", row_id)[0]


def get_state(administrator, row_id) -> dict:
    names = ("state", "added_count", "refused_count", "progress")
    (state,) = administrator.find(
        "spar.directory.import", [("id", "=", row_id)], *names
    )
    return state


def test_killed_import_continues_without_duplicates(server, administrator):
    provider = {"name": "Killed Bank", "code": "KILLED"}
    administrator.call("spar.fsp", "create", [provider])
    rows = [f"KILLED,Branch {number},K{number:05},Marn" for number in range(ROWS)]
    row_id = upload(administrator, rows)
    process = begin_loading(server)
    try:
        end = time.monotonic() + 120
        while count_chunks(server, row_id)[0] < KILLED_AFTER:
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()

    _chunks, added = count_chunks(server, row_id)
    assert 0 < added < ROWS
    assert server.query(COUNT, row_id) == [(added, added)]
    state = get_state(administrator, row_id)
    assert state["state"] == "waiting" and 0 < state["progress"] < 100

    assert begin_loading(server).wait(300) == 0
    assert server.query(COUNT, row_id) == [(ROWS, ROWS)]
    state = get_state(administrator, row_id)
    assert (state["state"], state["added_count"], state["refused_count"]) == (
        "done",
        ROWS,
        0,
    )


def test_refused_rows_are_a_file_for_administrators_only(server, administrator):
    row_id = upload(administrator, ["NOBANK,Nowhere,N1,Marn"], "nowhere.csv")
    assert begin_loading(server).wait(300) == 0
    action = administrator.call(
        "spar.directory.import", "action_download_refused", [row_id]
    )
    answer = administrator.session.get(f"{server.url}{action['url']}", timeout=60)
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].split(",")[3:] == ["provider", "name", "code", "city"]
    assert lines[1].startswith("2,provider,") and lines[1].endswith(
        "NOBANK,Nowhere,N1,Marn"
    )
    assert "nowhere" in answer.headers["Content-Disposition"]

    officer = get_backend(server, "officer")
    with server.expecting("You are not allowed to access 'Directory File'"):
        refused = officer.session.get(f"{server.url}{action['url']}", timeout=60)
        with pytest.raises(Refused):
            officer.find("spar.directory.import", [], "filename")
        stranger = requests.get(f"{server.url}{action['url']}", timeout=60)
    for answer in (refused, stranger):
        assert answer.status_code in (403, 404)
        assert b"NOBANK" not in answer.content
