import json
from collections.abc import Callable
from copy import deepcopy

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.clear_fields import ClearBinary, ClearChar
from odoo.addons.spar_mapper_connector.lib.keyring import bind

from ..lib import seals
from ..lib.records import new_uuid


def sealed_text(name: str, **attributes) -> ClearChar:
    """Return a field of a sealed draft, for the text called ``name``.

    Each field has its own compute and inverse. Odoo reads fields that share one compute
    as empty while one of them is written, and recomputes them over text typed in an
    unsaved form: either way a text would be lost.
    """

    compute, inverse = _make_accessors(name)
    return ClearChar(compute=compute, inverse=inverse, **attributes)


def sealed_file(name: str, **attributes) -> ClearBinary:
    """Return a file field of a sealed draft, stored without an attachment.

    See :func:`sealed_text`.
    """
    compute, inverse = _make_accessors(name)
    return ClearBinary(compute=compute, inverse=inverse, attachment=False, **attributes)


def _make_accessors(name: str) -> tuple[Callable, Callable]:
    @api.depends("uuid")
    def compute(drafts):
        drafts._compute_text(name)

    def inverse(drafts):
        drafts._inverse_text(name)

    return compute, inverse


class SparSealedDraft(models.AbstractModel):
    """A form whose texts must not be stored in clear in any table.

    The web client saves a form before it presses a button, so the typed text is in a
    table for a moment: sealed. A model creates its texts with :func:`sealed_text`; it
    also inherits ``spar.sealed.storage``.
    """

    _name = "spar.sealed.draft"
    _description = "Form with sealed texts"

    uuid = fields.Char(default=lambda self: self._default_uuid(), readonly=True)

    @api.model
    def _default_uuid(self):
        return new_uuid()

    @api.model_create_multi
    def create(self, vals_list):
        """Take what was typed as it came: nobody else has a hand on these values."""
        return super().create(deepcopy(vals_list))

    def write(self, vals):
        return super().write(deepcopy(vals))

    def _get_seal_contexts(self, keyring, row_ids):
        query = SQL(
            "SELECT id, uuid FROM %s WHERE id = ANY(%s)",
            SQL.identifier(self._table),
            list(row_ids),
        )
        return {
            row_id: (seals.DRAFT, bind(seals.DRAFT, uuid))
            for row_id, uuid in self.env.execute_query(query)
        }

    def _compute_text(self, name: str) -> None:
        """Open the typed text ``name``, for any user who may read the form."""
        typed = self._open_typed(self.env["spar.keyring"]._open())
        for draft in self:
            draft[name] = typed.get(draft._origin.id, {}).get(name) or False

    def _inverse_text(self, name: str) -> None:
        """Seal the typed text ``name`` beside the existing texts."""
        keyring = self.env["spar.keyring"]._open(for_write=True)
        self.flush_recordset(["uuid"])
        typed = self._open_typed(keyring)
        for draft in self:
            text = draft[name] or ""
            text = text.decode() if isinstance(text, bytes) else text
            texts = json.dumps({**typed.get(draft.id, {}), name: text})
            context = bind(seals.DRAFT, draft.uuid)
            draft._set_sealed(keyring.seal(seals.DRAFT, texts, context))

    def _open_typed(self, keyring) -> dict[int, dict[str, str]]:
        """Return the texts of each row that has any, by row id."""
        row_ids = [row_id for row_id in self._origin.ids if row_id]
        query = SQL(
            "SELECT id, sealed FROM %s WHERE id = ANY(%s) AND sealed IS NOT NULL",
            SQL.identifier(self._table),
            row_ids,
        )
        rows = self.env.execute_query(query)
        contexts = self._get_seal_contexts(keyring, row_ids)
        texts = seals.unseal_all(keyring, rows, contexts)
        return {row_id: json.loads(text) for row_id, text in texts.items()}

    def _set_sealed(self, sealed: bytes | None) -> None:
        """Store ``sealed`` for each row; None deletes the typed texts."""
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET sealed = %s WHERE id = ANY(%s)",
                SQL.identifier(self._table),
                sealed,
                self.ids,
            )
        )
