from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.contract import (
    HistoryEvent,
    ObjectionAnswer,
    Operation,
    Remedy,
    WaitingChange,
)


class SparPageTexts(models.AbstractModel):
    """Texts on what happened to an account, pending changes and objections."""

    _inherit = "spar.page.texts"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _get_event_text(self, kind: str) -> str:
        """Return what happened, in general words for a backend's own kinds of event."""
        texts = self._get_account_texts() | self._get_request_texts()
        return texts.get(kind) or self.env._("Something about your account changed.")

    @api.model
    def _get_account_texts(self) -> dict[str, str]:
        """Return what happened to an account, by kind of event."""
        return {
            "linked": self.env._("Your account was added."),
            "updated": self.env._("Your account was changed to this one."),
            "updated_suspended": self.env._(
                "Your account was changed to this one. Payments stayed stopped."
            ),
            "moved": self.env._(
                "The bank, wallet or branch of your account has closed. Your account "
                "was moved to this one."
            ),
            "moved_suspended": self.env._(
                "The bank, wallet or branch of your account has closed. Your account "
                "was moved to this one. Payments stayed stopped."
            ),
            "restored": self.env._("Your earlier account was brought back."),
            "restored_suspended": self.env._(
                "Your earlier account was brought back. Payments stayed stopped."
            ),
            "replaced": self.env._("Your account was changed to another one."),
            "unlinked": self.env._("Your account was removed."),
            "suspended": self.env._("Payments to your account were stopped."),
            "resumed": self.env._("Payments to your account started again."),
            "revealed": self.env._("Your whole account number was looked at."),
        }

    @api.model
    def _get_request_texts(self) -> dict[str, str]:
        """Return what was requested or stated, and its result, by kind of event."""
        return {
            "held": self.env._("Somebody asked for a change. It had to wait."),
            "change_cancelled": self.env._("A change that waited was called off."),
            "change_refused": self.env._("A change that waited was refused."),
            "change_expired": self.env._("A change that waited ran out of time."),
            "change_stale": self.env._("A change that waited was overtaken."),
            "proposed": self.env._("Somebody asked to add an account."),
            "objected": self.env._("You said that something was not done by you."),
            "objection_confirmed": self.env._(
                "You logged in and confirmed that something was not done by you."
            ),
            "objection_upheld": self.env._(
                "Our staff looked at it: it was not done by you."
            ),
            "objection_rejected": self.env._(
                "Our staff looked at it: everything was in order."
            ),
        }

    @api.model
    def _get_who_text(self, event: HistoryEvent) -> str:
        """Return who did it, as far as a person needs to know."""
        texts = {
            "portal": self.env._("By you, on these pages"),
            "agent": self.env._("By you, with the help of our staff"),
            "staff": self.env._("By our staff"),
            "rest": self.env._("By a programme or a bank"),
            "schedule": self.env._("By itself, when its time had come"),
            "notice": self.env._("By the link in a message to you"),
        }
        return texts.get(event.channel) or self.env._("By another system")

    @api.model
    def _get_waiting_text(self, change: WaitingChange) -> str:
        """Return a change that is not in force yet, and when it will be."""
        if change.effective_at:
            day = self._get_moment(change.effective_at)
            if change.operation is Operation.UNLINK:
                return self.env._("Your account will be removed on %(day)s.", day=day)
            return self.env._("From %(day)s, payments will go here:", day=day)
        if change.operation is Operation.UNLINK:
            return self.env._(
                "Somebody asked to remove your account. Our staff check it."
            )
        return self.env._("Somebody asked for this account. Our staff check it.")

    # === OBJECTION === #

    @api.model
    def _get_remedy_text(self, remedy: Remedy) -> str:
        """Return what was done at once when a person objected."""
        return {
            Remedy.CANCELLED: self.env._("The change that waited will not happen."),
            Remedy.RESTORED: self.env._("Your earlier account counts again."),
            Remedy.STOPPED: self.env._(
                "Nothing is paid to this account until our staff have spoken with you."
            ),
            Remedy.NOTED: self.env._(
                "Nothing could be undone by itself. Our staff will look at it."
            ),
            Remedy.FROZEN: self.env._("Nothing is undone yet, and nothing is lost."),
        }[remedy]

    @api.model
    def _get_case_text(self, answer: ObjectionAnswer) -> str:
        """Return how far an objection has come."""
        if answer.is_closed:
            return self.env._("You said this was not you. Our staff have decided.")
        if answer.needs_login:
            return self.env._(
                "It was said that this was not you, but you have not signed in to "
                "confirm it: nothing is undone yet. Say it here. Your case: %(case)s",
                case=answer.reference,
            )
        return self.env._(
            "You said this was not you. Our staff look at it. Your case: %(case)s",
            case=answer.reference,
        )
