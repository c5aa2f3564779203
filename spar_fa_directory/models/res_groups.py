from odoo import api, models, tools

from ..lib.role_ticks import split_privilege

#: The groups of ours that are no roles: of service users, with whom nobody logs in.
SERVICE_GROUPS = (
    "spar_g2p_connect.group_server",
    "spar_mapper_connector.group_channel",
)
MEMBERSHIP_FIELDS = {"user_ids", "implied_ids", "implied_by_ids"}


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.model
    @tools.ormcache(cache="groups")
    def _get_spar_role_ids(self) -> frozenset[int]:
        """Return the groups that are roles: those of SPAR's addons for people.

        A group of any addon of SPAR is one, so that an account is as well protected
        whichever addon its rights come from.
        """
        names = self._find_spar_names()
        return frozenset(names[name] for name in names.keys() - set(SERVICE_GROUPS))

    @api.model
    def _find_spar_names(self) -> dict[str, int]:
        """Return the groups that come with an addon of SPAR, by their external IDs."""
        names_sudo = self.env["ir.model.data"].sudo()
        domain = [("model", "=", self._name), ("module", "=like", "spar\\_%")]
        return {name.complete_name: name.res_id for name in names_sudo.search(domain)}

    @api.model
    def _get_view_group_hierarchy(self):
        """Let the form of a user offer each role on its own, to be ticked."""
        hierarchy = super()._get_view_group_hierarchy()
        privilege = self.env.ref("spar_fa_directory.privilege")
        return split_privilege(hierarchy, privilege.id)

    @api.model_create_multi
    def create(self, vals_list):
        with self.env["spar.group.log"]._log_changes(self) as groups:
            groups = super(ResGroups, groups).create(vals_list)
        return groups.with_env(self.env)

    def write(self, vals):
        if not MEMBERSHIP_FIELDS & vals.keys():
            return super().write(vals)
        with self.env["spar.group.log"]._log_changes(self) as groups:
            return super(ResGroups, groups).write(vals)

    def unlink(self):
        with self.env["spar.group.log"]._log_changes(self) as groups:
            return super(ResGroups, groups).unlink()
