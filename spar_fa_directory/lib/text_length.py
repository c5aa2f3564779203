"""How long what people give to a record is, before anything is done with it."""

from __future__ import annotations

from typing import Any

#: The most characters that a person may give to a field, by its type. What is typed is
#: searched for, compared and digested in many ways: a text of megabytes would occupy a
#: worker for minutes.
LONGEST = {"char": 2_000, "text": 100_000, "html": 100_000, "json": 100_000}
#: How a command on lines looks that creates or changes one: code, id, values.
_COMMAND_LENGTH = 3


def measure(value: Any) -> int:
    """Return the characters of a text, or of all texts in a structure.

    >>> measure("four"), measure({"a": ["bc", 1, None]}), measure(False)
    (4, 3, 0)
    """
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(measure(key) + measure(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return sum(map(measure, value))
    return 0


def list_lines(commands: Any) -> list[dict[str, Any]]:
    """Return the values of the lines that commands create or change.

    >>> list_lines([[0, 0, {"name": "x"}], [1, 7, {"name": "y"}], [4, 7], 8])
    [{'name': 'x'}, {'name': 'y'}]
    >>> list_lines(False)
    []
    """
    if not isinstance(commands, list | tuple):
        return []
    return [
        command[-1]
        for command in commands
        if isinstance(command, list | tuple)
        and len(command) == _COMMAND_LENGTH
        and isinstance(command[-1], dict)
    ]
