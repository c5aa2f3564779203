import json

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.id_forms import load_form
from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ...lib import integrity, settling
from ...lib.id_reading import OTHER, REFUSED, UNKNOWN
from ...store.address_rewriting import (
    COUNT_PLACES,
    UNFIT,
    AddressRewriter,
    AddressScope,
)
from ...store.forming import FORMS, FormPiece, FormTask, IdRewriter, IdSurveyor
from ...store.sealing import RUNS

ADMINISTRATOR = "spar_fa_directory.group_administrator"

#: Rows checked, and rows rewritten, per transaction: few, so that nothing waits long.
CHECKED_AT_ONCE, REWRITTEN_AT_ONCE = 2000, 200
#: How long a piece waits for transactions that write by the previous rules.
PATIENCE = 5.0
#: States in which the scheduled job has work to do.
DUE = ("looking", "rewriting")
OPEN = (*DUE, "ready")


class SparFormRun(models.Model):
    """The rewriting of all IDs into a new form: its effect and its progress.

    First every row is checked, and nothing is changed: how many get another form, which
    ones would coincide, which ones the new rules refuse. If there is nothing to decide,
    or two people have seen and approved the figures, rows are then rewritten; otherwise
    an administrator starts that. Both steps continue where they were interrupted.

    A dry run of rules that somebody has proposed ends with its figures. Until a second
    person approves them, these answer one person's question about all sealed IDs, so
    they are counted and blurred (``spar.question``).
    """

    _name = "spar.form.run"
    _description = "New form of IDs"
    _order = "id desc"
    _rec_name = "started_at"
    _log_access = False
    _inherit = ["spar.sealed.rows"]
    _sealed_table = RUNS

    kind = fields.Selection(
        [
            ("ids", "IDs"),
            ("proposal", "Dry run of a proposed change"),
            ("addresses", "Addresses"),
        ],
        required=True,
        readonly=True,
    )
    number = fields.Integer(readonly=True, string="New form")
    data = fields.Json(
        readonly=True,
        string="Rules",
        help="For addresses: which ones are checked in addition to those in an older "
        "form.",
    )
    change_id = fields.Many2one(
        "spar.setting.change", string="Proposed change", readonly=True, index=True
    )
    state = fields.Selection(
        [
            ("looking", "Dry run"),
            ("ready", "Waiting for an administrator"),
            ("rewriting", "Rewriting"),
            ("done", "Done"),
            ("overtaken", "Overtaken"),
        ],
        required=True,
        readonly=True,
    )
    is_wanted = fields.Boolean(
        readonly=True,
        string="Confirmed",
        help="A user who has seen the figures of a dry run has confirmed it.",
    )
    after = fields.Integer(readonly=True, help="The last row that was processed.")
    started_at = fields.Datetime(required=True, readonly=True, string="Started")
    finished_at = fields.Datetime(readonly=True, string="Finished")
    total = fields.Integer(readonly=True, string="Rows")
    seen = fields.Integer(readonly=True, string="Rows checked")
    changing = fields.Integer(readonly=True, string="To be rewritten")
    coinciding = fields.Integer(
        readonly=True,
        string="Would coincide",
        help="IDs that would be identical to another person's: they keep their form, "
        "and a case is opened. A case is also opened for each account that turns out "
        "to belong to several people.",
    )
    coinciding_groups = fields.Integer(readonly=True, string="Cases to be opened")
    refused = fields.Integer(
        readonly=True,
        string="Failed",
        help="The new rules reject them. Each can still be found by its present "
        "spelling.",
    )
    unfit = fields.Integer(
        readonly=True,
        string="Fail their checks",
        help="Addresses that get the new form although they fail their checks.",
    )
    unknown = fields.Integer(
        readonly=True,
        string="Cannot be rewritten",
        help="Only a token of the ID is stored, so it stays as it is.",
    )
    rewritten = fields.Integer(readonly=True)
    has_moved = fields.Boolean(
        string="Has moved",
        readonly=True,
        help="Rows were rewritten in this round, so there is another round.",
    )
    progress = fields.Integer(compute="_compute_progress", string="Progress (%)")
    findings = fields.Char(
        compute="_compute_findings",
        help="Of what one person has proposed: in tens, because exact numbers would "
        "tell something about one ID.",
    )

    _due_index = models.Index("(id) WHERE state IN ('looking', 'rewriting')")

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """CREATE TABLE IF NOT EXISTS spar_form_row (
                   run_id int NOT NULL, row_id bigint NOT NULL, digest bytea,
                   verdict varchar NOT NULL, PRIMARY KEY (run_id, row_id));
               CREATE INDEX IF NOT EXISTS spar_form_row_digest_index
                   ON spar_form_row (run_id, digest) WHERE digest IS NOT NULL"""
        )
        add_columns(self.env.cr, "spar_form_row", ("mac",))
        for statement in integrity.build_forecast_guard():
            self.env.cr.execute(statement)
        return result

    @api.depends("total", "seen", "state", "rewritten")
    def _compute_progress(self):
        for run in self:
            done = 100 * run.seen // run.total if run.total else 0
            is_over = run.state in ("ready", "done")
            run.progress = 100 if is_over else min(done, 99)

    @api.depends(
        "state", "kind", "total", "seen", "changing", "coinciding", "refused", "unknown"
    )
    @api.depends_context("lang")
    def _compute_findings(self):
        for run in self:
            run.findings = run._describe() if run.kind == "proposal" else False

    # === BEGINNING === #

    @api.model
    def _begin_ids(self) -> "SparFormRun":
        """Return a new run for the current form, if any row is in an older one."""
        forms = self.env["spar.id.form"]
        state = forms._get_state()
        unfinished = [("kind", "=", "ids"), ("state", "in", OPEN)]
        self.search(unfinished)._end("overtaken")
        total = self._count([number for number, _form in state.older])
        if not total:
            return self.browse()
        current = forms.sudo().search([("state", "=", "current")], limit=1)
        run = self._start("ids", current.data, total, number=current.number)
        run._trigger()
        return run

    @api.model
    def _begin_proposal(self, change, data: dict) -> "SparFormRun":
        """Return a new dry run of the proposed rules ``data``.

        If there are only a few rows, they are checked immediately.
        """
        total = self._count(None)
        run = self._start("proposal", data, total, change_id=change.id)
        if total:
            self.env["spar.question"]._charge("rule", run._get_question())
        run._check_rows()
        if run.state == "looking":
            run._trigger()
        return run

    @api.model
    def _begin_addresses(self, scope: dict | None = None) -> "SparFormRun":
        """Return a run over addresses in an older form, and those of ``scope``.

        A run that has already begun includes them, and starts again.
        """
        forms = self.env["spar.address.form"]
        number = forms._get_number()
        query = SQL("SELECT EXISTS (SELECT FROM spar_mapping)")
        if not self.env.execute_query(query)[0][0]:
            forms._retire()
            return self.browse()
        domain = [("kind", "=", "addresses"), ("state", "in", OPEN)]
        run = self.search(domain, limit=1)
        merged = _merge_scopes(run.data or {}, scope or {})
        if run.state == "looking" and not run.after and run.data == merged:
            return run
        run._end("overtaken")
        run = self._start("addresses", merged, 0, number=number)
        run._trigger()
        return run

    @api.model
    def _start(self, kind: str, data: dict, total: int, **values) -> "SparFormRun":
        return self.create(
            {
                "kind": kind,
                "data": data,
                "total": total,
                "state": "looking",
                "started_at": fields.Datetime.now(),
                **values,
            }
        )

    @api.model
    def _count(self, forms: list[int] | None) -> int:
        query = SQL(
            """SELECT count(*) FROM spar_subject_id
                WHERE %(forms)s::int[] IS NULL OR form = ANY(%(forms)s::int[])""",
            forms=forms,
        )
        return self.env.execute_query(query)[0][0]

    @api.model
    def _trigger(self) -> None:
        self.env.ref("spar_mapper.ir_cron_forms").sudo()._trigger()

    @api.model
    def _get_open_ids(self) -> "SparFormRun":
        """Return the run that rewrites IDs in the current form, if there is one."""
        return self.search([("kind", "=", "ids"), ("state", "in", OPEN)], limit=1)

    @api.model
    def _get_dry_runs(self, changes) -> "SparFormRun":
        """Return the dry runs of proposed changes, newest first."""
        return self.search([("change_id", "in", changes.ids)])

    def _describe(self) -> str:
        """Return the findings of a dry run, in one line."""
        if self.state in DUE:
            percent = self.progress
            return self.env._("Dry run: %(percent)s %% done.", percent=percent)
        return self.env._(
            "Dry run over %(total)s IDs. Get another form: %(changing)s. Would be "
            "identical to others: %(coinciding)s (cases for staff: %(groups)s). "
            "Rejected by the new rules: %(refused)s. Cannot be rewritten: %(unknown)s.",
            total=self.total,
            changing=self._write_figure(self.changing),
            coinciding=self._write_figure(self.coinciding),
            groups=self._write_figure(self.coinciding_groups),
            refused=self._write_figure(self.refused),
            unknown=self._write_figure(self.unknown),
        )

    def _write_figure(self, figure: int) -> str:
        return self.env["spar.question"]._describe(figure, self.total)

    def _get_question(self) -> str:
        """Return the question that a dry run of proposed rules answers."""
        return json.dumps(self.data, sort_keys=True)

    @api.model
    def _build_current(self) -> FormTask:
        """Return the task that rewrites a single row now, outside a run."""
        forms = self.env["spar.id.form"]
        number, state = forms._get_number(), forms._get_state()
        return FormTask(0, dict(state.older), number, state.newest)

    def _end(self, state: str) -> None:
        """End runs; their notes on rows are no longer needed."""
        if not self:
            return
        self.filtered(lambda run: run.kind == "ids")._set_foreseen(False)
        self.write({"state": state, "finished_at": fields.Datetime.now()})
        self.env.cr.execute(
            "DELETE FROM spar_form_row WHERE run_id = ANY(%s)", (self.ids,)
        )

    # === STARTING BY HAND === #

    def action_start(self) -> dict:
        """Start rewriting, for an administrator who has seen the figures."""
        self.ensure_one()
        if not self.env.user.has_group(ADMINISTRATOR):
            raise AccessError(self.env._("Only an administrator can start this."))
        run_sudo = self.sudo()
        run_sudo.lock_for_update()
        run_sudo.invalidate_recordset()
        if run_sudo.state != "ready":
            raise UserError(self.env._("This is no longer waiting to be started."))
        run_sudo.is_wanted = True
        run_sudo._rewrite_from_start()
        run_sudo._trigger()
        return self.env["spar.staff.answers"]._notify(
            self.env._("This continues in the background. See the progress here.")
        )

    def _rewrite_from_start(self) -> None:
        self.write({"state": "rewriting", "after": 0, "seen": 0})

    # === THE SCHEDULED JOB === #

    @api.model
    def _cron_run(self) -> None:
        """Continue with what is due, piece by piece; each piece is committed."""
        cron = self.env["ir.cron"]
        forms = self.env["spar.id.form"]
        # Without keys nothing can be stored; altered data must not be added to.
        if not self.env["spar.keyring"]._get_phase() or forms._get_state().problem:
            return
        use_read_committed(self.env.cr)
        # Unapproved rules, and libraries, may differ from those that are kept.
        forms._get_number()
        self.env["spar.address.form"]._get_number()
        cron._commit_progress()
        while self._has_work():
            use_read_committed(self.env.cr)
            done = self._do_next()
            if not cron._commit_progress(done, remaining=int(self._has_work())):
                return
        use_read_committed(self.env.cr)
        forms._retire()
        cron._commit_progress()

    @api.model
    def _has_work(self) -> bool:
        """Return whether there is a piece to process here and now.

        There is none while the index key is being replaced, because only one such job
        runs at a time; none on a host whose libraries differ from those of the new
        form; and none for altered data.
        """
        if self.env["spar.keyring"]._get_phase().get("index_key_b"):
            return False
        run, state = self._get_due(), self.env["spar.id.form"]._get_state()
        if problems := [*filter(None, [state.problem]), *run._find_altered()]:
            self.env["spar.alarm"]._raise_alarms(problems)
            return False
        if run.kind == "ids":
            return run.number == state.number
        if run.kind == "addresses" and run.number:
            return run.number == self.env["spar.address.form"]._get_state().number
        return bool(run)

    @api.model
    def _do_next(self) -> int:
        """Process the next piece; return its number of rows, at least 1.

        If another transaction has meanwhile linked an ID that a row was to become,
        nothing of the piece is done: the next one sees both.
        """
        run = self._get_due()
        before = run.seen
        try:
            with self.env.cr.savepoint():
                run._do_piece()
        except psycopg2.errors.UniqueViolation:
            self.env.invalidate_all()
            return 1
        return max(run.seen - before, 1)

    @api.model
    def _get_due(self) -> "SparFormRun":
        """Return the run that is to continue: the oldest comes first."""
        return self.search([("state", "in", DUE)], order="id", limit=1)

    # === PIECES === #

    def _do_piece(self) -> None:
        """Process the next piece of what is due."""
        if self.kind != "proposal" and not self.after:
            if not self._has_no_old_writers():
                return
        if self.kind == "addresses":
            self._do_addresses()
        elif self.state == "looking":
            self._check_rows()
        else:
            self._rewrite()

    def _has_no_old_writers(self) -> bool:
        """Return whether all transactions that may write by old rules have ended."""
        return settling.wait_for_writers(self.env.cr, PATIENCE)

    def _begin_work(self):
        return self.env["spar.mapper.local"]._begin_work(FORMS)

    def _build_task(self) -> FormTask:
        """Return the task: the source forms and the target form."""
        kept = self.env["spar.id.form"]._get_all_forms()
        if self.kind == "ids":
            kept.pop(self.number)
        return FormTask(self.id, kept, self.number, load_form(self.data))

    def _check_rows(self) -> None:
        """Check the next rows, and record what would become of them."""
        work, task = self._begin_work(), self._build_task()
        surveyor = IdSurveyor(work, task)
        forms = list(task.forms) if self.kind == "ids" else None
        piece = surveyor.check(self.after, CHECKED_AT_ONCE, forms)
        self._count_piece(piece)
        if piece.seen < CHECKED_AT_ONCE:
            self._record_coinciding(*surveyor.count_coinciding())
            self._end_checking()
        self.env["spar.mapper.local"]._finish_work(work)

    def _record_coinciding(self, rows: int, groups: int) -> None:
        """Record how many rows coincide, and at a dry run of a proposal all figures."""
        if self.kind != "proposal":
            self.write({"coinciding": rows, "coinciding_groups": groups})
            return
        query = SQL(
            """SELECT verdict, count(*) FROM spar_form_row
                WHERE run_id = %s GROUP BY verdict""",
            self.id,
        )
        verdicts = dict(self.env.execute_query(query))
        self.write(
            self.env["spar.question"]._blur(
                self._get_question(),
                self.total,
                changing=verdicts.get(OTHER, 0),
                refused=verdicts.get(REFUSED, 0),
                unknown=verdicts.get(UNKNOWN, 0),
                coinciding=rows,
                coinciding_groups=groups,
            )
        )

    def _count_piece(self, piece: FormPiece) -> None:
        self.after = piece.after
        self.seen += piece.seen
        if self.kind == "proposal":
            # Its figures are shown as a whole, and blurred: see _record_coinciding().
            return
        self.changing += piece.verdicts.get(OTHER, 0)
        self.refused += piece.verdicts.get(REFUSED, 0)
        self.unknown += piece.verdicts.get(UNKNOWN, 0)
        self.unfit += piece.verdicts.get(UNFIT, 0)

    def _end_checking(self) -> None:
        """Continue if there is nothing to decide; else wait for an administrator."""
        if self.kind == "ids":
            self._set_foreseen(True)
        if self.kind == "proposal":
            self._end("done")
        elif self.is_wanted or not (self.coinciding or self.refused):
            self._rewrite_from_start()
        else:
            self.state = "ready"

    def _rewrite(self) -> None:
        """Rewrite the next rows in the new form."""
        work, task = self._begin_work(), self._build_task()
        cases = self.env["spar.form.case"]
        piece = IdRewriter(work, task).rewrite(self.after, REWRITTEN_AT_ONCE)
        cases._open_cases(work.keyring, self.number, piece.contested)
        self.after = piece.after
        self.seen = min(self.seen + piece.seen, self.total)
        self.rewritten += piece.rewritten
        self.has_moved = self.has_moved or bool(piece.moved)
        if not piece.seen:
            self._end_round()
        self.env["spar.mapper.local"]._finish_work(work)

    def _set_foreseen(self, is_foreseen: bool) -> None:
        """Notify every host whether the outcome of older rows has been recorded."""
        forms_sudo = self.env["spar.id.form"].sudo()
        numbers = self.mapped("number")
        form_sudo = forms_sudo.search([("number", "in", numbers)])
        if form_sudo.filtered(lambda form: form.is_foreseen != is_foreseen):
            form_sudo.is_foreseen = is_foreseen

    # === ADDRESSES === #

    def _do_addresses(self) -> None:
        mapper = self.env["spar.mapper.local"]
        work, scope = self._begin_work(), AddressScope.from_data(self.data)
        rewriter = AddressRewriter(work, self.id, scope, mapper._read_stored)
        if self.state == "looking":
            self._check_addresses(rewriter, scope)
        else:
            self._rewrite_addresses(rewriter)
        mapper._finish_work(work)

    def _check_addresses(self, rewriter: AddressRewriter, scope: AddressScope) -> None:
        if not self.after:
            self.env.cr.execute(COUNT_PLACES, scope.build_values(0))
            self.total = self.env.cr.fetchone()[0]
        piece = rewriter.check(self.after, CHECKED_AT_ONCE)
        self._count_piece(piece)
        if piece.seen < CHECKED_AT_ONCE:
            self.coinciding, self.coinciding_groups = rewriter.count_shared()
            self._end_checking()

    def _rewrite_addresses(self, rewriter: AddressRewriter) -> None:
        if not self.after:
            rewriter.open_cases(self.number)
            self.env["spar.form.case"].invalidate_model()
        piece = rewriter.rewrite(self.after, REWRITTEN_AT_ONCE)
        self.after = piece.after
        self.seen = min(self.seen + piece.seen, self.total)
        self.rewritten += piece.rewritten
        if not piece.seen:
            self._end("done")
            self.env["spar.address.form"]._retire()

    def _end_round(self) -> None:
        """End if nothing is left; otherwise check again for rows added meanwhile."""
        if self.has_moved:
            self.write({"after": 0, "has_moved": False})
        else:
            self._end("done")


def _merge_scopes(*scopes: dict) -> dict:
    """Return the scope of a run over the addresses of each of ``scopes``."""
    merged = {
        name: sorted({row_id for each in scopes for row_id in each.get(name, [])})
        for name in ("providers", "types")
    }
    merged["unread"] = any(each.get("unread") for each in scopes)
    if below := max(each.get("below", 0) for each in scopes):
        merged["below"] = below
    return merged
