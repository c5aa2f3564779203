from odoo import api, fields, models


class SparReadinessExportWizard(models.TransientModel):
    """Choose what is exported of a run; each export is recorded."""

    _name = "spar.readiness.export.wizard"
    _description = "Export a readiness run"

    run_id = fields.Many2one("spar.readiness.run", required=True, readonly=True)
    scope = fields.Selection(
        selection=lambda self: self._selection_scope(),
        string="Who",
        required=True,
        default="not_ready",
    )
    file_format = fields.Selection(
        selection=lambda self: self._selection_file_format(),
        string="Format",
        required=True,
        default="xlsx",
    )

    @api.model
    def _selection_scope(self):
        exports = self.env["spar.readiness.export"]
        return exports._fields["scope"]._description_selection(self.env)

    @api.model
    def _selection_file_format(self):
        exports = self.env["spar.readiness.export"]
        return exports._fields["file_format"]._description_selection(self.env)

    @api.model
    def _open_for(self, run) -> dict:
        """Return the action that opens the form for a run."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Export"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {"default_run_id": run.id},
        }

    def action_export(self):
        """Record the export, and download the file."""
        self.ensure_one()
        export = self.env["spar.readiness.export"]._export(
            self.run_id, self.scope, self.file_format
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/spar.readiness.export/{export.id}/file"
            "?download=true&filename_field=filename",
            "target": "download",
        }
