from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result


class SparStaffAnswers(models.AbstractModel):
    """What the mapper answers and raises, in the words of the backend."""

    _name = "spar.staff.answers"
    _description = "Answers to staff"

    @api.model
    @contextmanager
    def _say_errors(self):
        """Turn what the mapper raises for a whole call into a message."""
        try:
            yield
        except MapperError as error:
            raise UserError(self._get_error_text(error)) from error

    @api.model
    def _notify(self, message: str, is_warning: bool = False) -> dict:
        """Return what lets the web client say something, and read the page again."""
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
            "service_unavailable": self.env._(
                "The registry cannot be used now: its keys are not there. Nothing was "
                "changed. Tell an administrator."
            ),
            "seal_broken": self.env._("This does not open: see the alarms."),
            "not_permitted": self.env._(
                "You may not do this: ask an administrator for the right."
            ),
            "no_such_change": self.env._("This change does not wait any more."),
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
        }
        return texts.get(error.code) or self.env._("This could not be done.")

    @api.model
    def _get_refusal(self, result: Result) -> str:
        """Why it was not done; never with the ID or the address."""
        texts = {
            Outcome.ALREADY_LINKED: self.env._(
                "ID: it has an address already. Search for it and change that one."
            ),
            Outcome.NOT_LINKED: self.env._("ID: it has no address in force."),
            Outcome.INVALID_ID: self.env._(
                "ID: this cannot be an ID. Look for spaces, invisible characters, or a "
                "missing part."
            ),
            Outcome.INVALID_FA: self._get_address_refusal(result),
            Outcome.CONFLICT: self.env._(
                "The address has changed since you opened it, or another change waits. "
                "Close this, look again, and repeat."
            ),
            Outcome.LOCKED: self.env._("Changes of this address are locked."),
            Outcome.FORBIDDEN: self.env._("A rule does not allow this change."),
        }
        return texts.get(result.outcome) or self.env._(
            "This could not be done. Try again."
        )

    @api.model
    def _get_address_refusal(self, result: Result) -> str:
        """What is wrong with the address, and what to do."""
        part = (result.problem_values or {}).get("part", "")
        texts = {
            **self._get_holder_refusals(),
            "unread": self.env._(
                "Address: it is written like no kind of address. Choose the kind and "
                "fill in its parts."
            ),
            "part": self.env._(
                "%(part)s: it does not pass its check. Compare it with the document.",
                part=part,
            ),
        }
        return texts.get(result.problem) or self.env._(
            "Address: it cannot be used; see its parts."
        )

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
