from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable

from ..lib import seals


class SparChange(models.Model):
    """The fields of a pending change that users see."""

    _inherit = "spar.change"

    proposer_name = fields.Char(
        string="Proposed by",
        compute="_compute_proposer_name",
        search="_search_proposer_name",
    )
    id_masked = fields.Char(related="mapping_id.id_masked", string="Beneficiary ID")
    current_masked = fields.Char(
        related="mapping_id.fa_masked", string="Address in force"
    )
    fa_masked = fields.Char(string="Proposed address", compute="_compute_fa_masked")
    decider_name = fields.Char(
        string="Decided by",
        compute="_compute_proposer_name",
        search="_search_decider_name",
    )
    why_text = fields.Char(string="Waits because", compute="_compute_why_text")

    @api.depends("uuid")
    def _compute_display_name(self):
        for change in self:
            change.display_name = self.env._(
                "Change %(reference)s", reference=(change.uuid or "")[:8]
            )

    @api.depends("proposer", "decided_by")
    def _compute_proposer_name(self):
        actors = [*self.mapped("proposer"), *self.mapped("decided_by")]
        names = self.env["spar.event"]._get_actor_names(actors)
        for change in self:
            change.proposer_name = names.get(change.proposer, change.proposer)
            change.decider_name = names.get(change.decided_by, change.decided_by)

    @api.model
    def _search_proposer_name(self, operator, values):
        return self.env["spar.event"]._build_actor_domain("proposer", operator, values)

    @api.model
    def _search_decider_name(self, operator, values):
        events = self.env["spar.event"]
        return events._build_actor_domain("decided_by", operator, values)

    @api.depends("why")
    def _compute_why_text(self):
        """Compute the law or rule that made the change wait, in words."""
        texts = {
            "lower_authority": self.env._(
                "the address rests on the word of a higher authority"
            ),
            "no_rule": self.env._("no rule lets it pass"),
        }
        for change in self:
            kind, _colon, number = (change.why or "").partition(":")
            rule = self.env["spar.change.rule"].browse(int(number or 0)).exists()
            change.why_text = texts.get(kind) or rule.name or change.why

    @api.depends("uuid")
    def _compute_fa_masked(self):
        """Open the address for this display only; empty if the change has none."""
        try:
            keyring = self.env["spar.keyring"]._open()
        except ServiceUnavailable:
            self.fa_masked = self.env._("The keyring is away")
            return
        query = SQL("SELECT id, sealed FROM spar_change WHERE id = ANY(%s)", self.ids)
        contexts = self._get_seal_contexts(keyring, self.ids)
        texts = seals.unseal_all(keyring, self.env.execute_query(query), contexts)
        for change in self:
            fa, _details = seals.unpack(texts.get(change.id, ""))
            masks = self.env["spar.fa.strategy"]._mask_addresses([fa] if fa else [])
            change.fa_masked = "".join(masks)
