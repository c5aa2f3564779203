from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_fa_directory.lib.directory_rows import Column

from ...lib.account_columns import ACCOUNT_COLUMNS
from ...lib.row_outcome import RowOutcome


class SparAccountImport(models.Model):
    """A file of people's accounts, which are collected and queued."""

    _name = "spar.account.import"
    _description = "File of accounts"
    _inherit = ["spar.sealed.import", "spar.sealed.storage"]
    _order = "id desc"
    _cron = "spar_registry.ir_cron_load_accounts"
    _checked_fields = (
        "file",
        "column_ids",
        "programme_id",
        "id_type_id",
        "fa_type_id",
        "provider_id",
        "branch_id",
        "on_unknown",
        "collected_at",
    )

    programme_id = fields.Many2one("spar.programme", ondelete="restrict")
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        required=True,
        ondelete="restrict",
        default=lambda self: self.env["spar.person.identity"]._default_id_type_id(),
        help="Used for rows that do not name one.",
    )
    fa_type_id = fields.Many2one(
        "spar.fa.type",
        string="Kind of address",
        required=True,
        ondelete="restrict",
        default=lambda self: self.env["spar.fa.type"].search([], limit=1),
    )
    provider_kind = fields.Selection(related="fa_type_id.provider_kind")
    provider_id = fields.Many2one(
        "spar.fsp", ondelete="restrict", help="Used for rows that do not name one."
    )
    branch_id = fields.Many2one(
        "spar.fsp.branch",
        ondelete="restrict",
        help="Used for rows of this provider that do not name one.",
    )
    on_unknown = fields.Selection(
        [("refuse", "Refuse the row"), ("create", "Add the person")],
        string="If no contact has the ID",
        required=True,
        default="refuse",
    )
    collected_at = fields.Datetime(
        string="Collected at",
        required=True,
        default=fields.Datetime.now,
        help="Used for rows that do not say when the account was collected. An older "
        "account never replaces a newer one.",
    )
    no_header = fields.Boolean(help="The file begins with the first person.")
    created_count = fields.Integer("People added", compute="_compute_progress")

    # === COLUMNS === #

    @api.model
    def _get_columns(self) -> tuple[Column, ...]:
        return ACCOUNT_COLUMNS

    def _get_required_columns(self) -> set[str]:
        """Return ID, and the account or the full address, whichever there is."""
        names = set(self.column_ids.mapped("name"))
        needed = super()._get_required_columns()
        return needed if "fa" in names else needed | {"account"}

    def _prepare_columns(self, headers, rows, matched):
        """Match the columns; as a person chose for such a file before, if so."""
        columns = super()._prepare_columns(headers, rows, matched)
        layout_sudo = self.env["spar.account.layout"]._find(headers)
        if matched or not layout_sudo:
            return columns
        # A file of refused rows has one column more.
        for column, name in zip(columns, layout_sudo.names, strict=False):
            column["name"] = name
        return columns

    def _looks_grouped(self, columns, rows):
        """Return False: neither an ID nor an account is the one above."""
        return False

    def _inspect(self, chosen, matched=None):
        result = super()._inspect(chosen, matched)
        layout_sudo = self.env["spar.account.layout"]._find(self._list_real_headers())
        if layout_sudo and matched is None and "header" not in chosen:
            names = ("id_type_id", "fa_type_id", "provider_id", "branch_id")
            values = {name: layout_sudo[name].id for name in names if layout_sudo[name]}
            doubts = self._split(self.doubts) - {"header"}
            self._save_inspected({**values, "doubts": ",".join(sorted(doubts))})
        return result

    # === LOADING === #

    def _show_counts(self, counts) -> None:
        self.created_count = counts["created"]
        return super()._show_counts(counts)

    def _check_start(self, is_trial: bool) -> None:
        if self.collected_at > fields.Datetime.now():
            raise UserError(self.env._("Collected at: it must not be in the future."))
        people = self.env["res.partner"]
        if self.on_unknown == "create" and not people.has_access("create"):
            raise UserError(
                self.env._(
                    "You do not have permission to add people. Choose to refuse these "
                    "rows, or ask an administrator."
                )
            )
        self.env["spar.account.loader"]._get_template(self)
        self.env["spar.account.layout"]._remember(self, self._list_real_headers())

    def _load_rows(self, rows, unsplit) -> RowOutcome:
        return self.env["spar.account.loader"]._load_rows(self, rows, unsplit)

    def _finish_loading(self) -> None:
        # Unlike the loading, a check needs what it has seen only until its end.
        self._forget_seen()
        return super()._finish_loading()
