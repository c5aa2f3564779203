import base64
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.cell_rules import find_text_problem
from odoo.addons.spar_fa_directory.lib.fa_examination import get_near_form
from odoo.addons.spar_fa_directory.lib.placeholders import is_placeholder
from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ..lib.moving import get_number_key
from ..lib.records import new_uuid
from ..store.database import build_bytes_array, copy_rows

_PURPOSE, _NEW = "move number", "moved number"
_MOST_BYTES = 50 << 20
_AT_ONCE = 2000


class Pair(NamedTuple):
    """A row of the list: an old and a new number."""

    row: int
    old: str
    new: str


class SparMoveNumber(models.Model):
    """One old number, as a keyed digest, and the new one, sealed.

    They exist while a move is prepared and runs, and are destroyed after it.
    """

    _name = "spar.move.number"
    _description = "Number in the list of a move"
    _inherit = ["spar.sealed.storage"]
    _log_access = False
    _digest_columns = ("old_digest", "new_digest")

    move_id = fields.Many2one(
        "spar.move", required=True, readonly=True, ondelete="cascade"
    )
    list_uuid = fields.Char(required=True, readonly=True)
    row = fields.Integer(required=True, readonly=True)

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS spar_move_number_old_digest
                   ON spar_move_number (move_id, old_digest)"""
        )
        return result

    def _get_seal_contexts(self, keyring, row_ids):
        rows = self.env.execute_query(
            SQL(
                """SELECT id, list_uuid, old_digest FROM spar_move_number
                    WHERE id = ANY(%s)""",
                list(row_ids),
            )
        )
        return {
            row_id: (_PURPOSE, _build_context(uuid, bytes(digest)))
            for row_id, uuid, digest in rows
        }


def _build_context(list_uuid: str, old_digest: bytes) -> bytes:
    return bind(_PURPOSE, list_uuid, old_digest.hex())


class SparMove(models.Model):
    """The list of old and new numbers: read from a file, sealed, and destroyed."""

    # One file per concern: pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.move"

    list_uuid = fields.Char(readonly=True, copy=False, groups="base.group_no_one")
    number_count = fields.Integer("Numbers in the List", readonly=True, copy=False)
    numbers_file = fields.Binary(
        "List of Numbers",
        compute="_compute_numbers_file",
        inverse="_inverse_numbers_file",
        help="A CSV file or an Excel workbook with a column of old and a column of new "
        "account numbers. It is kept sealed, and destroyed when the move is over.",
    )

    @api.depends("list_uuid")
    def _compute_numbers_file(self):
        """Leave empty: the uploaded file is never returned to anyone."""
        self.numbers_file = False

    def _inverse_numbers_file(self):
        for move in self:
            if move.numbers_file:
                move._load_list(base64.b64decode(move.numbers_file))

    # === READING === #

    def _load_list(self, data: bytes) -> None:
        """Seal the rows of a file; they replace those of the previous one.

        Raises UserError, which names rows and never their content.
        """
        self.check_access("write")
        if len(data) > _MOST_BYTES:
            raise UserError(self.env._("The file is too large: divide it."))
        move_sudo = self.sudo()
        move_sudo._destroy_list()
        uuid = new_uuid()
        pairs, count = self._read_pairs(data), 0
        while batch := list(islice(pairs, _AT_ONCE)):
            move_sudo._seal_pairs(uuid, batch)
            count += len(batch)
        if not count:
            raise UserError(self.env._("The file has no old and new numbers."))
        move_sudo._check_repeated()
        move_sudo.write({"list_uuid": uuid, "number_count": count})

    def _read_pairs(self, data: bytes) -> Iterator[Pair]:
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
                        "Row %(row)s: two numbers are needed, the old and the new one, "
                        "as text.",
                        row=row,
                    )
                )
            yield Pair(row, *cells[:2])

    # === SEALING === #

    def _seal_pairs(self, uuid: str, pairs: list[Pair]) -> None:
        keyring = self.env["spar.keyring"]._open(for_write=True)
        rows = []
        for pair in pairs:
            new_digest = keyring.mac(_NEW, pair.new.encode())
            for form in self._list_forms(pair.old):
                old_digest = keyring.mac(_PURPOSE, form.encode())
                context = _build_context(uuid, old_digest)
                sealed = keyring.seal(_PURPOSE, pair.new, context)
                rows.append((self.id, uuid, pair.row, old_digest, new_digest, sealed))
        columns = ("move_id", "list_uuid", "row", "old_digest", "new_digest", "sealed")
        copy_rows(self.env.cr, "spar_move_number", columns, rows)

    def _list_forms(self, number: str) -> set[str]:
        """Return the forms that a number may have at the closed provider."""
        kinds = self.env["spar.fa.strategy"]._get_known_kinds().values()
        forms = set()
        for kind in kinds:
            if kind.provider_kind in ("", self.provider_id.kind):
                key = get_number_key(kind)
                parts = [part for part in kind.parts if part.key == key]
                forms |= {get_near_form(part, number) for part in parts}
        return forms

    def _check_repeated(self) -> None:
        """Refuse a number that occurs in two rows: its owner would be ambiguous."""
        for column in ("old_digest", "new_digest"):
            query = SQL(
                """SELECT min(row), max(row) FROM spar_move_number WHERE move_id = %s
                 GROUP BY %s HAVING min(row) < max(row) ORDER BY 1 LIMIT 1""",
                self.id,
                SQL.identifier(column),
            )
            for first, second in self.env.execute_query(query):
                raise UserError(
                    self.env._(
                        "Rows %(first)s and %(second)s name the same number.",
                        first=first,
                        second=second,
                    )
                )

    def _destroy_list(self) -> None:
        self.env.cr.execute(
            SQL("DELETE FROM spar_move_number WHERE move_id = ANY(%s)", self.ids)
        )
        self.write({"list_uuid": False, "number_count": 0})

    # === LOOKING UP === #

    def _look_up(self, keyring: OpenKeyring, numbers: Iterable[str]) -> dict[str, str]:
        """Return the new number of each number that is in the list."""
        if self.rule != "list":
            return {}
        digests = {keyring.mac(_PURPOSE, n.encode()): n for n in numbers}
        rows = self.env.execute_query(
            SQL(
                """SELECT old_digest, sealed FROM spar_move_number
                    WHERE move_id = %s AND old_digest = ANY(%s::bytea[])""",
                self.id,
                build_bytes_array(digests),
            )
        )
        found = {}
        for old_digest, sealed in rows:
            context = _build_context(self.sudo().list_uuid, bytes(old_digest))
            try:
                new = keyring.unseal(_PURPOSE, bytes(sealed), context)
            except SealBroken:
                continue
            found[digests[bytes(old_digest)]] = new
        return found


def _is_number(cell: str) -> bool:
    """Return whether a cell contains a number that no spreadsheet has damaged."""
    return bool(cell) and not (is_placeholder(cell) or find_text_problem(cell))
