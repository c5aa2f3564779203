import os
import secrets
from pathlib import Path

from odoo import api, models
from odoo.tools import SQL

from ..exceptions import KeyringExists, KeyringMismatch, KeyringUnavailable
from ..expressions import refuse_expressions
from ..lib import keyring as keys
from ..lib import keyring_rows
from ..transactions import is_read_committed, use_read_committed

KEYRING_VARIABLE = keyring_rows.KEYRING_VARIABLE

#: The advisory lock of this database's keys: shared by transactions that write with
#: them, exclusive for one that changes which are in use.
_LOCK = int.from_bytes(b"spar key", "big")

#: Rows that are sealed anew in one transaction: few, so that no other has to wait for
#: it.
RESEAL_BATCH = 500

#: The place of the phase that a transaction has locked: emptied by everything that
#: releases the lock (a commit, a rollback, a rollback to a savepoint).
_LOCKED = "spar.keyring.locked"

_PHASE = SQL(keyring_rows.PHASE_QUERY)

#: Open keyrings of this process: database -> (fingerprint, OpenKeyring). Kept outside
#: the ORM's caches because it must follow the file, and must never be sent anywhere.
_OPENED: dict[str, tuple[tuple, keys.OpenKeyring]] = {}


class SparKeyring(models.AbstractModel):
    """The access to the keys: opening, making and replacing them."""

    _name = "spar.keyring"
    _description = "Keyring"

    # === OPENING === #

    @api.model
    def _open(self, for_write: bool = False) -> keys.OpenKeyring:
        """Return the keyring of this database.

        The keys in use are read once per transaction, with the versions of other rows.
        With ``for_write`` they stay the same until the transaction ends, which costs
        one more statement. Raises KeyringUnavailable or KeyringMismatch; nothing can be
        done then. CalledFromExpression is one of them: every operation that opens,
        signs or changes a value calls this method, so no expression can perform one.
        """
        refuse_expressions()
        phase = self._lock_phase() if for_write else self._get_phase()
        if not phase:
            raise KeyringUnavailable("this database has no keys yet")
        path = get_path(self.env)
        fingerprint = (*self._get_file_stamp(path), phase["generation"])
        stamp, opened = _OPENED.get(self.env.cr.dbname, (None, None))
        if stamp != fingerprint:
            opened = _open_file(self.env, path, phase)
            _OPENED[self.env.cr.dbname] = (fingerprint, opened)
        return opened

    @api.model
    def _get_phase(self) -> dict:
        """Return the row with the roles of the keys; empty if there is none yet."""
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
        """Return the same row, fixed until this transaction ends.

        Where each statement sees what was committed before it, the row is read under a
        shared lock that writes nothing. A transaction with one snapshot would read an
        old version: it locks the row itself, and fails if that has changed. A
        transaction that changes the row waits for both.
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
        """Return the row, locked for a change: nothing else writes until the end."""
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
        """Make this database's first keys, write their file, and seal the settings.

        An existing file is used when it has a key of each kind (a host that got its
        copy first). Raises KeyringExists when the database has keys.
        """
        refuse_expressions()
        # Two processes that start at once must not both make keys.
        self.env.cr.execute("LOCK TABLE spar_keyring_phase IN EXCLUSIVE MODE")
        if self._get_phase():
            raise KeyringExists("this database already has keys")
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
    def _insert_keys(self, new_keys: list[keys.KeyringKey]) -> None:
        rows = [(key.key_id, key.kind, key.check_value) for key in new_keys]
        self.env.cr.execute_values(
            """INSERT INTO spar_keyring_key (key_id, kind, check_value, state, since)
               VALUES %s""",
            rows,
            template="(%s, %s, %s, 'active', now() AT TIME ZONE 'UTC')",
        )

    @api.model
    def _insert_phase(self, first: dict[str, keys.KeyringKey]) -> None:
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

    # === REPLACING, WHILE THE SYSTEM RUNS === #

    @api.model
    def _start_rotation(self) -> str:
        """Seal with the newest unused key of the file from now on; return its id.

        One is made if there is none. A rotation that has begun continues instead.
        """
        refuse_expressions()
        if not self._lock_phase_alone():
            raise KeyringUnavailable("this database has no keys yet")
        current = self._open().roles.seal_key
        if self._get_retiring_keys():
            return current
        key = _find_unused_seal_key(self.env) or add_seal_key(self.env)
        self._insert_keys([key])
        self.env.cr.execute(
            "UPDATE spar_keyring_key SET state = 'retiring' WHERE key_id = %s",
            (current,),
        )
        self.env.cr.execute(
            "UPDATE spar_keyring_phase SET seal_key = %s, generation = %s",
            (key.key_id, secrets.token_hex(8)),
        )
        self._forget_phase()
        return key.key_id

    @api.model
    def _get_retiring_keys(self) -> list[str]:
        query = SQL("SELECT key_id FROM spar_keyring_key WHERE state = 'retiring'")
        return [row[0] for row in self.env.execute_query(query)]

    @api.model
    def _get_sealed_models(self) -> list[models.AbstractModel]:
        """Return every model whose table has sealed values, of any addon.

        A table may have digests only.
        """
        names = self.env.registry["spar.sealed.storage"]._inherit_children
        found = [self.env[name] for name in sorted(names)]
        return [each for each in found if each._sealed_columns and not each._abstract]

    @api.model
    def _reseal_steps(self):
        """Seal everything anew; yield the number of rows done after each batch.

        The caller commits at every yield. It is safe to kill it at any moment and begin
        again: values sealed with a key in use are skipped.
        """
        positions: dict[str, int] = {}
        while self._get_retiring_keys():
            use_read_committed(self.env.cr)
            done = self._reseal_next(positions)
            yield done
            if not done:
                return

    @api.model
    def _reseal_next(self, positions: dict[str, int]) -> int:
        """Seal the next rows after ``positions`` anew; return how many, or 0."""
        keyring = self._open(for_write=True)
        retiring = self._get_retiring_keys()
        for storage in self._get_sealed_models():
            last_id, done = storage._reseal(
                keyring, retiring, positions.get(storage._name, 0), RESEAL_BATCH
            )
            positions[storage._name] = last_id
            if done:
                return done
        return 0

    @api.model
    def _finish_rotation(self) -> int:
        """Retire the replaced keys once nothing is sealed with them.

        Return the number of rows that still are: rows that are locked now (for another
        round), or rows that do not open (the audit check names them).
        """
        retiring = self._get_retiring_keys()
        left = sum(s._count_sealed_with(retiring) for s in self._get_sealed_models())
        if not left:
            self.env.cr.execute(
                "UPDATE spar_keyring_key SET state = 'retired' WHERE state = 'retiring'"
            )
        return left

    @api.model
    def _cron_reseal(self) -> None:
        """Continue a rotation whose command ended early."""
        for done in self._reseal_steps():
            if not self.env["ir.cron"]._commit_progress(done, remaining=int(done > 0)):
                return
        if self._get_retiring_keys():
            self._finish_rotation()


def get_path(env: api.Environment) -> Path:
    """Return the path of the keyring; ``{database}`` stands for the database's name.

    This is a function rather than a method, like the code that reads the file: an
    expression can call every method of a model, and a path could read the file that it
    names.
    """
    return keyring_rows.get_path(os.environ, env.cr.dbname)


def _open_file(env: api.Environment, path: Path, phase: dict) -> keys.OpenKeyring:
    """Read the file and compare it with the database's check values of its keys."""
    known = env.execute_query(SQL(keyring_rows.KEYS_QUERY))
    return keyring_rows.open_keyring(keys.read_file(path), known, phase)


def _get_first_key(keyring: keys.Keyring, kind: str) -> keys.KeyringKey:
    of_kind = keyring.of_kind(kind)
    if not of_kind:
        raise KeyringMismatch(f"the keyring file contains no key for: {kind}")
    return of_kind[-1]


def add_seal_key(env: api.Environment) -> keys.KeyringKey:
    """Add an unused key to the file, which is then copied to every host."""
    path, key = get_path(env), keys.make_key("seal")
    keys.write_file(path, keys.read_file(path).add(key), replace=True)
    return key


def _find_unused_seal_key(env: api.Environment) -> keys.KeyringKey | None:
    query = SQL("SELECT key_id FROM spar_keyring_key")
    known = {key_id for (key_id,) in env.execute_query(query)}
    of_kind = keys.read_file(get_path(env)).of_kind("seal")
    unused = [key for key in of_kind if key.key_id not in known]
    return unused[-1] if unused else None
