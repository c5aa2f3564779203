from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ..fields import BigInteger
from ..lib.records import new_uuid
from .spar_mapping_display import LONGEST_REASON

MOVE_FORGED = "two people did not decide on this move: it was set or altered by hand"
_PURPOSE = "move"
#: The specification of a move, fixed once it is counted.
_PLAN = (
    "provider_id",
    "branch_id",
    "successor_id",
    "successor_branch_id",
    "rule",
    "prefix",
    "replaced_prefix",
    "reason",
)
#: The list of numbers, and how it is read.
_LIST = frozenset(
    {
        "numbers_file",
        "numbers_encoding",
        "numbers_delimiter",
        "numbers_sheet",
        "numbers_row",
    }
)


class SparMove(models.Model):
    """The move of everyone at a closed provider or branch to its successor.

    It is counted first: how many are moved, and who stays and why. Then one
    administrator proposes it and another approves; then it runs, piece by piece.
    """

    _name = "spar.move"
    _description = "Move to a successor"
    _inherit = "spar.second.person"
    _order = "id desc"
    _guarded_fields = ("confirmed",)

    uuid = fields.Char(
        "Reference", default=lambda self: new_uuid(), readonly=True, copy=False
    )
    provider_id = fields.Many2one(
        "spar.fsp",
        "Closed Provider",
        required=True,
        ondelete="restrict",
        context={"active_test": False},
    )
    branch_id = fields.Many2one(
        "spar.fsp.branch",
        "Closed Branch",
        ondelete="restrict",
        domain="[('provider_id', '=', provider_id)]",
        context={"active_test": False},
        help="Empty: the whole provider has closed.",
    )
    successor_id = fields.Many2one(
        "spar.fsp",
        "Successor",
        compute="_compute_successor_id",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        ondelete="restrict",
    )
    successor_branch_id = fields.Many2one(
        "spar.fsp.branch",
        "Branch of the Successor",
        compute="_compute_successor_branch_id",
        store=True,
        precompute=True,
        readonly=False,
        ondelete="restrict",
        domain="[('provider_id', '=', successor_id)]",
        help="Empty: each goes to the successor of their own branch, or to the one "
        "with the same code.",
    )
    rule = fields.Selection(
        [
            ("same", "Stay the same"),
            ("add", "Get a prefix"),
            ("replace", "Get another prefix"),
            ("list", "Follow a list"),
        ],
        "Numbers",
        required=True,
        default="same",
    )
    replaced_prefix = fields.Char("Prefix until now")
    prefix = fields.Char("New Prefix")
    reason = fields.Char(
        required=True, size=LONGEST_REASON, help="Kept in the history of each person."
    )
    confirmed = fields.Boolean("Approved", readonly=True, copy=False)
    proposer_id = fields.Many2one("res.users", "Proposed by", readonly=True, copy=False)
    confirmed_by_id = fields.Many2one(
        "res.users", "Approved by", readonly=True, copy=False
    )
    mac = fields.Char(readonly=True, copy=False, groups="base.group_no_one")
    state = fields.Selection(
        [
            ("new", "Being prepared"),
            ("counting", "Being counted"),
            ("counted", "Counted"),
            ("running", "Running"),
            ("done", "Done"),
            ("halted", "Halted"),
            ("discarded", "Discarded"),
        ],
        default="new",
        required=True,
        readonly=True,
        copy=False,
    )
    branch_map = fields.Json(readonly=True, copy=False)
    position = BigInteger(readonly=True, copy=False)
    total = fields.Integer("People", readonly=True, copy=False)
    seen_count = fields.Integer("Looked at", readonly=True, copy=False)
    moved_count = fields.Integer("Moved", readonly=True, copy=False)
    left_count = fields.Integer("Not moved", readonly=True, copy=False)
    progress = fields.Float(compute="_compute_progress")
    left_ids = fields.One2many("spar.move.left", "move_id", readonly=True)
    counted_at = fields.Datetime("Counted on", readonly=True, copy=False)
    finished_at = fields.Datetime("Finished", readonly=True, copy=False)

    _two_people = models.Constraint(
        "CHECK (confirmed_by_id IS NULL OR confirmed_by_id <> proposer_id)",
        "Who proposes a move does not approve it.",
    )

    @api.depends("provider_id", "branch_id")
    def _compute_display_name(self):
        for move in self:
            source = move.branch_id or move.provider_id
            move.display_name = self.env._(
                "%(place)s to %(successor)s",
                place=source.display_name or "–",
                successor=(move.successor_branch_id or move.successor_id).display_name
                or "–",
            )

    @api.depends("provider_id", "branch_id")
    def _compute_successor_id(self):
        """Compute the successor from the directory, unless another is chosen."""
        for move in self:
            provider = (
                move.branch_id.successor_id.provider_id or move.provider_id.successor_id
            )
            move.successor_id = provider or move.successor_id

    @api.depends("branch_id")
    def _compute_successor_branch_id(self):
        for move in self:
            move.successor_branch_id = move.branch_id.successor_id

    @api.depends("total", "seen_count", "state")
    def _compute_progress(self):
        for move in self:
            share = move.seen_count / move.total if move.total else 1.0
            is_over = move.state in ("counted", "done")
            move.progress = 100 if is_over else min(100.0, 100 * share)

    # === WRITE PERMISSIONS === #

    @api.model_create_multi
    def create(self, vals_list):
        allowed = {*_PLAN, *_LIST}
        if not self.env.su:
            vals_list = [
                {k: v for k, v in vals.items() if k in allowed} for vals in vals_list
            ]
        moves = super().create(vals_list)
        # The uploaded file is never returned to anyone.
        moves.invalidate_recordset(["numbers_file"])
        return moves

    def write(self, vals):
        approved = self._is_approved()
        if not self.env.su:
            self._check_open(vals)
        if vals.get("confirmed"):
            self._check_counted(approved)
        result = super().write(vals)
        self.invalidate_recordset(["numbers_file"])
        if approved and vals.get("confirmed"):
            self._sign()
        return result

    def _check_open(self, vals: dict) -> None:
        changed = vals.keys() - {"confirmed"}
        if changed - {*_PLAN, *_LIST}:
            raise AccessError(self.env._("Only the registry sets this."))
        if changed and set(self.mapped("state")) - {"new"}:
            raise UserError(
                self.env._("It is counted already: press Change before you change it.")
            )

    def _check_counted(self, approved: bool) -> None:
        if self.env.su and not approved:
            raise AccessError(self.env._("Two people decide on a move."))
        if set(self.mapped("state")) - {"counted"}:
            raise UserError(self.env._("Count first who is moved."))

    @api.ondelete(at_uninstall=False)
    def _unlink_if_unused(self):
        if set(self.mapped("state")) - {"new", "counted", "discarded"}:
            raise UserError(
                self.env._(
                    "A move that has run cannot be deleted: it records who was moved."
                )
            )

    def _is_approved(self) -> bool:
        return self.with_env(self.env(su=False))._may_write_at_once()

    def _propose(self, values: dict):
        for move in self:
            move.sudo().proposer_id = self.env.user
        return super()._propose(values)

    # === THE DECISION === #

    def _sign(self) -> None:
        """Sign what was approved, so that it cannot be forged by SQL."""
        keyring = self.env["spar.keyring"]._open()
        for move_sudo in self.sudo():
            # While its proposer tries it, no one has approved it yet.
            approver = self.env.user
            if approver != move_sudo.proposer_id:
                move_sudo.confirmed_by_id = approver
            move_sudo._forget_left()
            move_sudo.write({"state": "running", **move_sudo._prepare_start()})
            move_sudo.mac = move_sudo._build_mac(keyring)
        self._trigger()

    def _build_mac(self, keyring: OpenKeyring) -> str:
        """Return the MAC that proves the decision of two people, and the progress.

        It also covers the destination, with the codes that addresses get.
        """
        move_sudo, plan = self.sudo(), self._build_plan()
        said = bind(
            self.uuid,
            self.state,
            self.position or 0,
            self.provider_id.id,
            self.branch_id.id or 0,
            self.successor_id.id,
            plan.successor_code,
            *plan.branch[:1],
            plan.branch.code,
            str(sorted(plan.branches.items())),
            self.rule,
            self.replaced_prefix or "",
            self.prefix or "",
            move_sudo.list_uuid or "",
            self.reason,
            self.proposer_id.id or 0,
            self.confirmed_by_id.id or 0,
        )
        return keyring.mac(_PURPOSE, said).hex()

    def _is_decided(self) -> bool:
        """Return whether two people decided on exactly this."""
        keyring = self.env["spar.keyring"]._open()
        return bool(
            self.confirmed
            and self.confirmed_by_id
            and self.confirmed_by_id != self.proposer_id
            and self.sudo().mac == self._build_mac(keyring)
        )

    def _describe_effect(self, values: dict) -> list[str]:
        """Return how many are moved, to where, and by which rule."""
        reasons = [
            self.env._("– %(reason)s %(count)s", reason=reason, count=count)
            for reason, count in self._count_reasons()
        ]
        return [
            self.env._("From: %(place)s", place=self._name_source()),
            self.env._("To: %(place)s", place=self._name_target()),
            self.env._("People who are moved: %(count)s", count=self.moved_count),
            self.env._(
                "People who are not moved, but listed: %(count)s", count=self.left_count
            ),
            *reasons,
            self.env._("Account numbers: %(rule)s", rule=self._name_rule()),
            self.env._("Reason: %(reason)s", reason=self.reason),
        ]

    def _name_source(self) -> str:
        if self.branch_id:
            return f"{self.provider_id.name}, {self.branch_id.display_name}"
        return f"{self.provider_id.name} ({self.provider_id.code})"

    def _name_target(self) -> str:
        if self.successor_branch_id:
            return f"{self.successor_id.name}, {self.successor_branch_id.display_name}"
        return f"{self.successor_id.name} ({self.successor_id.code})"

    def _name_rule(self) -> str:
        texts = {
            "same": self.env._("stay the same"),
            "add": self.env._("the prefix %(prefix)s is added", prefix=self.prefix),
            "replace": self.env._(
                "the prefix %(replaced)s becomes %(prefix)s",
                replaced=self.replaced_prefix,
                prefix=self.prefix or "–",
            ),
            "list": self.env._(
                "by a list of %(count)s old and new numbers", count=self.number_count
            ),
        }
        return texts[self.rule]

    def _count_reasons(self) -> list[tuple[str, int]]:
        """Return why people are not moved, and how many for each reason."""
        groups = self.env["spar.move.left"]._read_group(
            [("move_id", "=", self.id)], ["code", "part", "check"], ["__count"]
        )
        lefts = self.env["spar.move.left"]
        named = [
            (lefts.new({"code": c, "part": p, "check": k}).why, count)
            for c, p, k, count in groups
        ]
        return sorted(named, key=lambda pair: -pair[1])

    # === BUTTONS === #

    def action_count(self):
        """Count who would be moved; nothing is changed."""
        self._check_administrator()
        for move in self:
            if move.state != "new":
                raise UserError(self.env._("It is counted already."))
            move._check_plan()
            move_sudo = move.sudo()
            move_sudo._forget_left()
            move_sudo.branch_map = move_sudo._build_branch_map()
            move_sudo.write({"state": "counting", **move_sudo._prepare_start()})
        self._trigger()

    def action_change(self):
        """Make the move editable again; a proposal is cancelled."""
        self._check_administrator()
        if set(self.mapped("state")) - {"counting", "counted"}:
            raise UserError(self.env._("It cannot be changed any more."))
        moves_sudo = self.sudo()
        moves_sudo.setting_change_ids._overtake()
        moves_sudo._forget_left()
        moves_sudo.write({"state": "new", "moved_count": 0, "left_count": 0})

    def action_propose(self):
        """Propose the move to a second administrator."""
        self.write({"confirmed": True})

    def action_discard(self):
        """Discard the move; a list of numbers is destroyed."""
        self._check_administrator()
        if set(self.mapped("state")) - {"new", "counting", "counted", "halted"}:
            raise UserError(self.env._("It is already running."))
        moves_sudo = self.sudo()
        moves_sudo.setting_change_ids._overtake()
        moves_sudo._destroy_list()
        moves_sudo.write(
            {"state": "discarded", "finished_at": fields.Datetime.now(), "mac": False}
        )

    def _check_administrator(self) -> None:
        self.check_access("write")

    def _check_plan(self) -> None:
        """Refuse an impossible move; raises UserError."""
        self.ensure_one()
        self._check_alone()
        source, target = self._get_ends()
        if not source._is_over():
            raise UserError(
                self.env._(
                    "%(place)s has not closed: enter when it closes, or archive it.",
                    place=source.display_name,
                )
            )
        if target._is_over() or self.successor_id._is_over():
            raise UserError(
                self.env._(
                    "%(place)s has closed too: choose another successor.",
                    place=target.display_name,
                )
            )
        if source == target:
            raise UserError(self.env._("Choose another one as its successor."))
        if self.successor_id.kind != self.provider_id.kind:
            raise UserError(self.env._("Choose a successor of the same kind."))
        self._check_rule()

    def _check_alone(self) -> None:
        """Refuse a second move of the same people: its count would not be correct."""
        domain = self._get_unfinished_domain() & Domain("state", "!=", "new")
        domain &= Domain("provider_id", "=", self.provider_id.id)
        if self.search_count(domain & Domain("id", "!=", self.id), limit=1):
            raise UserError(
                self.env._("Another move of this provider is not finished yet.")
            )

    def _get_ends(self) -> tuple:
        """Return the record that has closed, and its successor."""
        if self.branch_id:
            if not self.successor_branch_id and self.successor_id.branch_ids:
                raise UserError(self.env._("Choose the branch that takes over."))
            return self.branch_id, self.successor_branch_id or self.successor_id
        return self.provider_id, self.successor_id

    def _check_rule(self) -> None:
        if self.rule == "add" and not self.prefix:
            raise UserError(self.env._("Enter the prefix that numbers get."))
        if self.rule == "replace" and not self.replaced_prefix:
            raise UserError(self.env._("Enter the prefix that is replaced."))
        if self.rule == "list" and not self.number_count:
            raise UserError(self.env._("Upload the list of old and new numbers."))

    def _build_branch_map(self) -> dict:
        """Return the destination of each branch, if the directory names one."""
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        branches_sudo = branches_sudo.with_context(active_test=False)
        closed = branches_sudo.search(
            [("provider_id", "=", self.provider_id.id), ("successor_id", "!=", False)]
        )
        return {
            str(branch.id): branch.successor_id.id
            for branch in closed
            if branch.successor_id.provider_id == self.successor_id
        }

    def _forget_left(self) -> None:
        """Clear the list of those who are not moved."""
        self.env.cr.execute(
            SQL("DELETE FROM spar_move_left WHERE move_id = ANY(%s)", self.ids)
        )
        self.env["spar.move.left"].invalidate_model()
        self.invalidate_recordset(["left_ids"])

    @api.model
    def _get_unfinished_domain(self) -> Domain:
        return Domain("state", "not in", ("done", "discarded"))
