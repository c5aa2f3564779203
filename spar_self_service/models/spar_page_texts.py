from datetime import datetime

import pytz

from odoo import api, models
from odoo.tools.misc import format_date, format_time

from odoo.addons.spar_mapper_connector.lib.contract import (
    PROCESSING,
    HistoryEvent,
    ObjectionAnswer,
    Operation,
    Outcome,
    Remedy,
    WaitingChange,
)

from ..lib.overview import VIEWED

#: Outcomes with which a draft is carried out.
_CARRIED_OUT = (Outcome.LINKED.value, Outcome.UPDATED.value, Outcome.UNLINKED.value)
#: The person's ID belongs to several records, until staff decide.
CONTESTED = "contested"
#: What prevents payments to an account that was saved.
PAYMENTS_STOPPED = "payments_stopped"


class SparPageTexts(models.AbstractModel):
    """What happened and what to do, as plain texts in the reader's language."""

    _name = "spar.page.texts"
    _description = "Texts of the beneficiary's pages"

    # === TIME === #

    @api.model
    def _localise(self, moment: datetime) -> datetime:
        """Return naive UTC as the time on the reader's clock."""
        company_sudo = self.env.company.sudo()
        name = self.env.context.get("tz") or company_sudo.partner_id.tz or "UTC"
        return pytz.utc.localize(moment).astimezone(pytz.timezone(name))

    @api.model
    def _get_day(self, moment: datetime) -> str:
        """Return the day, written out."""
        day = self._localise(moment).date()
        return format_date(self.env, day, date_format="long")

    @api.model
    def _get_moment(self, moment: datetime) -> str:
        """Return the day and the time; UTC is named, as it is not the local time."""
        local = self._localise(moment)
        clock = format_time(self.env, local.time(), time_format="short")
        if local.tzname() == "UTC":
            clock = f"{clock} UTC"
        return self.env._("%(day)s, %(time)s", day=self._get_day(moment), time=clock)

    # === QUESTIONS === #

    @api.model
    def _get_step_text(self, number: int, count: int) -> str:
        """Return the progress; empty while the number of questions is unknown."""
        if count < 2:
            return ""
        return self.env._("Step %(number)s of %(count)s", number=number, count=count)

    @api.model
    def _get_choice_text(self, label: str) -> str:
        """Return the question for a provider or a branch."""
        return self.env._("Choose: %(label)s", label=label)

    @api.model
    def _get_again_text(self, label: str) -> str:
        """Return the label of the field for the repeated entry."""
        return self.env._("%(label)s (enter it again)", label=label)

    # === HISTORY === #

    @api.model
    def _get_event_text(self, kind: str) -> str:
        """Return what happened, in general words for a backend's own kinds of event."""
        texts = self._get_account_texts() | self._get_request_texts()
        texts |= self._get_representative_texts()
        return texts.get(kind) or self.env._("Something about your account changed.")

    @api.model
    def _get_advice(self, kind: str) -> str:
        """Return what to do about an event that cannot be undone, or ""."""
        if kind == VIEWED:
            return self.env._("If you do not know why, ask at your welfare office.")
        return ""

    @api.model
    def _get_account_texts(self) -> dict[str, str]:
        """Return what happened to an account, by kind of event."""
        return {
            "linked": self.env._("Your account was added."),
            "updated": self.env._("Your account was changed to this one."),
            "updated_suspended": self.env._(
                "Your account was changed to this one. Payments remained stopped."
            ),
            "moved": self.env._(
                "The bank, wallet or branch of your account has closed. Your account "
                "was moved to this one."
            ),
            "moved_suspended": self.env._(
                "The bank, wallet or branch of your account has closed. Your account "
                "was moved to this one. Payments remained stopped."
            ),
            "restored": self.env._("Your earlier account was brought back."),
            "restored_suspended": self.env._(
                "Your earlier account was brought back. Payments remained stopped."
            ),
            "replaced": self.env._("Your account was changed to another one."),
            "unlinked": self.env._("Your account was removed."),
            "suspended": self.env._("Payments to your account were stopped."),
            "resumed": self.env._("Payments to your account started again."),
            VIEWED: self.env._("Your full account number was viewed."),
        }

    @api.model
    def _get_representative_texts(self) -> dict[str, str]:
        """Return what changed about who may act for a person; it names nobody."""
        return {
            "representative_approved": self.env._(
                "Somebody was entered who may act or collect for you."
            ),
            "representative_ended": self.env._(
                "Somebody may no longer act or collect for you."
            ),
            "representative_taken_over": self.env._(
                "Two records about you were joined. Who may act or collect for you by "
                "the earlier one still may."
            ),
        }

    @api.model
    def _get_request_texts(self) -> dict[str, str]:
        """Return what was requested or stated, and its result, by kind of event."""
        return {
            "held": self.env._("Somebody asked for a change. It had to wait."),
            "change_cancelled": self.env._("A pending change was cancelled."),
            "change_refused": self.env._("A pending change was refused."),
            "change_expired": self.env._("A pending change expired."),
            "change_stale": self.env._(
                "A pending change was overtaken by another one."
            ),
            "proposed": self.env._("Somebody asked to add an account."),
            "changes_locked": self.env._(
                "Your account was locked, so that nobody but you can change it."
            ),
            "changes_unlocked": self.env._("Your account was unlocked."),
            "lock_lifted": self.env._(
                "Our staff unlocked your account: two people decided it."
            ),
            "objected": self.env._("You reported something that you did not do."),
            "objection_confirmed": self.env._(
                "You signed in and confirmed that this was not you."
            ),
            "objection_upheld": self.env._("Our staff looked into it: it was not you."),
            "objection_rejected": self.env._(
                "Our staff looked into it: everything was in order."
            ),
        }

    @api.model
    def _get_actor_text(self, event: HistoryEvent) -> str:
        """Return who did it, as far as a person needs to know."""
        texts = {
            "portal": self.env._("By you, on these pages"),
            "agent": self.env._("By you, with the help of our staff"),
            "staff": self.env._("By our staff"),
            "rest": self.env._("By a programme or a bank"),
            "schedule": self.env._("Automatically, at the scheduled time"),
            "notice": self.env._("Through the link in a message to you"),
        }
        if event.kind == "objected" and event.channel == "rest":
            # From a website elsewhere, before the person confirmed it here.
            return self.env._("In your name, on a website")
        return texts.get(event.channel) or self.env._("By another system")

    @api.model
    def _get_waiting_text(self, change: WaitingChange) -> str:
        """Return a change that is not in force yet, and when it will be."""
        if change.effective_at:
            day = self._get_moment(change.effective_at)
            if change.operation is Operation.UNLINK:
                return self.env._("Your account will be removed on %(day)s.", day=day)
            return self.env._("From %(day)s, payments will go here:", day=day)
        if change.operation is Operation.UNLOCK:
            return self.env._(
                "Our staff were asked to unlock your account. They are checking this."
            )
        if change.operation is Operation.UNLINK:
            return self.env._(
                "Somebody asked to remove your account. Our staff are checking this."
            )
        return self.env._(
            "Somebody asked for payments to go to this account. Our staff are checking "
            "this."
        )

    # === OBJECTION === #

    @api.model
    def _get_remedy_text(self, remedy: Remedy) -> str:
        """Return what was done at once when a person objected."""
        return {
            Remedy.CANCELLED: self.env._("The pending change will not be made."),
            Remedy.RESTORED: self.env._("Payments go to your earlier account again."),
            Remedy.STOPPED: self.env._(
                "Nothing is paid to this account until our staff have spoken with you."
            ),
            Remedy.NOTED: self.env._("We could not undo it automatically."),
            Remedy.FROZEN: self.env._(
                "Nothing has been undone yet, and nothing has been lost."
            ),
        }[remedy]

    @api.model
    def _get_case_text(self, answer: ObjectionAnswer) -> str:
        """Return how far an objection has come."""
        if answer.is_closed:
            return self.env._("You said this was not you. Our staff have decided.")
        if answer.needs_login:
            return self.env._(
                "Somebody used the link in your message to say that this was not you. "
                "You have not confirmed it yet, so nothing has been undone. Confirm "
                "it here. Your case: %(case)s",
                case=answer.reference,
            )
        return self.env._(
            "You said this was not you. Our staff are looking into it. Your case: "
            "%(case)s",
            case=answer.reference,
        )

    # === RESULT OF A DRAFT === #

    @api.model
    def _get_outcome(self, draft) -> dict:
        """Return the texts of the last page: title, text, advice and ``is_done``."""
        if draft.problem == CONTESTED:
            title = self.env._("Nothing was changed")
            text, advice = self._get_refusal(Outcome.LOCKED.value, CONTESTED)
        elif draft.outcome == Outcome.HELD.value:
            title = self.env._("Your change has to wait")
            text = self._get_held_text(draft.problem)
            advice = self.env._("Until then, nothing changes.")
        elif draft.outcome in _CARRIED_OUT:
            return self._get_success(draft) | {"is_done": True}
        else:
            title = self.env._("Nothing was changed")
            text, advice = self._get_refusal(draft.outcome, draft.problem or "")
        return {"title": title, "text": text, "advice": advice, "is_done": False}

    @api.model
    def _get_held_text(self, problem: str | None) -> str:
        """Return what a change that was accepted waits for."""
        if problem == PROCESSING:
            return self.env._("It takes effect once it has been processed.")
        return self.env._("It will take effect after our staff have checked it.")

    @api.model
    def _get_success(self, draft) -> dict:
        day = self._get_day(draft.closed_at)
        if draft.outcome == Outcome.UNLINKED.value:
            return {
                "title": self.env._("Your account was removed"),
                "text": self.env._("This takes effect today, %(day)s.", day=day),
                "advice": self.env._(
                    "Payments already prepared may still go to your old account. "
                    "Without an account nobody can pay you."
                ),
            }
        if draft.problem == PAYMENTS_STOPPED:
            return {
                "title": self.env._("Your account is saved"),
                "text": self.env._("Nothing is paid to you at the moment"),
                "advice": self.env._(
                    "Payments to your account were stopped. Go to your welfare office "
                    "with your ID card if you do not know why."
                ),
            }
        return {
            "title": self.env._("Your account is saved"),
            "text": self.env._("It takes effect today, %(day)s.", day=day),
            "advice": self.env._(
                "Payments already prepared may still go to your old account."
            )
            if draft.outcome == Outcome.UPDATED.value
            else self.env._("Your next payment will go there."),
        }

    @api.model
    def _get_refusal(self, outcome: str, problem: str) -> tuple[str, str]:
        """Return why a change was not made, and what to do, in plain sentences."""
        reasons = self._get_reasons()
        if outcome == Outcome.INVALID_FA.value:
            unusable, again = reasons[outcome]
            texts = self.env["spar.fa.type"]._get_error_texts()
            return texts.get(problem, unusable), again
        if outcome in reasons:
            return reasons[outcome]
        return (
            self.env._("The rules of this registry do not allow this change."),
            self.env._("Go to your welfare office with your ID card."),
        )

    @api.model
    def _get_reasons(self) -> dict[str, tuple[str, str]]:
        """Return, by outcome, what happened and what to do."""
        look = self.env._("Check it, then decide.")
        office = self.env._("Go to your welfare office with your ID card.")
        meanwhile = self.env._("In the meantime, somebody else changed your account.")
        added = self.env._("In the meantime, somebody else added an account.")
        gone = self.env._("There is no account to change any more.")
        locked = self.env._("Your account is locked, so that nobody can change it.")
        unusable = self.env._("This account cannot be used for payments.")
        again = self.env._("Check the number, or choose another account.")
        return {
            Outcome.CONFLICT.value: (meanwhile, look),
            Outcome.ALREADY_LINKED.value: (added, look),
            Outcome.NOT_LINKED.value: (
                gone,
                self.env._("See what happened to your account."),
            ),
            Outcome.LOCKED.value: (locked, office),
            Outcome.INVALID_FA.value: (unusable, again),
            Outcome.INVALID_ID.value: (
                self.env._("Your ID cannot be used here."),
                office,
            ),
        }
