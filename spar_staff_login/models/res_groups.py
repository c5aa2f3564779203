from odoo import api, models
from odoo.exceptions import ValidationError

from ..lib import sessions

PRIVILEGE = "spar_fa_directory.privilege"
#: The setting of the minutes after which every screen of staff is locked; 0: as the
#: roles say.
IDLE_MINUTES = "spar_staff_login.idle_minutes"
#: Minutes; an administrator can make them shorter, not longer.
MAX_MINUTES = {
    "lock_timeout": 8 * 60,
    "lock_timeout_inactivity": sessions.MOST_MINUTES,
}
#: Whether the end of a session asks for the second factor, too.
_ASKS_FACTOR = {"lock_timeout": True, "lock_timeout_inactivity": False}


class ResGroups(models.Model):
    _inherit = "res.groups"

    def _get_lock_timeouts(self):
        """Return the times of these groups; a role's are not longer, whatever is set.

        Roles of other addons of SPAR have no times of their own.
        """
        found = super()._get_lock_timeouts()
        if self._get_spar_role_ids().isdisjoint(self._ids):
            return found
        limited = dict(found)
        for name, minutes in self._get_longest_minutes().items():
            times, longest = found.get(name, []), minutes * 60
            if not times or times[0][0] > longest:
                limited[name] = [(longest, _ASKS_FACTOR[name]), *times]
        return limited

    @api.model
    def _get_longest_minutes(self) -> dict[str, int]:
        """Return the longest times of a role; the setting can only shorten them."""
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        idle = sessions.read_idle_minutes(parameters_sudo.get_param(IDLE_MINUTES))
        return {**MAX_MINUTES, "lock_timeout_inactivity": idle}

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
