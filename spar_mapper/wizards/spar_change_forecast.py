from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Operation,
)

from ..lib.assessment import (
    NO_EVIDENCE,
    Assessment,
    Decision,
    Proposal,
    Proposer,
    Situation,
)
from ..lib.locks import OWNER_LOCK, passes
from ..lib.waiting import OBJECTION_LOCK


class SparChangeForecast(models.AbstractModel):
    """The part of a form that says what will happen.

    It decides nothing: the mapper assesses the change again when the officer confirms.
    """

    _name = "spar.change.forecast"
    _description = "Forecast of a change"
    _inherit = ["spar.id.entry"]

    forecast = fields.Char(
        string="What happens when you confirm", compute="_compute_forecast"
    )

    # === WHAT WILL HAPPEN === #

    @api.depends("operation", "has_evidence", "mapping_id", "is_provisional")
    def _compute_forecast(self):
        for form in self:
            if form._is_locked():
                form.forecast = form._describe_lock()
                continue
            try:
                form.forecast = form._describe(form._assess_now())
            except MapperError as error:
                answers = self.env["spar.staff.answers"]
                form.forecast = answers._get_error_text(error)

    def _get_authority(self) -> Authority:
        return Authority.STAFF if self.has_evidence else Authority.PROGRAMME

    def _is_locked(self) -> bool:
        """Return whether the person's lock refuses the change, whatever the rules."""
        subject = self.mapping_id.subject_id
        if not subject or not self.operation:
            return False
        call = CallContext("", "staff", self._get_authority())
        return not passes(subject.change_lock, Operation(self.operation), call)

    def _describe_lock(self) -> str:
        if self.mapping_id.subject_id.change_lock == OBJECTION_LOCK:
            return self.env._(
                "It is refused: an objection is open. A supervisor must close the case "
                "first."
            )
        return self.env._(
            "It is refused: changes are locked. See the person's document first."
        )

    def _assess_now(self) -> Assessment:
        """Return the assessment by the rules, as if a required document was there."""
        place, person = self.mapping_id, self.mapping_id.subject_id
        call = CallContext(f"user:{self.env.uid}", "staff", self._get_authority())
        stop = place._get_stop() if place else None
        situation = Situation(
            place.authority if place else None,
            is_locked=person.change_lock == OWNER_LOCK,
            is_provisional=self.is_provisional or person.is_provisional,
            stop_authority=stop.get_needed_authority(call) if stop else None,
            is_stopped_by_two=bool(stop and stop.is_by_two),
        )
        proposer = Proposer(call.channel, call.authority, has_evidence=True)
        proposal = Proposal(self.operation or "", proposer, situation)
        return self.env["spar.mapper.local"]._assess(proposal)

    def _describe(self, assessment: Assessment) -> str:
        if assessment.decision is Decision.REFUSE:
            if assessment.why == NO_EVIDENCE:
                return self.env._("It is refused without the person's document.")
            return self.env._("It is refused: a rule does not allow it.")
        if assessment.decision is Decision.APPLY:
            return self._get_effects().get(self.operation, "")
        until = self._describe_until()
        if assessment.decision is Decision.HOLD:
            return self.env._(
                "It waits %(hours)s hours. %(until)s",
                hours=assessment.hold_hours,
                until=until,
            )
        return self.env._("It waits for a supervisor. %(until)s", until=until)

    def _describe_until(self) -> str:
        """Return what holds while the change waits."""
        if self.mapping_id.state == "suspended" and self.operation != "unlock":
            return self.env._("Until then, nothing is paid.")
        return self._get_until_texts().get(self.operation, "")

    @api.model
    def _get_effects(self) -> dict[str, str]:
        """Return what a change does that counts at once, by operation."""
        return {
            "link": self.env._("It counts at once: payments go to this address."),
            "update": self.env._("It counts at once: payments go to the new address."),
            "suspend": self.env._("It counts at once: nothing is paid until resumed."),
            "resume": self.env._("It counts at once: payments go on."),
            "unlink": self.env._("It counts at once: nothing is paid any more."),
        }

    @api.model
    def _get_until_texts(self) -> dict[str, str]:
        """Return what holds while a change waits, by operation."""
        return {
            "link": self.env._("Until then, nothing is paid."),
            "update": self.env._("Until then, payments go to the address in force."),
            "suspend": self.env._("Until then, payments continue."),
            "resume": self.env._("Until then, nothing is paid."),
            "unlink": self.env._("Until then, payments continue."),
            "unlock": self.env._("Until then, changes stay locked."),
        }
