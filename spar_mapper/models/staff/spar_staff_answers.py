from odoo import api, models

from ...lib import staff_limits
from ...lib.assessment import NO_EVIDENCE
from ...lib.locks import NOT_OWNER
from ...lib.offices import OTHER_OFFICE
from ...store.changing import NOT_ISSUED


class SparStaffAnswers(models.AbstractModel):
    """What the exceptions and rules of the store mean to staff."""

    _inherit = "spar.staff.answers"

    @api.model
    def _get_error_texts(self):
        return {
            **super()._get_error_texts(),
            "row_broken": self.env._("This record cannot be opened. See the alarms."),
            "no_such_change": self.env._("This change is no longer waiting."),
            "change_frozen": self.env._(
                "This person has an open objection. Close that case first: until then, "
                "the change can be neither applied nor cancelled."
            ),
            "not_for_approval": self.env._(
                "This change waits for its scheduled time and cannot be approved "
                "earlier."
            ),
            "same_person": self.env._(
                "You proposed this change. Another person must approve it."
            ),
            **self._get_part_texts(),
            "own_doing": self.env._(
                "You made or approved the disputed change. Another person must close "
                "this case."
            ),
            "own_case": self.env._(
                "You recorded this case. Another supervisor must decide it."
            ),
            "no_such_objection": self.env._("This case is already closed."),
            **self._get_undecidable_texts(),
        }

    @api.model
    def _get_part_texts(self) -> dict[str, str]:
        """Return why somebody who takes part in a case may not decide it."""
        return {
            "takes_part_filler": self.env._(
                "You filled in the paper form of this change. Another supervisor must "
                "decide."
            ),
            "takes_part_witness": self.env._(
                "You are named as a witness of this person. Somebody else must do "
                "this, also if the witness is another person with your name."
            ),
            "takes_part_collector": self.env._(
                "You are named as a guardian or collector of this person. Somebody "
                "else must do this, also if it is another person with your name."
            ),
        }

    @api.model
    def _get_undecidable_texts(self) -> dict[str, str]:
        """Return why records that coincide cannot be decided on, by error code."""
        return {
            "not_decidable_gone": self.env._(
                "One of these IDs has since been switched off or moved to another "
                "person."
            ),
            "not_decidable_objection": self.env._(
                "One of these people has an open objection. Close it first."
            ),
            "not_decidable_apart": self.env._(
                "These records no longer coincide, so nothing was changed."
            ),
            "not_decidable_broken": self.env._(
                "One of these records cannot be verified. See the alarms."
            ),
        }

    @api.model
    def _get_id_refusal(self, result):
        if result.problem != NOT_ISSUED:
            return super()._get_id_refusal(result)
        return self.env._(
            "ID: this provisional reference was not issued. Compare it with the "
            "receipt, or register the person without an ID card."
        )

    @api.model
    def _get_forbidden_texts(self):
        return {
            **super()._get_forbidden_texts(),
            staff_limits.CHANGES: self.env._(
                "You have reached the limit of changes in 24 hours. Ask a colleague or "
                "a supervisor to make this change."
            ),
            staff_limits.PROVIDER: self.env._(
                "You have reached the limit of people moved to this provider in 24 "
                "hours. Ask a colleague or a supervisor to make this change."
            ),
            staff_limits.ACCOUNT: self.env._(
                "You have reached the limit of people moved to this account in 24 "
                "hours. Compare the account with the document, and ask a supervisor."
            ),
            OTHER_OFFICE: self.env._(
                "This person belongs to another office. Ask a colleague there, or ask "
                "a supervisor to move the person to your office."
            ),
            NOT_OWNER: self.env._(
                "Only the beneficiary, or staff who have seen the person's document, "
                "can lift this lock."
            ),
            NO_EVIDENCE: self.env._(
                "Document: attach a picture or a scan of the person's document. A rule "
                "requires it."
            ),
        }
