from datetime import datetime

import pytz

from odoo import api, models
from odoo.tools.misc import format_date, format_time

from odoo.addons.spar_mapper_connector.lib.contract import (
    HistoryEvent,
    ObjectionAnswer,
    Operation,
    Outcome,
    Remedy,
    WaitingChange,
)

#: Outcomes of a draft after which it is done.
_DONE = (Outcome.LINKED.value, Outcome.UPDATED.value, Outcome.UNLINKED.value)


class SparPageTexts(models.AbstractModel):
    """What happened and what to do, in plain words and the reader's language."""

    _name = "spar.page.texts"
    _description = "Texts of the beneficiary's pages"

    # === TIME === #

    @api.model
    def _localise(self, moment: datetime) -> datetime:
        """Naive UTC as the reader's clock shows it."""
        company_sudo = self.env.company.sudo()
        name = self.env.context.get("tz") or company_sudo.partner_id.tz or "UTC"
        return pytz.utc.localize(moment).astimezone(pytz.timezone(name))

    @api.model
    def _get_day(self, moment: datetime) -> str:
        """The day, written out."""
        day = self._localise(moment).date()
        return format_date(self.env, day, date_format="long")

    @api.model
    def _get_moment(self, moment: datetime) -> str:
        """The day and the time."""
        local = self._localise(moment)
        clock = format_time(self.env, local.time(), time_format="short")
        return self.env._("%(day)s, %(time)s", day=self._get_day(moment), time=clock)

    # === QUESTIONS === #

    @api.model
    def _get_step_text(self, number: int, count: int) -> str:
        """How far one is; empty while nobody knows how many questions there are."""
        if count < 2:
            return ""
        return self.env._("Step %(number)s of %(count)s", number=number, count=count)

    @api.model
    def _get_choice_text(self, label: str) -> str:
        """The question for a provider or a branch."""
        return self.env._("Choose: %(label)s", label=label)

    @api.model
    def _get_again_text(self, label: str) -> str:
        """The label of what is typed a second time."""
        return self.env._("%(label)s, once more", label=label)

    # === HISTORY === #

    @api.model
    def _get_event_text(self, kind: str) -> str:
        """What happened; in general words where a backend knows kinds of its own."""
        texts = {
            "linked": self.env._("Your account was added."),
            "updated": self.env._("Your account was changed to this one."),
            "updated_suspended": self.env._(
                "Your account was changed to this one. Payments stayed stopped."
            ),
            "restored": self.env._("Your earlier account was brought back."),
            "restored_suspended": self.env._(
                "Your earlier account was brought back. Payments stayed stopped."
            ),
            "unlinked": self.env._("Your account was removed."),
            "suspended": self.env._("Payments to your account were stopped."),
            "resumed": self.env._("Payments to your account started again."),
            "held": self.env._("Somebody asked for a change. It had to wait."),
            "change_cancelled": self.env._("A change that waited was called off."),
            "change_refused": self.env._("A change that waited was refused."),
            "change_expired": self.env._("A change that waited ran out of time."),
            "change_stale": self.env._("A change that waited was overtaken."),
            "revealed": self.env._("Your whole account number was looked at."),
            "proposed": self.env._("Somebody asked to add an account."),
            "replaced": self.env._("Your account was changed to another one."),
            "objected": self.env._("You said that something was not done by you."),
            "objection_upheld": self.env._(
                "Our staff looked at it: it was not done by you."
            ),
            "objection_rejected": self.env._(
                "Our staff looked at it: everything was in order."
            ),
        }
        return texts.get(kind) or self.env._("Something about your account changed.")

    @api.model
    def _get_who_text(self, event: HistoryEvent) -> str:
        """Who did it, as far as a person needs to know."""
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
        """A change that is not in force yet, and when it will be."""
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
        """What was done at once when somebody said: this was not me."""
        return {
            Remedy.CANCELLED: self.env._("The change that waited will not happen."),
            Remedy.RESTORED: self.env._(
                "Your earlier account counts again. Payments go there."
            ),
            Remedy.STOPPED: self.env._(
                "Nothing is paid to this account until our staff have spoken with you."
            ),
            Remedy.NOTED: self.env._(
                "Nothing could be undone by itself. Our staff will look at it."
            ),
        }[remedy]

    @api.model
    def _get_case_text(self, answer: ObjectionAnswer) -> str:
        """How far an objection has come."""
        if answer.is_closed:
            return self.env._("You said this was not you. Our staff have decided.")
        return self.env._(
            "You said this was not you. Our staff look at it. Your case: %(case)s",
            case=answer.reference,
        )

    # === WHAT CAME OF A DRAFT === #

    @api.model
    def _get_outcome(self, draft) -> dict:
        """The words of the last page: title, text, advice; ``is_done`` or not."""
        if draft.outcome == Outcome.HELD.value:
            title = self.env._("Your change has to wait")
            text = self.env._("It counts after our staff have looked at it.")
            advice = self.env._("Until then nothing changes.")
        elif draft.outcome in _DONE:
            return self._get_success(draft) | {"is_done": True}
        else:
            title = self.env._("Nothing was changed")
            text, advice = self._get_refusal(draft.outcome, draft.problem or "")
        return {"title": title, "text": text, "advice": advice, "is_done": False}

    @api.model
    def _get_success(self, draft) -> dict:
        day = self._get_day(draft.closed_at)
        if draft.outcome == Outcome.UNLINKED.value:
            return {
                "title": self.env._("Your account was removed"),
                "text": self.env._("This counts from today, %(day)s.", day=day),
                "advice": self.env._(
                    "Payments already prepared may still go to your old account. "
                    "Without an account nobody can pay you."
                ),
            }
        return {
            "title": self.env._("Your account is saved"),
            "text": self.env._("It counts from today, %(day)s.", day=day),
            "advice": self.env._(
                "Payments already prepared may still go to your old account."
            )
            if draft.outcome == Outcome.UPDATED.value
            else self.env._("Your next payment goes there."),
        }

    @api.model
    def _get_refusal(self, outcome: str, problem: str) -> tuple[str, str]:
        """Why a change was not made, and what to do: two plain sentences or so."""
        reasons = {
            Outcome.CONFLICT.value: (
                self.env._("Your account was changed by somebody else meanwhile."),
                self.env._("Look at it again, then decide."),
            ),
            Outcome.ALREADY_LINKED.value: (
                self.env._("An account was added by somebody else meanwhile."),
                self.env._("Look at it again, then decide."),
            ),
            Outcome.NOT_LINKED.value: (
                self.env._("There is no account to change any more."),
                self.env._("Look again."),
            ),
            Outcome.LOCKED.value: (
                self.env._("Your account is locked, so that nobody can change it."),
                self.env._("Go to your welfare office with your ID card."),
            ),
            Outcome.INVALID_FA.value: (
                self.env._("This account cannot be used for payments."),
                self.env._("Look at the number again, or choose another account."),
            ),
            Outcome.INVALID_ID.value: (
                self.env._("Your ID cannot be used here."),
                self.env._("Go to your welfare office with your ID card."),
            ),
        }
        return reasons.get(outcome) or (
            self.env._("The rules of this registry do not allow this change."),
            self.env._("Go to your welfare office with your ID card."),
        )
