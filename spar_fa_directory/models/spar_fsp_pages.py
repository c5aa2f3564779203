from odoo import fields, models


class SparFsp(models.Model):
    """What the provider's page shows."""

    _inherit = "spar.fsp"  # pylint: disable=consider-merging-classes-inherited

    branch_count = fields.Integer(compute="_compute_branch_count")

    def _compute_branch_count(self):
        groups = self.env["spar.fsp.branch"]._read_group(
            [("provider_id", "in", self.ids)], ["provider_id"], ["__count"]
        )
        counts = {provider.id: count for provider, count in groups}
        for provider in self:
            provider.branch_count = counts.get(provider.id, 0)

    def action_open_branches(self):
        """Open the provider's branches, of which there may be a hundred thousand."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_fa_directory.spar_fsp_branch_action"
        )
        return {
            **action,
            "display_name": self.env._("Branches of %(bank)s", bank=self.display_name),
            "domain": [("provider_id", "=", self.id)],
            "context": {"default_provider_id": self.id, "hide_provider": True},
        }
