"""The roles of a database's keys, read over any cursor, and the matching keyring.

For the model that opens the keyring, and for commands that run without models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..exceptions import KeyringMismatch, KeyringUnavailable
from .keyring import Keyring, KeyRoles, OpenKeyring, read_file

#: The environment variable with the path of the file.
KEYRING_VARIABLE = "SPAR_KEYRING"

PHASE_COLUMNS = (
    "generation",
    "seal_key",
    "index_key_a",
    "index_key_b",
    "read_column",
    "audit_key",
    "token_key",
)
PHASE_QUERY = f"SELECT {', '.join(PHASE_COLUMNS)} FROM spar_keyring_phase"
KEYS_QUERY = "SELECT key_id, check_value FROM spar_keyring_key WHERE state != 'retired'"


class KeyringCursor(Protocol):
    """The part of a cursor that is used."""

    def execute(self, query: str, params: Sequence[Any] | None = None) -> Any: ...

    def fetchall(self) -> list[tuple[Any, ...]]: ...


def get_path(environment: Mapping[str, str], database: str) -> Path:
    """Return the path of the keyring, with the name in place of ``{database}``.

    Raises KeyringUnavailable if the variable is not set.

    >>> get_path({"SPAR_KEYRING": "/keys/{database}.json"}, "spar").as_posix()
    '/keys/spar.json'
    """
    location = environment.get(KEYRING_VARIABLE)
    if not location:
        raise KeyringUnavailable(f"{KEYRING_VARIABLE} is not set")
    return Path(location.replace("{database}", database))


def build_roles(phase: Mapping[str, Any]) -> KeyRoles:
    """Return the roles of the keys, from the row of ``spar_keyring_phase``."""
    columns = {"a": phase["index_key_a"], "b": phase["index_key_b"]}
    return KeyRoles(
        seal_key=phase["seal_key"],
        index_keys={column: key for column, key in columns.items() if key},
        read_column=phase["read_column"],
        audit_key=phase["audit_key"],
        token_key=phase["token_key"],
    )


def open_keyring(
    keyring: Keyring, known: Iterable[tuple[Any, ...]], phase: Mapping[str, Any]
) -> OpenKeyring:
    """Return the keyring of a database, opened.

    :param known: the rows of ``KEYS_QUERY``
    :param phase: the row of ``PHASE_QUERY``

    Raises KeyringMismatch when the keyring is that of another database.
    """
    for key_id, check_value in known:
        key = keyring.keys.get(key_id)
        if key is None or key.check_value != check_value:
            raise KeyringMismatch("the keyring belongs to another database")
    return OpenKeyring(keyring, build_roles(phase))


def open_over(cr: KeyringCursor, path: Path) -> OpenKeyring:
    """Return the keyring in ``path``, opened for the database of a cursor.

    Raises KeyringUnavailable and KeyringMismatch.
    """
    cr.execute(PHASE_QUERY)
    phases = cr.fetchall()
    if not phases:
        raise KeyringUnavailable("this database has no keys yet")
    cr.execute(KEYS_QUERY)
    phase = dict(zip(PHASE_COLUMNS, phases[0], strict=True))
    return open_keyring(read_file(path), cr.fetchall(), phase)
