import base64
import io
import json

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.spar_fa_directory.lib.encodings import ENCODINGS
from odoo.addons.spar_fa_directory.lib.table_file import (
    FileChoices,
    FileGuess,
    guess_table,
    is_table,
    open_table,
    read_first,
)
from odoo.addons.spar_fa_directory.lib.xlsx_file import BadWorkbook
from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import sealed_file

from ..lib.readiness import count_id_headers, find_id_column

_MAX_FILE_BYTES = 64 << 20
_PREVIEW_ROWS, _PREVIEW_CELLS, _PREVIEW_CHARACTERS = 6, 8, 40


class SparReadinessWizard(models.TransientModel):
    """Choose whose payment readiness is checked, and start the run."""

    _name = "spar.readiness.wizard"
    _description = "Check payment readiness"
    _inherit = ["spar.sealed.draft", "spar.sealed.storage"]

    _spar_given = frozenset({"offers_contacts", "selected_ids", "filter_domain"})
    _spar_longest = {"filter_domain": 100_000}

    source = fields.Selection(
        [
            ("selected", "The selected contacts"),
            ("filter", "Everybody found by the current filter"),
            ("programme", "The members of a programme"),
            ("cycle", "The members of a programme, for a cycle"),
            ("file", "The IDs in a file"),
        ],
        string="Who",
        required=True,
        default="programme",
    )
    offers_contacts = fields.Boolean(readonly=True, string="Offers contacts")
    selected_ids = fields.Json(readonly=True)
    filter_domain = fields.Char(readonly=True, string="Filter domain")
    programme_id = fields.Many2one(
        "spar.programme",
        help="Decides who is paid for each person, and for which purpose.",
    )
    cycle_id = fields.Many2one(
        "spar.programme.cycle", domain="[('programme_id', '=?', programme_id)]"
    )
    people_count = fields.Integer(compute="_compute_people_count", string="People")

    file = sealed_file("file", string="File of IDs", help="CSV or .xlsx.")
    filename = fields.Char()
    encoding = fields.Selection(selection=lambda self: self._selection_encoding())
    delimiter = fields.Char()
    sheet = fields.Char()
    id_column = fields.Integer(
        string="Column with the IDs", default=1, help="The first column is 1."
    )
    header_row = fields.Integer(
        string="Row with the headers",
        help="Rows up to this one are not checked. 0 if the first row is an ID.",
    )
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        domain=[("strategy", "!=", False)],
        default=lambda self: self._default_id_type_id(),
        help="For IDs that are written as mere numbers, as on the card.",
    )
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    @api.model
    def _default_id_type_id(self):
        return self.env["spar.id.type"].search([("strategy", "!=", False)], limit=1)

    @api.model
    def _selection_encoding(self):
        return list(ENCODINGS.items())

    # === OPENING === #

    @api.model
    def default_get(self, fields_list):
        """Offer what is selected in the list of contacts from which this was opened."""
        values = super().default_get(fields_list)
        context = self.env.context
        if context.get("active_model") == "res.partner":
            values |= {
                "source": "selected",
                "offers_contacts": True,
                "selected_ids": context.get("active_ids") or [],
                "filter_domain": json.dumps(context.get("active_domain") or []),
            }
        return values

    @api.model
    def _open_for(self, source: str, programme=None, cycle=None) -> dict:
        """Return the action that opens the form for a programme or a cycle."""
        self.check_access("create")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check payment readiness"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "active_model": False,
                "default_source": source,
                "default_programme_id": programme.id if programme else False,
                "default_cycle_id": cycle.id if cycle else False,
            },
        }

    @api.onchange("cycle_id")
    def _onchange_cycle_id(self):
        """Choose the cycle's programme."""
        if self.cycle_id:
            self.programme_id = self.cycle_id.programme_id

    # === PEOPLE === #

    @api.depends("source", "selected_ids", "filter_domain", "programme_id")
    def _compute_people_count(self):
        for wizard in self:
            query = wizard._build_query()
            wizard.people_count = len(query) if query is not None else 0

    def _build_query(self):
        """Return the query of the people to check, as the user; None for a file.

        Archived members of a programme are among them: they are not paid.
        """
        people = self.env["res.partner"]
        if self.source == "file":
            return None
        if self.source == "selected":
            domain = Domain("id", "in", self.selected_ids or [])
            return people.with_context(active_test=False)._search(domain)
        if self.source == "filter":
            return people._search(self._read_filter())
        members = self.env["spar.programme.member"]._search(
            Domain("programme_id", "=", self.programme_id.id)
        )
        query = people.with_context(active_test=False)._search(Domain.TRUE)
        query.add_where(
            "res_partner.id IN (SELECT partner_id FROM spar_programme_member m"
            " WHERE m.id IN %s)",
            [members.subselect()],
        )
        return query

    def _read_filter(self) -> Domain:
        try:
            return Domain(json.loads(self.filter_domain or "[]"))
        except ValueError as error:
            raise UserError(
                self.env._("This filter cannot be used. Select the contacts instead.")
            ) from error

    # === THE FILE === #

    @api.onchange("file")
    def _onchange_file(self):
        """Guess how the file is to be read, and which column has the IDs."""
        if not self.file:
            return
        guess = self._guess(FileChoices())
        choices = guess.choices
        self.encoding, self.delimiter = choices.encoding, choices.delimiter
        self.sheet, self.header_row = choices.sheet, choices.header
        table = open_table(self._open_file(), choices)
        self.id_column = find_id_column(table.headers)

    def _open_file(self) -> io.BytesIO:
        """Return the uploaded file; raises UserError for one that is too large."""
        data = self.file or b""
        data = base64.b64decode(data)
        if len(data) > _MAX_FILE_BYTES:
            raise UserError(
                self.env._("The file is larger than 64 MB. Upload it in parts.")
            )
        return io.BytesIO(data)

    def _guess(self, chosen: FileChoices) -> FileGuess:
        """Guess how the file is to be read; raises UserError if it is no table."""
        stream = self._open_file()
        head = stream.read(1 << 16)
        if not is_table(head):
            raise UserError(
                self.env._("This is neither a CSV file nor an Excel workbook (.xlsx).")
            )
        if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
            raise UserError(self.env._("The file is empty. Upload another."))
        try:
            return guess_table(stream, count_id_headers, chosen)
        except BadWorkbook as error:
            raise UserError(
                self.env._("The workbook cannot be read. Save it as CSV.")
            ) from error

    def _get_choices(self) -> FileChoices:
        return FileChoices(
            self.encoding or "utf-8",
            self.delimiter or ",",
            self.sheet or "",
            max(self.header_row, 0),
        )

    @api.depends("file", "encoding", "delimiter", "sheet", "header_row", "id_column")
    def _compute_preview(self):
        """Show the first rows to the person who has the file; nothing is stored."""
        for wizard in self:
            wizard.preview = wizard._build_preview() if wizard.file else False

    def _build_preview(self) -> Markup:
        records = read_first(self._open_file(), self._get_choices(), _PREVIEW_ROWS)
        rows = Markup("").join(
            self._build_row(record.row, record.cells[:_PREVIEW_CELLS])
            for record in records
        )
        return Markup("<table class='table table-sm mb-0'>%s</table>") % rows

    def _build_row(self, number: int, cells: list[str]) -> Markup:
        cell, chosen = Markup("<td>%s</td>"), Markup("<td class='table-info'>%s</td>")
        is_above = number <= self.header_row
        drawn = Markup("").join(
            (chosen if place == self.id_column else cell) % text[:_PREVIEW_CHARACTERS]
            for place, text in enumerate(cells, 1)
        )
        look = Markup(" class='text-muted'") if is_above else Markup("")
        return Markup("<tr%s><th scope='row'>%s</th>%s</tr>") % (look, number, drawn)

    # === STARTING === #

    def action_start(self):
        """Start the run, and open it."""
        self.ensure_one()
        with self.env["spar.staff.answers"]._raise_user_errors():
            run = self._start_file() if self.source == "file" else self._start_people()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Payment readiness"),
            "res_model": "spar.readiness.run",
            "res_id": run.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    def _start_people(self):
        self._check_programme()
        sources = {"programme": "programme", "cycle": "cycle"}
        return self.env["spar.readiness.run"]._start(
            self._build_query(),
            sources.get(self.source, "people"),
            self.programme_id,
            self._get_cycle(),
        )

    def _get_cycle(self):
        return self.cycle_id if self.source == "cycle" else self.cycle_id.browse()

    def _check_programme(self) -> None:
        if self.source in ("programme", "cycle") and not self.programme_id:
            raise UserError(self.env._("Programme: choose one."))
        if self.source == "cycle" and self.cycle_id.programme_id != self.programme_id:
            raise UserError(self.env._("Cycle: choose one of the programme."))

    def _start_file(self):
        if not self.file:
            raise UserError(self.env._("File of IDs: upload one."))
        if self.id_column < 1:
            raise UserError(self.env._("Column with the IDs: enter 1 or more."))
        if not self.encoding:
            self._onchange_file()
        choices = self._get_choices()
        form = {
            "encoding": choices.encoding,
            "delimiter": choices.delimiter,
            "sheet": choices.sheet,
            "header": choices.header,
            "column": self.id_column,
            "id_type": self.id_type_id.id,
        }
        text = self.file.decode() if isinstance(self.file, bytes) else self.file
        run = self.env["spar.readiness.run"]._start_file(
            text, self.filename or self.env._("File of IDs"), form, self.programme_id
        )
        self._write_sealed(None)
        return run
