import base64
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS, Domain
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.cell_rules import clean_code, find_text_problem
from odoo.addons.spar_fa_directory.lib.csv_file import Record, show_text
from odoo.addons.spar_fa_directory.lib.encodings import ENCODINGS
from odoo.addons.spar_fa_directory.lib.fa_examination import Problem
from odoo.addons.spar_fa_directory.lib.fa_mask import mask
from odoo.addons.spar_fa_directory.lib.placeholders import is_placeholder
from odoo.addons.spar_fa_directory.lib.table_file import (
    FileChoices,
    FileGuess,
    guess_table,
    is_table,
    open_table,
    read_first,
)
from odoo.addons.spar_fa_directory.lib.xlsx_file import BadWorkbook
from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ...fields import BigInteger
from ...lib.moving import REGARDLESS_OF_PLAN, MovePlan, NumberRule, TargetBranch
from ...lib.records import new_uuid
from ...store.moving import MoveDirectory, MovePiece, Mover, count_people
from ...store.work import Work
from ..mapping.spar_mapping import MAX_REASON_LENGTH
from .spar_move_number import NumberPair

MOVE_FORGED = "this move was not decided by two people: it was set or altered by hand"

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

#: The largest file that is read, and the rows that are sealed at a time.
_MAX_FILE_BYTES, _SEALED_AT_ONCE = 50 << 20, 2000

#: The rows, cells and characters of the file that a question shows.
_SHOWN_ROWS, _SHOWN_CELLS, _SHOWN_LENGTH = 6, 4, 40

#: How the list of numbers is read: the field that resolves each doubt.
_DOUBT_FIELDS = {
    "encoding": "numbers_encoding",
    "delimiter": "numbers_delimiter",
    "sheet": "numbers_sheet",
    "row": "numbers_row",
}

#: The fields that users may set: those of the plan, the list, and how it is read.
_USER_FIELDS = frozenset({*_PLAN, "numbers_file", *_DOUBT_FIELDS.values()})

#: Places moved in one transaction: few, so that nothing waits long for one of them.
PIECE = 200


