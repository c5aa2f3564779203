from odoo import fields, models
from odoo.exceptions import UserError


class SparOfficeWizard(models.TransientModel):
    """A supervisor's transfer of people to an office, or out of any."""

    _name = "spar.office.wizard"
    _description = "Move people to an office"

    office_id = fields.Many2one(
        "spar.office", help="Leave empty to let all staff see these people."
    )
    reason = fields.Char(required=True)

    def action_move(self):
        """Move the people whose addresses were selected in the list."""
        self.ensure_one()
        mappings = self.env["spar.mapping"].browse(
            self.env.context.get("active_ids", [])
        )
        if not mappings:
            raise UserError(self.env._("Select people in the list first."))
        mappings.check_access("read")
        for mapping in mappings:
            mapping._check_reason(self.reason)
        mapper = self.env["spar.mapper.local"]
        with self.env["spar.staff.answers"]._raise_user_errors():
            call = mapper._build_staff_call(self.reason)
            moved = mapper._move_to_office(
                call, mappings.subject_id.ids, self.office_id
            )
        text = self.env._(
            "%(n)s people moved to %(office)s.",
            n=moved,
            office=self.office_id.name or self.env._("no office"),
        )
        return self.env["spar.staff.answers"]._notify(text)
