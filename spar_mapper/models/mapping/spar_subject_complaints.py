from odoo import api, fields, models


class SparSubjectComplaints(models.AbstractModel):
    """What the person's page offers to whoever complains, and who did what."""

    _name = "spar.subject.complaints"
    _description = "Complaints of a person"

    complaint_ids = fields.One2many("spar.complaint", "subject_id", readonly=True)
    open_complaint_count = fields.Integer(
        string="Open complaints", compute="_compute_open_complaint_count"
    )

    @api.depends("complaint_ids.state")
    def _compute_open_complaint_count(self):
        groups = self.env["spar.complaint"]._read_group(
            [("subject_id", "in", self.ids), ("state", "=", "open")],
            ["subject_id"],
            ["__count"],
        )
        counts = {subject.id: count for subject, count in groups}
        for person in self:
            person.open_complaint_count = counts.get(person.id, 0)

    def action_not_me(self):
        """Record that a change was not the person's doing."""
        return self._open_complaint("not_me")

    def action_not_paid(self):
        """Record that the person was not paid."""
        return self._open_complaint("not_paid")

    def action_stop(self):
        """Record that the person wants payments to stop."""
        return self._open_complaint("stop")

    def _open_complaint(self, kind: str) -> dict:
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Record a complaint"),
            "res_model": "spar.complaint.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subject_id": self.id, "default_kind": kind},
        }

    def action_complaints(self):
        """Open all complaints of the person."""
        return self._open_own("spar_mapper.spar_complaint_action")

    def action_who_did_what(self):
        """Open all that was done for or to the person, and by whom."""
        return self._open_own("spar_mapper.spar_event_action")

    def action_who_looked(self):
        """Open who searched for the person or saw an ID, an account or a document."""
        return self._open_own("spar_mapper.spar_look_action")

    def _open_own(self, action: str) -> dict:
        """Return a list with what belongs to this person."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(action),
            "domain": [("subject_id", "=", self.id)],
            "context": {},
        }
