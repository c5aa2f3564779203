from collections.abc import Iterator

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ...lib import audit
from ...lib.audit_walk import CHUNKS, PARTS, AuditPosition


class SparAuditRun(models.Model):
    """One run of the integrity check: its progress and its findings.

    The caller that iterates commits its pieces one by one. A run that was interrupted,
    by Odoo's time limits or by a kill, continues after its last piece.
    """

    _name = "spar.audit.run"
    _description = "Run of the integrity check"
    _order = "id desc"
    _rec_name = "started_at"
    _log_access = False

    started_at = fields.Datetime(required=True, readonly=True, string="Started")
    finished_at = fields.Datetime(readonly=True, string="Finished")
    subjects_total = fields.Integer(readonly=True, string="People in the store")
    subjects_checked = fields.Integer(readonly=True, string="People checked")
    findings = fields.Integer(readonly=True)
    is_nightly = fields.Boolean(readonly=True, string="Scheduled")
    position = fields.Json(readonly=True, help="Where the check continues.")

    # === RUNS === #

    @api.model
    def _start(self, nightly: bool = False) -> "SparAuditRun":
        query = SQL("SELECT count(*) FROM spar_subject")
        return self.create(
            {
                "started_at": fields.Datetime.now(),
                "subjects_total": self.env.execute_query(query)[0][0],
                "is_nightly": nightly,
                "position": AuditPosition().to_json(),
            }
        )

    @api.model
    def _get_nightly(self) -> "SparAuditRun":
        """Return the unfinished nightly run, or a new one."""
        domain = [("is_nightly", "=", True), ("finished_at", "=", False)]
        return self.search(domain, limit=1) or self._start(nightly=True)

    # === ITERATING === #

    def _walk(self) -> Iterator[list[audit.Finding]]:
        """Check piece after piece until all is covered; yield the findings of each.

        The caller may commit between two pieces.
        """
        while not self.finished_at:
            yield self._check_piece()

    def _check_piece(self) -> list[audit.Finding]:
        """Check the next piece, record it, and raise its findings as alarms."""
        self.ensure_one()
        keyring = self.env["spar.keyring"]._open()
        position = AuditPosition.from_json(self.position)
        if position.part == CHUNKS:
            findings, following = self._check_chunks(keyring, position)
        else:
            findings, following = self._check_rows(keyring, position)
        if following.is_end:
            findings += self.env["spar.settings.seal"].sudo()._check_all()
            findings += self.env["spar.issuer.key"]._check()
        findings = list(dict.fromkeys(findings))
        self.env["spar.alarm"]._raise_alarms(findings)
        self.findings += len(findings)
        self.position = following.to_json()
        if following.is_end:
            self.finished_at = fields.Datetime.now()
        self.flush_recordset()
        return findings

    def _check_chunks(
        self, keyring: OpenKeyring, position: AuditPosition
    ) -> tuple[list[audit.Finding], AuditPosition]:
        found, end = self.env["spar.checkpoint"]._check_chunks(
            keyring, position.after, position.size
        )
        if not position.after:
            found = [*found, *self.env["spar.audit"]._check_forms(keyring)]
        return found, position.get_next(end)

    def _check_rows(
        self, keyring: OpenKeyring, position: AuditPosition
    ) -> tuple[list[audit.Finding], AuditPosition]:
        until, count = self._get_end(position)
        if not count:
            return [], position.get_next(None)
        check = getattr(self.env["spar.audit"], PARTS[position.part].method)
        found = check(keyring, position.after, until)
        if position.part == "spar_subject":
            self.subjects_checked += count
        return found, position.get_next(until)

    def _get_end(self, position: AuditPosition) -> tuple[int, int]:
        """Return the last id of the next piece of a table, and its number of rows."""
        query = SQL(
            """SELECT coalesce(max(id), 0), count(*)
                 FROM (SELECT id FROM %s WHERE id > %s
                        ORDER BY id LIMIT %s) AS piece""",
            SQL.identifier(position.part),
            position.after,
            position.size,
        )
        return self.env.execute_query(query)[0]
