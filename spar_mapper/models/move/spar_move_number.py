from collections.abc import Iterable
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.fa_examination import get_near_form
from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ...lib.moving import get_number_key
from ...store.database import build_bytes_array, copy_rows

_PURPOSE, _NEW = "move number", "moved number"


class NumberPair(NamedTuple):
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
    _seal_purpose = _PURPOSE
    _seal_context_columns = ("list_uuid", "old_digest")

    move_id = fields.Many2one(
        "spar.move", required=True, readonly=True, ondelete="cascade"
    )
    list_uuid = fields.Char(string="UUID of the list", required=True, readonly=True)
    row = fields.Integer(required=True, readonly=True)

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS spar_move_number_old_digest
                   ON spar_move_number (move_id, old_digest)"""
        )
        return result

    def _build_seal_context(self, list_uuid: str, old_digest: bytes) -> bytes:
        return _build_context(list_uuid, bytes(old_digest))

    # === STORING === #

    @api.model
    def _seal_pairs(self, move, list_uuid: str, pairs: list[NumberPair]) -> None:
        keyring = self.env["spar.keyring"]._open(for_write=True)
        rows = []
        for pair in pairs:
            new_digest = keyring.mac(_NEW, pair.new.encode())
            for form in self._list_forms(move, pair.old):
                old_digest = keyring.mac(_PURPOSE, form.encode())
                context = _build_context(list_uuid, old_digest)
                sealed = keyring.seal(_PURPOSE, pair.new, context)
                rows.append(
                    (move.id, list_uuid, pair.row, old_digest, new_digest, sealed)
                )
        columns = ("move_id", "list_uuid", "row", "old_digest", "new_digest", "sealed")
        copy_rows(self.env.cr, "spar_move_number", columns, rows)

    @api.model
    def _list_forms(self, move, number: str) -> set[str]:
        """Return the forms that a number may have at the closed provider."""
        kinds = self.env["spar.fa.strategy"]._get_known_kinds().values()
        forms = set()
        for kind in kinds:
            if kind.provider_kind in ("", move.provider_id.kind):
                key = get_number_key(kind)
                parts = [part for part in kind.parts if part.key == key]
                forms |= {get_near_form(part, number) for part in parts}
        return forms

    @api.model
    def _check_repeated(self, move) -> None:
        """Refuse a number that occurs in two rows: its owner would be ambiguous."""
        for column in ("old_digest", "new_digest"):
            query = SQL(
                """SELECT min(row), max(row) FROM spar_move_number WHERE move_id = %s
                 GROUP BY %s HAVING min(row) < max(row) ORDER BY 1 LIMIT 1""",
                move.id,
                SQL.identifier(column),
            )
            for first, second in self.env.execute_query(query):
                raise UserError(
                    self.env._(
                        "Rows %(first)s and %(second)s contain the same number.",
                        first=first,
                        second=second,
                    )
                )

    @api.model
    def _destroy(self, moves) -> None:
        self.env.cr.execute(
            SQL("DELETE FROM spar_move_number WHERE move_id = ANY(%s)", moves.ids)
        )

    # === SEARCHING === #

    @api.model
    def _find_new(
        self, keyring: OpenKeyring, move, numbers: Iterable[str]
    ) -> dict[str, str]:
        """Return the new number of each number that is in the list of ``move``."""
        digests = {keyring.mac(_PURPOSE, n.encode()): n for n in numbers}
        rows = self.env.execute_query(
            SQL(
                """SELECT old_digest, sealed FROM spar_move_number
                    WHERE move_id = %s AND old_digest = ANY(%s::bytea[])""",
                move.id,
                build_bytes_array(digests),
            )
        )
        found = {}
        for old_digest, sealed in rows:
            context = _build_context(move.list_uuid, bytes(old_digest))
            try:
                new = keyring.unseal(_PURPOSE, bytes(sealed), context)
            except SealBroken:
                continue
            found[digests[bytes(old_digest)]] = new
        return found


def _build_context(list_uuid: str, old_digest: bytes) -> bytes:
    return bind(_PURPOSE, list_uuid, old_digest.hex())
