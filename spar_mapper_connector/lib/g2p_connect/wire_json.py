"""JSON from other parties: strict, bounded, and hardly slower than ``json``.

One pass at the speed of ``json`` finds out whether anything is wrong; only then a
second, exact pass looks for the member, so that the refusal can name it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

from .exceptions import MalformedMessage

#: An object of a message: the type of a member depends on its name. What another party
#: sent is examined member by member, with the checks that each one needs.
JsonObject = dict[str, Any]

MAX_DEPTH = 32
MAX_DIGITS = 20

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_PLAIN_NAME = re.compile(r"[A-Za-z_]{1,64}")
_CONTAINERS = (dict, list)


class _Suspect(Exception):
    """The fast pass met something that the exact pass must locate."""


class _Unusable:
    """A placeholder, in the exact pass, for a value that is refused."""

    def __init__(self, text: str):
        self.text = text


def parse(raw: bytes) -> object:
    """Return the JSON document in ``raw``.

    Raises MalformedMessage for anything that is not JSON in UTF-8, and for constructs
    that JSON allows but implementations disagree about: nesting beyond 32 levels, NUL,
    lone surrogates, numbers of more than 20 digits, NaN and infinities, duplicate
    members.

    >>> parse(b'{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    >>> parse(b'{"header": {"total_count": NaN}}')
    Traceback (most recent call last):
    ...
    odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions.MalformedMessage: \
header.total_count: not a finite number
    """
    text = _decode(raw)
    try:
        document = _load(_FAST, text)
        suspect = b"\\u0000" in raw or _SURROGATE_ESCAPE.search(raw)
    except _Suspect:
        document = _load(_EXACT, text)
        suspect = True
    _check_depth(document)
    if suspect:
        _refuse_unusable(document)
    return document


def _load(decoder: json.JSONDecoder, text: str) -> object:
    try:
        return decoder.decode(text)
    except RecursionError:
        raise MalformedMessage(_too_deep()) from None
    except ValueError as error:
        raise MalformedMessage(_describe_syntax_error(error)) from None


def _decode(raw: bytes) -> str:
    if not raw:
        raise MalformedMessage("the body is empty")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedMessage("the body is not UTF-8") from None


def _describe_syntax_error(error: ValueError) -> str:
    # Not the library's own messages: some of them quote the body.
    if isinstance(error, json.JSONDecodeError):
        return f"the body is not JSON (line {error.lineno}, column {error.colno})"
    return "the body is not JSON"


def _too_deep() -> str:
    return f"the body is nested deeper than {MAX_DEPTH} levels"


def _check_depth(document: object) -> None:
    """Refuse more than MAX_DEPTH levels of objects and arrays, level by level."""
    level = [document] if isinstance(document, _CONTAINERS) else []
    for _depth in range(MAX_DEPTH):
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return
    raise MalformedMessage(_too_deep())


# === THE FAST PASS === #


def _fast_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Suspect
    return members


def _fast_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _Suspect
    return int(digits)


def _fast_float(digits: str) -> float:
    value = float(digits)
    if len(digits) > MAX_DIGITS or not isfinite(value):
        raise _Suspect
    return value


def _fast_constant(name: str) -> float:
    raise _Suspect


# === THE EXACT PASS === #


def _exact_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        members[name] = _Unusable("duplicate member") if name in members else value
    return members


def _exact_integer(digits: str) -> int | _Unusable:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        return _Unusable(f"a number of more than {MAX_DIGITS} digits")
    return int(digits)


def _exact_float(digits: str) -> float | _Unusable:
    if sum(map(str.isdigit, digits)) > MAX_DIGITS:
        return _Unusable(f"a number of more than {MAX_DIGITS} digits")
    value = float(digits)
    return value if isfinite(value) else _Unusable("not a finite number")


def _exact_constant(name: str) -> _Unusable:
    return _Unusable("not a finite number")


_FAST = json.JSONDecoder(
    object_pairs_hook=_fast_object,
    parse_int=_fast_integer,
    parse_float=_fast_float,
    parse_constant=_fast_constant,
)
_EXACT = json.JSONDecoder(
    object_pairs_hook=_exact_object,
    parse_int=_exact_integer,
    parse_float=_exact_float,
    parse_constant=_exact_constant,
)


def _refuse_unusable(document: object) -> None:
    for path, value in _walk(document):
        problem = _get_problem(value)
        if problem:
            raise MalformedMessage(problem, path)


def _walk(document: object) -> Iterator[tuple[str, object]]:
    """Yield ``(path, value)`` of every value and member name, in no fixed order."""
    waiting: list[tuple[str, object]] = [("", document)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        if isinstance(value, dict):
            for name, child in value.items():
                yield path, name
                waiting.append((_join(path, name), child))
        elif isinstance(value, list):
            waiting += [(f"{path}[{i}]", child) for i, child in enumerate(value)]


def _join(path: str, name: str) -> str:
    # A message repeats only what can be neither an ID nor an account number.
    shown = name if _PLAIN_NAME.fullmatch(name) else "(other)"
    return f"{path}.{shown}" if path else shown


def _get_problem(value: object) -> str:
    if isinstance(value, _Unusable):
        return value.text
    if not isinstance(value, str):
        return ""
    if "\x00" in value:
        return "contains a NUL character"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "contains an unpaired surrogate"
    return ""
