import os
import secrets
from pathlib import Path

from odoo import api, models
from odoo.tools import SQL

from ..exceptions import KeyringExists, KeyringMismatch, KeyringUnavailable
from ..expressions import refuse_expressions
from ..lib import keyring as keys
from ..lib import keyring_rows
from ..transactions import is_read_committed

KEYRING_VARIABLE = keyring_rows.KEYRING_VARIABLE

#: The lock of this database's keys, among its advisory ones: shared by who writes with
#: them, alone for who changes which are in use.
_LOCK = int.from_bytes(b"spar key", "big")

#: Where a transaction keeps the phase that it has locked: emptied with everything that
#: ends the lock (a commit, a rollback, a rollback to a savepoint).
_LOCKED = "spar.keyring.locked"

_PHASE = SQL(keyring_rows.PHASE_QUERY)

#: Open keyrings of this process: database -> (fingerprint, OpenKeyring). Kept outside
#: the ORM's caches because it must follow the file, and must never be sent anywhere.
_OPENED: dict[str, tuple[tuple, keys.OpenKeyring]] = {}


class SparKeyring(models.AbstractModel):
    """The way to the keys: opening them, making them, replacing them."""

    _name = "spar.keyring"
    _description = "Keyring"

    # === OPENING === #

    @api.model
    def _open(self, for_write: bool = False) -> keys.OpenKeyring:
        """The keyring of this database.

        Which keys are in use is asked once a transaction, with the versions of other
        rows. With ``for_write`` they stay what they are until the transaction ends,
        which costs one statement more. Raises KeyringUnavailable or KeyringMismatch;
        nothing can be done then. CalledFromExpression is one of them: everything that
        opens, signs or changes comes by here, so no expression can.
        """
        refuse_expressions()
        phase = self._lock_phase() if for_write else self._get_phase()
        if not phase:
            raise KeyringUnavailable("this database has no key yet")
        path = get_path(self.env)
        fingerprint = (*self._get_file_stamp(path), phase["generation"])
        stamp, opened = _OPENED.get(self.env.cr.dbname, (None, None))
        if stamp != fingerprint:
            opened = _open_file(self.env, path, phase)
            _OPENED[self.env.cr.dbname] = (fingerprint, opened)
        return opened

    @api.model
    def _get_phase(self) -> dict:
        """The row that says which key does what; empty before there is one."""
        locked = self.env.cr.precommit.data.get(_LOCKED)
        if locked is not None:
            return locked
        versions = self.env["spar.row.versions"]
        return versions._reuse(self, "_read_phase", "spar.keyring.phase")

    @api.model
    def _read_phase(self, query: SQL = _PHASE) -> dict:
        rows = self.env.execute_query_dict(query)
        return rows[0] if rows else {}

    @api.model
    def _lock_phase(self) -> dict:
        """The same, as it stays until this transaction ends.

        Where each statement sees what was committed before it, the row is read behind a
        shared lock that writes nothing. A transaction with one snapshot would read what
        was true before it: it locks the row itself, and fails where that has changed.
        Who changes the row waits for both.
        """
        data = self.env.cr.precommit.data
        if _LOCKED not in data:
            if is_read_committed(self.env.cr):
                lock = SQL("SELECT pg_advisory_xact_lock_shared(%s)", _LOCK)
                query = SQL("%s; %s", lock, _PHASE)
            else:
                query = SQL("%s FOR SHARE", _PHASE)
            data[_LOCKED] = self._read_phase(query)
        return data[_LOCKED]

    @api.model
    def _lock_phase_alone(self) -> dict:
        """The same, for who is about to change it: nobody else writes until then."""
        self.env.cr.execute(SQL("SELECT pg_advisory_xact_lock(%s)", _LOCK))
        self._forget_phase()
        return self._read_phase(SQL("%s FOR UPDATE", _PHASE))

    @api.model
    def _forget_phase(self) -> None:
        """Read the row anew: this transaction has changed it."""
        self.env.cr.precommit.data.pop(_LOCKED, None)
        self.env["spar.row.versions"]._forget()

    @api.model
    def _get_file_stamp(self, path: Path) -> tuple:
        try:
            status = path.stat()
        except OSError as error:
            raise KeyringUnavailable(
                f"the keyring cannot be read: {error.strerror}"
            ) from error
        return (str(path), status.st_ino, status.st_mtime_ns, status.st_mode)

    # === MAKING === #

    @api.model
    def _initialise(self) -> Path:
        """Make the first keys of this database, write their file, and seal the settings
        that are there.

        An existing file is taken over when it holds a key of each kind (a host that got
        its copy first). Raises KeyringExists when the database has keys.
        """
        refuse_expressions()
        self.env.cr.execute("LOCK TABLE spar_keyring_phase IN EXCLUSIVE MODE")
        if self._get_phase():
            raise KeyringExists("this database has its keys already")
        path = get_path(self.env)
        if path.exists():
            keyring = keys.read_file(path)
        else:
            keyring = keys.Keyring([keys.make_key(kind) for kind in keys.KINDS])
        first = {kind: _get_first_key(keyring, kind) for kind in keys.KINDS}
        self._insert_keys(list(first.values()))
        self._insert_phase(first)
        self._forget_phase()
        if not path.exists():
            keys.write_file(path, keyring)
        self.env["spar.settings.seal"].sudo()._seal_all()
        self._forget_phase()
        return path

    @api.model
    def _insert_keys(self, new_keys: list[keys.Key]) -> None:
        rows = [(key.key_id, key.kind, key.check_value) for key in new_keys]
        self.env.cr.execute_values(
            """INSERT INTO spar_keyring_key (key_id, kind, check_value, state, since)
               VALUES %s""",
            rows,
            template="(%s, %s, %s, 'active', now() AT TIME ZONE 'UTC')",
        )

    @api.model
    def _insert_phase(self, first: dict[str, keys.Key]) -> None:
        self.env.cr.execute(
            """INSERT INTO spar_keyring_phase (generation, seal_key, index_key_a,
                                               read_column, audit_key, token_key)
               VALUES (%s, %s, %s, 'a', %s, %s)""",
            (
                secrets.token_hex(8),
                first["seal"].key_id,
                first["index"].key_id,
                first["audit"].key_id,
                first["token"].key_id,
            ),
        )


def get_path(env: api.Environment) -> Path:
    """Return where the keyring is; ``{database}`` in the variable stands for its name.

    A function and no method, like what reads the file: an expression calls every method
    of a model, and a path can read what it names.
    """
    return keyring_rows.get_path(os.environ, env.cr.dbname)


def _open_file(env: api.Environment, path: Path, phase: dict) -> keys.OpenKeyring:
    """Read the file and compare it with what the database knows of its keys."""
    known = env.execute_query(SQL(keyring_rows.KEYS_QUERY))
    return keyring_rows.open_keyring(keys.read_file(path), known, phase)


def _get_first_key(keyring: keys.Keyring, kind: str) -> keys.Key:
    of_kind = keyring.of_kind(kind)
    if not of_kind:
        raise KeyringMismatch(f"the keyring file holds no key for: {kind}")
    return of_kind[-1]
