import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...lib import fa_checks
from ...lib.exceptions import DirectoryError, InvalidPart
from ...lib.fa_keys import suggest_key
from ...lib.fa_reader import Holder
from ..provider.spar_fsp import KINDS

KEY = re.compile(r"[a-z][a-z0-9_]*")
#: The check of a part that is a phone number.
PHONE = "phone"
#: The most people who may share an address without a reason.
MAX_PEOPLE = 20


class SparFaType(models.Model):
    """A kind of financial address: the parts that it consists of, in order."""

    _name = "spar.fa.type"
    _description = "Kind of Financial Address"
    _inherit = ["spar.cached.records"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        copy=False,
        help="Lower-case letters, digits and _. It is used in the API.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    provider_kind = fields.Selection(
        KINDS,
        string="Provider kind",
        help="The kind of provider that holds such an address.",
    )
    people_per_address = fields.Integer(
        string="People who may share an address",
        default=1,
        help="A phone is often shared in a household. Up to this many people with the "
        "same address, staff need no reason to add one.",
    )
    part_ids = fields.One2many("spar.fa.type.part", "type_id", copy=True)
    strategy_ids = fields.One2many("spar.fa.strategy", "type_id", string="Strategies")
    suggested_template = fields.Char(
        string="Suggested template", compute="_compute_suggested_template"
    )
    has_default = fields.Boolean(string="Has a default", compute="_compute_has_default")
    has_phone = fields.Boolean(string="Has a phone", compute="_compute_has_phone")
    is_fixed = fields.Boolean(
        string="Fixed",
        compute="_compute_is_fixed",
        help="Saved strategies use the parts.",
    )

    _code_uniq = models.Constraint(
        "UNIQUE (code)", "Another kind of financial address has this code."
    )

    @api.constrains("code")
    def _check_code(self):
        for fa_type in self:
            if not KEY.fullmatch(fa_type.code):
                raise ValidationError(
                    fa_type.env._(
                        "The code %(code)s can contain only lower-case letters, digits "
                        "and _.",
                        code=fa_type.code,
                    )
                )

    @api.constrains("people_per_address")
    def _check_people_per_address(self):
        """Raise ValidationError if too many people may share an address, or none."""
        for fa_type in self:
            if not 1 <= fa_type.people_per_address <= MAX_PEOPLE:
                raise ValidationError(
                    fa_type.env._(
                        "People who may share an address: enter a number from 1 to "
                        "%(max)s.",
                        max=MAX_PEOPLE,
                    )
                )

    @api.depends("part_ids.check_code")
    def _compute_has_phone(self):
        for fa_type in self:
            fa_type.has_phone = PHONE in fa_type.part_ids.mapped("check_code")

    def _get_people_per_address(self) -> int:
        """Return how many people may share an address: one, unless it is a phone."""
        shared = self.filtered("has_phone")
        return min(shared.mapped("people_per_address") or [1])

    @api.constrains("part_ids")
    def _check_part_kinds(self):
        self.part_ids._check_kinds()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_strategy(self):
        self.part_ids._check_no_strategy()

    def _check_parts(self, parts: dict[str, str], country: str = "") -> dict[str, str]:
        """Return what is wrong with the parts of an address of this kind.

        :param country: ISO 3166 code of the provider's country
        :return: {key: message in the user's language}; empty if all is well
        """
        return self._canonicalise_parts(parts, Holder(country=country))[1]

    def _canonicalise_parts(
        self, parts: dict[str, str], holder: Holder
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the parts of an address of this kind in their canonical form.

        :param holder: the provider and the branch that hold the account
        :return: the parts, an invalid one as it was typed; and the problems as {key:
            message in the user's language}, empty if all is well
        """
        self.ensure_one()
        formed, problems = {}, {}
        for part in self.part_ids:
            value = parts.get(part.key) or ""
            try:
                formed[part.key] = part._canonicalise(value, holder)
            except InvalidPart as error:
                formed[part.key] = value
                problems[part.key] = self._get_error_text(error)
        return formed, problems

    @api.model
    def _get_problem_text(self, word: str) -> str:
        """Return what is wrong with a part, by the word that an examination gives."""
        texts = self._get_error_texts()
        return texts.get(word) or self.env._("This cannot be used.")

    @api.model
    def _get_error_text(self, error: DirectoryError) -> str:
        """Return the error in the user's language; untranslated ones in English."""
        text = self._get_error_texts().get(error.code)
        return text % error.values if text else str(error)

    @api.model
    def _get_error_texts(self) -> dict[str, str]:
        """Return texts by code of ``InvalidPart`` and ``InvalidParameter``.

        Addons that add checks extend it.
        """
        return (
            self._get_check_texts()
            | self._get_account_texts()
            | self._get_bank_texts()
            | self._get_setting_texts()
        )

    @api.model
    def _get_check_texts(self) -> dict[str, str]:
        return {
            "empty": self.env._("This field is required."),
            "regex": self.env._("This does not have the expected format."),
            "iban": self.env._("This is not a valid IBAN."),
            "bic": self.env._("This is not a valid BIC."),
            "luhn": self.env._("The number is mistyped: its check digit is wrong."),
            "phone": self.env._("This is not a valid phone number."),
            "phone_signs": self.env._(
                "Write the phone number alone, in digits: no letters and no words."
            ),
            "phone_country": self.env._(
                "This phone number belongs to another country. Write a number from the "
                "country of this provider."
            ),
            "phone_mobile": self.env._(
                "This is not a mobile number. Write the number of a mobile phone."
            ),
            "email": self.env._("This is not a valid e-mail address."),
            "stdnum": self.env._("This is not a valid number."),
        }

    @api.model
    def _get_account_texts(self) -> dict[str, str]:
        """Return the texts for values that are not account numbers."""
        return {
            "placeholder": self.env._(
                "This is only a placeholder for a number. Write what is on the "
                "document."
            ),
            "card": self.env._(
                "This is the number of a payment card. Write the number of the "
                "account: it is in the passbook or on a statement."
            ),
            "own_id": self.env._(
                "This is the number of an ID card. Write the number of the account: it "
                "is in the passbook or on a statement."
            ),
            "no_account": self.env._(
                "This is not an account number. The number is in the passbook or on a "
                "statement."
            ),
        }

    @api.model
    def _get_bank_texts(self) -> dict[str, str]:
        """Return the texts for account numbers of another bank."""
        return {
            "iban_country": self.env._(
                "This IBAN belongs to a bank in another country. Choose its bank, or "
                "look at the number again."
            ),
            "iban_bank": self.env._(
                "This IBAN belongs to another bank. Choose its bank, or look at the "
                "number again."
            ),
            "account_pattern": self.env._(
                "Account numbers of this bank look different. Compare every character "
                "with the passbook or a statement."
            ),
            "account_length": self.env._(
                "Account numbers of this bank have more or fewer characters. Compare "
                "every one with the passbook or a statement."
            ),
            "bban": self.env._(
                "Account numbers in the country of this bank look different. Compare "
                "every character with the passbook or a statement."
            ),
        }

    @api.model
    def _get_setting_texts(self) -> dict[str, str]:
        """Return the texts for checks that cannot work as configured."""
        return {
            "unknown": self.env._("There is no such check."),
            "needless": self.env._("This check takes no parameter."),
            "pattern_missing": self.env._("Enter the pattern to check with."),
            "pattern": self.env._("The pattern cannot be used: %(reason)s"),
            "stdnum_unknown": self.env._("python-stdnum has no such number format."),
            "phone_parameter": self.env._(
                "Enter mobile, or leave the parameter empty."
            ),
            "prefixes": self.env._("Enter prefixes of numbers, separated by commas."),
        }

    @api.model
    def _get_check_labels(self) -> dict[str, str]:
        """Return the names of the registered checks in the user's language."""
        return {code: check.label for code, check in fa_checks.CHECKS.items()} | {
            "regex": self.env._("Pattern"),
            "iban": self.env._("IBAN"),
            "bic": self.env._("BIC"),
            "luhn": self.env._("Luhn check digit"),
            "bban": self.env._("Account number of an IBAN country"),
            "phone": self.env._("Phone number"),
            "email": self.env._("E-mail address"),
            "stdnum": self.env._("Number format of python-stdnum"),
        }

    # === FORM === #

    @api.onchange("name")
    def _onchange_name(self):
        for fa_type in self:
            fa_type.code = fa_type.code or suggest_key(fa_type.name or "")

    @api.depends("code", "part_ids.key", "part_ids.kind")
    def _compute_suggested_template(self):
        for fa_type in self:
            fa_type.suggested_template = fa_type._build_template()

    def _build_template(self) -> str:
        """Return a template for the parts of the kind.

        :return: such as ``voucher:{campaign}/{serial}@{branch}.{provider}``; "" without
            parts
        """
        keys = {
            kind: [p.key for p in self.part_ids if p.kind == kind and p.key]
            for kind in ("text", "branch", "provider")
        }
        if not self.code or not keys["text"]:
            return ""
        texts = "/".join(f"{{{key}}}" for key in keys["text"])
        place = ".".join(f"{{{key}}}" for key in keys["branch"] + keys["provider"])
        return f"{self.code}:{texts}" + (f"@{place}" if place else "")

    @api.depends("strategy_ids.is_default")
    def _compute_has_default(self):
        for fa_type in self:
            fa_type.has_default = any(fa_type.strategy_ids.mapped("is_default"))

    @api.depends("strategy_ids")
    def _compute_is_fixed(self):
        for fa_type in self:
            fa_type.is_fixed = bool(fa_type._origin.strategy_ids)
