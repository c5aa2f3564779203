from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable

from ..lib.provisional import WHY_PROVISIONAL
from ..models.change.spar_change_look import WITNESSES


class SparChangeWizard(models.TransientModel):
    """Who vouched for a person, beside the change that a supervisor reviews."""

    _name = "spar.change.wizard"
    _inherit = ["spar.change.wizard", "spar.witness.view"]

    needs_witnesses = fields.Boolean(
        string="Witnesses must be seen", compute="_compute_witnesses"
    )
    witness_ids = fields.Many2many(
        "spar.witness", string="Witnesses, masked", compute="_compute_witnesses"
    )
    witness_warning = fields.Char(
        string="Same witnesses elsewhere", compute="_compute_witness_warning"
    )

    def _get_person(self):
        return self.change_id.mapping_id.subject_id

    @api.depends("change_id")
    def _compute_witnesses(self):
        for wizard in self:
            wizard.needs_witnesses = wizard.change_id.why == WHY_PROVISIONAL
            wizard.witness_ids = wizard._get_person().witness_ids

    @api.depends("change_id")
    def _compute_witness_warning(self):
        """Compute for how many other people the same witnesses vouched."""
        for wizard in self:
            others = wizard.witness_ids._find_others().values()
            people = set().union(*others)
            wizard.witness_warning = bool(people) and wizard._describe_others(people)

    def _describe_others(self, people: set[int]) -> str:
        same = len(people & self._find_holders())
        if same:
            return self.env._(
                "The same witnesses vouched for %(count)s other people without an ID "
                "card. Paid to the same account: %(same)s of them.",
                count=len(people),
                same=same,
            )
        return self.env._(
            "The same witnesses vouched for %(count)s other people without an ID card.",
            count=len(people),
        )

    def _find_holders(self) -> set[int]:
        """Return who else has the proposed address, or waits for it."""
        try:
            address = self.change_id._open_addresses().get(self.change_id.id)
        except ServiceUnavailable:
            return set()
        mappings = self.env["spar.mapping"]
        places = mappings._find_alike_in_force(address) if address else []
        return {place.subject_id for place in places}

    def action_show_witnesses(self):
        """Record the access, then show the witnesses in this window."""
        self.ensure_one()
        self._check_supervisor()
        self.change_id.check_access("read")
        self.env["spar.witness"]._log_view(self._get_person())
        self.env["spar.change.look"]._record(self.change_id, WITNESSES)
        self.invalidate_recordset()
        return self._reopen()

    def action_approve(self):
        """Approve the change, but of a provisional person only after the witnesses."""
        self.ensure_one()
        self._check_supervisor()
        looks = self.env["spar.change.look"]
        if self.needs_witnesses and not looks._count(self.change_id, WITNESSES):
            raise UserError(
                self.env._(
                    "Press Show the witnesses first: this person has no ID card, and "
                    "only they say who it is."
                )
            )
        return super().action_approve()
