from collections.abc import Container

from odoo import api, fields, models

#: Reveals nothing about the address: an auditor has only looked at it.
_LOOKED = "revealed"


class SparMapping(models.Model):
    """The payment state of an address, and who decided it last."""

    # One file per concern: pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.mapping"

    pay_state = fields.Selection(
        [
            ("proposed", "Proposed"),
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("stopped", "Payments stopped"),
            ("disputed", "Disputed"),
            ("closed", "Provider closed"),
            ("unreadable", "Cannot be paid"),
            ("ended", "Ended"),
        ],
        string="State",
        compute="_compute_masked",
        help="Active: it is paid to. Payments stopped: to nothing of this person. "
        "Disputed: not until a case is closed. Provider closed: not until the address "
        "is moved to its successor. Cannot be paid: it does not open.",
    )
    last_kind = fields.Selection(
        selection=lambda self: self._selection_last_kind(),
        string="Last change",
        compute="_compute_last_change",
    )
    last_by = fields.Char(string="Changed by", compute="_compute_last_change")
    last_at = fields.Datetime(string="Changed on", compute="_compute_last_change")

    @api.model
    def _selection_last_kind(self):
        return self.env["spar.event"]._selection_kind()

    def _set_pay_state(self, opened: Container[int]) -> None:
        """Set the state that is displayed; ``opened`` contains the rows that open."""
        disputed = self._filter_disputed()
        for mapping in self:
            mapping.pay_state = mapping._get_pay_state(
                mapping.id in opened, mapping in disputed
            )

    def _get_pay_state(self, is_open: bool, is_disputed: bool) -> str:
        """Return the state, or what prevents payment."""
        if self.state not in ("active", "suspended"):
            return self.state
        if not is_open:
            return "unreadable"
        is_stopped = self.subject_id.pay_stop
        if is_disputed and (is_stopped or self.state == "suspended"):
            return "disputed"
        if self.state != "active":
            return self.state
        return "stopped" if is_stopped else self._get_place_state()

    def _get_place_state(self) -> str:
        """Return whether the provider and the branch of an address still exist."""
        places = (self.provider_id.sudo(), self.branch_id.sudo())
        return "closed" if any(place.is_closed for place in places) else "active"

    def _filter_disputed(self):
        """Return those that are not paid because of an open case."""
        cases = self.env["spar.objection"].search(
            [
                ("state", "=", "open"),
                ("stop", "in", ("all", "one")),
                ("mapping_id.subject_id", "in", self.subject_id.ids),
            ]
        )
        stopped = cases.filtered(lambda case: case.stop == "all").mapping_id.subject_id
        return self.filtered(
            lambda mapping: mapping in cases.mapping_id or mapping.subject_id in stopped
        )

    @api.depends("last_seq")
    def _compute_last_change(self):
        """Compute the last change and its author; an access alone is not a change."""
        for mapping in self:
            changes = mapping.event_ids.filtered(lambda event: event.kind != _LOOKED)
            last = changes.sorted("seq")[-1:]
            mapping.last_kind = last.kind
            mapping.last_by = last.actor_name
            mapping.last_at = last.happened_at

    # === NOTIFYING === #

    def _notify_done(self, operation: str) -> dict:
        """Notify the user what applies to this period after ``operation``."""
        answers = self.env["spar.staff.answers"]
        if operation in ("link", "update", "resume") and self.pay_state != "active":
            states = dict(self._fields["pay_state"]._description_selection(self.env))
            text = self.env._(
                "Done, but nothing is paid to this address: %(state)s.",
                state=states.get(self.pay_state, ""),
            )
            return answers._notify(text, is_warning=True)
        return answers._notify(self._get_done_texts()[operation])

    @api.model
    def _get_done_texts(self) -> dict[str, str]:
        return {
            "link": self.env._("Linked. It is paid to this address from now on."),
            "update": self.env._("Changed. It is paid to the new address from now on."),
            "suspend": self.env._(
                "Suspended. Nothing is paid to this address until it is resumed."
            ),
            "resume": self.env._("Resumed. It is paid to this address again."),
            "unlink": self.env._("Unlinked. Nothing is paid to this address any more."),
        }
