from dataclasses import replace

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.lib.contract import Result

from ..lib.caller import Caller


class SparParticipant(models.Model):
    """The strategy in which addresses are written for a participant."""

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    fa_strategy_id = fields.Many2one(
        "spar.fa.strategy",
        string="Addresses are written as",
        ondelete="restrict",
        help="Empty: as they were given. An address of another kind is not rewritten.",
    )

    def _build_caller(self, operations) -> Caller:
        caller = super()._build_caller(operations)
        number = self.sudo().fa_strategy_id.number if self.fa_strategy_id else 0
        return replace(caller, strategy_number=number)


class SparG2pConnectServer(models.AbstractModel):
    # pylint: disable=consider-merging-classes-inherited
    _inherit = "spar.g2p.connect.server"

    @api.model
    def _write_addresses(self, caller: Caller, told: list[Result]) -> None:
        """Write the disclosed addresses in the strategy that ``caller`` reads.

        An address that cannot be written in it stays as it was given: a payer that
        supports only another kind of address should still see that there is one.
        """
        found = [result for result in told if result.fa]
        if not (caller.strategy_number and found):
            return
        strategies = self.env["spar.fa.strategy"]
        addresses = strategies._read_addresses([result.fa for result in found])
        written = strategies._write_addresses(addresses, caller.strategy_number)
        for result, text in zip(found, written, strict=True):
            result.fa = text or result.fa
