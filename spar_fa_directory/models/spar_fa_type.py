import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..lib import fa_checks
from ..lib.exceptions import DirectoryError, InvalidPart
from .spar_fsp import KINDS

KEY = re.compile(r"[a-z][a-z0-9_]*")


class SparFaType(models.Model):
    """A kind of financial address: the parts that one is made of, in order."""

    _name = "spar.fa.type"
    _description = "Kind of Financial Address"
    _inherit = ["spar.cached.records"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True, copy=False, help="Small letters, digits and _, for programs."
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    provider_kind = fields.Selection(
        KINDS, help="The kind of provider that such an address is kept at."
    )
    part_ids = fields.One2many("spar.fa.type.part", "type_id", copy=True)
    strategy_ids = fields.One2many("spar.fa.strategy", "type_id", string="Strategies")

    _code_uniq = models.Constraint(
        "UNIQUE (code)", "Another kind of financial address has this code."
    )

    @api.constrains("code")
    def _check_code(self):
        for fa_type in self:
            if not KEY.fullmatch(fa_type.code):
                raise ValidationError(
                    fa_type.env._(
                        "The code %(code)s can hold small letters, digits and _ only.",
                        code=fa_type.code,
                    )
                )

    @api.constrains("part_ids")
    def _check_part_kinds(self):
        self.part_ids._check_kinds()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_strategy(self):
        self.part_ids._check_no_strategy()

    def _check_parts(self, parts: dict[str, str], country: str = "") -> dict[str, str]:
        """What is wrong with the parts of an address of this kind.

        :param country: ISO 3166 code of the provider's country
        :return: {key: message in the user's language}; empty when all is well
        """
        self.ensure_one()
        problems = {}
        for part in self.part_ids:
            try:
                part._check_value(parts.get(part.key) or "", country)
            except InvalidPart as error:
                problems[part.key] = self._get_error_text(error)
        return problems

    @api.model
    def _get_error_text(self, error: DirectoryError) -> str:
        """The error in the user's language; in English when no translation is known."""
        text = self._get_error_texts().get(error.code)
        return text % error.values if text else str(error)

    @api.model
    def _get_error_texts(self) -> dict[str, str]:
        """Texts by code of `InvalidPart` and `InvalidParameter`; extend with checks."""
        return {
            "empty": self.env._("This is needed."),
            "regex": self.env._("This is not written as it should be."),
            "iban": self.env._("This is not a valid IBAN."),
            "bic": self.env._("This is not a valid BIC."),
            "luhn": self.env._("The number is mistyped: its check digit is wrong."),
            "phone": self.env._("This is not a valid phone number."),
            "email": self.env._("This is not a valid e-mail address."),
            "stdnum": self.env._("This is not a valid number."),
            "unknown": self.env._("There is no such check."),
            "needless": self.env._("This check takes no parameter."),
            "pattern_missing": self.env._("Write the pattern to check with."),
            "pattern": self.env._("The pattern cannot be used: %(reason)s"),
            "stdnum_unknown": self.env._("python-stdnum has no such number format."),
        }

    @api.model
    def _get_check_labels(self) -> dict[str, str]:
        """The names of the registered checks in the user's language."""
        return {code: check.label for code, check in fa_checks.CHECKS.items()} | {
            "regex": self.env._("Pattern"),
            "iban": self.env._("IBAN"),
            "bic": self.env._("BIC"),
            "luhn": self.env._("Luhn check digit"),
            "phone": self.env._("Phone number"),
            "email": self.env._("E-mail address"),
            "stdnum": self.env._("Number format of python-stdnum"),
        }
