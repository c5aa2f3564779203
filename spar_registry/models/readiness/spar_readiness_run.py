import logging
from collections.abc import Iterable
from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.transactions import count_alone, lock_counters

from ...lib.readiness import Change, ReadinessState

_logger = logging.getLogger(__name__)

#: The purpose of the seals. It must never change.
RUN = "registry_readiness_file"
READINESS = "spar_registry.group_readiness"
#: Lines that are deleted in one statement.
_DELETED_AT_ONCE = 50_000
#: The source of runs that a payment starts: they are no user's own.
GATE = "gate"


class SparReadinessRun(models.Model):
    """A check whether people can be paid: who started it, for whom, and its totals.

    It is the one record of the check: neither a mapper's history nor the registry has
    an event for each person. The lines are deleted after some time; the run stays.
    """

    _name = "spar.readiness.run"
    _description = "Payment readiness"
    _inherit = ["spar.sealed.storage"]
    _order = "id desc"
    _seal_purpose = RUN
    _seal_prefix = (RUN,)
    _seal_context_columns = ("id", "user_id")

    name = fields.Char(required=True, readonly=True)
    source = fields.Selection(
        [
            ("people", "Contacts"),
            ("programme", "Programme"),
            ("cycle", "Cycle"),
            ("file", "File of IDs"),
            ("gate", "Before a payment"),
        ],
        required=True,
        readonly=True,
    )
    programme_id = fields.Many2one(
        "spar.programme", readonly=True, index=True, ondelete="restrict"
    )
    cycle_id = fields.Many2one(
        "spar.programme.cycle", readonly=True, index=True, ondelete="restrict"
    )
    previous_id = fields.Many2one(
        "spar.readiness.run",
        string="Compared with",
        readonly=True,
        ondelete="set null",
    )
    user_id = fields.Many2one(
        "res.users", string="Started by", required=True, readonly=True, index=True
    )
    state = fields.Selection(
        [
            ("reading", "Reading the file"),
            ("running", "Checking"),
            ("stopped", "Stopped"),
            ("done", "Done"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        default="running",
    )
    problem = fields.Char(readonly=True)
    ended_at = fields.Datetime(string="Ended at", readonly=True)
    people_count = fields.Integer(string="People", readonly=True)
    duplicate_count = fields.Integer(
        string="Repeated rows",
        readonly=True,
        help="Rows of the file with an ID that is in an earlier row.",
    )
    filename = fields.Char(readonly=True)
    file_form = fields.Json(readonly=True, string="File form")
    id_type_id = fields.Many2one(
        "spar.id.type", readonly=True, ondelete="set null", string="ID type"
    )
    totals = fields.Json(string="Numbers", readonly=True)
    are_lines_kept = fields.Boolean(
        readonly=True, default=True, string="Are lines kept"
    )

    checked_count = fields.Integer(string="Checked", compute="_compute_progress")
    progress = fields.Float(compute="_compute_progress")
    ready_count = fields.Integer(string="Ready", compute="_compute_counts")
    not_ready_count = fields.Integer(string="Not ready", compute="_compute_counts")
    newly_ready_count = fields.Integer(string="Newly ready", compute="_compute_counts")
    newly_not_ready_count = fields.Integer(
        string="No longer ready", compute="_compute_counts"
    )
    totals_table = fields.Html(
        compute="_compute_totals_table", sanitize=False, string="Totals"
    )
    line_ids = fields.One2many("spar.readiness.line", "run_id", readonly=True)
    export_ids = fields.One2many("spar.readiness.export", "run_id", readonly=True)

    # === STARTING === #

    @api.model
    def _start(self, people, source: str, programme=None, cycle=None, name: str = ""):
        """Start a run of ``people``, a query of contacts; return it.

        The query is the user's own: it finds nobody whom the user may not read. Raises
        AccessError, UserError (nobody is to be checked, or more than the user may check
        in a day) and SettingsAltered.
        """
        self._check_right()
        self._lock_user()
        run_sudo = self._create_run_sudo(source, programme, cycle, name)
        run_sudo._add_people(people)
        if not run_sudo.people_count:
            raise UserError(self.env._("There is nobody to check."))
        if run_sudo._is_over_limit(0):
            raise UserError(self._get_limit_text())
        self.env["spar.readiness.chunk"]._split_new(run_sudo)
        self.env["spar.readiness.worker"]._wake()
        return run_sudo.sudo(False)

    @api.model
    def _start_file(
        self, file: str, filename: str, form: dict, programme=None, cycle=None
    ):
        """Start a run of the IDs in a file (base64), which is sealed until it is read.

        :param form: ``encoding``, ``delimiter``, ``sheet``, ``header``, ``column``, and
            ``id_type`` for IDs that are mere numbers

        Raises AccessError, KeyringUnavailable and KeyringMismatch.
        """
        self._check_right()
        run_sudo = self._create_run_sudo("file", programme, cycle, filename)
        run_sudo.write(
            {
                "state": "reading",
                "filename": filename,
                "id_type_id": form.pop("id_type", False),
                "file_form": form,
            }
        )
        run_sudo._write_sealed(file)
        self.env["spar.readiness.worker"]._wake()
        return run_sudo.sudo(False)

    @api.model
    def _check_at_once(self, cycle, people):
        """Check people before a payment of a cycle, in the caller's transaction.

        Return the run as superuser: the caller need not have the right to see runs.
        """
        run_sudo = self._create_run_sudo(GATE, cycle.programme_id, cycle, "")
        # Everybody is on the list: those whom the user may not read, too.
        people_sudo = people.sudo().with_context(active_test=False)
        run_sudo._add_people(people_sudo._search(Domain("id", "in", people.ids)))
        self.env["spar.readiness.chunk"]._split_new(run_sudo)
        self.env["spar.readiness.worker"]._run_at_once(run_sudo)
        return run_sudo

    @api.model
    def _check_right(self) -> None:
        if not (self.env.su or self.env.user.has_group(READINESS)):
            raise AccessError(
                self.env._(
                    "You do not have permission to do this. Ask an administrator."
                )
            )

    @api.model
    def _create_run_sudo(self, source: str, programme, cycle, name: str):
        programme = programme or self.env["spar.programme"]
        cycle = cycle or self.env["spar.programme.cycle"]
        previous_sudo = self._find_previous_sudo(programme, cycle)
        return self.sudo().create(
            {
                "name": name or self._build_name(source, programme, cycle),
                "source": source,
                "programme_id": programme.id,
                "cycle_id": cycle.id,
                "previous_id": previous_sudo.id,
                "user_id": self.env.uid,
            }
        )

    @api.model
    def _build_name(self, source: str, programme, cycle) -> str:
        words = [programme.sudo().name, cycle.sudo().name]
        return ", ".join(filter(None, words)) or self.env._("Contacts")

    @api.model
    def _find_previous_sudo(self, programme, cycle):
        """Return the run before: the latest of the cycle, or else of the programme."""
        runs_sudo = self.sudo()
        if not programme:
            return runs_sudo.browse()
        done = Domain("state", "=", "done") & Domain("source", "!=", GATE)
        done &= Domain("are_lines_kept", "=", True)
        for domain in (
            Domain("cycle_id", "=", cycle.id) if cycle else Domain.FALSE,
            Domain("programme_id", "=", programme.id),
        ):
            found_sudo = runs_sudo.search(domain & done, order="id desc", limit=1)
            if found_sudo:
                return found_sudo
        return runs_sudo.browse()

    def _add_people(self, people) -> None:
        """Add a line for each contact of a query, in one statement."""
        self.env.flush_all()
        query = SQL(
            """WITH added AS (
                   INSERT INTO spar_readiness_line (run_id, partner_id, state)
                   SELECT %s, p.id, 'waiting' FROM res_partner p
                    WHERE p.id IN %s ORDER BY p.id RETURNING id)
               SELECT count(*) FROM added""",
            self.id,
            people.subselect(),
        )
        ((count,),) = self.env.execute_query(query)
        self.people_count = count
        self.invalidate_recordset()

    # === THE LIMIT === #

    @api.model
    def _lock_user(self) -> None:
        """Let the starts of one user follow each other, so that all are counted."""
        count_alone(self.env.cr, self._table, self.env.uid)

    def _is_over_limit(self, more: int) -> bool:
        """Return whether ``more`` people of this run are more than its user may check.

        Raises SettingsAltered.
        """
        self.flush_recordset(["people_count"])
        lock_counters(self.env.cr, self._table, self.user_id.id)
        since = fields.Datetime.now() - timedelta(days=1)
        query = SQL(
            """SELECT coalesce(sum(people_count), 0) FROM spar_readiness_run
                WHERE user_id = %s AND create_date > %s AND source <> %s""",
            self.user_id.id,
            since,
            GATE,
        )
        ((used,),) = self.env.execute_query(query)
        limit = self.env["spar.registry.setting"]._get_number("readiness_people")
        return used + more > limit

    @api.model
    def _get_limit_text(self) -> str:
        limit = self.env["spar.registry.setting"]._get_number("readiness_people")
        return self.env._(
            "You may check %(limit)s people in 24 hours, and these would be more. "
            "Choose fewer people, or ask an administrator to raise the limit.",
            limit=limit,
        )

    # === STOPPING === #

    def action_stop(self):
        """Stop after the people who are being checked now."""
        for run in self:
            run._check_own()
            run_sudo = run.sudo()
            if run_sudo.state in ("reading", "running"):
                run_sudo.state = "stopped"

    def action_continue(self):
        """Continue a run that was stopped."""
        for run in self:
            run._check_own()
            run_sudo = run.sudo()
            if run_sudo.state == "stopped":
                run_sudo.state = "reading" if run_sudo._get_sealed_ids() else "running"
        self.env["spar.readiness.worker"]._wake()

    def _check_own(self) -> None:
        """Raise AccessError for a run that is not the user's to control."""
        self.ensure_one()
        self._check_right()
        self.check_access("read")

    def action_refresh(self):
        """Show the present state."""
        self.check_access("read")

    # === PROGRESS === #

    @api.depends("state", "people_count")
    def _compute_progress(self):
        groups = (
            self.env["spar.readiness.chunk"]
            .sudo()
            ._read_group(
                [("run_id", "in", self.ids), ("is_done", "=", True)],
                ["run_id"],
                ["people_count:sum"],
            )
        )
        counts = {run.id: count for run, count in groups}
        for run in self:
            count = run.people_count if run.state == "done" else counts.get(run.id, 0)
            run.checked_count = count
            run.progress = 100 * count / run.people_count if run.people_count else 0

    @api.depends("state", "totals")
    def _compute_counts(self):
        for run in self:
            totals = run._get_totals()
            states, changes = totals["states"], totals["changes"]
            waiting = states.get(ReadinessState.WAITING.value, 0)
            ready = states.get(ReadinessState.PAYABLE.value, 0)
            run.ready_count = ready
            run.not_ready_count = sum(states.values()) - waiting - ready
            run.newly_ready_count = changes.get(Change.NEWLY_READY.value, 0)
            run.newly_not_ready_count = changes.get(Change.NEWLY_NOT_READY.value, 0)

    def _get_totals(self) -> dict[str, dict[str, int]]:
        """Return the numbers of people by state and by change; numbers only."""
        if self.totals:
            return self.totals
        return self._count_lines()

    def _count_lines(self) -> dict[str, dict[str, int]]:
        query = SQL(
            """SELECT state, change, count(*) FROM spar_readiness_line
                WHERE run_id = %s GROUP BY state, change""",
            self.id,
        )
        states: dict[str, int] = {}
        changes: dict[str, int] = {}
        for state, change, count in self.env.execute_query(query):
            states[state] = states.get(state, 0) + count
            if change:
                changes[change] = changes.get(change, 0) + count
        return {"states": states, "changes": changes}

    @api.depends("state", "totals")
    def _compute_totals_table(self):
        labels = self.env["spar.readiness.line"]._selection_state()
        for run in self:
            states = run._get_totals()["states"]
            rows = [
                (label, states[state]) for state, label in labels if states.get(state)
            ]
            run.totals_table = run._build_table(rows)

    @api.model
    def _build_table(self, rows: Iterable[tuple[str, int]]) -> Markup:
        rows = list(rows)
        if not rows:
            return Markup("")
        most = max(count for _label, count in rows)
        row = Markup(
            "<tr class='align-middle'><td>%s</td><td class='text-end'>%s</td>"
            "<td class='w-50'><div class='progress' style='height: 10px'>"
            "<div class='progress-bar' style='width: %s%%'></div></div></td></tr>"
        )
        lines = Markup("").join(
            row % (label, f"{count:,}", round(100 * count / most))
            for label, count in rows
        )
        return Markup("<table class='table table-sm mb-0'>%s</table>") % lines

    # === LISTS === #

    def action_open_lines(self):
        """Open everybody in the run."""
        return self._open_lines(self.env._("People"), [], "list,graph,pivot")

    def action_open_chart(self):
        """Open the chart of the states."""
        return self._open_lines(self.env._("Chart"), [], "graph,pivot,list")

    def action_open_call_list(self):
        """Open the people who are not ready, with their telephone numbers."""
        domain = [("state", "not in", ["payable", "waiting"])]
        action = self._open_lines(self.env._("Call list"), domain, "list")
        view = self.env.ref("spar_registry.readiness_line_view_call_list")
        return {**action, "views": [(view.id, "list")]}

    def action_open_changes(self):
        """Open the people who became ready or not ready since the run before."""
        domain = [("change", "in", ["newly_ready", "newly_not_ready"])]
        return self._open_lines(self.env._("Changes"), domain, "list,graph")

    def _open_lines(self, name: str, domain: list, view_mode: str) -> dict:
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": f"{self.name}: {name}",
            "res_model": "spar.readiness.line",
            "view_mode": view_mode,
            "domain": [("run_id", "=", self.id), *domain],
            "context": {"create": False},
        }

    def action_export(self):
        """Ask what to export."""
        self.check_access("read")
        return self.env["spar.readiness.export.wizard"]._open_for(self)

    def action_check_again(self):
        """Ask the same question again, for a new run."""
        self.ensure_one()
        source = "cycle" if self.cycle_id else "programme"
        return self.env["spar.readiness.wizard"]._open_for(
            source, programme=self.programme_id, cycle=self.cycle_id
        )

    def _get_reasons(self) -> dict[int, str]:
        """Return why each person who is not ready is not, in words, by row id."""
        lines = self.line_ids.filtered(lambda line: line.state != "payable")
        return {line.partner_id.id: line._get_reason_text() for line in lines}

    # === ENDING === #

    def _finish(self) -> None:
        """Record the totals: everybody was checked."""
        self.ensure_one()
        self.invalidate_recordset()
        self.write(
            {
                "state": "done",
                "ended_at": fields.Datetime.now(),
                "totals": self._count_lines(),
            }
        )
        _logger.info("readiness run %s: %s people", self.id, self.people_count)

    def _fail(self, problem: str) -> None:
        """End a run that cannot go on; its lines and its file are destroyed."""
        self.ensure_one()
        while self.env["spar.readiness.line"]._delete_of(self.ids, _DELETED_AT_ONCE):
            continue
        self.env.cr.execute(
            SQL("DELETE FROM spar_readiness_chunk WHERE run_id = %s", self.id)
        )
        self._write_sealed(None)
        self.write(
            {
                "state": "failed",
                "problem": problem,
                "ended_at": fields.Datetime.now(),
                "people_count": 0,
                "are_lines_kept": False,
            }
        )

    @api.autovacuum
    def _gc_lines(self):
        """Delete the lines of old runs; what they added up to stays."""
        days = self.env["spar.registry.setting"]._get_number("readiness_days")
        before = fields.Datetime.now() - timedelta(days=days)
        old_sudo = self.sudo().search(
            [("create_date", "<", before), ("are_lines_kept", "=", True)]
        )
        if not old_sudo:
            return None
        if self.env["spar.readiness.line"]._delete_of(old_sudo.ids, _DELETED_AT_ONCE):
            return len(old_sudo), len(old_sudo)
        self.env.cr.execute(
            SQL("DELETE FROM spar_readiness_chunk WHERE run_id = ANY(%s)", old_sudo.ids)
        )
        old_sudo._write_sealed(None)
        for run_sudo in old_sudo.filtered(lambda run: run.state != "done"):
            run_sudo.state = "failed"
        old_sudo.are_lines_kept = False
        return len(old_sudo), 0
