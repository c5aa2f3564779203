import secrets

from odoo import api, models
from odoo.tools import SQL

from ..exceptions import KeyringUnavailable
from ..expressions import refuse_expressions
from ..lib import keyring as keys
from ..transactions import use_read_committed
from .spar_keyring import get_path

#: Rows that are sealed anew in one transaction: few, so that no other has to wait for
#: it.
RESEAL_BATCH = 500


class SparKeyring(models.AbstractModel):
    """The replacement of the key that seals, while the system runs."""

    _inherit = "spar.keyring"

    @api.model
    def _start_rotation(self) -> str:
        """Seal with the newest unused key of the file from now on; return its id.

        One is made if there is none. A rotation that has begun continues instead.
        """
        refuse_expressions()
        if not self._lock_phase_alone():
            raise KeyringUnavailable("this database has no key yet")
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
        """Return every model whose table has sealed values, of any addon."""
        names = self.env.registry["spar.sealed.storage"]._inherit_children
        return [
            self.env[name] for name in sorted(names) if not self.env[name]._abstract
        ]

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
