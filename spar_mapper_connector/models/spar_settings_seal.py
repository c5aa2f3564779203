import json
import logging
from collections.abc import Mapping

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError
from odoo.tools import SQL

from ..exceptions import KeyringUnavailable
from ..lib.keyring import OpenKeyring
from ..lib.settings_seal import (
    BUNDLE_FOREIGN,
    CODE_FOREIGN,
    FIELD_FOREIGN,
    JOB_OFF,
    NAMES_CLOSED,
    REPORT_LINKED,
    SEAL_FORGED,
    SEAL_GAP,
    UNSEALED,
    VIEW_FOREIGN,
    Seal,
    SealComparison,
    compare,
    mac_rows,
)
from ..server.addon_code import find_foreign_code
from ..server.naming import find_linked_reports, find_naming

_logger = logging.getLogger(__name__)

#: The database itself refuses to change or delete seals.
_GUARD = """
    CREATE OR REPLACE FUNCTION spar_settings_seal_stays() RETURNS trigger AS $$
    BEGIN
        RAISE EXCEPTION 'seals of settings are never changed or deleted';
    END $$ LANGUAGE plpgsql;
    CREATE OR REPLACE TRIGGER spar_settings_seal_stays
        BEFORE UPDATE OR DELETE OR TRUNCATE ON spar_settings_seal
        FOR EACH STATEMENT EXECUTE FUNCTION spar_settings_seal_stays();
"""

_COLUMNS = SQL("seq, model, number, audit_key, columns, rows, previous, mac")

#: The jobs that the registry depends on, as patterns: addon, name, model and code. The
#: second one is Odoo's, which deletes what is no longer needed.
_JOBS = (
    (r"spar\_%", "%", "spar.%", r"^\s*model\._cron_\w+\(\)\s*$"),
    (
        "base",
        r"autovacuum\_job",
        "ir.autovacuum",
        r"^\s*model\._run_vacuum_cleaner\(\)\s*$",
    ),
)

#: How often rows and their seal are read until both are of one moment.
_ATTEMPTS = 5


