from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.clear_fields import ClearChar

from ..fields import BigInteger, BigMany2one

#: How long revealed values stay visible.
_SHOWN_FOR = timedelta(minutes=10)
#: What the event records as shown. It must never change: events are kept.
_SHOWN = {"fa": "address", "id": "id"}


class SparRevealWizard(models.TransientModel):
    """The full ID or address, shown to an auditor only after a trace was recorded.

    Each of the two has a trace of its own, which says what was shown.
    """

    _name = "spar.reveal.wizard"
    _description = "Reveal an address"
    _inherit = ["spar.next.person"]

    mapping_id = BigMany2one("spar.mapping", required=True, readonly=True)
    period_id = BigMany2one(
        "spar.mapping.period",
        readonly=True,
        help="If empty, the current address, or the last one.",
    )
    what = fields.Selection(
        [("fa", "Financial address"), ("id", "Beneficiary ID")],
        string="Show",
        required=True,
        default="fa",
    )
    reason = fields.Char(required=True)
    # No relation: the event was committed by another transaction, which this one does
    # not see yet.
    event_number = BigInteger(
        string="Event number",
        readonly=True,
        help="The event in the history that records the access.",
    )
    id_value = ClearChar(string="Beneficiary ID", compute="_compute_values")
    fa_value = ClearChar(string="Financial address", compute="_compute_values")

    @api.constrains("reason", "mapping_id")
    def _check_reason(self):
        """Refuse a reason that discloses sealed values: it is kept in clear."""
        for wizard in self:
            wizard.mapping_id._check_reason(wizard.reason)

    def action_reveal(self):
        """Record the access, then show the value in the same window."""
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        with self.env["spar.staff.answers"]._raise_user_errors():
            call = mapper._build_staff_call(
                self.reason, message_reference=_SHOWN[self.what]
            )
            self._as_code().event_number = mapper._log_reveal(
                call, self.mapping_id.id, self.period_id.id or None
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reveal"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    @api.depends("event_number", "mapping_id", "what")
    def _compute_values(self):
        """Compute the clear value, only after this user's recent trace of it."""
        for wizard in self:
            traced = wizard._is_traced() and wizard.what
            wizard.id_value = traced == "id" and wizard._get_id_value()
            wizard.fa_value = traced == "fa" and wizard._get_fa_value()

    def _get_id_value(self):
        shown = self.mapping_id._show().get(self.mapping_id.id)
        return shown.canonical if shown else False

    def _get_fa_value(self):
        if self.period_id:
            return self.period_id._show().get(self.period_id.id, False)
        shown = self.mapping_id._show().get(self.mapping_id.id)
        return shown.fa if shown else False

    def _get_shown_period(self):
        """Return the period whose address is shown: a trace counts for it alone."""
        return self.period_id or self.mapping_id.period_id

    def _is_traced(self) -> bool:
        """Return whether this user's own recent access to this value is recorded."""
        event = self.env["spar.event"].browse(self.event_number).exists()
        return bool(
            event
            and event.kind == "revealed"
            and event.mapping_id == self.mapping_id
            and event.message_reference == _SHOWN[self.what]
            and (self.what == "id" or event.period_id == self._get_shown_period())
            and event.actor == f"user:{self.env.uid}"
            and event.happened_at > fields.Datetime.now() - _SHOWN_FOR
        )
