"""A payer's side of the REST interface: keys, signatures, tokens, calls.

Small enough to be read and copied; needs `pyjwt`, `cryptography` and `requests`. As a
program (`python -m setup.payer`):

    key FILE            make a key pair: write the private key to FILE, show the public
    call FILE ACTION    sign the items on standard input (a JSON list) and send them
"""

import argparse
import contextlib
import json
import os
import sys
import time
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, get_default_algorithms
from jwt.api_jwk import PyJWK
from jwt.api_jwt import encode as encode_token
from jwt.exceptions import PyJWTError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: With a private and a public key.
_ALGORITHMS = {
    name: algorithm
    for name, algorithm in get_default_algorithms().items()
    if name.startswith(("ES", "PS", "RS", "EdDSA"))
}


# === SIGNATURES === #


def canonicalise(document: object) -> bytes:
    """Return the bytes to sign of a document: sorted members, no white space, UTF-8.

    >>> canonicalise({"b": 1, "a": "é"}).decode()
    '{"a":"é","b":1}'
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def get_signed(message: dict) -> dict:
    """Return the members of a message that its own signature covers."""
    return {name: message[name] for name in ("header", "message") if name in message}


class Key:
    """A private key (JWK), parsed once, because parsing takes longer than signing."""

    def __init__(self, jwk: dict):
        """Parse the key.

        :raises ValueError: when the JWK is not a private key
        """
        if str(jwk.get("alg")) not in _ALGORITHMS or "d" not in jwk:
            raise ValueError("no private key (JWK) of an algorithm that is known here")
        self.kid, self.name = jwk.get("kid", ""), jwk["alg"]
        try:
            self._key = PyJWK(jwk, algorithm=self.name).key
        except (PyJWTError, TypeError) as error:
            raise ValueError(f"no private key (JWK): {error}") from error

    def sign(self, payload: bytes, **header: object) -> str:
        """Return the detached signature of ``payload`` (RFC 7515, appendix F)."""
        protected = {"alg": self.name, "kid": self.kid, **header}
        first = encode(canonicalise(protected))
        signed = f"{first}.{encode(payload)}".encode()
        return f"{first}..{encode(_ALGORITHMS[self.name].sign(signed, self._key))}"

    def sign_message(self, message: dict) -> dict:
        """Return ``message`` with its signature (jws_envelope).

        It covers the header and the message.
        """
        return {**message, "signature": self.sign(canonicalise(get_signed(message)))}

    def sign_body(self, body: bytes) -> str:
        """Return the HTTP header Signature, over the whole body (jws_header)."""
        return self.sign(canonicalise(json.loads(body)))

    def assert_client(self, client_id: str, audience: str) -> str:
        """Return a client assertion, which the token endpoint accepts as a secret."""
        now = int(time.time())
        claims = {
            **{"iss": client_id, "sub": client_id, "aud": audience},
            **{"iat": now, "exp": now + 60, "jti": str(uuid.uuid4())},
        }
        headers = {"kid": self.kid}
        return encode_token(claims, self._key, self.name, headers=headers)


def verify(payload: bytes, signature: str, keys: list[dict]) -> bool:
    """Return whether ``signature`` of ``payload`` was made with one of ``keys``."""
    first, _nothing, last = signature.split(".")
    header = json.loads(_decode(first))
    jwk = next((jwk for jwk in keys if jwk["kid"] == header["kid"]), None)
    if jwk is None or header["alg"] != jwk["alg"]:
        return False
    key = PyJWK(jwk).key
    signed = f"{first}.{encode(payload)}".encode()
    return _ALGORITHMS[header["alg"]].verify(signed, key, _decode(last))


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verify_answer(answer: dict, keys: list[dict]) -> bool:
    """Return whether an answer's own signature is valid."""
    return verify(canonicalise(get_signed(answer)), answer["signature"], keys)


# === CALLS === #


