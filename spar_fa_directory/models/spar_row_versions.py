from collections.abc import Iterator
from contextlib import contextmanager

from odoo import api, models
from odoo.api import SUPERUSER_ID
from odoo.modules import module

from ..lib.row_cache import RowCache

#: The transaction's key for the versions that it has read, which are discarded by every
#: commit, rollback or rollback to a savepoint, as these may invalidate them.
_KEY = "spar.row.versions"

#: Which server wrote the versions, and since when it has been running: a server that
#: takes over from it may reuse the number of a lost transaction.
_SERVER = "server"

#: What this process caches, by database, model and method.
_CACHE = RowCache()


class SparRowVersions(models.AbstractModel):
    """Versions that show whether rows have changed since a value was made of them.

    The version of a row is what PostgreSQL itself changes whenever the row is changed:
    the transaction that wrote it (``xmin``) and its location (``ctid``). A version
    column, in contrast, might not be updated. All versions that a call may need are
    read in one statement, once per transaction, always from the primary: a change made
    anywhere takes effect in the next call everywhere.
    """

    _name = "spar.row.versions"
    _description = "Versions of rows"

    #: What ``_get_sources`` returns, once all addons are loaded.
    _sources: dict[str, str] | None = None

    def _register_hook(self) -> None:
        result = super()._register_hook()
        type(self)._sources = self._get_sources()
        return result

    def _unregister_hook(self) -> None:
        type(self)._sources = None
        return super()._unregister_hook()

    @api.model
    def _get_sources(self) -> dict[str, str]:
        """Return named SQL expressions whose values change whenever certain rows do.

        They include the models whose records are cached as a whole, under their names.
        """
        children = self.env.registry["spar.cached.records"]._inherit_children
        kept = (self.env[name] for name in sorted(children))
        marks = {model._name: model._mark_rows() for model in kept if model._is_whole}
        return {_SERVER: "pg_postmaster_start_time()", **marks}

    # === READING === #

    @api.model
    def _get(self, name: str):
        """Return the version of ``name`` in this transaction."""
        return self._get_known()[name]

    @api.model
    def _get_known(self) -> dict:
        """Return all versions, reading them unless this transaction already has."""
        data = self.env.cr.precommit.data
        if _KEY not in data:
            self._read()
        return data[_KEY]

    @api.model
    def _read(self, columns: str = "", source: str = "", values: tuple = ()) -> tuple:
        """Read all versions in one statement; return the values of ``columns``.

        ``columns`` is SQL for columns that ``source`` joins, so that the same statement
        can also authenticate the caller.
        """
        sources = self._sources or self._get_sources()
        selected = ", ".join(filter(None, (*sources.values(), columns)))
        with self._on_primary() as versions:
            cr = versions.env.cr
            cr.execute(f"SELECT {selected} FROM (SELECT) AS one {source}", values)
            row = cr.fetchone()
        known = dict(zip(sources, row, strict=False))
        self.env.cr.precommit.data[_KEY] = known
        return row[len(sources) :]

    @api.model
    def _find(self, name: str):
        """Return what was noted for ``name`` in this transaction, or None."""
        return self.env.cr.precommit.data.get(_KEY, {}).get(name)

    @api.model
    def _note(self, name: str, value) -> None:
        """Note ``value`` under ``name``, for as long as the versions are known."""
        self._get_known()[name] = value

    @api.model
    def _forget(self) -> None:
        """Forget the versions, because this transaction has changed rows itself."""
        self.env.cr.precommit.data.pop(_KEY, None)

    # === USING === #

    @api.model
    def _reuse(self, model: models.BaseModel, method: str, *names: str):
        """Return what ``method`` of ``model`` made of ``names``' rows, never None.

        The value is made again if the rows have changed.
        """
        known = self._get_known()
        version = tuple(known[name] for name in names)
        return self._reuse_version(version, model, method)

    @api.model
    def _reuse_version(
        self, version: tuple, model: models.BaseModel, method: str, *args
    ):
        """Return what ``method`` of ``model`` made of rows of ``version``.

        It is made for everybody, so nothing of who calls decides about it: with
        ``active_test`` in their context, archived rules would apply.

        :param args: the arguments of the method
        """
        key = (self.env.cr.dbname, model._name, method, *args)
        version = (self._get(_SERVER), version)
        value = _CACHE.get(key, version)
        if value is None:
            with self._on_primary() as versions:
                everybody = versions.env(user=SUPERUSER_ID, context={})
                value = getattr(model.with_env(everybody), method)(*args)
            _CACHE.put(key, version, value)
        return value

    @contextmanager
    def _on_primary(self) -> Iterator[models.AbstractModel]:
        """Yield this model with a cursor that reads from the primary.

        It is this model itself, except in read-only requests, which Odoo may send to a
        replica. A test has only one connection.
        """
        if not self.env.cr.readonly or module.current_test:
            yield self
            return
        with self.env.registry.cursor() as cr:
            yield self.with_env(self.env(cr=cr))
