from collections.abc import Iterator
from contextlib import contextmanager

from odoo import api, models
from odoo.modules import module

from ..lib.row_cache import RowCache

#: Where a transaction keeps the versions that it has read: emptied with everything
#: that a commit, a rollback or a rollback to a savepoint makes untrue.
_KEY = "spar.row.versions"

#: Which server wrote the marks, and since when it runs: one that takes over from it
#: may give the number of a lost transaction a second time.
_SERVER = "server"

#: What this process keeps, by database, model and method.
_CACHE = RowCache()


class SparRowVersions(models.AbstractModel):
    """What tells whether rows are what they were when something was made of them.

    The version of a row is what PostgreSQL itself changes whenever somebody changes
    the row: the transaction that wrote it (``xmin``) and its place (``ctid``). A column
    could be left alone. Everything that a call may need is read in one statement, once
    a transaction, always from the primary: what is changed anywhere holds in the next
    call everywhere.
    """

    _name = "spar.row.versions"
    _description = "Versions of rows"

    #: What ``_get_sources`` gives, once all addons are loaded.
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
        """SQL of one value each, by name, that changes whenever certain rows do.

        Under their names: the models whose records are kept in a cache as a whole.
        """
        children = self.env.registry["spar.cached.records"]._inherit_children
        kept = (self.env[name] for name in sorted(children))
        marks = {model._name: model._mark_rows() for model in kept if model._is_whole}
        return {_SERVER: "pg_postmaster_start_time()", **marks}

    # === READING === #

    @api.model
    def _get(self, name: str):
        """The version that ``name`` has in this transaction."""
        return self._get_known()[name]

    @api.model
    def _get_known(self) -> dict:
        """All versions, read unless this transaction knows them."""
        data = self.env.cr.precommit.data
        if _KEY not in data:
            self._read()
        return data[_KEY]

    @api.model
    def _read(self, columns: str = "", source: str = "", values: tuple = ()) -> tuple:
        """Read all versions in one statement; with them the values of ``columns``, SQL
        of what ``source`` joins, so that a call knows who calls by the same one."""
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
        """What was noted for ``name`` in this transaction; None where nothing was."""
        return self.env.cr.precommit.data.get(_KEY, {}).get(name)

    @api.model
    def _note(self, name: str, value) -> None:
        """Note ``value`` under ``name``, for as long as the versions are known."""
        self._get_known()[name] = value

    @api.model
    def _forget(self) -> None:
        """Read the versions anew: this transaction has changed rows itself."""
        self.env.cr.precommit.data.pop(_KEY, None)

    # === USING === #

    @api.model
    def _reuse(self, model: models.BaseModel, method: str, *names: str):
        """What ``method`` of ``model`` made of the rows of ``names``, never None; made
        anew where they have changed."""
        known = self._get_known()
        version = tuple(known[name] for name in names)
        return self._reuse_version(version, model, method)

    @api.model
    def _reuse_version(
        self, version: tuple, model: models.BaseModel, method: str, *args
    ):
        """What ``method`` of ``model`` made, with ``args``, of rows of ``version``."""
        key = (self.env.cr.dbname, model._name, method, *args)
        version = (self._get(_SERVER), version)
        value = _CACHE.get(key, version)
        if value is None:
            with self._on_primary() as versions:
                value = getattr(model.with_env(versions.env), method)(*args)
            _CACHE.put(key, version, value)
        return value

    @contextmanager
    def _on_primary(self) -> Iterator[models.AbstractModel]:
        """This model with a cursor that reads from the primary: itself, but for
        requests that only read, which Odoo may send to a replica. A test has one
        connection."""
        if not self.env.cr.readonly or module.current_test:
            yield self
            return
        with self.env.registry.cursor() as cr:
            yield self.with_env(self.env(cr=cr))
