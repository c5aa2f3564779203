from odoo import api, models, tools

MEMBERSHIP_FIELDS = {"user_ids", "implied_ids", "implied_by_ids"}


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.model
    @tools.ormcache(cache="groups")
    def _get_spar_role_ids(self) -> frozenset[int]:
        """Return the groups that are roles: those of SPAR's addons for people.

        A group of any addon of SPAR is one, so that an account is as well protected
        whichever addon its rights come from. Groups for service users have no
        privilege.
        """
        groups_sudo = self.sudo().browse(self._find_spar_groups())
        return frozenset(groups_sudo.filtered("privilege_id").ids)

    @api.model
    def _find_spar_groups(self) -> list[int]:
        """Return the ids of the groups that come with an addon of SPAR."""
        names_sudo = self.env["ir.model.data"].sudo()
        domain = [("model", "=", self._name), ("module", "=like", "spar\\_%")]
        return self.sudo().browse(names_sudo.search(domain).mapped("res_id")).exists().ids

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
