import json

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import bind

from ..lib import seals
from ..lib.records import new_uuid


class SparSealedDraft(models.AbstractModel):
    """A form whose texts no table may hold in clear.

    The web client saves a form before it presses a button, so what was typed is in a
    table for a moment: sealed. A model names its texts in ``_draft_fields`` and gives
    each the compute and the inverse from here; it inherits ``spar.sealed.storage`` too.
    """

    _name = "spar.sealed.draft"
    _description = "Form with sealed texts"

    _draft_fields: tuple[str, ...] = ()

    uuid = fields.Char(default=lambda self: self._default_uuid(), readonly=True)

    @api.model
    def _default_uuid(self):
        return new_uuid()

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

    def _inverse_draft(self):
        keyring = self.env["spar.keyring"]._open(for_write=True)
        self.flush_recordset(["uuid"])
        for draft in self:
            typed = {name: draft[name] or "" for name in self._draft_fields}
            context = bind(seals.DRAFT, draft.uuid)
            sealed = keyring.seal(seals.DRAFT, json.dumps(typed), context)
            draft._set_sealed(sealed)

    @api.depends("uuid")
    def _compute_draft(self):
        """What was typed, for whoever may read the form."""
        keyring = self.env["spar.keyring"]._open()
        query = SQL(
            "SELECT id, sealed FROM %s WHERE id = ANY(%s) AND sealed IS NOT NULL",
            SQL.identifier(self._table),
            self.ids,
        )
        rows = self.env.execute_query(query)
        texts = seals.unseal_all(
            keyring, rows, self._get_seal_contexts(keyring, self.ids)
        )
        for draft in self:
            typed = json.loads(texts.get(draft._origin.id, "{}"))
            for name in self._draft_fields:
                draft[name] = typed.get(name) or False

    def _set_sealed(self, sealed: bytes | None) -> None:
        """Keep ``sealed`` for each row; None forgets what was typed."""
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET sealed = %s WHERE id = ANY(%s)",
                SQL.identifier(self._table),
                sealed,
                self.ids,
            )
        )
