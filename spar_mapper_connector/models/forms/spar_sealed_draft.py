import json
import secrets
from collections.abc import Callable
from copy import deepcopy

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError

from ...clear_fields import ClearBinary, ClearChar

#: The purpose of the seals. It must never change: see ``spar.sealed.storage``.
DRAFT = "draft"


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
    also inherits ``spar.sealed.storage`` itself, which lists its direct heirs.

    Its number is under the seals, becomes that of a stored document, and stands in the
    history in clear. So it is drawn here, and nobody chooses it.
    """

    _name = "spar.sealed.draft"
    _description = "Form with sealed texts"
    _inherit = ["spar.sealed.storage"]
    _seal_purpose = DRAFT
    _seal_prefix = (DRAFT,)
    _seal_context_columns = ("uuid",)

    uuid = fields.Char(default=lambda self: self._default_uuid(), readonly=True)

    @api.model
    def _default_uuid(self):
        return secrets.token_hex(16)

    @api.model_create_multi
    def create(self, vals_list):
        """Copy the values, so that no other code changes what was typed.

        A number among them is left out: the web client sends back the one that an
        unsaved line of a form had.
        """
        drawn = [
            {name: value for name, value in vals.items() if name != "uuid"}
            for vals in deepcopy(vals_list)
        ]
        return super().create(drawn)

    def write(self, vals):
        if "uuid" in vals:
            raise AccessError(self.env._("The number of a form cannot be changed."))
        self._check_kept()
        return super().write(deepcopy(vals))

    def check_access(self, operation: str) -> None:
        """Raise an error as usual, in our words for a form that is no longer kept."""
        self._check_kept()
        return super().check_access(operation)

    def web_read(self, specification):
        self._check_kept()
        return super().web_read(specification)

    def _check_kept(self) -> None:
        """Raise UserError if one of these forms was deleted because of its age."""
        stored = self.filtered("id")
        if len(stored.exists()) < len(stored):
            raise UserError(
                self.env._(
                    "This form was open for too long, and what was typed has been "
                    "deleted. Nothing was done. Close it and start again."
                )
            )

    def _compute_text(self, name: str) -> None:
        """Open the typed text ``name``, for the user whose form it is.

        A record rule says so, too, but binds no superuser. Raises AccessError.
        """
        self._check_owner()
        typed = self._open_typed()
        for draft in self:
            draft[name] = typed.get(draft._origin.id, {}).get(name) or False

    def _inverse_text(self, name: str) -> None:
        """Seal the typed text ``name`` beside the existing texts."""
        self._flush_seal_context()
        typed = self._open_typed()
        for draft in self:
            text = draft[name] or ""
            text = text.decode() if isinstance(text, bytes) else text
            draft._write_sealed(json.dumps({**typed.get(draft.id, {}), name: text}))

    def _check_owner(self) -> None:
        """Raise AccessError if somebody else opened one of these forms."""
        stored = self._origin.sudo()
        if self.env.uid != SUPERUSER_ID and stored.create_uid - self.env.user:
            raise AccessError(self.env._("This form is open for somebody else."))

    def _open_typed(self) -> dict[int, dict[str, str]]:
        """Return the texts of each row that has any, by row id."""
        texts = self._origin._read_sealed_rows()
        return {row_id: json.loads(text) for row_id, text in texts.items()}
