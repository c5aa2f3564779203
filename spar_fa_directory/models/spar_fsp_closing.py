from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class SparFsp(models.Model):
    """A provider that can close, with another one taking over."""

    _name = "spar.fsp"
    _inherit = ["spar.fsp", "spar.directory.closing"]

    successor_id = fields.Many2one(
        "spar.fsp",
        index="btree_not_null",
        ondelete="restrict",
        help="The provider of the same kind that took over the accounts.",
    )
    has_branches = fields.Boolean(compute="_compute_has_branches")

    @api.constrains("successor_id", "kind")
    def _check_successor_kind(self):
        predecessors = self.search([("successor_id", "in", self.ids)])
        for provider in (self | predecessors).filtered("successor_id"):
            if provider.successor_id.kind != provider.kind:
                raise ValidationError(
                    provider.env._(
                        "%(successor)s is of another kind than %(provider)s, so it "
                        "cannot take over.",
                        successor=provider.successor_id.display_name,
                        provider=provider.display_name,
                    )
                )

    @api.depends("branch_ids.active", "branch_ids.closed_on")
    def _compute_has_branches(self):
        """Compute whether there is a branch that a new address can name."""
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        domain = Domain("provider_id", "in", self.ids) & _OPEN
        groups = branches_sudo._read_group(domain, ["provider_id"])
        with_branches = {provider.id for (provider,) in groups}
        for provider in self:
            provider.has_branches = provider._origin.id in with_branches


class SparFspBranch(models.Model):
    """A branch that can close, with another one taking over."""

    _name = "spar.fsp.branch"
    _inherit = ["spar.fsp.branch", "spar.directory.closing"]

    successor_id = fields.Many2one(
        "spar.fsp.branch",
        index="btree_not_null",
        ondelete="restrict",
        help="The branch that took over the accounts: of this provider, or of another "
        "one of its kind.",
    )

    @api.constrains("successor_id", "provider_id")
    def _check_successor_kind(self):
        for branch in self.filtered("successor_id"):
            if branch.successor_id.provider_id.kind != branch.provider_id.kind:
                raise ValidationError(
                    branch.env._(
                        "%(successor)s belongs to a provider of another kind, so it "
                        "cannot take over.",
                        successor=branch.successor_id.display_name,
                    )
                )


_OPEN = Domain("active", "=", True) & Domain("is_closed", "=", False)
