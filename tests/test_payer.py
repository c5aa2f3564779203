"""The example payer: its programs and its signatures."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from examples.payer.files import read_items, read_key, read_settings
from examples.payer.signatures import (
    SigningKey,
    canonicalise,
    get_public_jwk,
    make_jwk,
    verify_answer,
)

from .backend import approve_all, get_backend, get_secret

ROOT = Path(__file__).parents[1]


def run(*words: str, text: str | bytes = "", module: str = "examples.payer"):
    command = [sys.executable, "-m", module, *words]
    given = text.encode() if isinstance(text, str) else text
    done = subprocess.run(command, cwd=ROOT, input=given, capture_output=True)
    return subprocess.CompletedProcess(
        command, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def test_new_payer_makes_a_signed_call(server, tmp_path):
    key_file, settings_file = tmp_path / "payer.jwk", tmp_path / "payer.json"
    made = run("key", str(key_file))
    public = json.loads(made.stdout)
    assert "d" not in public
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    backend = get_backend(server, "administrator")
    values = {
        "name": "Payer",
        "sender_id": "payments.example.org",
        "scope": "details",
        "key_ids": [[0, 0, {"key_text": json.dumps(public)}]],
    }
    (row_id,) = backend.call("spar.participant", "create", [values])
    secret = get_secret(backend, row_id)
    backend.call("spar.participant", "action_activate", [row_id])
    (row,) = backend.find(
        "spar.participant", [("id", "=", row_id)], "client_id", "state"
    )
    settings = {
        "api": server.api,
        "sender_id": "payments.example.org",
        "client_id": row["client_id"],
        "client_secret": secret,
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


def test_only_the_signed_message_is_verified():
    jwk = make_jwk()
    public = get_public_jwk(jwk)
    unsigned = {"message": {"b": 1, "a": "é"}, "header": {}}
    message = SigningKey(jwk).sign_message(unsigned)
    assert verify_answer(message, [public])
    assert not verify_answer({**message, "header": {"x": 1}}, [public])
    assert not verify_answer(message, [])
    other = {**make_jwk(), "kid": public["kid"]}
    assert not verify_answer(message, [other])


def test_canonical_form_ignores_order_and_white_space():
    assert canonicalise(json.loads('{"b": 1,\n "a": 2}')) == b'{"a":2,"b":1}'


# === ERRORS ARE ONE LINE === #


def check_refused(done: subprocess.CompletedProcess, word: str) -> None:
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert word in line


def test_existing_key_is_not_overwritten(tmp_path):
    key_file = tmp_path / "payer.jwk"
    assert run("key", str(key_file)).returncode == 0
    before = key_file.read_text()
    check_refused(run("key", str(key_file)), "payer.jwk exists")
    assert key_file.read_text() == before


def write_settings(folder: Path, **changed: str) -> tuple[str, ...]:
    """Write a key and settings for a call of a registry that does not exist."""
    key_file, settings_file = folder / "payer.jwk", folder / "payer.json"
    key_file.write_text(json.dumps(make_jwk()))
    settings = {
        "api": "http://127.0.0.1:1",
        "sender_id": "x",
        "client_id": "x",
        "client_secret": "x",
        **changed,
    }
    settings_file.write_text(json.dumps(settings))
    return ("call", str(key_file), "resolve", "--settings", str(settings_file))


def test_missing_parts_of_a_call_are_named(tmp_path):
    words = write_settings(tmp_path)
    check_refused(run(*words, text="[]"), "no answer from http://127.0.0.1:1")
    check_refused(run(*words, text="nothing"), "not JSON")
    (tmp_path / "payer.json").write_text("{}")
    check_refused(run(*words, text="[]"), "missing")
    (tmp_path / "payer.json").unlink()
    check_refused(run(*words, text="[]"), "payer.json: No such file")
    write_settings(tmp_path)
    (tmp_path / "payer.jwk").unlink()
    check_refused(run(*words, text="[]"), "payer.jwk: No such file")
    nowhere = str(tmp_path / "none" / "payer.jwk")
    check_refused(run("key", nowhere), "payer.jwk: No such file")


def test_call_without_settings_names_the_option(tmp_path):
    done = run("call", str(tmp_path / "payer.jwk"), "resolve", text="[]")
    assert done.returncode == 2
    assert "--settings" in done.stderr and "Traceback" not in done.stderr


DEEP = "[" * 100_000
PUBLIC = get_public_jwk(make_jwk())
#: Neither a private key, nor settings, nor a list of items.
NONSENSE_KEYS = ("", "nonsense", DEEP, "[]", "7", "null", "{}", b"\xff\xfe\x00")
NONSENSE_KEYS += tuple(
    json.dumps(jwk)
    for jwk in (
        PUBLIC,
        {**make_jwk(), "alg": "none"},
        {**make_jwk(), "alg": ["ES256"]},
        {**make_jwk(), "crv": "P-999"},
        {**make_jwk(), "d": "!"},
        {**make_jwk(), "d": 7},
        {**make_jwk(), "kty": "RSA"},
        {"alg": "HS256", "d": "x"},
    )
)
NONSENSE_SETTINGS = ("", "nonsense", DEEP, "[]", "7", "null", "{}", b"\xff\xfe\x00")
NONSENSE_SETTINGS += ('{"api": 7}', '{"api": "x", "sender_id": "x", "client_id": []}')
NONSENSE_ITEMS = ("", "nonsense", DEEP, "{}", "7", "null", "[7]", '["x"]', b"\xff\xfe")


def write(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def test_file_with_nonsense_is_named(tmp_path):
    for name, read, contents in (
        ("payer.jwk", read_key, NONSENSE_KEYS),
        ("payer.json", read_settings, NONSENSE_SETTINGS),
    ):
        for content in contents:
            write(tmp_path / name, content)
            with pytest.raises(ValueError, match=name):
                read(tmp_path / name)
    for content in NONSENSE_ITEMS:
        write(tmp_path / "items", content)
        with (
            open(tmp_path / "items", encoding="utf-8") as items,
            pytest.raises(ValueError, match="standard input"),
        ):
            read_items(items)


@pytest.mark.parametrize("module", ["examples.payer", "examples.payer.callbacks"])
@pytest.mark.parametrize("name", ["payer.jwk", "payer.json", "standard input"])
def test_nonsense_is_refused_in_one_line(tmp_path, module, name):
    call, *words = write_settings(tmp_path)
    words = [*([call] if module == "examples.payer" else []), *words]
    if name != "standard input":
        (tmp_path / name).write_text("[]")
    check_refused(run(*words, text="{}", module=module), name)


@pytest.mark.parametrize("address", ["nonsense", "ftp://127.0.0.1", "http://[", ""])
def test_invalid_url_is_refused_in_one_line(tmp_path, address):
    words = write_settings(tmp_path, api=address)
    check_refused(run(*words, text="[]"), "no answer")


@pytest.mark.parametrize("module", ["setup.payer", "setup.payer_callbacks"])
def test_earlier_name_of_a_program_works(module):
    done = run("--help", module=module)
    assert done.returncode == 0
    assert "--settings" in done.stdout
