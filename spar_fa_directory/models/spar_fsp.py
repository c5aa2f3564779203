from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..lib.exceptions import InvalidPart
from ..lib.fa_checks import run_check
from ..lib.fa_text import remove_gaps

KINDS = [
    ("bank", "Bank"),
    ("wallet", "Mobile Wallet"),
    ("email_wallet", "E-mail Wallet"),
    ("voucher", "Voucher Scheme"),
    ("other", "Other"),
]


class SparFsp(models.Model):
    _name = "spar.fsp"
    _description = "Financial Service Provider"
    _inherit = "spar.directory.used"
    _order = "name, id"
    _rec_names_search = ["name", "code"]

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        copy=False,
        help="Stands in financial addresses, so it is fixed once an address has it. "
        "Upper and lower case are the same.",
    )
    kind = fields.Selection(KINDS, required=True, default="bank", index=True)
    country_id = fields.Many2one("res.country", index="btree_not_null")
    bic = fields.Char(
        "BIC",
        help="Blanks and small letters do not count, and eight characters name the "
        "head office as eleven do that end in three X.",
    )
    logo = fields.Image(max_width=256, max_height=256)
    active = fields.Boolean(default=True)
    branch_ids = fields.One2many("spar.fsp.branch", "provider_id", string="Branches")

    _code_uniq = models.UniqueIndex(
        '(upper(code COLLATE "C"))',
        "Another provider has this code (upper and lower case are the same).",
    )
    _bic_idx = models.Index('(upper(bic COLLATE "C")) WHERE bic IS NOT NULL')

    @api.constrains("bic")
    def _check_bic(self):
        for provider in self.filtered("bic"):
            try:
                run_check("bic", provider.bic)
            except InvalidPart as error:
                raise ValidationError(
                    provider.env._(
                        "%(bic)s is not a valid BIC (%(provider)s).",
                        bic=provider.bic,
                        provider=provider.name,
                    )
                ) from error

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._clean_bic(vals) for vals in vals_list])

    def write(self, vals):
        if "code" in vals:
            self.filtered(
                lambda provider: provider.code != vals["code"]
            )._check_unused()
        return super().write(self._clean_bic(vals))

    @api.model
    def _clean_bic(self, vals: dict) -> dict:
        """Return the values with the BIC as it is searched: capitals, without gaps."""
        return vals | {"bic": remove_gaps(vals["bic"])} if vals.get("bic") else vals

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self._check_unused()
        self.branch_ids._check_unused()

    def _check_unused(self):
        if used := self._is_used():
            raise UserError(
                self.env._(
                    "Financial addresses name %(providers)s: the code stays and the "
                    "provider cannot be deleted. Archive it and add a new one. "
                    "%(uses)s",
                    providers=", ".join(used.mapped("display_name")),
                    uses=used._get_uses_text(),
                )
            )
