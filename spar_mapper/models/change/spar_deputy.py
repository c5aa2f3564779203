from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: The group of those who decide about changes.
SUPERVISOR = "spar_fa_directory.group_supervisor"


class SparDeputy(models.Model):
    """An absence of a supervisor, and who decides meanwhile.

    It gives nobody a right: any supervisor who may see the person may decide anyway.
    """

    _name = "spar.deputy"
    _description = "Deputy of a supervisor"
    _order = "date_from desc, id desc"
    _rec_name = "user_id"

    user_id = fields.Many2one(
        "res.users",
        string="Supervisor",
        required=True,
        readonly=True,
        default=lambda self: self._default_user_id(),
        ondelete="cascade",
        index=True,
    )
    deputy_id = fields.Many2one(
        "res.users",
        string="Deputy",
        domain=lambda self: self._get_deputy_domain(),
        ondelete="cascade",
        help="If empty, the changes that wait go to other supervisors.",
    )
    date_from = fields.Date(
        string="Away from", required=True, default=fields.Date.context_today
    )
    date_to = fields.Date(string="Until", required=True)

    _dates = models.Constraint(
        "CHECK (date_from <= date_to)", "An absence must end after it begins."
    )
    _not_oneself = models.Constraint(
        "CHECK (deputy_id IS NULL OR deputy_id <> user_id)",
        "Choose another supervisor as the deputy.",
    )

    @api.model
    def _default_user_id(self):
        return self.env.user

    @api.model
    def _get_deputy_domain(self):
        group = self.env.ref(SUPERVISOR, raise_if_not_found=False)
        return [("all_group_ids", "in", group.ids if group else [])]

    @api.constrains("user_id", "deputy_id")
    def _check_supervisors(self):
        """Raise ValidationError if one of them does not decide about changes."""
        for absence in self:
            users_sudo = (absence.user_id | absence.deputy_id).sudo()
            if not all(user.has_group(SUPERVISOR) for user in users_sudo):
                raise ValidationError(
                    self.env._("Only supervisors are away, and only they are deputies.")
                )

    @api.model
    def _get_away(self, today) -> dict[int, int]:
        """Return who is away on a day, and the deputy of each; 0 if there is none."""
        absences_sudo = self.sudo().search(
            [("date_from", "<=", today), ("date_to", ">=", today)], order="id"
        )
        return {each.user_id.id: each.deputy_id.id or 0 for each in absences_sudo}
