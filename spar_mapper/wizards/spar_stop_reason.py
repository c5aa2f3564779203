from odoo import api, fields, models
from odoo.exceptions import UserError


class SparStopReason(models.AbstractModel):
    """The part of a form in which staff say why payments are stopped or resumed.

    A reason from a list can be counted, and compared by whoever approves it. The text
    that the officer adds is needed only for a reason that is not on the list.
    """

    _name = "spar.stop.reason"
    _description = "Reason for stopping or resuming payments"

    suspend_reason = fields.Selection(
        [
            ("asked", "The person asked for it"),
            ("account", "The account is closed, blocked or lost"),
            ("returned", "Payments were returned"),
            ("fraud", "Suspected fraud"),
            ("absent", "The person cannot be found, or may have died"),
            ("eligibility", "The person is not eligible at present"),
            ("other", "Another reason"),
        ],
        string="Reason for suspending",
    )
    resume_reason = fields.Selection(
        [
            ("asked", "The person asked for it"),
            ("account", "The account can be used again"),
            ("settled", "The doubt was settled"),
            ("mistake", "It was suspended by mistake"),
            ("other", "Another reason"),
        ],
        string="Reason for resuming",
    )
    unlink_reason = fields.Selection(
        [
            ("asked", "The person asked for it"),
            ("account", "The account is closed or lost, and there is no other yet"),
            ("wrong_person", "It was linked to the wrong person"),
            ("died", "The person has died"),
            ("left", "The person has left the programme"),
            ("other", "Another reason"),
        ],
        string="Reason for unlinking",
    )

    @api.model
    def _get_reason_fields(self) -> dict[str, str]:
        """Return the field with the list of reasons, by operation."""
        return {
            "suspend": "suspend_reason",
            "resume": "resume_reason",
            "unlink": "unlink_reason",
        }

    def _get_listed_reason(self, details: str) -> str:
        """Return the chosen reason in words, with ``details`` if there are any.

        An operation without a list has only ``details``. Raises UserError if nothing
        was chosen, or nothing was added to a reason that is not on the list.
        """
        name = self._get_reason_fields().get(self.operation)
        if not name:
            return details
        chosen = self[name]
        if not chosen:
            raise UserError(self.env._("Reason: choose one from the list."))
        if chosen == "other":
            if not details:
                raise UserError(self.env._("Details: describe the reason."))
            return details
        label = dict(self._fields[name]._description_selection(self.env))[chosen]
        return f"{label}. {details}" if details else label
