from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..lib.moving import Branch, NumberRule, Plan
from ..store.moving import Directory, Mover, Piece, count_people
from ..store.work import Work
from .spar_move import MOVE_FORGED

#: Places moved in one transaction: few, so that nothing waits long for one of them.
PIECE = 200


class SparMove(models.Model):
    """The execution of a move: in the background, in committed pieces."""

    # One file per concern: pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.move"

    @api.model
    def _trigger(self) -> None:
        self.env.ref("spar_mapper.ir_cron_move").sudo()._trigger()

    @api.model
    def _cron_move(self) -> None:
        """Count and move, piece by piece; a killed job resumes after its last piece."""
        cron = self.env["ir.cron"]
        while True:
            use_read_committed(self.env.cr)
            move = self.search([("state", "in", ("counting", "running"))], limit=1)
            if not move:
                return
            move._do_piece()
            move.flush_recordset()
            domain = [("state", "in", ("counting", "running"))]
            if not cron._commit_progress(1, remaining=self.search_count(domain)):
                return

    def _prepare_start(self) -> dict:
        mapper = self.env["spar.mapper.local"]
        work = mapper._begin_work(self._build_call(), for_write=False)
        return {
            "position": 0,
            "total": count_people(work, self._build_plan()),
            "seen_count": 0,
            "moved_count": 0,
            "left_count": 0,
        }

    def _do_piece(self) -> None:
        """Process the next piece and record the progress, in this transaction."""
        self.ensure_one()
        is_trial = self.state == "counting"
        if not is_trial and not self._is_decided():
            self.env["spar.alarm"]._raise_alarms([("spar_move", self.id, MOVE_FORGED)])
            self.state = "halted"
            return
        mapper = self.env["spar.mapper.local"]
        work = mapper._begin_work(self._build_call())
        mover = Mover(work, self._build_plan(), self._build_directory(work), is_trial)
        piece = mover.move_piece(self.position, PIECE)
        mapper._finish_work(work)
        self._note_piece(piece)
        if not is_trial:
            self.mac = self.state == "running" and self._build_mac(work.keyring)

    def _note_piece(self, piece: Piece) -> None:
        if piece.until is None:
            self._finish()
            return
        lefts = self.env["spar.move.left"]
        found = {left.head_id: left.problem for left in piece.left}
        lefts.create(lefts._prepare_left(found, move_id=self.id))
        self.write(
            {
                "position": piece.until,
                "seen_count": self.seen_count + piece.seen,
                "moved_count": self.moved_count + piece.moved,
                "left_count": self.left_count + len(piece.left),
            }
        )

    def _finish(self) -> None:
        now = fields.Datetime.now()
        if self.state == "counting":
            self.write({"state": "counted", "counted_at": now})
            return
        self._destroy_list()
        self.write({"state": "done", "finished_at": now})

    # === THE CALL === #

    def _build_call(self) -> CallContext:
        """Return a call with the proposer's authority that names the approver."""
        return CallContext(
            actor=f"user:{(self.proposer_id or self.create_uid).id}",
            channel="staff",
            authority=Authority.STAFF,
            reason=self.reason or "",
            message_reference=f"move:{self.uuid}",
            checks_addresses=True,
        )

    def _build_plan(self) -> Plan:
        rule = NumberRule(self.rule, self.prefix or "", self.replaced_prefix or "")
        targets = self.env["spar.fsp.branch"].browse((self.branch_map or {}).values())
        by_id = {branch.id: Branch(branch.id, branch.code) for branch in targets}
        branch = self.successor_branch_id
        return Plan(
            self.provider_id.id,
            self.branch_id.id or None,
            self.successor_id.id,
            self.successor_id.code,
            rule,
            Branch(branch.id, branch.code) if branch else Branch(),
            {int(old): by_id[new] for old, new in (self.branch_map or {}).items()},
        )

    def _build_directory(self, work: Work) -> Directory:
        strategies = self.env["spar.fa.strategy"]
        return Directory(
            strategies._get_known_kinds(),
            strategies._canonicalise_addresses,
            strategies._write_as_read,
            strategies._write_canonical,
            lambda numbers: self._look_up(work.keyring, numbers),
        )
