"""The files and the standard input of the payer's programs.

Whatever is wrong with one of them is a ``ValueError`` that names it.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TextIO

import requests

from .client import ClientSettings
from .signatures import SigningKey, get_public_jwk, make_jwk


def _read_json(text: str, name: str, kind: type):
    """Return the parsed JSON.

    :raises ValueError: when ``text``, which is called ``name``, is no such JSON
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name}: not JSON: {error}") from error
    if not isinstance(found, kind):
        expected = "list" if kind is list else "object"
        raise ValueError(f"{name}: not a JSON {expected}")
    return found


def _read_file(path: Path) -> str:
    """Return the text of a file.

    :raises ValueError: when the file is not a text file
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text file") from error


def read_settings(path: Path) -> ClientSettings:
    """Return the settings in a file.

    :raises ValueError: stating what is wrong with the file
    """
    values = _read_json(_read_file(path), str(path), dict)
    names = [field.name for field in fields(ClientSettings)]
    for name in names:
        if not isinstance(values.get(name), str):
            raise ValueError(f"{path}: {name} is missing")
    return ClientSettings(**{name: values[name] for name in names})


def read_key(path: Path) -> SigningKey:
    """Return the key in a file.

    :raises ValueError: stating what is wrong with the file
    """
    jwk = _read_json(_read_file(path), str(path), dict)
    try:
        return SigningKey(jwk)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_items(source: TextIO) -> list[dict]:
    """Return the items read from a stream.

    :raises ValueError: when it is anything but a JSON list of objects
    """
    name = "standard input"
    try:
        text = source.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: not text") from error
    items = _read_json(text, name, list)
    if not all(isinstance(item, dict) for item in items):
        raise ValueError(f"{name}: not a list of objects")
    return items


def make_key(path: Path) -> dict:
    """Make a key pair; return the public key.

    The private key is written to ``path``, readable only by its owner.
    """
    jwk = make_jwk()
    # O_EXCL: an existing key is never overwritten.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(jwk, file)
    return get_public_jwk(jwk)


def _describe(error: requests.RequestException) -> str:
    """Return the line about a request that failed."""
    if error.response is not None:
        status, text = error.response.status_code, error.response.text
        return f"HTTP {status} from {error.response.url}: {text}"
    url = error.request.url if error.request else "the registry"
    return f"no answer from {url}: {type(error).__name__}"


@contextlib.contextmanager
def failing_in_one_line() -> Iterator[None]:
    """End the program with one line on any of the usual errors in the block."""
    try:
        yield
    except FileExistsError as error:
        sys.exit(
            f"{error.filename} exists: it may be a key in use, choose another name"
        )
    except requests.RequestException as error:
        sys.exit(_describe(error))
    except OSError as error:
        sys.exit(": ".join(filter(None, (error.filename, error.strerror))))
    except KeyError as error:
        sys.exit(f"{error} is missing in the answer")
    except ValueError as error:
        sys.exit(str(error))