class SparMove(models.Model):
    """The move of everyone at a closed provider or branch to its successor.

    It is counted first: how many are moved, and how many stay and why. Then one
    administrator proposes it and another approves; then it runs in the background, in
    committed pieces, and lists who stays.

    To count is to ask which of the sealed numbers a prefix or a list covers. Until a
    second person has approved, it is one person's question (``spar.question``). It is
    counted, answered in tens, and lists nobody but those who stay whatever the plan is.
    A move that was counted is not deleted, and names each plan.

    The new numbers may come from a file. Nothing of it is kept before it is sealed
    (``spar.move.number``): a question about how to read it shows its first rows,
    masked, and with the answers the same file is read again.
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
        "Closed provider",
        required=True,
        ondelete="restrict",
        context={"active_test": False},
    )
    branch_id = fields.Many2one(
        "spar.fsp.branch",
        "Closed branch",
        ondelete="restrict",
        domain="[('provider_id', '=', provider_id)]",
        context={"active_test": False},
        help="Leave empty if the whole provider has closed.",
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
        "Successor's branch",
        compute="_compute_successor_branch_id",
        store=True,
        precompute=True,
        readonly=False,
        ondelete="restrict",
        domain="[('provider_id', '=', successor_id)]",
        help="If empty, each address moves to the successor of its own branch, or to "
        "the branch with the same code.",
    )
    rule = fields.Selection(
        [
            ("same", "Stay the same"),
            ("add", "Get a prefix"),
            ("replace", "Get a different prefix"),
            ("list", "Come from a list"),
        ],
        "Numbers",
        required=True,
        default="same",
    )
    replaced_prefix = fields.Char("Current prefix")
    prefix = fields.Char("New prefix")
    reason = fields.Char(
        required=True,
        size=MAX_REASON_LENGTH,
        help="Kept in the history of each person.",
    )
    confirmed = fields.Boolean("Approved", readonly=True, copy=False)
    proposer_id = fields.Many2one("res.users", "Proposed by", readonly=True, copy=False)
    confirmed_by_id = fields.Many2one(
        "res.users", "Approved by", readonly=True, copy=False
    )
    mac = fields.Char(readonly=True, copy=False, groups="base.group_no_one")
    state = fields.Selection(
        [
            ("new", "In preparation"),
            ("counting", "Counting"),
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
    branch_map = fields.Json(string="Branch map", readonly=True, copy=False)
    position = BigInteger(readonly=True, copy=False)
    total = fields.Integer("People", readonly=True, copy=False)
    seen_count = fields.Integer("Checked", readonly=True, copy=False)
    moved_count = fields.Integer("Moved", readonly=True, copy=False)
    left_count = fields.Integer("Not moved", readonly=True, copy=False)
    progress = fields.Float(compute="_compute_progress")
    left_ids = fields.One2many("spar.move.left", "move_id", readonly=True)
    tally = fields.Json(
        string="Counts",
        readonly=True,
        copy=False,
        groups=NO_ACCESS,
        help="How many stay, by reason: exact while counting, then as they are shown.",
    )
    findings = fields.Text(
        compute="_compute_findings",
        help="In tens, because exact numbers would tell something about one account. "
        "The move itself lists who is not moved.",
    )
    counted_plans = fields.Text(
        string="Counted plans",
        readonly=True,
        copy=False,
        help="By which plans people were counted, and by whom.",
    )
    counted_at = fields.Datetime("Counted on", readonly=True, copy=False)
    finished_at = fields.Datetime("Finished", readonly=True, copy=False)

    _two_people = models.Constraint(
        "CHECK (confirmed_by_id IS NULL OR confirmed_by_id <> proposer_id)",
        "The person who proposes a move cannot approve it.",
    )

    list_uuid = fields.Char(
        string="UUID of the list", readonly=True, copy=False, groups="base.group_no_one"
    )
    number_count = fields.Integer("Numbers in the list", readonly=True, copy=False)
    numbers_file = fields.Binary(
        "List of numbers",
        compute="_compute_numbers_file",
        inverse="_inverse_numbers_file",
        help="A CSV file or an Excel workbook with a column of old and a column of new "
        "account numbers. It is kept sealed, and destroyed when the move is over.",
    )

    numbers_encoding = fields.Selection(
        selection=lambda self: list(ENCODINGS.items()),
        string="Encoding of the list",
        copy=False,
    )
    numbers_delimiter = fields.Selection(
        [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Vertical bar")],
        "Cell separator",
        copy=False,
    )
    numbers_sheet = fields.Char("Sheet with the list", copy=False)
    numbers_row = fields.Integer(
        "First row with numbers",
        copy=False,
        help="Rows above it, such as headers, are not read.",
    )

    @api.depends("provider_id", "branch_id")
    def _compute_display_name(self):
        for move in self:
            source = move.branch_id or move.provider_id
            if not source:
                move.display_name = self.env._("New move")
                continue
            move.display_name = self.env._(
                "%(place)s to %(successor)s",
                place=source.display_name,
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

    @api.depends("state", "moved_count", "left_count", "tally")
    @api.depends_context("lang")
    def _compute_findings(self):
        for move in self:
            is_counted = move.state == "counted"
            move.findings = is_counted and "\n".join(move._list_findings())

    @api.depends("total", "seen_count", "state")
    def _compute_progress(self):
        for move in self:
            share = move.seen_count / move.total if move.total else 1.0
            is_over = move.state in ("counted", "done")
            move.progress = 100 if is_over else min(100.0, 100 * share)

    # === WRITE PERMISSIONS === #

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            vals_list = [
                {k: v for k, v in vals.items() if k in _USER_FIELDS}
                for vals in vals_list
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
        if changed - _USER_FIELDS:
            raise AccessError(self.env._("Only the registry can set this."))
        if changed and set(self.mapped("state")) - {"new"}:
            raise UserError(
                self.env._(
                    "This move has already been counted. Select Change before you edit "
                    "it."
                )
            )

    def _check_counted(self, approved: bool) -> None:
        if self.env.su and not approved:
            raise AccessError(self.env._("A move must be decided by two people."))
        if set(self.mapped("state")) - {"counted"}:
            raise UserError(self.env._("Count the people to move first."))

    @api.ondelete(at_uninstall=False)
    def _unlink_if_unused(self):
        """Keep moves that have run, and those that were only counted."""
        is_counted = any(move.counted_plans or move.counted_at for move in self)
        if is_counted or set(self.mapped("state")) - {"new", "discarded"}:
            raise UserError(
                self.env._(
                    "A move that was counted cannot be deleted: it records who asked "
                    "for what, and who was moved. Discard it instead."
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
            move_sudo._clear_left()
            move_sudo.write({"state": "running", **move_sudo._prepare_start()})
            move_sudo.mac = move_sudo._build_mac(keyring)
        self._trigger()

    def _build_mac(self, keyring: OpenKeyring) -> str:
        """Return the MAC that proves the decision of two people, and the progress.

        It also covers the destination, with the codes that addresses get.
        """
        move_sudo, plan = self.sudo(), self._build_plan()
        content = bind(
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
        return keyring.mac(_PURPOSE, content).hex()

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
        return [
            self.env._("From: %(place)s", place=self._name_source()),
            self.env._("To: %(place)s", place=self._name_target()),
            *self._list_findings(),
            self.env._("Account numbers: %(rule)s", rule=self._name_rule()),
            self.env._("Reason: %(reason)s", reason=self.reason),
        ]

    def _list_findings(self) -> list[str]:
        """Return what counting found, one line each."""
        reasons = [
            self.env._("– %(reason)s %(count)s", reason=reason, count=count)
            for reason, count in self._list_reasons()
        ]
        moved = self._describe_figure(self.moved_count)
        left = self._describe_figure(self.left_count)
        return [
            self.env._(
                "People with an address there: %(count)s", count=self.seen_count
            ),
            self.env._("People to move: %(count)s", count=moved),
            self.env._("People who cannot be moved: %(count)s", count=left),
            *reasons,
        ]

    def _describe_figure(self, figure: int) -> str:
        return self.env["spar.question"]._describe(figure, self.seen_count)

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
                "from a list of %(count)s old and new numbers", count=self.number_count
            ),
        }
        return texts[self.rule]

    def _list_reasons(self) -> list[tuple[str, str]]:
        """Return why people are not moved, and how many for each reason."""
        lefts = self.env["spar.move.left"]
        named = []
        for code, part, check, figure in self.sudo().tally or ():
            why = lefts.new({"code": code, "part": part, "check": check}).why
            is_exact = Problem(code) in REGARDLESS_OF_PLAN
            count = str(figure) if is_exact else self._describe_figure(figure)
            named.append((figure, why, count))
        return [(why, count) for _figure, why, count in sorted(named, reverse=True)]

    # === BUTTONS === #

    def action_count(self):
        """Count who would be moved; nothing is changed."""
        self._check_administrator()
        for move in self:
            if move.state != "new":
                raise UserError(self.env._("This move has already been counted."))
            move._check_plan()
            move_sudo = move.sudo()
            move_sudo._clear_left()
            move_sudo.branch_map = move_sudo._build_branch_map()
            start = move_sudo._prepare_start()
            if start["total"]:
                question = move_sudo._get_question()
                self.env["spar.question"]._charge("move", question)
            plans = move_sudo._add_counted_plan(self.env.user)
            move_sudo.write({"state": "counting", "counted_plans": plans, **start})
        self._trigger()

    def _get_question(self) -> str:
        """Return what counting asks of the numbers at the closed provider."""
        return f"{self._build_plan()} {self.list_uuid or ''}"

    def _add_counted_plan(self, user) -> str:
        """Return the plans counted so far, and the present one, by ``user``."""
        plan = self.env._(
            "%(when)s UTC, %(user)s: %(place)s → %(successor)s, %(rule)s",
            when=fields.Datetime.to_string(fields.Datetime.now()),
            user=user.name,
            place=self._name_source(),
            successor=self._name_target(),
            rule=self._name_rule(),
        )
        return "\n".join(filter(None, [self.counted_plans, plan]))

    def action_change(self):
        """Make the move editable again; a proposal is cancelled."""
        self._check_administrator()
        if set(self.mapped("state")) - {"counting", "counted"}:
            raise UserError(self.env._("This move can no longer be changed."))
        moves_sudo = self.sudo()
        moves_sudo.setting_change_ids._overtake()
        moves_sudo._clear_left()
        moves_sudo.write(
            {"state": "new", "moved_count": 0, "left_count": 0, "tally": False}
        )

    def action_propose(self):
        """Propose the move to a second administrator."""
        self._as_code().write({"confirmed": True})

    def action_discard(self):
        """Discard the move; a list of numbers is destroyed."""
        self._check_administrator()
        if set(self.mapped("state")) - {"new", "counting", "counted", "halted"}:
            raise UserError(self.env._("This move is already running."))
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
        self._check_no_other_move()
        source, target = self._get_ends()
        if not source._is_over():
            raise UserError(
                self.env._(
                    "%(place)s has not closed. Enter its closing date, or archive it.",
                    place=source.display_name,
                )
            )
        if target._is_over() or self.successor_id._is_over():
            raise UserError(
                self.env._(
                    "%(place)s has also closed. Choose another successor.",
                    place=target.display_name,
                )
            )
        if source == target:
            raise UserError(
                self.env._("The successor must be a different provider or branch.")
            )
        if self.successor_id.kind != self.provider_id.kind:
            raise UserError(self.env._("Choose a successor of the same kind."))
        self._check_rule()

    def _check_no_other_move(self) -> None:
        """Refuse a second move of the same people: its count would not be correct."""
        domain = self._get_unfinished_domain() & Domain("state", "!=", "new")
        domain &= Domain("provider_id", "=", self.provider_id.id)
        if self.search_count(domain & Domain("id", "!=", self.id), limit=1):
            raise UserError(
                self.env._("Another move of this provider is not finished.")
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
            raise UserError(self.env._("Enter the prefix to add to the numbers."))
        if self.rule == "replace" and not self.replaced_prefix:
            raise UserError(self.env._("Enter the prefix to replace."))
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

    def _clear_left(self) -> None:
        """Clear the list of those who are not moved."""
        self.env.cr.execute(
            SQL("DELETE FROM spar_move_left WHERE move_id = ANY(%s)", self.ids)
        )
        self.env["spar.move.left"].invalidate_model()
        self.invalidate_recordset(["left_ids"])

    @api.model
    def _get_unfinished_domain(self) -> Domain:
        return Domain("state", "not in", ("done", "discarded"))

    # === THE LIST OF NUMBERS === #

    @api.depends("list_uuid")
    def _compute_numbers_file(self):
        """Leave empty: the uploaded file is never returned to anyone."""
        self.numbers_file = False

    def _inverse_numbers_file(self):
        for move in self:
            if move.numbers_file:
                move._load_list(base64.b64decode(move.numbers_file))

    def _load_list(self, data: bytes) -> None:
        """Seal the rows of a file; they replace those of the previous one.

        Raises UserError, which names rows and never their content.
        """
        self.check_access("write")
        if len(data) > _MAX_FILE_BYTES:
            raise UserError(
                self.env._(
                    "The file is too large: it can have at most %(max)s MB.",
                    max=_MAX_FILE_BYTES >> 20,
                )
            )
        move_sudo = self.sudo()
        numbers_sudo = move_sudo.env["spar.move.number"]
        move_sudo._destroy_list()
        uuid = new_uuid()
        pairs, count = self._read_pairs(data), 0
        while batch := list(islice(pairs, _SEALED_AT_ONCE)):
            numbers_sudo._seal_pairs(move_sudo, uuid, batch)
            count += len(batch)
        if not count:
            raise UserError(self.env._("The file contains no old and new numbers."))
        numbers_sudo._check_repeated(move_sudo)
        move_sudo.write({"list_uuid": uuid, "number_count": count})

    def _read_pairs(self, data: bytes) -> Iterator[NumberPair]:
        """Yield rows with two numbers each, skipping titles and headers (no digits).

        Raises UserError, which names rows and never what is in them.
        """
        is_below = False
        for row, cells in self._read_cells(data):
            is_below = is_below or any(c.isdigit() for c in "".join(cells))
            if not (is_below and any(cells)):
                continue
            if len(cells) < 2 or not all(map(_is_number, cells[:2])):
                raise UserError(
                    self.env._(
                        "Row %(row)s: enter two numbers, the old and the new one, as "
                        "text.",
                        row=row,
                    )
                )
            yield NumberPair(row, *cells[:2])

    def _read_cells(self, data: bytes) -> Iterator[tuple[int, list[str]]]:
        """Yield the numbered rows of a CSV file or a workbook, their cells cleaned.

        Raises UserError for any other file, and if it is not clear how to read it.
        """
        stream = io.BytesIO(data)
        if not is_table(data[:16]):
            raise UserError(
                self.env._("The file is neither a CSV file nor an Excel workbook.")
            )
        try:
            guess = guess_table(stream, lambda _cells: 0, self._get_list_choices())
            first = read_first(stream, guess.choices)
            if doubts := self._find_doubts(guess, first):
                raise UserError(self._build_question(guess, doubts, first))
            for record in open_table(stream, guess.choices).read_rows():
                if record.row >= self.numbers_row:
                    yield record.row, list(map(clean_code, record.cells))
        except BadWorkbook as error:
            raise UserError(
                self.env._(
                    "The workbook cannot be read. Save it again, or save it as CSV."
                )
            ) from error

    def _get_list_choices(self) -> FileChoices:
        """Return what users have specified about the file; the rest is guessed."""
        return FileChoices(
            self.numbers_encoding or None,
            self.numbers_delimiter or None,
            self.numbers_sheet or None,
            0,
        )

    def _find_doubts(self, guess: FileGuess, first: list[Record]) -> list[str]:
        """Return the questions to put to the user, in order."""
        doubts = set(guess.doubts) & _DOUBT_FIELDS.keys()
        if all(len(record.cells) < 2 for record in first):
            # Whatever separates them, there are not two numbers.
            doubts.discard("delimiter")
        if _has_doubtful_header(first):
            doubts.add("row")
        left = doubts - self._get_answered()
        return [name for name in _DOUBT_FIELDS if name in left]

    def _get_answered(self) -> set[str]:
        return {name for name, field in _DOUBT_FIELDS.items() if self[field]}

    def _build_question(
        self, guess: FileGuess, doubts: list[str], first: list[Record]
    ) -> str:
        """Return the question and the first rows as read, with numbers masked."""
        texts = self._get_list_questions(guess)
        rows = [
            f"{record.row}: " + " | ".join(map(_show, record.cells[:_SHOWN_CELLS]))
            for record in first[:_SHOWN_ROWS]
        ]
        return "\n".join([*(texts[name] for name in doubts), "", *rows])

    @api.model
    def _get_list_questions(self, guess: FileGuess) -> dict[str, str]:
        labels = dict(self._fields["numbers_delimiter"].selection)
        return {
            "encoding": self.env._(
                "The list can be read in several encodings. Choose its encoding (read "
                "here: %(encoding)s) and save again.",
                encoding=ENCODINGS.get(guess.choices.encoding or "", ""),
            ),
            "delimiter": self.env._(
                "It is not clear what separates the cells of a row. Choose the "
                "separator (read here: %(delimiter)s) and save again.",
                delimiter=labels.get(guess.choices.delimiter, ""),
            ),
            "sheet": self.env._(
                "The workbook has several sheets. Enter the sheet that contains the "
                "list (%(sheets)s) and save again.",
                sheets=", ".join(guess.sheets),
            ),
            "row": self.env._(
                "It is not clear whether the first row contains numbers or headers. "
                "Enter the first row with numbers and save again."
            ),
        }

    def _destroy_list(self) -> None:
        self.env["spar.move.number"]._destroy(self)
        self.write({"list_uuid": False, "number_count": 0})

    def _find_new_numbers(
        self, keyring: OpenKeyring, numbers: Iterable[str]
    ) -> dict[str, str]:
        """Return the new number of each number that is in the list."""
        if self.rule != "list":
            return {}
        stored = self.env["spar.move.number"]
        return stored._find_new(keyring, self.sudo(), numbers)

    # === RUNNING === #

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
            "tally": False,
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
        self._record_piece(piece)
        if not is_trial:
            self.mac = self.state == "running" and self._build_mac(work.keyring)

    def _record_piece(self, piece: MovePiece) -> None:
        if piece.until is None:
            self._finish()
            return
        is_trial = self.state == "counting"
        self._list_left(piece, is_trial)
        seen = {"position": piece.until, "seen_count": self.seen_count + piece.seen}
        if is_trial:
            self.write({**seen, "tally": self._add_to_tally(piece)})
            return
        self.write(
            {
                **seen,
                "moved_count": self.moved_count + piece.moved,
                "left_count": self.left_count + len(piece.left),
            }
        )

    def _list_left(self, piece: MovePiece, is_trial: bool) -> None:
        """List who is not moved; at a trial, only those who stay in any case."""
        lefts = self.env["spar.move.left"]
        found = {
            left.head_id: left.problem
            for left in piece.left
            if not is_trial or left.problem in REGARDLESS_OF_PLAN
        }
        lefts.create(lefts._prepare_left(found, move_id=self.id))

    def _add_to_tally(self, piece: MovePiece) -> list:
        """Return how many stay, by problem, with those of ``piece``."""
        tally = Counter({Problem(*key): count for *key, count in self.tally or ()})
        tally.update(left.problem for left in piece.left)
        return [[*problem, count] for problem, count in sorted(tally.items())]

    def _finish(self) -> None:
        now = fields.Datetime.now()
        if self.state == "counting":
            shown = self._blur_tally()
            self.write({"state": "counted", "counted_at": now, **shown})
            return
        self._destroy_list()
        self.write({"state": "done", "finished_at": now})

    def _blur_tally(self) -> dict:
        """Return the figures that are shown of a count.

        A reason that depends on the plan is left out where fewer than ten have it:
        that anybody has it answers the question, too.
        """
        tally = {Problem(*key): count for *key, count in self.tally or ()}
        left = self._blur(sum(tally.values()))
        shown = {
            problem: count if problem in REGARDLESS_OF_PLAN else self._blur(count)
            for problem, count in tally.items()
        }
        return {
            "left_count": left,
            # Two figures with edges of their own would tell more than one.
            "moved_count": self.seen_count - left,
            "tally": [
                [*problem, figure] for problem, figure in shown.items() if figure
            ],
        }

    def _blur(self, count: int) -> int:
        question, whole = self._get_question(), self.seen_count
        return self.env["spar.question"]._blur(question, whole, shown=count)["shown"]

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

    def _build_plan(self) -> MovePlan:
        rule = NumberRule(self.rule, self.prefix or "", self.replaced_prefix or "")
        targets = self.env["spar.fsp.branch"].browse((self.branch_map or {}).values())
        by_id = {branch.id: TargetBranch(branch.id, branch.code) for branch in targets}
        branch = self.successor_branch_id
        return MovePlan(
            self.provider_id.id,
            self.branch_id.id or None,
            self.successor_id.id,
            self.successor_id.code,
            rule,
            TargetBranch(branch.id, branch.code) if branch else TargetBranch(),
            {int(old): by_id[new] for old, new in (self.branch_map or {}).items()},
        )

    def _build_directory(self, work: Work) -> MoveDirectory:
        strategies = self.env["spar.fa.strategy"]
        return MoveDirectory(
            strategies._get_known_kinds(),
            strategies._canonicalise_addresses,
            strategies._write_as_read,
            strategies._write_canonical,
            lambda numbers: self._find_new_numbers(work.keyring, numbers),
        )


def _is_number(cell: str) -> bool:
    """Return whether a cell contains a number that no spreadsheet has damaged."""
    return bool(cell) and not (is_placeholder(cell) or find_text_problem(cell))


def _has_doubtful_header(first: list[Record]) -> bool:
    """Return whether the first row with a digit may be a header.

    It may be if it has letters where the rows below have none.
    """
    below = [
        list(map(clean_code, record.cells))
        for record in first
        if any(map(str.isdigit, "".join(record.cells)))
    ]
    if len(below) < 2:
        return False
    has_letters = [any(map(_has_letters, cells[:2])) for cells in below]
    return has_letters[0] and not any(has_letters[1:])


def _has_letters(cell: str) -> bool:
    return any(map(str.isalpha, cell))


def _show(cell: str) -> str:
    """Return a cell as it may be shown: words unchanged, numbers masked."""
    text = show_text(cell)[:_SHOWN_LENGTH]
    return mask(text) if any(map(str.isdigit, text)) else text
