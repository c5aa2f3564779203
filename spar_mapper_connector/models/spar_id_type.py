from dataclasses import dataclass

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from odoo.addons.spar_fa_directory.lib import fa_checks
from odoo.addons.spar_fa_directory.lib.exceptions import InvalidParameter, InvalidPart

from ..exceptions import InvalidIdentifier, InvalidTemplate
from ..lib import identifier, tokenisers


@dataclass(frozen=True)
class IdRule:
    """An ID type, ready for use on thousands of IDs."""

    type_id: int
    strategy: identifier.IdTemplate | None
    stored: identifier.IdTemplate | None
    tokeniser: str
    parameter: str
    check: str
    check_parameter: str


@dataclass(frozen=True)
class Identifier:
    """An ID in the form under which it is stored, and its type."""

    canonical: str
    type_id: int


class SparIdType(models.Model):
    """A kind of ID: how it is written, checked, and made the key that is stored.

    Which backend is asked for its IDs is changed by two people.
    """

    _name = "spar.id.type"
    _description = "ID type"
    _inherit = ["spar.second.person", "spar.cached.records"]
    _guarded_fields = ("backend_id",)
    _guarded_at_creation = ("backend_id",)
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    strategy = fields.Char(
        help="How the ID travels, with one placeholder for its value, for example "
        "token:{sub}@nationalId. Empty: any ID that no other type recognises.",
    )
    tokeniser = fields.Selection(
        selection=lambda self: self._selection_tokeniser(),
        required=True,
        default="none",
        help="How the value that people know becomes the value that is stored.",
    )
    tokeniser_parameter = fields.Char(help="For example the partner ID.")
    stored_strategy = fields.Char(
        help="How the stored ID is written, where it differs from the strategy."
    )
    check = fields.Selection(
        selection=lambda self: self._selection_check(),
        help="What the value must satisfy.",
    )
    check_parameter = fields.Char(help="For example a regular expression.")
    backend_id = fields.Many2one(
        "spar.mapper.backend",
        ondelete="restrict",
        help="The mapper that is asked for these IDs. Empty: the default one.",
    )

    _code_uniq = models.UniqueIndex("(code)", "An ID type with this code exists.")

    @api.model
    def _selection_tokeniser(self):
        return tokenisers.selection()

    @api.model
    def _selection_check(self):
        return [(check.code, check.label) for check in fa_checks.CHECKS.values()]

    @api.constrains("strategy", "stored_strategy")
    def _check_strategies(self):
        for template in filter(
            None, [*self.mapped("strategy"), *self.mapped("stored_strategy")]
        ):
            try:
                identifier.parse_template(template)
            except InvalidTemplate as error:
                raise ValidationError(
                    self.env._(
                        "%(template)s: write exactly one placeholder, such as {sub}.",
                        template=template,
                    )
                ) from error

    @api.constrains("check", "check_parameter")
    def _check_check_parameter(self):
        for record in self.filtered("check"):
            try:
                fa_checks.run_parameter_check(
                    record.check, record.check_parameter or ""
                )
            except InvalidParameter as error:
                raise ValidationError(
                    self.env._(
                        "%(name)s: the check cannot work with this parameter.",
                        name=record.name,
                    )
                ) from error

    # === READING IDS === #

    @api.model
    def _identify(self, text: str) -> Identifier:
        """The stored form and the type of one ID.

        Raises InvalidIdentifier: ``empty``, ``too_long``, ``characters``, ``spaces``,
        ``check`` (the type's own check refuses the value) or ``type`` (no type fits).
        """
        if isinstance(text, identifier.StoredIdentifier):
            return Identifier(str(text), text.type_id)
        canonical = identifier.canonicalise(text)
        for rule in self._get_rules():
            if rule.strategy is None:
                return Identifier(canonical, rule.type_id)
            value = rule.strategy.extract(canonical)
            if value is not None:
                return self._build_identifier(rule, canonical, value)
        raise InvalidIdentifier("type")

    def _write_id(self, text: str) -> str:
        """The ID as it travels: ``text``, or built around it where it is a mere value
        and the type has a strategy. Raises InvalidIdentifier."""
        if ":" in text or "@" in text or not self.strategy:
            return text
        return identifier.parse_template(self.strategy).build(text)

    @api.model
    def _get_written_forms(self, text: str) -> list[str]:
        """What people may mean by ``text``: as it stands, and as the value of each ID
        type (the number on a card rather than what travels)."""
        types_sudo = self.sudo().search([("strategy", "!=", False)])
        forms = [text]
        for id_type_sudo in types_sudo:
            try:
                forms.append(id_type_sudo._write_id(text))
            except InvalidIdentifier:
                continue
        return list(dict.fromkeys(forms))

    @api.model
    def _build_identifier(self, rule: IdRule, canonical: str, value: str) -> Identifier:
        if rule.check:
            self._check_value(rule, value)
        if rule.tokeniser == "none" and rule.stored is None:
            return Identifier(canonical, rule.type_id)
        token = tokenisers.get_tokeniser(rule.tokeniser)(value, rule.parameter)
        return Identifier((rule.stored or rule.strategy).build(token), rule.type_id)

    @api.model
    def _check_value(self, rule: IdRule, value: str) -> None:
        try:
            fa_checks.run_check(rule.check, value, rule.check_parameter)
        except InvalidPart as error:
            raise InvalidIdentifier("check") from error

    @api.model
    def _get_rules(self) -> tuple[IdRule, ...]:
        """The types in use, in their order."""
        return self.env["spar.row.versions"]._reuse(self, "_build_rules", self._name)

    @api.model
    def _build_rules(self) -> tuple[IdRule, ...]:
        types_sudo = self.sudo().search(Domain.TRUE)
        return tuple(record._get_rule() for record in types_sudo)

    def _get_rule(self) -> IdRule:
        return IdRule(
            type_id=self.id,
            strategy=self.strategy and identifier.parse_template(self.strategy) or None,
            stored=self.stored_strategy
            and identifier.parse_template(self.stored_strategy)
            or None,
            tokeniser=self.tokeniser,
            parameter=self.tokeniser_parameter or "",
            check=self.check or "",
            check_parameter=self.check_parameter or "",
        )
