from odoo import api, fields, models


class SparSubjectLate(models.AbstractModel):
    """What the person's page says about a last change that was entered late."""

    _name = "spar.subject.late"
    _description = "Last change of a person, if it was entered late"

    late_text = fields.Char(string="Entered late", compute="_compute_late_text")

    @api.depends("last_seq", "mapping_ids")
    def _compute_late_text(self):
        for person in self:
            events = person.place_id.event_ids
            changes = events.filtered(lambda event: event.kind != "revealed")
            person.late_text = changes.sorted("seq")[-1:].late_text
