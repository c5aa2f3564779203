import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..lib import fa_reader, fa_syntax
from ..lib.exceptions import InvalidTemplate

# The fields that give a stored address its meaning.
FIXED = {"number", "type_id", "template"}
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# The numbers below are for the strategies that come with SPAR.
FIRST_OWN_NUMBER = 101


class SparFaStrategy(models.Model):
    """A format for addresses of a kind: append-only, as mappings name its number."""

    _name = "spar.fa.strategy"
    _description = "Strategy of Financial Addresses"
    _inherit = ["spar.cached.records"]
    _order = "number"

    number = fields.Integer(
        required=True,
        copy=False,
        aggregator=None,
        default=lambda self: self._default_number(),
    )
    name = fields.Char(required=True, translate=True)
    type_id = fields.Many2one(
        "spar.fa.type", required=True, index=True, ondelete="restrict"
    )
    template = fields.Char(
        required=True,
        help="As account:{account_number}@{bank_code}: the kind and a colon, then each "
        "part in braces, with a punctuation mark between them.",
    )
    is_default = fields.Boolean(
        copy=False, help="New addresses of this kind are written in this strategy."
    )
    active = fields.Boolean(default=True)
    is_approved = fields.Boolean(
        string="In use",
        default=True,
        readonly=True,
        copy=False,
        help="Addresses are written and read in it.",
    )

    _number_uniq = models.Constraint(
        "UNIQUE (number)", "Another strategy has this number."
    )
    _number_positive = models.Constraint(
        "CHECK (number > 0)", "The number of a strategy is 1 or more."
    )
    _default_active = models.Constraint(
        "CHECK (active OR NOT is_default)",
        "The default strategy cannot be archived: make another one the default.",
    )
    _default_uniq = models.UniqueIndex(
        "(type_id) WHERE is_default", "Another strategy is the default of this kind."
    )

    @api.model
    def _default_number(self):
        last = self.with_context(active_test=False).search(
            [], order="number desc", limit=1
        )
        return max(last.number + 1, FIRST_OWN_NUMBER)

    @api.constrains("template", "type_id")
    def _check_template(self):
        for strategy in self:
            try:
                syntax = fa_syntax.compile_strategy(strategy.template)
            except InvalidTemplate as error:
                raise ValidationError(strategy._get_error_text(error)) from error
            strategy._check_template_keys(set(syntax.keys))
            strategy._check_template_literals(set(syntax.keys))

    def _check_template_literals(self, keys: set[str]) -> None:
        """Check that the text between the parts cannot be taken for a value."""
        pieces = PLACEHOLDER.split(self.template)
        touching = [before[-1:] for before in pieces[:-1]]
        touching += [after[:1] for after in pieces[1:]]
        if any(map(str.isdigit, "".join(pieces))) or any(map(str.isalnum, touching)):
            raise ValidationError(
                self.env._(
                    "Between the parts there can be names and punctuation marks, but "
                    "no digits, and no letter beside a brace: they would be taken for "
                    "a value."
                )
            )
        providers = [
            key
            for key, (kind, _name) in self._get_directory_keys().items()
            if kind == "provider"
        ]
        if providers and not keys & set(providers):
            raise ValidationError(
                self.env._(
                    "The template leaves out the provider, {%(key)s}.", key=providers[0]
                )
            )

    def _check_template_keys(self, keys: set[str]) -> None:
        """Check that the template names parts of the kind, and all of its texts."""
        parts = self.type_id.part_ids
        known = set(parts.mapped("key")) | self._get_directory_keys().keys()
        if unknown := sorted(keys - known):
            raise ValidationError(
                self.env._(
                    "%(type)s has no part %(keys)s.",
                    type=self.type_id.name,
                    keys=", ".join(unknown),
                )
            )
        needed = {part.key for part in parts if part.kind == "text"}
        if missing := sorted(needed - keys):
            raise ValidationError(
                self.env._(
                    "The template leaves out %(keys)s: an address could not be read "
                    "back from it.",
                    keys=", ".join(missing),
                )
            )

    def _get_directory_keys(self) -> dict[str, tuple[str, str]]:
        """Return the keys whose values are known to the directory.

        A provider part ``bank_code`` lets templates also use ``bank_name`` and
        ``bank_bic``, a branch part ``branch_code`` also ``branch_name``.

        :return: {key: (kind of part, field)}
        """
        fields_by_kind = {"provider": ("name", "bic"), "branch": ("name",), "text": ()}
        keys = {}
        for part in self.type_id.part_ids:
            if part.kind != "text":
                keys[part.key] = (part.kind, "code")
            for name in fields_by_kind[part.kind]:
                keys[fa_reader.derive_key(part.key, name)] = (part.kind, name)
        return keys

    @api.model
    def _get_error_text(self, error: InvalidTemplate) -> str:
        text = {
            "placeholder": self.env._(
                "Write each part as {key}: small letters, digits and _ in braces."
            ),
            "ascii": self.env._(
                "Between the parts only plain (ASCII) signs can stand."
            ),
            "scheme": self.env._(
                "Begin with the kind of address and a colon, as in account:"
            ),
            "duplicate": self.env._("A part stands there twice."),
            "stars": self.env._("Only one part can carry a star."),
            "delimiter": self.env._(
                "Between %(before)s and %(after)s a punctuation mark is needed that "
                "stands there once."
            ),
        }[error.code]
        return text % error.values

    def write(self, vals):
        for strategy in self:
            current = {
                "number": strategy.number,
                "type_id": strategy.type_id.id,
                "template": strategy.template,
            }
            if any(current[name] != vals[name] for name in FIXED & vals.keys()):
                self._raise_append_only()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_uninstall(self):
        self._raise_append_only()

    def _raise_append_only(self):
        raise UserError(
            self.env._(
                "Stored addresses name the number of their strategy, so a strategy "
                "cannot be changed or deleted: add a new one."
            )
        )

    def action_set_default(self):
        """Write new addresses of the kind in this strategy from now on."""
        self.ensure_one()
        self.search(
            [("type_id", "=", self.type_id.id), ("is_default", "=", True)]
        ).is_default = False
        self.flush_model(["is_default"])
        self.is_default = True
