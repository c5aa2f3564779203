from functools import partial

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.spar_fa_directory.lib.directory_rows import Column
from odoo.addons.spar_mapper_connector.lib.contract import Authority

from ...lib.row_outcome import RowOutcome

#: The columns of OpenG2P's table ``id_fa_mappings``.
MAPPING_COLUMNS = (
    Column("id_value", required=True),
    Column("fa_value", required=True),
    Column("name"),
    Column("phone"),
    Column("additional_info"),
    Column("created_at"),
    Column("updated_at"),
)
_TABLE = Markup('<table class="table table-sm">%s</table>')
_ROW = Markup("<tr><th scope='row'>%s</th><td>%s</td></tr>")


class SparOpeng2pMove(models.Model):
    """An existing OpenG2P SPAR, moved in from CSV exports of its tables.

    First its directory is loaded, then its mappings are checked, then linked. Until the
    switch, a newer export, or what another backend resolves, is compared with what
    resolves here.
    """

    _name = "spar.openg2p.move"
    _description = "Move from an OpenG2P SPAR"
    _inherit = ["spar.sealed.import", "spar.sealed.storage"]
    _order = "id desc"
    _cron = "spar_registry.ir_cron_move_in"
    _checked_fields = (
        "file",
        "strategy_file",
        "id_type_id",
        "purpose",
        "authority",
        "compared_backend_id",
    )
    _our_fields = (
        "state",
        "user_id",
        "is_trial",
        "problem",
        "size",
        "refused_kept",
        "directory_report",
        "directory_loaded",
        "refused_strategies",
        "is_comparison",
        "is_noted",
    )

    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        required=True,
        ondelete="restrict",
        default=lambda self: self.env["spar.person.identity"]._default_id_type_id(),
        help="Version 2 stores bare IDs: they are read as IDs of this type. IDs of "
        "another type are refused.",
    )
    purpose = fields.Char(
        default="", help="What the addresses are used for. Leave empty for everything."
    )
    authority = fields.Selection(
        [
            (str(int(Authority.PROGRAMME)), "Programme"),
            (str(int(Authority.INSTITUTION)), "Institution"),
        ],
        required=True,
        default=str(int(Authority.PROGRAMME)),
        string="Linked by",
        help="The authority behind the addresses. A stronger one is never overwritten.",
    )
    compared_backend_id = fields.Many2one(
        "spar.mapper.backend",
        string="Compare with",
        ondelete="restrict",
        help="Each ID of the file is resolved at both, and the differences are listed. "
        "Leave empty to compare with the addresses in the file.",
    )
    strategy_file = fields.Binary("Strategies (strategy)")
    level_file = fields.Binary("Levels (dfsp_levels)")
    value_file = fields.Binary("Values of levels (dfsp_level_values)")
    bank_file = fields.Binary("Banks (banks)")
    branch_file = fields.Binary("Branches (branches)")
    wallet_file = fields.Binary("Wallet providers (wallet_service_providers)")
    directory_report = fields.Json(readonly=True, copy=False, string="Directory report")
    directory_text = fields.Html(
        compute="_compute_directory_text", sanitize=False, string="Directory text"
    )
    directory_loaded = fields.Boolean(
        readonly=True, copy=False, string="Directory loaded"
    )
    #: Why strategies cannot be kept, by their number.
    refused_strategies = fields.Json(
        readonly=True, copy=False, string="Refused strategies"
    )
    is_comparison = fields.Boolean(readonly=True, copy=False, string="Comparison")
    #: Whether the first step of a check is done: to note which IDs coincide.
    is_noted = fields.Boolean(readonly=True, copy=False, string="Noted")
    unknown_count = fields.Integer("Not compared", compute="_compute_progress")
    held_count = fields.Integer("Waiting for approval", compute="_compute_progress")
    coinciding_count = fields.Integer(
        "Same ID in several rows", compute="_compute_progress"
    )

    # === RIGHTS === #

    def _check_access(self, operation: str):
        """Allow only programme managers who are also SPAR administrators."""
        refused = super()._check_access(operation)
        user = self.env.user
        is_allowed = user.has_group(
            "spar_registry.group_programme_manager"
        ) and user.has_group("spar_fa_directory.group_administrator")
        if refused or self.env.su or is_allowed:
            return refused
        return self, partial(self._refuse_user)

    def _refuse_user(self, *_arguments) -> AccessError:
        return AccessError(
            self.env._(
                "Only a programme manager who is also a SPAR administrator can do this."
            )
        )

    # === THE FILES === #

    @api.model
    def _get_columns(self) -> tuple[Column, ...]:
        return MAPPING_COLUMNS

    def _looks_grouped(self, columns, rows):
        return False

    def _get_required_columns(self) -> set[str]:
        """Return the ID, and the address unless another backend is asked for it."""
        needed = super()._get_required_columns()
        is_asked = self.is_comparison and self.compared_backend_id
        return needed - {"fa_value"} if is_asked else needed

    # === DIRECTORY === #

    @api.depends("directory_report")
    def _compute_directory_text(self):
        for job in self:
            rows = [_ROW % tuple(line) for line in job.directory_report or []]
            job.directory_text = _TABLE % Markup("").join(rows) if rows else False

    def action_compare_directory(self):
        """Show what would be added to the directory."""
        self._run_directory(is_trial=True)

    def action_load_directory(self):
        """Add strategies, providers and branches that the directory lacks."""
        self._run_directory(is_trial=False)

    def _run_directory(self, is_trial: bool) -> None:
        self.check_access("write")
        for job in self:
            job._check_open()
            lines, refused = self.env["spar.openg2p.directory"]._load(job, is_trial)
            if job.state == "checked" and not is_trial:
                # What a check found may be different now.
                job._record({"state": "draft"})
            job._record(
                {
                    "directory_report": lines,
                    "refused_strategies": {str(n): text for n, text in refused.items()},
                    "directory_loaded": not is_trial,
                }
            )

    # === STARTING === #

    def action_try(self):
        self._choose_comparison(False)
        return super().action_try()

    def action_compare(self):
        """Compare the export, or another backend, with what resolves here.

        Nothing is changed.
        """
        self._check_compared()
        self._choose_comparison(True)
        return super().action_try()

    def action_load(self):
        if any(job.is_comparison for job in self):
            raise UserError(self.env._("Check the file first."))
        return super().action_load()

    def _check_compared(self) -> None:
        """Raise UserError for a comparison of a backend with itself."""
        backends = self.env["spar.mapper.backend"]
        for job in self.filtered("compared_backend_id"):
            here = backends._get_mapper(job.id_type_id)._get_backend()
            if job.compared_backend_id == here:
                raise UserError(
                    self.env._(
                        "Compare with: IDs of this type are resolved there already. "
                        "Choose another backend, or none."
                    )
                )

    def _choose_comparison(self, is_comparison: bool) -> None:
        """Note what the next run is for; another one does not continue the last."""
        for job in self:
            job._check_open()
            if job.state == "checked" or job.is_comparison != is_comparison:
                job._record({"is_comparison": is_comparison, "state": "draft"})

    def _check_start(self, is_trial: bool) -> None:
        """Check that the rows were checked: coinciding ones are known only then."""
        self.check_access("write")
        continues = self.state in ("stopped", "failed") and not self.is_trial
        if not (is_trial or continues or self.state == "checked"):
            raise UserError(self.env._("Check the file first."))
        return super()._check_start(is_trial)

    # === LOADING === #

    def _show_counts(self, counts) -> None:
        self.held_count = counts["held"]
        self.unknown_count = counts["unknown"]
        self.coinciding_count = counts["coinciding"]
        return super()._show_counts(counts)

    def _forget_seen(self) -> None:
        """Forget which IDs coincide, except when loading begins after a check."""
        if self.state == "checked":
            return None
        self._record({"is_noted": False})
        return super()._forget_seen()

    def _finish_loading(self) -> None:
        """Begin with the second step of a check, or end."""
        if self.is_trial and not (self.is_noted or self.is_comparison):
            self.env["spar.sealed.import.chunk"].sudo()._search_of(self).unlink()
            self._record({"is_noted": True})
            return None
        return super()._finish_loading()

    def _load_rows(self, rows, unsplit) -> RowOutcome:
        return self.env["spar.openg2p.loader"]._load_rows(self, rows, unsplit)
