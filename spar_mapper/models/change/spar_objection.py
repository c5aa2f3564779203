from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.lib.contract import Remedy

from ...fields import BigMany2one
from ...lib.records import IN_FORCE
from .spar_change import SUPERVISOR


class SparObjection(models.Model):
    """A case: somebody stated that an event was not their doing.

    The history records the immediate remedy. Closing the case lifts the lock.
    """

    _name = "spar.objection"
    _description = "Objection"
    _inherit = ["spar.store.table", "spar.channel.name"]
    _rec_name = "reference"
    _order = "id desc"
    _log_access = False

    uuid = fields.Char(required=True, readonly=True)
    reference = fields.Char(
        compute="_compute_reference", help="The reference that the person was given."
    )
    event_id = BigMany2one(
        "spar.event", required=True, readonly=True, ondelete="restrict"
    )
    # The cases of a person are found by their places.
    mapping_id = BigMany2one(
        "spar.mapping",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    period_id = BigMany2one(
        "spar.mapping.period",
        string="Disputed period",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    remedy = fields.Selection(
        selection=lambda self: self._selection_remedy(),
        string="Immediate remedy",
        required=True,
        readonly=True,
    )
    stop = fields.Char(
        readonly=True,
        help="Which payments are stopped: all, those to one address, or none.",
    )
    is_disowned = fields.Boolean(
        string="Disowned",
        readonly=True,
        help="The address itself is disputed, not an action on it.",
    )
    lock_before = fields.Char(string="Change lock before", readonly=True)
    stop_before = fields.Boolean(string="Payments stopped before", readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("upheld", "Upheld"), ("rejected", "Rejected")],
        required=True,
        readonly=True,
        help="Upheld: somebody else made the change. Rejected: the person made it, or "
        "it was legitimate.",
    )
    made_at = fields.Datetime(string="Made at", required=True, readonly=True)
    channel = fields.Char(required=True, readonly=True)
    actor = fields.Char(required=True, readonly=True)
    on_behalf_of = fields.Char(string="On behalf of", readonly=True)
    closed_by = fields.Char(readonly=True, string="Closed by (reference)")
    closed_at = fields.Datetime(string="Closed at", readonly=True)
    close_reason = fields.Char(readonly=True, string="Reason")

    id_masked = fields.Char(related="mapping_id.id_masked", related_sudo=False)
    fa_masked = fields.Char(
        related="period_id.fa_masked", related_sudo=False, string="Disputed address"
    )
    current_masked = fields.Char(
        string="Address in force now", compute="_compute_current_masked"
    )
    event_kind = fields.Selection(
        related="event_id.kind", related_sudo=False, string="Disputed event"
    )
    event_at = fields.Datetime(
        related="event_id.happened_at", related_sudo=False, string="Happened at"
    )
    event_by = fields.Char(
        related="event_id.actor_name", related_sudo=False, string="Done by"
    )
    closer_name = fields.Char(
        string="Closed by",
        compute="_compute_closer_name",
        search="_search_closer_name",
    )

    _event_uniq = models.UniqueIndex(
        "(event_id)", "An event can have only one objection."
    )

    @api.model
    def _selection_remedy(self):
        return [
            (Remedy.CANCELLED.value, self.env._("Waiting change withdrawn")),
            (Remedy.RESTORED.value, self.env._("Previous address restored")),
            (Remedy.STOPPED.value, self.env._("Payments stopped")),
            (Remedy.NOTED.value, self.env._("Nothing to undo")),
            (
                Remedy.FROZEN.value,
                self.env._("Changes frozen, nothing undone without a login"),
            ),
        ]

    @api.depends("uuid")
    def _compute_reference(self):
        for case in self:
            case.reference = (case.uuid or "")[:8].upper()

    @api.depends("mapping_id")
    def _compute_current_masked(self):
        """Compute what now counts in the place of the disputed address, if anything."""
        for case in self:
            place = case.mapping_id
            in_force = place.filtered(lambda p: p.state in IN_FORCE)
            case.current_masked = in_force.fa_masked

    @api.depends("closed_by")
    def _compute_closer_name(self):
        names = self.env["spar.event"]._get_actor_names(self.mapped("closed_by"))
        for case in self:
            case.closer_name = names.get(case.closed_by, case.closed_by)

    @api.model
    def _search_closer_name(self, operator, values):
        return self.env["spar.event"]._build_actor_domain("closed_by", operator, values)

    def action_close(self):
        """Open the window where a supervisor decides."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Close the case"),
            "res_model": "spar.objection.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_objection_id": self.id},
        }

    def _close(self, is_upheld: bool, reason: str) -> None:
        """End the case and lift the lock; supervisors only.

        Raises AccessError, and UserError for a reason that discloses sealed values, for
        a case that is already closed, or if the user performed the disputed act.
        """
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(SUPERVISOR)
        self.mapping_id._check_reason(reason)
        with self.env["spar.staff.answers"]._raise_user_errors():
            call = mapper._build_staff_call(reason)
            mapper._close_objection(call, self.id, is_upheld)