def build_message(sender_id: str, action: str, items: list[dict]) -> dict:
    """Return a G2P Connect message with ``items``, each numbered and dated."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    numbered = [
        {"reference_id": str(number), "timestamp": now, **item}
        for number, item in enumerate(items, 1)
    ]
    return {
        "header": {
            "version": "1.0.0",
            "message_id": str(uuid.uuid4()),
            "message_ts": now,
            "action": action,
            "sender_id": sender_id,
            "total_count": len(items),
        },
        "message": {
            "transaction_id": str(uuid.uuid4()),
            f"{action}_request": numbered,
        },
    }


def get_token(api: str, client_id: str, client_secret: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": client_secret,
    }
    answer = requests.post(f"{api}/oauth2/client/token", data=form, timeout=30)
    if answer.status_code != 200:
        sys.exit(f"no token: HTTP {answer.status_code}: {answer.text}")
    return answer.json()["access_token"]


# === THE PROGRAM === #

#: The settings that a payer receives from the registry.
SETTINGS = ("api", "sender_id", "client_id", "client_secret")


def _read_json(text: str, name: str, kind: type) -> object:
    """Return the parsed JSON.

    :raises ValueError: when ``text``, which is called ``name``, is no such JSON
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: this is not JSON: {error}") from error
    if not isinstance(found, kind):
        wanted = "a list" if kind is list else "an object"
        raise ValueError(f"{name}: this is not {wanted} of JSON")
    return found


def _read_file(path: Path) -> str:
    """Return the text of a file.

    :raises ValueError: when the file is not a text file
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: this is not text") from error


def read_settings(path: Path) -> dict[str, str]:
    """Return the settings in a file.

    :raises ValueError: stating what is wrong with the file
    """
    settings = _read_json(_read_file(path), str(path), dict)
    for name in SETTINGS:
        if not isinstance(settings.get(name), str):
            raise ValueError(f"{path}: {name} is missing")
    return settings


def read_key(path: Path) -> Key:
    """Return the key in a file.

    :raises ValueError: stating what is wrong with the file
    """
    jwk = _read_json(_read_file(path), str(path), dict)
    try:
        return Key(jwk)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_items(source) -> list[dict]:
    """Return the items read from a stream; raise ValueError for anything else."""
    name = "standard input"
    try:
        text = source.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: this is not text") from error
    items = _read_json(text, name, list)
    if not all(isinstance(item, dict) for item in items):
        raise ValueError(f"{name}: this is not a list of objects")
    return items


def make_jwk() -> dict:
    """Return a new private key."""
    made = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    jwk = {name: made[name] for name in ("kty", "crv", "x", "y", "d")}
    return {**jwk, "alg": "ES256", "kid": f"key-{uuid.uuid4().hex[:8]}"}


def make_key(path: Path) -> dict:
    """Make a key pair; return the public key.

    The private key is written to ``path``, readable only by its owner.
    """
    jwk = make_jwk()
    # O_EXCL: an existing key is never overwritten.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(jwk, file)
    return {name: value for name, value in jwk.items() if name != "d"}


def call(settings: dict, key: Key, action: str, items: list[dict]) -> dict:
    """Return the answer to a signed message, after verifying its signature."""
    api = settings["api"]
    token = get_token(api, settings["client_id"], settings["client_secret"])
    message = key.sign_message(build_message(settings["sender_id"], action, items))
    answer = requests.post(
        f"{api}/mapper/sync/{action}",
        json=message,
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    if answer.status_code != 200:
        sys.exit(f"HTTP {answer.status_code}: {answer.text}")
    keys = requests.get(f"{api}/.well-known/jwks.json", timeout=30).json()["keys"]
    if not verify_answer(answer.json(), keys):
        sys.exit("the answer is not signed by the registry")
    return answer.json()


@contextlib.contextmanager
def failing_in_one_line() -> Iterator[None]:
    """End the program with one line on any of the usual errors in the block."""
    try:
        yield
    except FileExistsError as error:
        sys.exit(
            f"{error.filename} exists: it may hold a key in use, take another name"
        )
    except requests.RequestException as error:
        url = error.request.url if error.request else "the registry"
        sys.exit(f"no answer from {url}: {type(error).__name__}")
    except OSError as error:
        sys.exit(": ".join(filter(None, (error.filename, error.strerror))))
    except KeyError as error:
        sys.exit(f"{error} is missing in the answer")
    except ValueError as error:
        sys.exit(str(error))


@failing_in_one_line()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("do", choices=("key", "call"))
    parser.add_argument("file", type=Path, help="the private key (JWK)")
    parser.add_argument("action", nargs="?", default="resolve")
    parser.add_argument("--settings", type=Path, help="api, sender_id, client_id, ...")
    options = parser.parse_args()
    if options.do == "key":
        print(json.dumps(make_key(options.file), indent=1))
        return
    if options.settings is None:
        parser.error("a call needs --settings")
    settings, key = read_settings(options.settings), read_key(options.file)
    answer = call(settings, key, options.action, read_items(sys.stdin))
    print(json.dumps(answer, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
