"""The check of a part of an address as a JSON Schema, as far as it can be expressed."""

from __future__ import annotations

import re

# RE2 syntax that is missing from ECMA 262, the pattern language of JSON Schema.
_FOREIGN = re.compile(r"\(\?(?![:=!])|\\[AzQEC]|\[\[:|\\p\^|\\pN?\{\^")
_SHORT_CLASS = re.compile(r"\\([pP])([A-Z])")
_FORMATS = {"email": "idn-email"}


def build_schema(check: str, parameter: str) -> dict[str, object]:
    """Return the schema of a part's value; the server alone checks the remaining rules.

    >>> build_schema("regex", "[0-9]+")
    {'type': 'string', 'minLength': 1, 'pattern': '^(?:[0-9]+)$'}
    >>> build_schema("luhn", "")
    {'type': 'string', 'minLength': 1}
    """
    schema: dict[str, object] = {"type": "string", "minLength": 1}
    if check == "regex" and not _FOREIGN.search(parameter):
        pattern = _SHORT_CLASS.sub(r"\\\1{\2}", parameter)
        schema["pattern"] = f"^(?:{pattern})$"
    elif check in _FORMATS:
        schema["format"] = _FORMATS[check]
    return schema
