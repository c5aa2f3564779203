from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.spar_fa_directory.lib import fa_checks
from odoo.addons.spar_fa_directory.lib.exceptions import InvalidParameter

from ..lib.id_rules import CardRule


class SparIdType(models.Model):
    """The format of a type's IDs on the card that people show.

    It applies to IDs that people type, show or load: staff's forms, the beneficiary's
    pages, files. Programs send other texts (tokens), so it applies to them only where a
    type requires it. Stored IDs can always be found, suspended and ended.
    """

    _inherit = "spar.id.type"  # pylint: disable=consider-merging-classes-inherited

    card_look = fields.Char(
        string="On the card, in words",
        translate=True,
        help="What an ID on the card looks like, for who typed something else: "
        "10 digits, for example 2007816053.",
    )
    card_pattern = fields.Char(
        string="Pattern on the card",
        help="A regular expression for the whole value, for example [0-9]{10}. Spaces "
        "and dashes are left out before where they do not count.",
    )
    card_min_length = fields.Integer(
        string="Shortest on the card", help="Characters; 0: any."
    )
    card_max_length = fields.Integer(
        string="Longest on the card", help="Characters; 0: any."
    )
    card_check = fields.Selection(
        selection=lambda self: self._selection_check(),
        string="Check digit on the card",
        help="For example Luhn, or a number format of python-stdnum.",
    )
    card_check_parameter = fields.Char(string="Parameter of the check digit")
    card_binds_programs = fields.Boolean(
        string="Also over REST",
        help="Programs, too, may link only IDs that look as on the card. Without it "
        "they may send other texts, such as tokens.",
    )
    has_card_rule = fields.Boolean(compute="_compute_has_card_rule")

    @api.depends("card_pattern", "card_min_length", "card_max_length", "card_check")
    def _compute_has_card_rule(self) -> None:
        for id_type in self:
            id_type.has_card_rule = bool(
                id_type.card_pattern
                or id_type.card_min_length
                or id_type.card_max_length
                or id_type.card_check
            )

    @api.constrains("card_pattern", "card_check", "card_check_parameter")
    def _check_card_checks(self):
        for record in self:
            if record.card_pattern:
                record._check_card_parameter("regex", record.card_pattern)
            if record.card_check:
                parameter = record.card_check_parameter or ""
                record._check_card_parameter(record.card_check, parameter)

    def _check_card_parameter(self, code: str, parameter: str) -> None:
        try:
            fa_checks.run_parameter_check(code, parameter)
        except InvalidParameter as error:
            raise ValidationError(
                self.env._(
                    "%(name)s: the IDs on its card cannot be checked with this pattern "
                    "or parameter.",
                    name=self.name,
                )
            ) from error

    @api.constrains("card_min_length", "card_max_length")
    def _check_card_lengths(self):
        for record in self:
            least, most = record.card_min_length, record.card_max_length
            if least < 0 or most < 0 or (most and most < least):
                raise ValidationError(
                    self.env._(
                        "%(name)s: the greatest length of an ID on the card is not "
                        "below the least.",
                        name=record.name,
                    )
                )

    @api.constrains("card_look", "card_pattern", "card_check")
    def _check_card_look(self):
        """Check that a rule has a description: a pattern does not help users."""
        for record in self:
            if record.has_card_rule and not (record.card_look or "").strip():
                raise ValidationError(
                    self.env._(
                        "%(name)s: say in words what an ID looks like on the card.",
                        name=record.name,
                    )
                )

    def _get_card_rule(self) -> CardRule | None:
        """Return the rule for an ID on the card; None if there is none."""
        if not self.has_card_rule:
            return None
        return CardRule(
            pattern=self.card_pattern or "",
            min_length=self.card_min_length,
            max_length=self.card_max_length,
            check=self.card_check or "",
            check_parameter=self.card_check_parameter or "",
            binds_programs=self.card_binds_programs,
        )

    @api.model
    def _get_card_look(self, type_id: int | None) -> str:
        """Return the description of IDs on the card, in the user's language."""
        return self.sudo().browse(type_id or ()).card_look or ""

    @api.model
    def _has_card_rule(self, type_id: int) -> bool:
        return any(r.type_id == type_id and r.card for r in self._get_rules())
