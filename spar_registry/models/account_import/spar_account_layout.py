import json

from odoo import api, fields, models

from odoo.addons.spar_fa_directory.lib.directory_rows import fold_header

from ...lib.row_outcome import REASON

#: The purpose of the digests of headers.
LAYOUT = "registry_file_headers"


class SparAccountLayout(models.Model):
    """What the columns of a kind of file contain, as somebody chose once.

    The headers are found by a keyed digest: a file without headers begins with the
    data of a person.
    """

    _name = "spar.account.layout"
    _description = "Known kind of file of accounts"
    _order = "write_date desc"
    _rec_name = "filename"

    signature = fields.Char(required=True, readonly=True)
    filename = fields.Char("Last file", readonly=True)
    names = fields.Json(required=True, readonly=True)
    id_type_id = fields.Many2one(
        "spar.id.type", readonly=True, ondelete="cascade", string="ID type"
    )
    fa_type_id = fields.Many2one(
        "spar.fa.type", readonly=True, ondelete="cascade", string="Kind of address"
    )
    provider_id = fields.Many2one("spar.fsp", readonly=True, ondelete="set null")
    branch_id = fields.Many2one("spar.fsp.branch", readonly=True, ondelete="set null")

    _signature_uniq = models.UniqueIndex(
        "(signature)", "Files with these headers are already known."
    )

    @api.model
    def _sign(self, headers: list[str]) -> str:
        # The last column of a file of refused rows is no part of its layout.
        folded = json.dumps([fold_header(h) for h in headers if h != REASON])
        return self.env["spar.keyring"]._open().digest(LAYOUT, folded).hex()

    @api.model
    def _find(self, headers: list[str]):
        """Return the kind of file with these headers, empty if it is new."""
        if not any(headers):
            return self.browse()
        return self.sudo().search([("signature", "=", self._sign(headers))])

    @api.model
    def _remember(self, job, headers: list[str]) -> None:
        """Store what a person chose for a file with these headers."""
        if not any(headers):
            return
        values = {
            "filename": job.filename,
            "names": job.column_ids.mapped("name"),
            "id_type_id": job.id_type_id.id,
            "fa_type_id": job.fa_type_id.id,
            "provider_id": job.provider_id.id,
            "branch_id": job.branch_id.id,
        }
        found_sudo = self._find(headers)
        if found_sudo:
            found_sudo.write(values)
        else:
            self.sudo().create({**values, "signature": self._sign(headers)})
