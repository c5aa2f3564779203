from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..lib.exceptions import InvalidPart
from ..lib.fa_checks import run_check
from ..lib.fa_reader import Holder, Place

KINDS = [
    ("bank", "Bank"),
    ("wallet", "Mobile Wallet"),
    ("email_wallet", "E-mail Wallet"),
    ("voucher", "Voucher Scheme"),
    ("other", "Other"),
]


def is_code(code: str) -> bool:
    """Whether `code` can name a provider or branch inside an address.

    Plain signs only: codes are compared without regard to case, in Python and in
    the database, and only those have the same capitals in both.
    """
    return code.isascii() and code.isprintable() and " " not in code


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
    bic = fields.Char("BIC")
    logo = fields.Image(max_width=256, max_height=256)
    active = fields.Boolean(default=True)
    branch_ids = fields.One2many("spar.fsp.branch", "provider_id", string="Branches")

    _code_uniq = models.UniqueIndex(
        '(upper(code COLLATE "C"))',
        "Another provider has this code (upper and lower case are the same).",
    )
    _bic_idx = models.Index('(upper(bic COLLATE "C")) WHERE bic IS NOT NULL')

    @api.constrains("code")
    def _check_code(self):
        for provider in self:
            if not is_code(provider.code):
                raise ValidationError(
                    provider.env._(
                        "The code of %(provider)s can hold plain letters, digits and "
                        "signs only, no spaces.",
                        provider=provider.name,
                    )
                )

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

    def write(self, vals):
        if "code" in vals:
            self.filtered(
                lambda provider: provider.code != vals["code"]
            )._check_unused()
        return super().write(vals)

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

    @api.model
    def _search_places(self, places: set[Place]) -> dict[Place, Holder]:
        """Providers and branches of the places that addresses name, archived ones too.

        At most one statement for the codes and one for the BICs; a BIC that several
        providers have finds none.

        :return: known providers only
        """
        by = {kind: [p for p in places if p.by == kind] for kind in ("code", "bic")}
        self.flush_model(["code", "bic", "kind", "country_id", "active"])
        self.env["spar.fsp.branch"].flush_model(["code", "provider_id", "active"])
        found = {}
        for kind, asked in by.items():
            if asked:
                found.update(self._search_places_by(kind, asked))
        return found

    @api.model
    def _search_places_by(self, kind: str, places: list[Place]) -> dict[Place, Holder]:
        rows = self.env.execute_query(
            SQL(
                """
                SELECT asked.provider, asked.branch, min(fsp.id), min(branch.id),
                       min(fsp.kind), coalesce(min(country.code), ''),
                       bool_and(fsp.active), coalesce(bool_and(branch.active), false)
                  FROM unnest(%(providers)s, %(branches)s) AS asked (provider, branch)
                  JOIN spar_fsp AS fsp
                    ON upper(fsp.%(column)s COLLATE "C") = asked.provider
             LEFT JOIN res_country AS country ON country.id = fsp.country_id
             LEFT JOIN spar_fsp_branch AS branch
                    ON branch.provider_id = fsp.id
                   AND upper(branch.code COLLATE "C") = asked.branch
              GROUP BY asked.provider, asked.branch
                HAVING count(*) = 1
                """,
                providers=[place.provider for place in places],
                branches=[place.branch for place in places],
                column=SQL.identifier(kind),
            )
        )
        return {
            Place(kind, provider, branch): Holder(*known)
            for provider, branch, *known in rows
        }
