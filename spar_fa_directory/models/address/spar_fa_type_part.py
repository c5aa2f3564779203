from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...lib import fa_checks
from ...lib.exceptions import InvalidParameter, InvalidPart
from ...lib.fa_examination import KnownPart, form_text
from ...lib.fa_keys import suggest_key
from ...lib.fa_reader import Holder
from .spar_fa_type import KEY

# What the syntax of an address depends on: fixed once a strategy names the parts.
FIXED = {"key", "kind", "type_id"}


class SparFaTypePart(models.Model):
    _name = "spar.fa.type.part"
    _description = "Part of a Financial Address"
    _inherit = ["spar.cached.records"]
    _order = "type_id, sequence, id"
    _rec_name = "label"

    type_id = fields.Many2one(
        "spar.fa.type", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    key = fields.Char(
        required=True,
        help="The name of the part in strategies: lower-case letters, digits and _.",
    )
    label = fields.Char(required=True, translate=True)
    help = fields.Char(translate=True)
    example = fields.Char(
        translate=True, help="Shown to people who fill it in, for example 1234 5678."
    )
    kind = fields.Selection(
        [("provider", "Provider"), ("branch", "Branch"), ("text", "Text")],
        required=True,
        default="text",
    )
    check_code = fields.Selection(
        selection=lambda self: self._selection_check_code(), string="Check"
    )
    check_parameter = fields.Char(
        string="Check parameter",
        help="The pattern, for a check by pattern; the python-stdnum module; or "
        "mobile, for a phone number that must be a mobile number.",
    )
    gaps_do_not_count = fields.Boolean(
        string="Gaps do not count",
        help="Spaces, dashes, dots and slashes are removed and letters are "
        "capitalised: 12-34 ab and 1234AB are equal. A pattern is compared with the "
        "result. Phone numbers, e-mail addresses, IBANs and other numbers with a check "
        "of their own already have one form.",
    )
    is_account_number = fields.Boolean(
        string="Account number",
        help="The provider's rules for account numbers apply. The numbers of payment "
        "cards, the person's own ID and words are refused.",
    )

    _key_uniq = models.Constraint(
        "UNIQUE (type_id, key)", "A kind of address cannot have the same part twice."
    )

    @api.model
    def _selection_check_code(self):
        return list(self.env["spar.fa.type"]._get_check_labels().items())

    @api.onchange("label")
    def _onchange_label(self):
        """Suggest a key derived from the label."""
        for part in self:
            part.key = part.key or suggest_key(part.label or "")

    @api.constrains("key")
    def _check_key(self):
        for part in self:
            if not KEY.fullmatch(part.key):
                raise ValidationError(
                    part.env._(
                        "The key %(key)s can contain only lower-case letters, digits "
                        "and _.",
                        key=part.key,
                    )
                )

    @api.constrains("kind", "type_id")
    def _check_kinds(self):
        for fa_type in self.type_id:
            kinds = fa_type.part_ids.mapped("kind")
            if (
                kinds.count("provider") > 1
                or kinds.count("branch") > 1
                or ("branch" in kinds and "provider" not in kinds)
            ):
                raise ValidationError(
                    fa_type.env._(
                        "%(type)s can have one provider part and, with it, one branch "
                        "part.",
                        type=fa_type.name,
                    )
                )

    @api.constrains("check_code", "check_parameter")
    def _check_check_parameter(self):
        for part in self:
            parameter = part.check_parameter or ""
            try:
                if part.check_code:
                    fa_checks.run_parameter_check(part.check_code, parameter)
                elif parameter:
                    raise InvalidParameter("needless", "This check takes no parameter.")
            except InvalidParameter as error:
                raise ValidationError(
                    part.env._(
                        "%(part)s: %(problem)s",
                        part=part.label,
                        problem=part.type_id._get_error_text(error),
                    )
                ) from error

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        parts._check_no_strategy()
        return parts

    def write(self, vals):
        changed = self.filtered(lambda part: part._changes_syntax(vals))
        changed._check_no_strategy()
        result = super().write(vals)
        changed._check_no_strategy()  # checks the kind that they now belong to
        return result

    def _changes_syntax(self, vals: dict) -> bool:
        current = {"key": self.key, "kind": self.kind, "type_id": self.type_id.id}
        return any(current[name] != vals[name] for name in FIXED & vals.keys())

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_strategy(self):
        self._check_no_strategy()

    def _check_no_strategy(self):
        """Check that no strategy uses the parts, which would make them fixed."""
        for fa_type in self.type_id.with_context(active_test=False):
            if fa_type.sudo().strategy_ids:
                raise UserError(
                    fa_type.env._(
                        "Strategies write addresses of the kind %(type)s, so its parts "
                        "cannot be changed: add a new kind of address.",
                        type=fa_type.name,
                    )
                )

    def _get_known(self) -> KnownPart:
        """Return the part as plain values."""
        check = fa_checks.CHECKS.get(self.check_code)
        return KnownPart(
            self.key,
            self.kind,
            self.check_code or "",
            self.check_parameter or "",
            self.gaps_do_not_count,
            self.is_account_number or bool(check and check.names_bank),
        )

    def _canonicalise(self, value: str, holder: Holder) -> str:
        """Return the canonical form of the part's value in an address at ``holder``.

        :raises InvalidPart: when it is empty, or does not pass the part's check
        """
        if self.kind == "text":
            return form_text(self._get_known(), value, holder)
        if value.strip() or self.kind == "branch" and not holder.has_open_branches:
            return value
        raise InvalidPart("empty", "This field is required.")
