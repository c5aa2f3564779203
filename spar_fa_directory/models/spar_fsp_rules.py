from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..lib import fa_checks, fa_phone
from ..lib.exceptions import InvalidParameter


class SparFsp(models.Model):
    """A provider's rules for the numbers in its addresses."""

    _inherit = "spar.fsp"  # pylint: disable=consider-merging-classes-inherited

    account_pattern = fields.Char(
        "Pattern of Account Numbers",
        help="How an account number of this provider looks without blanks, dashes, "
        "dots and slashes, in capitals: [0-9]{10} for ten digits. Empty: no own "
        "pattern. With one, the numbers that it describes are taken even where they "
        "look like a payment card or are the person's ID.",
    )
    account_shortest = fields.Integer(
        "Fewest Characters",
        help="How many characters an account number has at least, without blanks, "
        "dashes, dots and slashes. 0: any number.",
    )
    account_longest = fields.Integer(
        "Most Characters",
        help="How many characters an account number has at most. 0: any number.",
    )
    account_check = fields.Selection(
        selection=lambda self: self.env["spar.fa.type.part"]._selection_check_code(),
        string="Check of Account Numbers",
        help="Its check digit, for example. Account number of an IBAN country: the "
        "IBAN itself, what stands in it after its check digits, or the account's own "
        "number inside it.",
    )
    account_check_parameter = fields.Char(
        "Parameter of the Check",
        help="The pattern (of a check by pattern), or the python-stdnum module.",
    )
    phone_prefixes = fields.Char(
        "Additional Mobile Prefixes",
        help="Beginnings of numbers that are mobile numbers whatever the numbering "
        "plan says, with commas between them: 0917, +63 999. Needed only where a "
        "country has given out numbers that this version does not know yet.",
    )

    _account_lengths = models.Constraint(
        "CHECK (account_shortest >= 0 AND account_longest >= 0"
        " AND (account_longest = 0 OR account_shortest <= account_longest))",
        "The most characters cannot be fewer than the fewest.",
    )

    @api.constrains("account_pattern", "account_check", "account_check_parameter")
    def _check_account_rule(self):
        for provider in self:
            pattern, code = provider.account_pattern, provider.account_check
            parameter = provider.account_check_parameter or ""
            try:
                if pattern:
                    fa_checks.run_parameter_check("regex", pattern)
                if code:
                    fa_checks.run_parameter_check(code, parameter)
                elif parameter:
                    raise InvalidParameter("needless", "This check takes no parameter.")
            except InvalidParameter as error:
                provider._refuse_rule(error)

    @api.constrains("phone_prefixes")
    def _check_phone_prefixes(self):
        for provider in self:
            try:
                fa_phone.read_prefixes(provider.phone_prefixes or "")
            except InvalidParameter as error:
                provider._refuse_rule(error)

    def _refuse_rule(self, error: InvalidParameter) -> None:
        text = self.env["spar.fa.type"]._get_error_text(error)
        raise ValidationError(
            self.env._("%(provider)s: %(problem)s", provider=self.name, problem=text)
        ) from error
