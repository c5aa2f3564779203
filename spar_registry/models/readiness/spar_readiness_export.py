import base64
from collections.abc import Iterator
from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.clear_fields import ClearBinary

from ...lib.export_file import BUILDERS

#: How long the user who exported can download the file.
_OFFERED_FOR = timedelta(minutes=10)
#: Lines that are read at a time.
_READ_LINES = 2000


class SparReadinessExport(models.Model):
    """The record of an export: who took which list of people out of the database.

    The file itself is not stored: it is built when its user downloads it.
    """

    _name = "spar.readiness.export"
    _description = "Export of a readiness run"
    _order = "id desc"
    _rec_name = "filename"

    run_id = fields.Many2one(
        "spar.readiness.run",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    user_id = fields.Many2one(
        "res.users", string="Exported by", required=True, readonly=True
    )
    scope = fields.Selection(
        [("not_ready", "People who are not ready"), ("all", "Everybody")],
        required=True,
        readonly=True,
    )
    file_format = fields.Selection(
        [("csv", "CSV"), ("xlsx", "Excel workbook")],
        required=True,
        readonly=True,
        string="File format",
    )
    row_count = fields.Integer(string="Rows", readonly=True)
    filename = fields.Char(compute="_compute_filename")
    file = ClearBinary(compute="_compute_file", attachment=False)

    @api.model
    def _export(self, run, scope: str, file_format: str):
        """Record an export of a run, and return it; raises AccessError."""
        run._check_own()
        count = self.env["spar.readiness.line"].search_count(
            self._get_domain(run, scope)
        )
        export_sudo = self.sudo().create(
            {
                "run_id": run.id,
                "user_id": self.env.uid,
                "scope": scope,
                "file_format": file_format,
                "row_count": count,
            }
        )
        return export_sudo.sudo(False)

    @api.model
    def _get_domain(self, run, scope: str) -> list:
        domain: list = [("run_id", "=", run.id)]
        if scope == "not_ready":
            domain.append(("state", "not in", ["payable", "waiting"]))
        return domain

    @api.depends("run_id", "file_format")
    def _compute_filename(self):
        for export in self:
            export.filename = f"readiness-{export.run_id.id}.{export.file_format}"

    @api.depends("run_id", "scope", "file_format")
    def _compute_file(self):
        """Build the file, for the user whose export was just recorded."""
        for export in self:
            export.file = export._is_offered() and base64.b64encode(export._build())

    def _is_offered(self) -> bool:
        since = fields.Datetime.now() - _OFFERED_FOR
        is_own = self.user_id.id == self.env.uid and not self.env.su
        return is_own and self.create_date > since

    def _build(self) -> bytes:
        self.run_id._check_own()
        return BUILDERS[self.file_format](self._get_headers(), self._build_rows())

    def _get_headers(self) -> list[str]:
        return [
            self.env._("Name"),
            self.env._("Phone"),
            self.env._("Paid to"),
            self.env._("State"),
            self.env._("What to do"),
            self.env._("Disputed"),
            self.env._("Change waiting"),
            self.env._("Others with the same address"),
            self.env._("Since the run before"),
        ]

    def _build_rows(self) -> Iterator[list[str]]:
        """Yield the cells of each line; memory does not grow with their number."""
        lines = self.env["spar.readiness.line"]
        domain, last = self._get_domain(self.run_id, self.scope), 0
        labels = {
            name: dict(lines._fields[name]._description_selection(self.env))
            for name in ("state", "is_disputed", "has_waiting_change", "change")
        }
        while part := lines.search([*domain, ("id", ">", last)], limit=_READ_LINES):
            last = part[-1].id
            for line in part:
                yield self._build_cells(line, labels)
            part.invalidate_recordset()
            part.partner_id.invalidate_recordset()

    @api.model
    def _build_cells(self, line, labels: dict[str, dict[str, str]]) -> list[str]:
        return [
            line.shown_name or "",
            line.phone or "",
            line.payee_id.sudo().display_name or "",
            labels["state"][line.state],
            line.reason_text or "",
            labels["is_disputed"].get(line.is_disputed, ""),
            labels["has_waiting_change"].get(line.has_waiting_change, ""),
            str(line.shared_with or ""),
            labels["change"].get(line.change, ""),
        ]
