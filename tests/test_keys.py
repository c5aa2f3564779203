"""Keys are replaced while the system runs; without them nothing works."""

import json
import os
import secrets
import subprocess
import threading

import pytest

from examples.payer.client import TIMEOUT

from .backend import Refused, get_backend


def make_ids(count):
    return [f"token:keys-{secrets.token_hex(6)}@nationalId" for _number in range(count)]


def count_rows(server):
    tables = ("spar_subject_id", "spar_mapping_period", "spar_event", "spar_notice")
    return [server.query(f"SELECT count(*) FROM {table}") for table in tables]


class Loop(threading.Thread):
    """A thread that calls until it is stopped; it records errors."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.ending = call, threading.Event()
        self.count, self.faults = 0, []

    def run(self):
        while not self.ending.is_set():
            try:
                self.call()
                self.count += 1
            except Exception as error:  # pylint: disable=broad-except
                self.faults.append(repr(error))
                return

    def end(self):
        self.ending.set()
        self.join(60)
        assert not self.faults, self.faults
        assert self.count > 0


@pytest.fixture
def linked(programme):
    """Return the addresses of linked IDs, by ID."""
    items = {
        id_value: f"account:{n:012}@BR01.DEMO"
        for n, id_value in enumerate(make_ids(300), start=1)
    }
    answers = programme.link([{"id": i, "fa": fa} for i, fa in items.items()])
    assert {wire["status"] for wire in answers} == {"succ"}
    return items


def check_all(client, linked):
    answers = client.resolve([{"id": i, "scope": "details"} for i in linked])
    assert {wire["id"]: wire.get("fa") for wire in answers} == linked


def test_keys_are_replaced_while_clients_call(server, programme, linked):
    reader, writer = server.get_client("programme"), server.get_client("programme")

    def write():
        answers = writer.link(
            [{"id": i, "fa": "account:100001@BR01.DEMO"} for i in make_ids(5)]
        )
        assert {wire["status"] for wire in answers} == {"succ"}

    loops = [Loop(lambda: check_all(reader, linked)), Loop(write)]
    old = server.query("SELECT seal_key FROM spar_keyring_phase")[0][0]
    for loop in loops:
        loop.start()
    done = server.run_command("spar_keyring", "rotate")
    for loop in loops:
        loop.end()
    assert done.returncode == 0, done.stderr[-2000:]
    for table in (
        "spar_subject_id",
        "spar_mapping",
        "spar_mapping_period",
        "spar_change",
        "spar_notice",
    ):
        left = server.query(
            f"SELECT count(*) FROM {table} WHERE substring(sealed FROM 2 FOR 4) = %s",
            bytes.fromhex(old),
        )
        assert left == [(0,)], table
    keep_without(server, old)
    check_all(programme, linked)
    assert server.run_command("spar_audit", "check").returncode == 0


def keep_without(server, key_id):
    """Remove a key from the keyring: values that it sealed could not be opened."""
    document = json.loads(server.keyring.read_text())
    document["keys"] = [key for key in document["keys"] if key["id"] != key_id]
    draft = server.keyring.with_name("draft")
    draft.write_text(json.dumps(document))
    draft.chmod(0o600)
    os.replace(draft, server.keyring)


def refuse_everything(client, id_value):
    """Assert that every operation answers that the service is unavailable."""
    for operation in ("link", "update", "unlink", "resolve"):
        items = [
            {
                "reference_id": "1",
                "timestamp": "2026-01-01",
                "id": id_value,
                "fa": "a:1@b",
            }
        ]
        answer = client.send(operation, client.build_message(operation, items))
        assert answer.status_code == 503, (operation, answer.text)
        assert answer.json()["errors"][0]["code"] == "err.service.unavailable"


def test_missing_keyring_stops_answers_and_writes(server, programme, linked):
    programme.get_token()
    before = count_rows(server)
    with server.expecting("."), server.moved_aside(server.keyring):
        refuse_everything(programme, next(iter(linked)))
        assert not server.keyring.exists(), "a new keyring was made"
    assert count_rows(server) == before
    check_all(programme, linked)


def test_other_keyring_is_refused(server, programme, linked):
    programme.get_token()
    before = count_rows(server)
    with server.expecting("."), server.moved_aside(server.keyring) as elsewhere:
        document = json.loads(elsewhere.read_text())
        for key in document["keys"]:
            key["material"] = "A" * 43 + "="
        server.keyring.write_text(json.dumps(document))
        server.keyring.chmod(0o600)
        refuse_everything(programme, next(iter(linked)))
    assert count_rows(server) == before
    check_all(programme, linked)


def test_database_with_keys_gets_no_others(server, programme, linked):
    done = server.run_command("spar_keyring", "init")
    assert done.returncode != 0
    assert "already has keys" in done.stderr
    with server.moved_aside(server.keyring):
        done = server.run_command("spar_keyring", "init")
        assert done.returncode != 0
        assert not server.keyring.exists()
    check_all(programme, linked)


def count_sealed_with(server, key_id):
    """Return how many rows the key has sealed, in all tables with sealed values."""
    columns = server.query(
        """SELECT table_name, column_name FROM information_schema.columns
            WHERE column_name LIKE '%sealed%' AND data_type = 'bytea'"""
    )
    return sum(
        server.query(
            f"SELECT count(*) FROM {table} WHERE substring({column} FROM 2 FOR 4) = %s",
            bytes.fromhex(key_id),
        )[0][0]
        for table, column in columns
    )


def kill_rotation(server):
    """Begin to replace the key, and kill the command after some rows."""
    process = subprocess.Popen(
        server.build_command("spar_keyring", "rotate"),
        env=server.environment,
        cwd=server.installation.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        for line in process.stdout:
            if "rows sealed with the new key" in line:
                process.kill()
                break


def test_killed_rotation_is_completed_by_the_next(server, programme, linked):
    (old,) = server.query("SELECT seal_key FROM spar_keyring_phase")[0]
    everything = count_sealed_with(server, old)
    kill_rotation(server)
    (new,) = server.query("SELECT seal_key FROM spar_keyring_phase")[0]
    assert new != old
    assert 0 < count_sealed_with(server, old) < everything
    check_all(programme, linked)
    answers = programme.link([{"id": i, "fa": "account:1@b"} for i in make_ids(5)])
    assert {wire["status"] for wire in answers} == {"succ"}
    done = server.run_command("spar_keyring", "rotate")
    assert done.returncode == 0, done.stderr[-2000:]
    assert count_sealed_with(server, old) == 0
    assert server.query("SELECT seal_key FROM spar_keyring_phase") == [(new,)]
    assert server.query("SELECT 1 FROM spar_keyring_key WHERE state = 'retiring'") == []
    check_all(programme, linked)
    assert server.run_command("spar_audit", "check").returncode == 0


def test_key_in_use_cannot_be_removed(server, programme, linked):
    programme.get_token()
    before = count_rows(server)
    (key,) = server.query("SELECT seal_key FROM spar_keyring_phase")[0]
    kept = server.keyring.read_text()
    with server.expecting("keyring"):
        keep_without(server, key)
        try:
            refuse_everything(programme, next(iter(linked)))
        finally:
            server.keyring.write_text(kept)
    assert count_rows(server) == before
    check_all(programme, linked)


def test_keyring_that_others_can_read_is_refused(server, programme, linked):
    programme.get_token()
    with server.expecting("keyring"):
        server.keyring.chmod(0o644)
        try:
            refuse_everything(programme, next(iter(linked)))
        finally:
            server.keyring.chmod(0o600)
    check_all(programme, linked)


def test_staff_see_that_the_keyring_is_unavailable(server, linked):
    viewer = get_backend(server, "viewer")
    with server.moved_aside(server.keyring):
        with pytest.raises(Refused, match="keys cannot be read"):
            viewer.find("spar.mapping", [], "id_masked", "fa_masked", limit=3)
        page = viewer.session.get(f"{server.url}/odoo", timeout=TIMEOUT)
        assert page.status_code == 503
        assert "keys cannot be read" in page.text
    assert all(
        "•" in row["fa_masked"]
        for row in viewer.find("spar.mapping", [], "fa_masked", limit=3)
    )


def test_showing_the_keys_shows_no_secret(server):
    document = json.loads(server.keyring.read_text())
    done = server.run_command("spar_keyring", "show")
    assert done.returncode == 0
    for key in document["keys"]:
        assert key["material"] not in done.stdout + done.stderr
    assert document["keys"][0]["id"] in done.stdout
