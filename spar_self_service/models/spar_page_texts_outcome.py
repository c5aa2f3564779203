from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

#: Outcomes with which a draft is carried out.
_DONE = (Outcome.LINKED.value, Outcome.UPDATED.value, Outcome.UNLINKED.value)
#: The person's ID belongs to several records, until staff decide.
CONTESTED = "contested"
#: What prevents payments to an account that was saved.
PAYMENTS_STOPPED = "payments_stopped"


class SparPageTexts(models.AbstractModel):
    """The result of a draft: done, or a plain reason and what to do."""

    _inherit = "spar.page.texts"

    @api.model
    def _get_outcome(self, draft) -> dict:
        """Return the texts of the last page: title, text, advice and ``is_done``."""
        if draft.problem == CONTESTED:
            title = self.env._("Nothing was changed")
            text, advice = self._get_refusal(Outcome.LOCKED.value, CONTESTED)
        elif draft.outcome == Outcome.HELD.value:
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
            "text": self.env._("It counts from today, %(day)s.", day=day),
            "advice": self.env._(
                "Payments already prepared may still go to your old account."
            )
            if draft.outcome == Outcome.UPDATED.value
            else self.env._("Your next payment goes there."),
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
        look = self.env._("Look at it again, then decide.")
        office = self.env._("Go to your welfare office with your ID card.")
        meanwhile = self.env._("Your account was changed by somebody else meanwhile.")
        added = self.env._("An account was added by somebody else meanwhile.")
        gone = self.env._("There is no account to change any more.")
        locked = self.env._("Your account is locked, so that nobody can change it.")
        unusable = self.env._("This account cannot be used for payments.")
        again = self.env._("Look at the number again, or choose another account.")
        return {
            Outcome.CONFLICT.value: (meanwhile, look),
            Outcome.ALREADY_LINKED.value: (added, look),
            Outcome.NOT_LINKED.value: (gone, self.env._("Look again.")),
            Outcome.LOCKED.value: (locked, office),
            Outcome.INVALID_FA.value: (unusable, again),
            Outcome.INVALID_ID.value: (
                self.env._("Your ID cannot be used here."),
                office,
            ),
        }
