from base64 import b64decode, b64encode

from odoo import api, fields, models
from odoo.exceptions import AccessError

from odoo.addons.spar_mapper_connector.clear_fields import ClearChar

from ...lib.pieces import PIECE_BYTES, PieceStream
from ...rows import insert_rows, take_ids

#: The purpose of the seals. It must never change.
PIECE = "registry_file"
_PIECE_COLUMNS = {
    "id": "int",
    "job_model": "text",
    "job_id": "int",
    "place": "int",
    "sealed": "bytea",
}


class SparSealedImportPart(models.AbstractModel):
    """Something that belongs to a file of rows, of whichever model."""

    _name = "spar.sealed.import.part"
    _description = "Part of a sealed file of rows"

    job_model = fields.Char(required=True, readonly=True, string="Job model")
    job_id = fields.Many2oneReference(
        model_field="job_model", required=True, readonly=True, index=True
    )

    @api.model
    def _search_of(self, jobs):
        """Return the parts of these files."""
        return self.search([("job_model", "=", jobs._name), ("job_id", "in", jobs.ids)])

    def write(self, vals):
        """Write; nobody gives a part to another file, which another user may load."""
        if not self.env.su and vals.keys() & {"job_model", "job_id"}:
            raise AccessError(self.env._("A column stays in its file."))
        return super().write(vals)


class SparSealedImportPiece(models.Model):
    """A piece of an uploaded file, sealed, until the file is loaded."""

    _name = "spar.sealed.import.piece"
    _description = "Piece of a sealed file"
    _inherit = ["spar.sealed.import.part", "spar.sealed.storage"]
    _order = "job_id, place"
    _rec_name = "place"
    _seal_purpose = PIECE
    _seal_prefix = (PIECE,)
    _seal_context_columns = ("id", "job_model", "job_id", "place")

    place = fields.Integer(required=True, readonly=True)

    _place_uniq = models.UniqueIndex(
        "(job_model, job_id, place)", "This part of the file is already stored."
    )

    @api.model
    def _store(self, job, data: bytes) -> None:
        """Store a file in place of the one that was uploaded before."""
        self._search_of(job).unlink()
        keyring = self.env["spar.keyring"]._open(for_write=True)
        count = -(-len(data) // PIECE_BYTES)
        for place, row_id in enumerate(take_ids(self.env, self._table, count)):
            text = b64encode(data[place * PIECE_BYTES :][:PIECE_BYTES]).decode()
            names = (row_id, job._name, job.id, place)
            context = self._build_seal_context(*names)
            row = (*names, keyring.seal(PIECE, text, context))
            insert_rows(self.env, self._table, _PIECE_COLUMNS, [row])

    @api.model
    def _open(self, job) -> PieceStream:
        """Return the file; its pieces are opened one by one as they are read."""

        def fetch(place: int) -> bytes:
            domain = [("job_model", "=", job._name), ("job_id", "=", job.id)]
            piece = self.search([*domain, ("place", "=", place)])
            text = piece._read_sealed() or ""
            return b64decode(text)

        return PieceStream(job.size, PIECE_BYTES, fetch)


class SparSealedImportColumn(models.Model):
    """A column of a file; its header and its first values are sealed with the file."""

    _name = "spar.sealed.import.column"
    _description = "Column of a sealed file"
    _inherit = ["spar.sealed.import.part"]
    _order = "job_id, sequence"
    _rec_name = "name"

    sequence = fields.Integer(readonly=True)
    header = ClearChar("In the file", compute="_compute_shown")
    sample = ClearChar("First values", compute="_compute_shown")
    name = fields.Selection(
        selection=lambda self: self._selection_name(),
        string="Contains",
        required=True,
        default="ignored",
    )
    fill_down = fields.Boolean(
        "Same as above",
        help="An empty cell has the value of the cell above it.",
    )

    @api.model
    def _selection_name(self):
        """Return what columns can contain, in files of any kind."""
        return [
            ("ignored", self.env._("(not loaded)")),
            ("id", self.env._("ID")),
            ("id_type", self.env._("ID type")),
            ("name", self.env._("Name")),
            ("phone", self.env._("Phone")),
            ("account", self.env._("Account number")),
            ("fa", self.env._("Full financial address")),
            ("provider", self.env._("Provider")),
            ("branch", self.env._("Branch code")),
            ("collected_at", self.env._("Collected at")),
            ("street", self.env._("Street")),
            ("city", self.env._("City")),
            ("state", self.env._("State")),
            ("country", self.env._("Country")),
            ("zip", self.env._("Postal code")),
            *self._get_openg2p_names(),
        ]

    @api.model
    def _get_openg2p_names(self) -> list[tuple[str, str]]:
        """Return the columns of OpenG2P's table of mappings."""
        return [
            ("id_value", self.env._("ID (id_value)")),
            ("fa_value", self.env._("Address (fa_value)")),
            ("additional_info", self.env._("Further data (additional_info)")),
            ("created_at", self.env._("Created at")),
            ("updated_at", self.env._("Updated at")),
        ]

    @api.depends("job_id", "sequence")
    def _compute_shown(self):
        for (model, job_id), columns in self.grouped(_get_job).items():
            shown = self.env[model].browse(job_id)._open_shown().get("columns", [])
            for column in columns:
                texts = shown[column.sequence : column.sequence + 1]
                column.header, column.sample = texts[0] if texts else (False, False)


class SparSealedImportSheet(models.Model):
    _name = "spar.sealed.import.sheet"
    _description = "Sheet of a sealed file"
    _inherit = ["spar.sealed.import.part"]
    _order = "job_id, id"

    name = fields.Char(required=True, readonly=True)


def _get_job(column) -> tuple[str, int]:
    return column.job_model, column.job_id
