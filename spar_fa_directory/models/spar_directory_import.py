from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lib.csv_file import ENCODINGS

#: The states in which the file still can be changed.
_OPEN = ("draft", "stopped", "failed")


class SparDirectoryImport(models.Model):
    """A file of providers or branches, loaded in the background.

    The record itself is written by people only; what was loaded is told by its chunks,
    so that a person's click never waits for the work, or the work for a person.
    """

    _name = "spar.directory.import"
    _description = "Directory File"
    _order = "id desc"
    _rec_name = "filename"

    kind = fields.Selection(
        [("branch", "Branches"), ("provider", "Providers")],
        "Holds",
        required=True,
        default="branch",
    )
    file = fields.Binary("CSV File", attachment=True, required=True)
    filename = fields.Char()
    encoding = fields.Selection(
        selection=lambda self: self._selection_encoding(),
        help="How letters are written in the file. If the samples below look wrong, "
        "choose another.",
    )
    delimiter = fields.Selection(
        [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Vertical bar")],
        help="What stands between the cells of a row.",
    )
    provider_id = fields.Many2one(
        "spar.fsp",
        string="Provider of All Branches",
        ondelete="cascade",
        help="For a file without a column for the provider.",
    )
    on_existing = fields.Selection(
        [("refuse", "Refuse the row"), ("update", "Update name and place")],
        "Codes in the Directory",
        required=True,
        default="refuse",
        help="What is done with a row whose code the directory has already.",
    )
    column_ids = fields.One2many("spar.directory.import.column", "import_id")
    chunk_ids = fields.One2many("spar.directory.import.chunk", "import_id")
    refusal_ids = fields.One2many("spar.directory.import.refusal", "import_id")
    state = fields.Selection(
        [
            ("draft", "To Check"),
            ("waiting", "Loading"),
            ("stopped", "Stopped"),
            ("done", "Loaded"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        copy=False,
        default="draft",
    )
    problem = fields.Char(readonly=True, copy=False)
    user_id = fields.Many2one("res.users", "Loaded by", readonly=True, copy=False)

    progress = fields.Float(compute="_compute_progress")
    row_count = fields.Integer("Rows Read", compute="_compute_progress")
    added_count = fields.Integer("Added", compute="_compute_progress")
    updated_count = fields.Integer("Updated", compute="_compute_progress")
    refused_count = fields.Integer("Refused", compute="_compute_progress")

    @api.model
    def _selection_encoding(self):
        return list(ENCODINGS.items())

    @api.depends("chunk_ids", "state")
    def _compute_progress(self):
        """What the chunks add up to."""
        totals = self.env["spar.directory.import.chunk"]._get_totals(self)
        for job in self:
            total = totals[job.id]
            job.row_count = max(total.row - 1, 0)
            job.added_count = total.added
            job.updated_count = total.updated
            job.refused_count = total.refused
            size = job._get_size()
            job.progress = 100 * total.end / size if size else 0
            if job.state == "done":
                job.progress = 100

    def action_check(self):
        """Look at the file again: its header, and what its columns hold."""
        for job in self:
            job._check_open()
            job._inspect()

    def action_load(self):
        """Load the file in the background, or go on where it was stopped.

        :raises UserError: naming what the file needs first
        """
        for job in self:
            job._check_open()
            job._check_columns()
        self.write({"state": "waiting", "problem": False, "user_id": self.env.uid})
        self.env.ref("spar_fa_directory.ir_cron_load")._trigger()

    def action_stop(self):
        """Stop after the rows that are being loaded now; what is loaded stays."""
        self.filtered(lambda job: job.state == "waiting").state = "stopped"

    def action_open_loaded(self):
        """The list of what the file has brought."""
        self.ensure_one()
        model = self._get_loader()._target
        return {
            "type": "ir.actions.act_window",
            "name": self.filename or self.display_name,
            "res_model": model,
            "view_mode": "list,form",
            "domain": [("import_id", "=", self.id)],
            "context": {"active_test": False},
        }

    def _check_open(self):
        if self.state not in _OPEN:
            raise UserError(
                self.env._(
                    "%(file)s is being loaded, or is loaded already: stop it first, or "
                    "upload the file once more.",
                    file=self.display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_loading(self):
        if any(job.state == "waiting" for job in self):
            raise UserError(self.env._("Stop the loading before you delete it."))

    def _get_loader(self):
        """The role that knows what the file holds."""
        return self.env[f"spar.directory.loader.{self.kind}"]
