from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext

from ...fields import BigInteger
from ...store.rechecking import check_piece

#: Addresses that are opened in one transaction.
PIECE = 500
_CALL = CallContext("system", "check", Authority.STAFF)
_MAY_START = (
    "spar_fa_directory.group_supervisor",
    "spar_fa_directory.group_administrator",
)


class SparRecheck(models.Model):
    """One run of *Check again*: which stored addresses no longer pass their checks.

    A country renumbers, a bank closes, a rule is made stricter: an address that was
    valid when it was stored may no longer be. Nothing is changed; such addresses are
    listed, by provider.
    """

    _name = "spar.recheck"
    _description = "Check of the stored addresses"
    _order = "id desc"
    _rec_name = "started_at"
    _log_access = False

    started_at = fields.Datetime("Started", required=True, readonly=True)
    started_by_id = fields.Many2one("res.users", "Started by", readonly=True)
    finished_at = fields.Datetime("Finished", readonly=True)
    total = fields.Integer("Addresses in force", readonly=True)
    checked_count = fields.Integer("Checked", readonly=True)
    found_count = fields.Integer("Failed", readonly=True)
    position = BigInteger(readonly=True)
    progress = fields.Float(compute="_compute_progress")
    finding_ids = fields.One2many("spar.recheck.finding", "run_id", readonly=True)

    @api.depends("total", "checked_count", "finished_at")
    def _compute_progress(self):
        for run in self:
            share = run.checked_count / run.total if run.total else 1.0
            run.progress = 100 if run.finished_at else min(100.0, 100 * share)

    # === STARTING === #

    def action_start(self):
        """Check all addresses in the background; earlier findings are deleted."""
        if not (self.env.su or any(map(self.env.user.has_group, _MAY_START))):
            raise AccessError(
                self.env._(
                    "You do not have permission to do this. Ask an administrator."
                )
            )
        if self.search_count([("finished_at", "=", False)], limit=1):
            raise UserError(self.env._("A check is already running."))
        run_sudo = self.sudo()._start(self.env.user)
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": run_sudo.id,
            "view_mode": "form",
        }

    @api.model
    def _start(self, user) -> "SparRecheck":
        self.env.cr.execute("DELETE FROM spar_recheck_finding")
        self.env["spar.recheck.finding"].invalidate_model()
        query = SQL(
            """SELECT count(*) FROM spar_mapping
                WHERE state IN ('active', 'suspended')"""
        )
        run = self.create(
            {
                "started_at": fields.Datetime.now(),
                "started_by_id": user.id,
                "total": self.env.execute_query(query)[0][0],
            }
        )
        self.env.ref("spar_mapper.ir_cron_recheck").sudo()._trigger()
        return run

    # === RUNNING === #

    @api.model
    def _cron_check(self) -> None:
        """Continue where the last run ended, in committed pieces."""
        cron = self.env["ir.cron"]
        while run := self.search([("finished_at", "=", False)], limit=1):
            run._do_piece()
            run.flush_recordset()
            if not cron._commit_progress(1, remaining=int(not run.finished_at)):
                return

    def _do_piece(self) -> None:
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        work = mapper._begin_work(_CALL, for_write=False)
        read = self.env["spar.fa.strategy"]._canonicalise_addresses
        piece = check_piece(work, read, self.position, PIECE)
        self.env["spar.alarm"]._raise_alarms(work.problems)
        if piece.until is None:
            self.finished_at = fields.Datetime.now()
            return
        findings = self.env["spar.recheck.finding"]
        found = {one.head_id: one.problem for one in piece.found}
        findings.create(findings._prepare_left(found, run_id=self.id))
        self.write(
            {
                "position": piece.until,
                "checked_count": self.checked_count + piece.count,
                "found_count": self.found_count + len(piece.found),
            }
        )

    def action_open_findings(self):
        """Open the list of addresses that do not pass, by provider."""
        self.check_access("read")
        return self.env["ir.actions.act_window"]._for_xml_id(
            "spar_mapper.spar_recheck_finding_action"
        )


class SparRecheckFinding(models.Model):
    """An address that no longer passes its checks, and why."""

    _name = "spar.recheck.finding"
    _description = "Address that fails its checks"
    _inherit = ["spar.left.address"]
    _order = "provider_id, id"

    run_id = fields.Many2one(
        "spar.recheck", required=True, readonly=True, index=True, ondelete="cascade"
    )
