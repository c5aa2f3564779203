from datetime import timedelta

from odoo import api, fields, models

#: How long what was revealed can be seen.
_SHOWN_FOR = timedelta(minutes=10)


class SparRevealWizard(models.TransientModel):
    """An auditor sees an ID and an address whole, and leaves a trace of it first."""

    _name = "spar.reveal.wizard"
    _description = "Reveal an address"

    mapping_id = fields.Many2one("spar.mapping", required=True, readonly=True)
    reason = fields.Char(required=True)
    event_number = fields.Integer(
        readonly=True,
        help="The trace in the history. No relation: it was committed by another "
        "transaction, which this one does not see yet.",
    )
    id_value = fields.Char(string="Beneficiary ID", compute="_compute_values")
    fa_value = fields.Char(string="Financial address", compute="_compute_values")

    @api.constrains("reason", "mapping_id")
    def _check_reason(self):
        """The reason is kept in clear: it may not give away what is sealed."""
        for wizard in self:
            wizard.mapping_id._check_told(wizard.reason)

    def action_reveal(self):
        """Record it, then show it in the same window."""
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        call = mapper._build_staff_call(self.reason)
        with self.env["spar.staff.answers"]._say_errors():
            self.event_number = mapper._log_reveal(call, self.mapping_id.id)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reveal"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    @api.depends("event_number", "mapping_id")
    def _compute_values(self):
        """Clear values, shown only behind a fresh trace of this person."""
        for wizard in self:
            opened = {}
            if wizard._is_traced():
                mappings = self.env["spar.mapping"]
                opened = mappings._unseal_values(wizard.mapping_id.ids)
            values = opened.get(wizard.mapping_id.id, (False, False))
            wizard.id_value, wizard.fa_value = values

    def _is_traced(self) -> bool:
        """Whether this user's own look at this mapping is in the history, just now."""
        event = self.env["spar.event"].browse(self.event_number).exists()
        return bool(
            event
            and event.kind == "revealed"
            and event.mapping_id == self.mapping_id
            and event.actor == f"user:{self.env.uid}"
            and event.happened_at > fields.Datetime.now() - _SHOWN_FOR
        )
