from odoo import api, models
from odoo.exceptions import ValidationError

PRIVILEGE = "spar_fa_directory.privilege"
#: Minutes; an administrator can make them shorter, not longer.
MAX_MINUTES = {"lock_timeout": 8 * 60, "lock_timeout_inactivity": 30}


class ResGroups(models.Model):
    _inherit = "res.groups"

    @api.constrains("privilege_id", *MAX_MINUTES)
    def _check_spar_timeouts(self):
        """Raise ValidationError if the sessions of a role would last longer."""
        roles = self.filtered(
            lambda group: group.privilege_id == self.env.ref(PRIVILEGE)
        )
        for role in roles:
            for name, longest in MAX_MINUTES.items():
                if not 0 < role[name] <= longest:
                    raise ValidationError(
                        self.env._(
                            "Sessions of %(role)s end after %(n)s minutes at the "
                            "latest: %(field)s can be shorter, not longer.",
                            role=role.name,
                            n=longest,
                            field=self._fields[name].string,
                        )
                    )
