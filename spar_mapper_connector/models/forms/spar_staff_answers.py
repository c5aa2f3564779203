from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import UserError

from ...exceptions import MapperError
from ...lib.contract import Outcome, Result


class SparStaffAnswers(models.AbstractModel):
    """The mapper's answers and exceptions, worded for the backend."""

    _name = "spar.staff.answers"
    _description = "Messages to staff"

    @api.model
    @contextmanager
    def _raise_user_errors(self):
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
        texts = self._get_error_texts()
        return texts.get(error.code) or self.env._("This could not be done.")

    @api.model
    def _get_error_texts(self) -> dict[str, str]:
        """Return what each exception means to staff, by error code.

        Addons with exceptions of their own add theirs.
        """
        return {
            "seal_broken": self.env._("This record cannot be opened. See the alarms."),
            "not_permitted": self.env._(
                "You do not have permission to do this. Ask an administrator."
            ),
            "not_supported": self.env._("The registry does not support this."),
            "service_unavailable": self.env._(
                "The registry is unavailable: encryption keys are missing, or a "
                "setting was altered. Nothing was changed. Contact an administrator."
            ),
            "remote_mapper": self.env._(
                "The registry is on another server and cannot be used now. Nothing was "
                "changed. Try again later; if it persists, an administrator can test "
                "the connection."
            ),
            "account_altered": self.env._(
                "Your account is closed: it was altered outside Odoo, or another user "
                "changed its second factor. A SPAR administrator can reopen it under "
                "Audit > Acts on accounts."
            ),
        }

    @api.model
    def _get_refusal(self, result: Result) -> str:
        """Return why it was not done; the text never contains the ID or the address."""
        if result.is_uncertain:
            return self.env._(
                "It is not known whether this was done: the registry did not answer. "
                "Check the address before you try again."
            )
        texts = {
            Outcome.ALREADY_LINKED: self.env._(
                "ID: it already has an address. Search for the person and change that "
                "address."
            ),
            Outcome.NOT_LINKED: self.env._("ID: no address is in force for it."),
            Outcome.INVALID_ID: self._get_id_refusal(result),
            Outcome.INVALID_FA: self._get_address_refusal(result),
            Outcome.CONFLICT: self.env._(
                "The address has changed since you opened it, or another change is "
                "waiting. Close this window, check the address and try again."
            ),
            Outcome.HELD: self.env._(
                "ID: several people have it, in different spellings. A supervisor must "
                "decide first: see IDs and accounts that coincide."
            ),
            Outcome.LOCKED: self.env._(
                "Changes to this address are locked. The person's page says who can "
                "change it."
            ),
            Outcome.FORBIDDEN: self._get_forbidden_text(result.problem),
        }
        return texts.get(result.outcome) or self.env._(
            "This could not be done. Try again."
        )

    @api.model
    def _get_forbidden_text(self, problem: str) -> str:
        """Return which rule or limit forbids it, and what to do."""
        texts = self._get_forbidden_texts()
        return texts.get(problem) or self.env._("A rule does not allow this change.")

    @api.model
    def _get_forbidden_texts(self) -> dict[str, str]:
        """Return why a change is forbidden, by problem; mappers add their own."""
        return {}

    @api.model
    def _get_id_refusal(self, result: Result) -> str:
        """Return what is wrong with the ID, and what a valid one looks like."""
        card = (result.problem_values or {}).get("look", "")
        texts = {
            "card": self.env._(
                "ID: it does not match the format on the card: %(look)s. Compare it "
                "with the document.",
                look=card,
            ),
            "check": self.env._(
                "ID: it is mistyped, or of another type. Compare it with the document."
            ),
            "placeholder": self.env._("ID: this is a placeholder, not an ID."),
            "alike": self.env._(
                "ID: it is incomplete. Enter the number on the card, or the full ID as "
                "it is sent in messages."
            ),
        }
        text = texts.get(result.problem) or self.env._(
            "ID: this is not a valid ID. Check for invisible characters or a missing "
            "part."
        )
        if not card or result.problem == "card":
            return text
        look = self.env._("On the card it looks like this: %(look)s.", look=card)
        return f"{text} {look}"

    @api.model
    def _get_address_refusal(self, result: Result) -> str:
        """Return what is wrong with the address, and what to do."""
        values = result.problem_values or {}
        texts = {
            **self._get_holder_refusals(),
            **self._get_closed_refusals(values.get("successor", "")),
            "unread": self.env._(
                "Address: it does not match any kind of address. Choose the kind and "
                "enter its parts."
            ),
            "placeholder": self.env._(
                "Address: this is a placeholder, not an address. Choose the kind and "
                "enter its parts."
            ),
            "part": self._get_part_refusal(
                values.get("part", ""), values.get("check", "")
            ),
        }
        return texts.get(result.problem) or self.env._(
            "Address: it cannot be used. Check its parts."
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
                "Provider: it has closed. Choose its successor, %(successor)s.",
                successor=successor,
            ),
            "branch_closed": self.env._(
                "Branch: it has closed. Choose another branch."
            ),
            "branch_replaced": self.env._(
                "Branch: it has closed. Choose its successor, %(successor)s.",
                successor=successor,
            ),
        }

    @api.model
    def _get_holder_refusals(self) -> dict[str, str]:
        return {
            "provider_unknown": self.env._(
                "Provider: the directory has no provider with this code. Search by "
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
                "Branch: this provider has no branch with this code. Search by name."
            ),
            "branch_archived": self.env._(
                "Branch: it is archived. Choose the branch that replaced it."
            ),
        }
