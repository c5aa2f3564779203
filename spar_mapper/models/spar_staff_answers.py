from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result

from ..lib import staff_limits
from ..lib.assessment import NO_EVIDENCE
from ..lib.offices import OTHER_OFFICE


class SparStaffAnswers(models.AbstractModel):
    """The mapper's answers and exceptions, worded for the backend."""

    _name = "spar.staff.answers"
    _description = "Answers to staff"

    @api.model
    @contextmanager
    def _say_errors(self):
        """Turn exceptions of the mapper for a whole call into a message."""
        try:
            yield
        except MapperError as error:
            raise UserError(self._get_error_text(error)) from error

    @api.model
    def _notify(self, message: str, is_warning: bool = False) -> dict:
        """Return the client action that shows a message and reloads the page."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if is_warning else "success",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _get_error_text(self, error: MapperError) -> str:
        texts = {
            "seal_broken": self.env._("This does not open: see the alarms."),
            "row_broken": self.env._("This does not open: see the alarms."),
            "not_permitted": self.env._(
                "You may not do this: ask an administrator for the right."
            ),
            "no_such_change": self.env._("This change does not wait any more."),
            "change_frozen": self.env._(
                "This person has an open objection: close that case first. Until then "
                "the change neither happens nor is called off."
            ),
            "not_for_approval": self.env._(
                "This change waits for its time, which nobody shortens."
            ),
            "same_person": self.env._(
                "You proposed this change: somebody else must approve it."
            ),
            "own_doing": self.env._(
                "You did what is disputed: somebody else must close this case."
            ),
            "no_such_objection": self.env._("This case is closed already."),
            **self._get_closed_texts(),
            **self._get_undecidable_texts(),
        }
        return texts.get(error.code) or self.env._("This could not be done.")

    @api.model
    def _get_closed_texts(self) -> dict[str, str]:
        """Return why nothing works just now, or for this account, by error code."""
        return {
            "service_unavailable": self.env._(
                "The registry cannot be used now: its keys are not there, or a setting "
                "was altered. Nothing was changed. Tell an administrator."
            ),
            "account_altered": self.env._(
                "Your account is closed: it was altered past Odoo, or somebody else "
                "changed its second factor. An administrator of SPAR can open it under "
                "Audit, Acts on accounts."
            ),
        }

    @api.model
    def _get_undecidable_texts(self) -> dict[str, str]:
        """Return why records that coincide cannot be decided on, by error code."""
        return {
            "not_decidable_gone": self.env._(
                "One of these IDs was switched off, or given away, meanwhile."
            ),
            "not_decidable_objection": self.env._(
                "One of these people has an open objection: close it first."
            ),
            "not_decidable_apart": self.env._(
                "These records no longer coincide, so nothing was changed."
            ),
            "not_decidable_broken": self.env._(
                "One of these records cannot be verified: see the alarms."
            ),
        }

    @api.model
    def _get_refusal(self, result: Result) -> str:
        """Return why it was not done; the text never contains the ID or the address."""
        texts = {
            Outcome.ALREADY_LINKED: self.env._(
                "ID: it has an address already. Search for it and change that one."
            ),
            Outcome.NOT_LINKED: self.env._("ID: it has no address in force."),
            Outcome.INVALID_ID: self._get_id_refusal(result),
            Outcome.INVALID_FA: self._get_address_refusal(result),
            Outcome.CONFLICT: self.env._(
                "The address has changed since you opened it, or another change waits. "
                "Close this, look again, and repeat."
            ),
            Outcome.HELD: self.env._(
                "ID: it is that of several people here, in different spellings. A "
                "supervisor has to decide first: see IDs and accounts that coincide."
            ),
            Outcome.LOCKED: self.env._("Changes of this address are locked."),
            Outcome.FORBIDDEN: self._get_forbidden_text(result.problem),
        }
        return texts.get(result.outcome) or self.env._(
            "This could not be done. Try again."
        )

    @api.model
    def _get_forbidden_text(self, problem: str) -> str:
        """Return which rule or limit forbids it, and what to do."""
        texts = {
            staff_limits.CHANGES: self.env._(
                "You have made as many changes as one person may in 24 hours. Ask a "
                "colleague or a supervisor to make this one."
            ),
            staff_limits.PROVIDER: self.env._(
                "You have given as many people an account with this provider as one "
                "person may in 24 hours. Ask a colleague or a supervisor to make this "
                "change."
            ),
            staff_limits.ACCOUNT: self.env._(
                "You have given this same account to as many people as one person may "
                "in 24 hours. Compare it with the document, and ask a supervisor."
            ),
            OTHER_OFFICE: self.env._(
                "This person belongs to another office. Ask a colleague there, or a "
                "supervisor to move the person to yours."
            ),
            NO_EVIDENCE: self.env._(
                "Document: attach a picture or a scan of the person's document. A rule "
                "asks for it."
            ),
        }
        return texts.get(problem) or self.env._("A rule does not allow this change.")

    @api.model
    def _get_id_refusal(self, result: Result) -> str:
        """Return what is wrong with the ID, and what a valid one looks like."""
        look = (result.problem_values or {}).get("look", "")
        texts = {
            "card": self.env._(
                "ID: it does not look as it does on the card: %(look)s. Compare it "
                "with the document.",
                look=look,
            ),
            "check": self.env._(
                "ID: it is mistyped, or of another kind. Compare it with the document."
            ),
            "placeholder": self.env._("ID: this is a placeholder, not an ID."),
            "alike": self.env._(
                "ID: it is not complete. Enter the number on the card, or the whole ID "
                "as it travels."
            ),
        }
        return texts.get(result.problem) or self.env._(
            "ID: this cannot be an ID. Look for invisible characters, or a missing "
            "part."
        )

    @api.model
    def _get_address_refusal(self, result: Result) -> str:
        """Return what is wrong with the address, and what to do."""
        values = result.problem_values or {}
        texts = {
            **self._get_holder_refusals(),
            **self._get_closed_refusals(values.get("successor", "")),
            "unread": self.env._(
                "Address: it is written like no kind of address. Choose the kind and "
                "fill in its parts."
            ),
            "placeholder": self.env._(
                "Address: this is a placeholder, not an address. Choose the kind and "
                "fill in its parts."
            ),
            "part": self._get_part_refusal(
                values.get("part", ""), values.get("check", "")
            ),
        }
        return texts.get(result.problem) or self.env._(
            "Address: it cannot be used; see its parts."
        )

    @api.model
    def _get_part_refusal(self, part: str, check: str) -> str:
        """Return what is wrong with a part, under its label in the form."""
        parts = self.env["spar.fa.type.part"].search([("key", "=", part)], limit=1)
        problem = self.env["spar.fa.type"]._get_problem_text(check)
        return self.env._(
            "%(part)s: %(problem)s", part=parts.label or part, problem=problem
        )

    @api.model
    def _get_closed_refusals(self, successor: str) -> dict[str, str]:
        return {
            "provider_closed": self.env._(
                "Provider: it has closed. Ask the person for another account."
            ),
            "provider_replaced": self.env._(
                "Provider: it has closed. %(successor)s has taken over: choose that "
                "one.",
                successor=successor,
            ),
            "branch_closed": self.env._("Branch: it has closed. Choose another one."),
            "branch_replaced": self.env._(
                "Branch: it has closed. %(successor)s has taken over: choose that one.",
                successor=successor,
            ),
        }

    @api.model
    def _get_holder_refusals(self) -> dict[str, str]:
        return {
            "provider_unknown": self.env._(
                "Provider: the directory has none with this code. Search for it by "
                "name."
            ),
            "provider_archived": self.env._(
                "Provider: it is archived. Ask the person for another account."
            ),
            "provider_kind": self.env._(
                "Provider: it has no addresses of this kind. Choose another kind or "
                "another provider."
            ),
            "branch_unknown": self.env._(
                "Branch: this provider has none with this code. Search for it by name."
            ),
            "branch_archived": self.env._(
                "Branch: it is archived. Choose the one that took its place."
            ),
        }
