from odoo import api, fields, models

from ..lib.bank_registry import HEAD_OFFICE, get_whole_bic


class SparFsp(models.Model):
    """The bank in Odoo's own list that corresponds to a provider.

    Only the bank: accounts of beneficiaries never go to ``res.partner.bank``, which
    every employee can read.
    """

    _inherit = "spar.fsp"  # pylint: disable=consider-merging-classes-inherited

    bank_id = fields.Many2one(
        "res.bank",
        string="Odoo Bank",
        index="btree_not_null",
        ondelete="set null",
        help="The same bank in Odoo's own list of banks, which suppliers' and "
        "employees' accounts use.",
    )

    @api.onchange("bank_id")
    def _onchange_bank_id(self):
        """Suggest the data of Odoo's bank for fields of the provider that are empty."""
        for provider in self.filtered("bank_id"):
            bank = provider.bank_id
            provider.name = provider.name or bank.name
            provider.bic = provider.bic or bank.bic
            provider.country_id = provider.country_id or bank.country

    @api.onchange("bic")
    def _onchange_bic(self):
        """Suggest Odoo's bank that has the BIC."""
        for provider in self.filtered(lambda p: p.bic and not p.bank_id):
            found = self._search_odoo_banks([provider.bic])
            provider.bank_id = found.get(get_whole_bic(provider.bic))

    @api.model
    def _search_odoo_banks(self, bics: list[str]) -> dict[str, int]:
        """Return Odoo's banks by their BICs, where only one bank has the BIC.

        :return: {BIC with its branch: ID}
        """
        wanted = {get_whole_bic(bic) for bic in bics if bic}
        written = wanted | {bic.removesuffix(HEAD_OFFICE) for bic in wanted}
        banks = self.env["res.bank"].search([("bic", "in", sorted(written))])
        by_bic = banks.grouped(lambda bank: get_whole_bic(bank.bic))
        return {bic: bank.id for bic, bank in by_bic.items() if len(bank) == 1}
