from odoo import api, fields, models
from odoo.tools import format_date

from ...store.joining import fetch_unjoined


class SparSubjectProvisional(models.AbstractModel):
    """What the page says about somebody without an ID card, and what comes next."""

    _name = "spar.subject.provisional"
    _description = "Person without an ID card"

    provisional_ids = fields.One2many(
        "spar.provisional",
        "subject_id",
        string="Provisional references",
        readonly=True,
    )
    joining_ids = fields.One2many("spar.joining", "subject_id", readonly=True)
    witness_ids = fields.One2many(
        "spar.witness",
        "subject_id",
        string="Witnesses",
        readonly=True,
        groups="spar_fa_directory.group_supervisor,spar_fa_directory.group_auditor",
    )
    is_provisional = fields.Boolean(
        string="Provisional", compute="_compute_provisional"
    )
    provisional_reference = fields.Char(
        string="Provisional reference", compute="_compute_provisional"
    )
    provisional_text = fields.Char(
        string="What is next", compute="_compute_provisional"
    )
    waiting_joining_id = fields.Many2one(
        "spar.joining", string="ID card that waits", compute="_compute_provisional"
    )

    @api.depends("identifier_ids", "merged_into", "place_state", "joining_ids.state")
    def _compute_provisional(self):
        """Compute these together, because they depend on the same IDs."""
        type_id = self.env["spar.id.type"]._get_provisional_type_id()
        unjoined = fetch_unjoined(self.env.cr, self.ids, type_id)
        for person in self:
            known = person.provisional_ids[:1]
            waiting = person.joining_ids.filtered(lambda one: one.state == "waiting")
            person.provisional_reference = known.reference
            person.waiting_joining_id = waiting[:1]
            person.is_provisional = bool(
                known and person.id in unjoined and not person.merged_into
            )
            person.provisional_text = (
                person.is_provisional and person._get_provisional_text(known)
            )

    def _get_provisional_text(self, known) -> str:
        """Return since when the person is provisional, and the next step."""
        day = format_date(self.env, known.registered_at)
        if self.waiting_joining_id:
            return self.env._(
                "Registered without an ID card on %(day)s. The card has come: a "
                "supervisor has to approve it.",
                day=day,
            )
        if self.place_state == "proposed":
            return self.env._(
                "Registered without an ID card on %(day)s. A supervisor has to approve "
                "it; nothing is paid until then.",
                day=day,
            )
        if known.is_overdue:
            return self.env._(
                "Registered without an ID card %(count)s days ago, which is too long. "
                "Ask the person for the card, and press Add the ID card.",
                count=known.age_days,
            )
        return self.env._(
            "Registered without an ID card on %(day)s. When the card comes, press Add "
            "the ID card.",
            day=day,
        )

    def action_add_id(self):
        """Enter the ID card of somebody who had none."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Add the ID card"),
            "res_model": "spar.joining.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subject_id": self.id},
        }

    def action_review_id(self):
        """Review the ID card that waits, as a supervisor."""
        self.ensure_one()
        return self.waiting_joining_id.action_review()

    def action_show_witnesses(self):
        """Record the access, then show the witnesses, to supervisors and auditors."""
        self.ensure_one()
        self.env["spar.witness"]._log_view(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Witnesses"),
            "res_model": "spar.witness.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subject_id": self.id},
        }
