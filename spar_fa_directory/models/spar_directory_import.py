from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..lib.encodings import ENCODINGS

#: The states in which the file can still be changed.
_OPEN = ("draft", "stopped", "failed")


class SparDirectoryImport(models.Model):
    """A file of providers or branches, loaded in the background.

    Only people write the record itself; its chunks record what was loaded, so that a
    person's click never waits for the background work, nor the work for a person.
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
    file = fields.Binary(
        attachment=True,
        required=True,
        help="CSV, or an Excel workbook (.xlsx).",
    )
    filename = fields.Char()
    encoding = fields.Selection(
        selection=lambda self: self._selection_encoding(),
        help="How letters are written in the file. If the first rows below look wrong, "
        "choose another.",
    )
    delimiter = fields.Selection(
        [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Vertical bar")],
        help="What stands between the cells of a row.",
    )
    sheet_id = fields.Many2one(
        "spar.directory.import.sheet",
        domain="[('import_id', '=', id)]",
        copy=False,
        ondelete="set null",
    )
    no_header = fields.Boolean(
        "No Headers", help="The file begins with the first provider or branch."
    )
    header_row = fields.Integer(
        "Row of the Headers",
        help="What stands above it, such as a title, is not loaded.",
    )
    provider_id = fields.Many2one(
        "spar.fsp",
        string="Provider of All Branches",
        ondelete="cascade",
        help="For a file without a column for the provider.",
    )
    on_existing = fields.Selection(
        [("refuse", "Refuse the row"), ("update", "Update what the row tells")],
        "Codes in the Directory",
        required=True,
        default="refuse",
        help="What is done with a row whose code the directory has already. An empty "
        "cell changes nothing; the word (none) empties.",
    )
    column_ids = fields.One2many("spar.directory.import.column", "import_id")
    sheet_ids = fields.One2many("spar.directory.import.sheet", "import_id", "Sheets")
    reading_ids = fields.One2many("spar.directory.import.reading", "import_id")
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

    changed_count = fields.Integer("Changed", compute="_compute_changes")
    gone_count = fields.Integer("Gone", compute="_compute_changes")

    @api.model
    def _selection_encoding(self):
        return list(ENCODINGS.items())

    @api.depends("chunk_ids", "state")
    def _compute_progress(self):
        """Add up the counts of the chunks."""
        totals = self.env["spar.directory.import.chunk"]._get_totals(self)
        for job in self:
            total = totals[job.id]
            job.row_count = max(total.row - job._get_header_row(), 0)
            job.added_count = total.added
            job.updated_count = total.updated
            job.refused_count = total.refused
            size = job._get_size()
            job.progress = 100 * total.end / size if size else 0
            if job.state == "done":
                job.progress = 100

    def _compute_changes(self):
        """Count the records that the file changes, and those that it lacks."""
        self.changed_count = self.gone_count = 0
        for job in self._origin:
            target = self.env[job._get_loader()._target].with_context(active_test=False)
            changed = [("import_id", "=", job.id), ("import_change", "=", "changed")]
            job.changed_count = target.search_count(changed)
            job.gone_count = target.search_count(job._get_gone_domain())

    def _get_gone_domain(self):
        """Return the domain of records from previous files that are not in this one."""
        if self.state != "done" or self.on_existing != "update":
            return Domain.FALSE
        gone = Domain("gone_from_source", "=", True) & Domain("import_id", "!=", False)
        return gone & self._get_loader()._get_rivals(self)

    def action_check(self):
        """Examine the file again, as if nothing had been chosen."""
        for job in self:
            job._check_open()
            job._inspect(frozenset())

    def action_load(self):
        """Load the file in the background, or continue where it was stopped.

        :raises UserError: naming what the file needs first
        """
        for job in self:
            job._check_open()
            job._check_columns()
            job._check_doubts()
        self.write({"state": "waiting", "problem": False, "user_id": self.env.uid})
        self.env.ref("spar_fa_directory.ir_cron_load")._trigger()

    def action_stop(self):
        """Stop after the rows that are being loaded now; what is loaded stays."""
        self.filtered(lambda job: job.state == "waiting").state = "stopped"

    def action_open_changed(self):
        """Open the list of records on which the file differed from the directory."""
        domain = [("import_id", "=", self.id), ("import_change", "=", "changed")]
        return self._open_records(domain)

    def action_open_gone(self):
        """Open the list of records that the file no longer contains."""
        return self._open_records(list(self._get_gone_domain()))

    def action_open_loaded(self):
        """Open the list of records that were loaded from the file."""
        return self._open_records([("import_id", "=", self.id)])

    def _open_records(self, domain: list) -> dict:
        self.ensure_one()
        model = self._get_loader()._target
        return {
            "type": "ir.actions.act_window",
            "name": self.filename or self.display_name,
            "res_model": model,
            "view_mode": "list,form",
            "domain": domain,
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
        """Return the loader for the content of the file."""
        return self.env[f"spar.directory.loader.{self.kind}"]
