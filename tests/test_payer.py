"""The payer of the README, as its program is used."""

import json
import stat
import subprocess
import sys
from pathlib import Path

from setup.payer import Key, canonicalise, make_jwk, verify_answer

from .backend import approve_all, get_backend, get_secret

ROOT = Path(__file__).parents[1]


def run(*words: str, text: str = "") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "setup.payer", *words]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True)


def test_from_nothing_to_a_signed_call(server, tmp_path):
    key_file, settings_file = tmp_path / "payer.jwk", tmp_path / "payer.json"
    made = run("key", str(key_file))
    public = json.loads(made.stdout)
    assert "d" not in public
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    backend = get_backend(server, "administrator")
    told = {
        **{"name": "Payer", "sender_id": "payments.example.org", "scope": "details"},
        "key_ids": [[0, 0, {"key_text": json.dumps(public)}]],
    }
    (row_id,) = backend.call("spar.participant", "create", [told])
    secret = get_secret(backend, row_id)
    backend.call("spar.participant", "action_activate", [row_id])
    (row,) = backend.find(
        "spar.participant", [("id", "=", row_id)], "client_id", "state"
    )
    settings = {
        **{"api": server.api, "sender_id": "payments.example.org"},
        **{"client_id": row["client_id"], "client_secret": secret},
    }
    settings_file.write_text(json.dumps(settings))
    words = ("call", str(key_file), "resolve", "--settings", str(settings_file))
    items = json.dumps([{"id": "token:nobody@nationalId", "scope": "details"}])
    assert row["state"] == "draft"
    assert run(*words, text=items).returncode != 0
    approve_all(server)
    called = run(*words, text=items)
    answer = json.loads(called.stdout)
    (item,) = answer["message"]["resolve_response"]
    assert item["status_reason_code"] == "succ.id.not_found"
    key_file.write_text(json.dumps(make_jwk()))
    stranger = run(*words, text=items)
    assert stranger.returncode != 0 and "err.signature.invalid" in stranger.stderr


def test_a_key_is_not_overwritten(tmp_path):
    path = tmp_path / "payer.jwk"
    assert run("key", str(path)).returncode == 0
    before = path.read_text()
    assert run("key", str(path)).returncode != 0
    assert path.read_text() == before


def test_what_it_signs_it_verifies_and_nothing_else():
    jwk = make_jwk()
    public = {name: value for name, value in jwk.items() if name != "d"}
    message = Key(jwk).sign_message({"message": {"b": 1, "a": "é"}, "header": {}})
    assert verify_answer(message, [public])
    assert not verify_answer({**message, "header": {"x": 1}}, [public])
    assert not verify_answer(message, [])
    other = {**make_jwk(), "kid": public["kid"]}
    assert not verify_answer(message, [other])


def test_order_and_white_space_change_nothing():
    assert canonicalise(json.loads('{"b": 1,\n "a": 2}')) == b'{"a":2,"b":1}'