class SparSettingsSeal(models.Model):
    """The settings of a model under a MAC: one line for each change.

    The newest line of a model is the set in force. Lines are chained across all models,
    and never rewritten.
    """

    _name = "spar.settings.seal"
    _description = "Seal of settings"
    _order = "seq desc"
    _rec_name = "seq"
    _log_access = False

    seq = fields.Integer(required=True, readonly=True, string="No.", aggregator=None)
    model = fields.Char(required=True, readonly=True)
    number = fields.Integer(required=True, readonly=True, aggregator=None)
    made_at = fields.Datetime(string="Sealed at", required=True, readonly=True)
    audit_key = fields.Char(string="Audit key", required=True, readonly=True)
    columns = fields.Json(required=True, readonly=True)
    rows = fields.Json(readonly=True)
    previous = fields.Char(readonly=True)
    mac = fields.Char(string="MAC", required=True, readonly=True)

    _seq_uniq = models.UniqueIndex(
        "(seq)", "Each position in the chain can have only one seal."
    )
    _number_uniq = models.UniqueIndex(
        "(model, number)", "Each number of a model can have only one seal."
    )

    def init(self):
        result = super().init()
        self.env.cr.execute(_GUARD)
        return result

    @api.model_create_multi
    # pylint: disable-next=method-required-super
    def create(self, vals_list):
        raise AccessError(
            self.env._(
                "Seals are written when settings change; they cannot be created here."
            )
        )

    # pylint: disable-next=method-required-super
    def write(self, vals):
        raise AccessError(self.env._("Seals cannot be changed."))

    @api.ondelete(at_uninstall=True)
    def _unlink_never(self):
        raise AccessError(self.env._("Seals cannot be deleted."))

    # === READING === #

    @api.model
    def _find_newest(self, model: str = "") -> Seal | None:
        """Return the newest seal of ``model``, or of all; None before the first."""
        query = SQL(
            "SELECT %s FROM spar_settings_seal WHERE %s ORDER BY seq DESC LIMIT 1",
            _COLUMNS,
            SQL("model = %s", model) if model else SQL("true"),
        )
        rows = self.env.execute_query(query)
        return _read_seal(*rows[0]) if rows else None

    @api.model
    def _judge(
        self, settings: models.BaseModel, ids: list[int] | None = None
    ) -> SealComparison:
        """Return which rows of a settings model are as sealed, or which of ``ids``.

        Raises KeyringUnavailable or KeyringMismatch.
        """
        keyring = self.env["spar.keyring"]._open()
        for _attempt in range(_ATTEMPTS):
            seal = self._find_newest(settings._name)
            if seal is None:
                return SealComparison(frozenset(), ((0, UNSEALED),))
            if not seal.is_genuine(keyring):
                return SealComparison(frozenset(), ((0, SEAL_FORGED),))
            number, texts = settings._read_texts(seal.columns, ids)
            # Rows and seal are of one moment; otherwise another transaction wrote in
            # between.
            if number == seal.number:
                present = mac_rows(keyring, settings._name, texts)
                return compare(_choose(seal.rows, ids), present)
        raise ConcurrencyError("settings are being changed")

    @api.model
    def _is_needed(self) -> bool:
        """Return whether there are keys: before that nothing is sealed or checked."""
        if self.env["spar.keyring"]._get_phase():
            return True
        # The row of the keys is gone, but there were keys: everything is closed then.
        query = SQL("SELECT EXISTS (SELECT FROM spar_settings_seal)")
        return bool(self.env.execute_query(query)[0][0])

    @api.model
    def _raise_alarms(self, problems: list[tuple[str, int, str]]) -> None:
        """Log the problems: table, row and problem."""
        for table, row_id, problem in problems:
            _logger.error("SPAR ALARM %s, row %s: %s", table, row_id, problem)

    @api.model
    def _check_all(self) -> list[tuple[str, int, str]]:
        """Return all problems of settings and of their seals."""
        if not self._is_needed():
            return []
        found = self._check_chain()
        for settings in self._get_sealed_models():
            problems = self._judge(settings).problems
            found += [(settings._table, *problem) for problem in problems]
            found += settings._check_each()
        found += self.env["spar.account.act"]._check_acts()
        found += self._check_jobs()
        foreign = self.env["ir.ui.view"]._find_foreign()
        found += [("ir_ui_view", view_id, VIEW_FOREIGN) for view_id in foreign]
        bundles = self.env["ir.attachment"]._find_foreign_bundles()
        found += [("ir_attachment", row_id, BUNDLE_FOREIGN) for row_id in bundles]
        custom = self.env["ir.model.fields"]._find_foreign()
        found += [("ir_model_fields", row_id, FIELD_FOREIGN) for row_id in custom]
        found += [(*row, NAMES_CLOSED) for row in find_naming(self.env)]
        found += [(*row, REPORT_LINKED) for row in find_linked_reports(self.env)]
        found += [(*row, CODE_FOREIGN) for row in find_foreign_code(self.env)]
        return list(dict.fromkeys(found))

    @api.model
    def _check_jobs(self) -> list[tuple[str, int, str]]:
        """Return the jobs that are off, postponed or call another method.

        They are the addons' own, and Odoo's that deletes what is no longer needed. The
        jobs are found by their external IDs.
        """
        self.env["ir.cron"].flush_model()
        query = SQL(
            """WITH job (module, name, model, code) AS (VALUES %s)
               SELECT d.res_id
                 FROM ir_model_data d
                 JOIN job ON d.module LIKE job.module AND d.name LIKE job.name
                 LEFT JOIN ir_cron c ON c.id = d.res_id
                 LEFT JOIN ir_act_server a ON a.id = c.ir_actions_server_id
                 LEFT JOIN ir_model m ON m.id = a.model_id
                WHERE d.model = 'ir.cron'
                  AND NOT coalesce(c.active AND m.model LIKE job.model
                                   AND a.state = 'code' AND a.code ~ job.code
                                   AND c.nextcall < now() AT TIME ZONE 'UTC'
                                                    + interval '8 days', false)
                ORDER BY 1""",
            SQL(", ").join([SQL("%s", job) for job in _JOBS]),
        )
        rows = self.env.execute_query(query)
        return [("ir_cron", row_id, JOB_OFF) for (row_id,) in rows]

    @api.model
    def _check_chain(self) -> list[tuple[str, int, str]]:
        keyring, found = self.env["spar.keyring"]._open(), []
        query = SQL("SELECT %s FROM spar_settings_seal ORDER BY seq", _COLUMNS)
        before, numbers = None, {}
        for row in self.env.execute_query(query):
            seal = _read_seal(*row)
            expected = (before.seq + 1, before.mac) if before else (1, "")
            if (seal.seq, seal.previous) != expected:
                found.append((self._table, seal.seq, SEAL_GAP))
            if seal.number != numbers.get(seal.model, 0) + 1:
                found.append((self._table, seal.seq, SEAL_GAP))
            if seal.audit_key == keyring.roles.audit_key and not seal.is_genuine(
                keyring
            ):
                found.append((self._table, seal.seq, SEAL_FORGED))
            before, numbers[seal.model] = seal, seal.number
        return list(dict.fromkeys(found))

    # === SEALING === #

    @api.model
    def _get_sealed_models(self) -> list[models.BaseModel]:
        """Return every settings model that is sealed, of any addon."""
        names, found = ["spar.sealed.setting"], set()
        while names:
            children = self.env.registry[names.pop()]._inherit_children
            names += children - found
            found |= children
        return [
            self.env[name] for name in sorted(found) if not self.env[name]._abstract
        ]

    @api.model
    def _seal_all(self) -> None:
        """Seal every setting as it is: when keys are made, or from a shell.

        Acts on accounts get their MACs, too.
        """
        for settings in self._get_sealed_models():
            self._seal_as_it_is(settings)
        self.env["spar.account.act"]._seal_as_they_are()

    @api.model
    def _seal_unsealed(self) -> None:
        """Seal the models that were never sealed: those of an existing database, once.

        Does nothing if the chain is broken: a seal may have been removed. If the keys
        cannot be opened it logs that, and the settings stay unused.
        """
        if not self._is_needed():
            return
        try:
            if self._check_chain():
                _logger.error(
                    "SPAR ALARM seals of settings are missing: no new seal is made"
                )
                return
            for settings in self._get_sealed_models():
                if self._find_newest(settings._name) is None:
                    self._seal_as_it_is(settings)
        except KeyringUnavailable as error:
            _logger.warning(
                "settings are neither sealed nor used (%s): run spar_keyring seal",
                error,
            )

    @api.model
    def _seal_as_it_is(self, settings: models.BaseModel) -> None:
        keyring = self.env["spar.keyring"]._open(for_write=True)
        settings.env.flush_all()
        columns = settings._get_sealed_columns()
        _number, texts = settings._read_texts(columns)
        rows = mac_rows(keyring, settings._name, texts)
        self._add(keyring, settings, columns, rows)
        settings._seal_each()

    @api.model
    def _seal_rows(self, settings: models.BaseModel, gone: list[int]) -> None:
        """Seal these records as they are now, and leave out those that are gone.

        The others stay as they were sealed: a change past the registry is not approved
        by another user's change.
        """
        keyring = self.env["spar.keyring"]._open(for_write=True)
        seal = self._find_newest(settings._name)
        if seal is None:
            # The first seal of a model covers all its rows, in a step of its own.
            return
        columns = settings._get_sealed_columns()
        rows = self._get_rows_before(keyring, settings, seal, columns)
        _number, texts = settings._read_texts(columns, settings.ids)
        now = {**rows, **mac_rows(keyring, settings._name, texts)}
        for row_id in gone:
            now.pop(row_id, None)
        if now != rows or columns != seal.columns:
            self._add(keyring, settings, columns, now)

    @api.model
    def _get_rows_before(
        self,
        keyring: OpenKeyring,
        settings: models.BaseModel,
        seal: Seal,
        columns: tuple[str, ...],
    ) -> dict[int, str]:
        """Return the MACs of the newest seal, over the present columns."""
        if not seal.is_genuine(keyring):
            return {}
        if seal.columns == columns:
            return dict(seal.rows)
        good = self._judge(settings).good
        _number, texts = settings._read_texts(columns, list(good))
        kept = {row_id: mac for row_id, mac in seal.rows.items() if row_id not in good}
        return {**kept, **mac_rows(keyring, settings._name, texts)}

    @api.model
    def _add(
        self,
        keyring: OpenKeyring,
        settings: models.BaseModel,
        columns: tuple[str, ...],
        rows: dict[int, str],
    ) -> None:
        """Add a line; raises ConcurrencyError if another transaction just did."""
        # One line at a time: each contains the MAC of the one before.
        self.env.cr.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [self._table])
        last = self._find_newest()
        own = self._find_newest(settings._name)
        seal = Seal(
            seq=last.seq + 1 if last else 1,
            model=settings._name,
            number=own.number + 1 if own else 1,
            audit_key=keyring.roles.audit_key,
            columns=columns,
            rows=rows,
            previous=last.mac if last else "",
        )
        try:
            self._insert(seal, seal.build_mac(keyring))
            self.env["spar.row.versions"]._forget()
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError("settings were just changed") from error

    @api.model
    def _insert(self, seal: Seal, mac: str) -> None:
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_settings_seal (made_at, %s)
                   VALUES (now() AT TIME ZONE 'UTC', %s, %s, %s, %s, %s, %s, %s, %s)""",
                _COLUMNS,
                seal.seq,
                seal.model,
                seal.number,
                seal.audit_key,
                json.dumps(seal.columns),
                json.dumps(seal.rows),
                seal.previous,
                mac,
            )
        )


def _choose(rows: Mapping[int, str], ids: list[int] | None) -> Mapping[int, str]:
    """Return the sealed MACs of ``ids``, or of all rows."""
    if ids is None:
        return rows
    return {row_id: rows[row_id] for row_id in ids if row_id in rows}


def _read_seal(seq, model, number, audit_key, columns, rows, previous, mac) -> Seal:
    """Return the seal in a row of the table."""
    macs = {int(row_id): row_mac for row_id, row_mac in (rows or {}).items()}
    return Seal(
        seq, model, number, audit_key, tuple(columns), macs, previous or "", mac
    )
