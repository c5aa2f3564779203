from odoo import api, fields, models

from ...lib.representative import get_standing


class SparSubjectRepresentatives(models.AbstractModel):
    """Who may act or collect for the person, on the person's page."""

    _name = "spar.subject.representatives"
    _description = "Guardians and collectors of a person"

    representative_ids = fields.One2many(
        "spar.representative",
        "subject_id",
        string="Guardians and collectors",
        readonly=True,
    )
    representative_text = fields.Char(
        string="Who may act for the person", compute="_compute_representative_text"
    )

    @api.depends("representative_ids.state", "representative_ids.until")
    def _compute_representative_text(self):
        """Compute a sentence on each one who counts, has expired or waits."""
        for person in self:
            person.representative_text = person.representative_ids._describe()

    def action_add_representative(self):
        """Enter somebody who may act or collect for the person."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Add a guardian or collector"),
            "res_model": "spar.representative.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subject_id": self.id},
        }

    def _find_representatives(self, day):
        """Return those who could act for the person on a day, the latest first."""
        return self.representative_ids.filtered(
            lambda row: (
                row.decided_at
                and row.state in ("active", "ended")
                and row.decided_at.date() <= day
                and get_standing("active", row.until, day) == "active"
                and not (row.ended_at and row.ended_at.date() < day)
            )
        )
