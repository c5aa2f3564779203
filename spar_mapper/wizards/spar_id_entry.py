from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    MapperError,
)
from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck, Identifier
from odoo.addons.spar_mapper_connector.lib.identifier import canonicalise


class SparIdEntry(models.AbstractModel):
    """The part of a form that says how a typed ID was understood.

    It decides nothing: the mapper reads the ID again when the officer confirms. A form
    that inherits it has ``id_value`` and ``id_type_id``.
    """

    _name = "spar.id.entry"
    _description = "ID that is read back"

    id_read_back = fields.Char(string="Read as", compute="_compute_id_read_back")
    is_id_readable = fields.Boolean(
        string="The ID can be used", compute="_compute_id_read_back"
    )

    @api.depends("id_value", "id_type_id")
    def _compute_id_read_back(self):
        """Compute the ID in the form in which it will be stored, and its check."""
        for form in self:
            form.id_read_back, form.is_id_readable = False, False
            typed = (form.id_value or "").strip()
            if not typed:
                continue
            try:
                form.id_read_back, form.is_id_readable = form._read_back(typed)
            except MapperError as error:
                answers = self.env["spar.staff.answers"]
                form.id_read_back = answers._get_error_text(error)

    def _read_back(self, typed: str) -> tuple[str, bool]:
        """Return what is shown beside a typed ID, and whether the ID can be used."""
        types = self.env["spar.id.type"]
        try:
            written = self.id_type_id._write_id(typed) if self.id_type_id else typed
        except InvalidIdentifier as error:
            return self._explain_id(error), False
        mapper = self.env["spar.mapper.local"]
        (found,) = mapper._identify([written], [CardCheck.PEOPLE])
        if not isinstance(found, Identifier):
            return self._explain_id(found or InvalidIdentifier("empty")), False
        value = types._get_clean_value(written)
        if types._has_card_rule(found.type_id):
            return self.env._("%(id)s – format checked", id=value), True
        return self.env._("%(id)s – no check: compare it", id=value), True

    def _write_typed_id(self) -> str:
        """Return the typed ID in words, masked; "" if none was typed."""
        typed = (self.id_value or "").strip()
        try:
            written = self.id_type_id._write_id(typed) if self.id_type_id else typed
            texts = [canonicalise(written)] if typed else []
        except InvalidIdentifier:
            texts = [typed]
        return "".join(self.env["spar.masked.words"]._write_ids(texts))

    @api.model
    def _explain_id(self, error: InvalidIdentifier) -> str:
        """Return why a text is no ID, and what an ID of its type looks like."""
        look = self.env["spar.id.type"]._get_card_look(error.type_id)
        values = {"look": look} if look else None
        result = Result(
            Outcome.INVALID_ID, "", problem=error.code, problem_values=values
        )
        return self.env["spar.staff.answers"]._get_id_refusal(result)
