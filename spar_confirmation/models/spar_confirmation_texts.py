from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.contract import (
    LinkRequest,
    ObjectionRequest,
    Outcome,
    Remedy,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
    VisitRequest,
)
from odoo.addons.spar_mapper_connector.lib.pages.lines import AddressLine

from ..lib.digits import find_number
from .spar_confirmation import PAYMENTS_STOPPED

#: Outcomes with which the change is made.
_DONE = (
    Outcome.LINKED,
    Outcome.UPDATED,
    Outcome.UNLINKED,
    Outcome.LOCK_LIFTED,
)
#: Outcomes after which the account is another one than the person saw.
_OVERTAKEN = (Outcome.CONFLICT, Outcome.ALREADY_LINKED, Outcome.NOT_LINKED)


class SparConfirmationTexts(models.AbstractModel):
    """What people read on the page of review, in plain language."""

    _name = "spar.confirmation.texts"
    _description = "Texts of the page of review"

    # === THE REVIEW === #

    @api.model
    def _get_review(self, confirmation) -> dict:
        """Return everything that the page shows of an open proposal.

        Raises ConfirmationAltered.
        """
        content = confirmation._get_content()
        request = content.proposal.request
        old = self.env["spar.confirmation.login"]._get_own_address(confirmation)
        return {
            "is_objection": isinstance(request, ObjectionRequest),
            "is_unlock": isinstance(request, UnlockRequest),
            "is_visit": isinstance(request, VisitRequest),
            "is_removal": isinstance(request, UnlinkRequest),
            "is_replacing": isinstance(request, UpdateRequest),
            "request_text": self._get_request_text(content),
            "is_helped": bool(content.proposal.officer),
            "has_new": isinstance(request, LinkRequest),
            "new_lines": self._describe_rest(request),
            "old_lines": self.env["spar.address.words"]._describe(old) if old else [],
            "clients": confirmation._get_clients(content.proposal),
        }

    @api.model
    def _get_request_text(self, content) -> str:
        """Return who asks for what; "" for the pages of this database."""
        portals_sudo = self.env["spar.confirmation.portal"].sudo()
        name = portals_sudo.browse(content.portal_id or ()).exists().name
        if not name:
            return ""
        # Apart from the direction of writing around it.
        asker = f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"
        if isinstance(content.proposal.request, ObjectionRequest):
            return self.env._(
                "%(asker)s asks to undo a change of your account that you did not "
                "make.",
                asker=asker,
            )
        if isinstance(content.proposal.request, VisitRequest):
            return self.env._("%(asker)s asks to show you your account.", asker=asker)
        if isinstance(content.proposal.request, UnlockRequest):
            return self.env._(
                "%(asker)s asks to unlock your account.",
                asker=asker,
            )
        if isinstance(content.proposal.request, UnlinkRequest):
            return self.env._(
                "%(asker)s asks to remove the account that you are paid to.",
                asker=asker,
            )
        return self.env._(
            "%(asker)s asks that your payments go to this account from now on.",
            asker=asker,
        )

    @api.model
    def _describe_new(self, request) -> list[AddressLine]:
        """Return the proposed address and what travels with it, whole."""
        if not isinstance(request, LinkRequest):
            return []
        lines = self._describe_address(request)
        details = (
            (self.env._("Name"), request.details.name, False),
            (self.env._("Phone number"), request.details.phone_number, True),
        )
        return lines + [
            AddressLine(label, text, is_number=is_number)
            for label, text, is_number in details
            if text
        ]

    @api.model
    def _get_marked_line(self, request) -> AddressLine:
        """Return the line that the digits stand in.

        It is the new account's number, whatever the kind of account; without a new
        account, the words for what is confirmed.
        """
        if isinstance(request, LinkRequest):
            lines = self._describe_address(request)
            return lines[find_number(lines)]
        texts = {
            UnlinkRequest: self.env._("Remove my account"),
            UnlockRequest: self.env._("Unlock my account"),
            ObjectionRequest: self.env._("I did not make this change"),
        }
        return AddressLine(self.env._("What you confirm"), texts[type(request)])

    @api.model
    def _say_digits(self, digits: str) -> str:
        """Return what a screen reader says of the digits."""
        return self.env._("Three digits to type: %(digits)s", digits=digits)

    @api.model
    def _describe_rest(self, request) -> list[AddressLine]:
        """Return the lines of the proposed address but for the marked one."""
        lines = self._describe_new(request)
        if lines:
            lines.pop(find_number(self._describe_address(request)))
        return lines

    @api.model
    def _describe_address(self, request) -> list[AddressLine]:
        return self.env["spar.address.words"]._describe(request.fa, whole=True)

    # === THE RESULT === #

    @api.model
    def _get_result(self, confirmation) -> dict:
        """Return the page of a proposal that is decided: texts, old and new lines."""
        if confirmation.remedy:
            shown = self._get_objection_result(Remedy(confirmation.remedy))
            disputed = confirmation._get_before()
            words = self.env["spar.address.words"]
            lines = words._describe(disputed) if disputed else []
            return {**shown, "disputed_lines": lines}
        outcome = Outcome(confirmation.outcome)
        is_done = outcome in _DONE
        title, text, advice = self._get_result_texts(outcome)
        if is_done and confirmation.problem == PAYMENTS_STOPPED:
            text, advice = self._get_stopped_texts()
        before = confirmation._get_before()
        words = self.env["spar.address.words"]
        request = confirmation._get_content().proposal.request
        return {
            "title": title,
            "text": text,
            "advice": advice,
            "is_done": is_done,
            "disputed_lines": [],
            "old_lines": words._describe(before) if before and is_done else [],
            "new_lines": self._describe_new(request) if is_done else [],
        }

    @api.model
    def _get_objection_result(self, remedy: Remedy) -> dict:
        texts = {
            Remedy.CANCELLED: self.env._("The pending change will not be made."),
            Remedy.RESTORED: self.env._("Payments go to your earlier account again."),
            Remedy.STOPPED: self.env._(
                "Nothing is paid to this account until our staff have spoken with you."
            ),
        }
        undone = self.env._("We could not undo it automatically.")
        return {
            "title": self.env._("We have noted that this was not you"),
            "text": texts.get(remedy, undone),
            "advice": self.env._("Nobody can change your account now."),
            "is_done": remedy in texts,
            "old_lines": [],
            "new_lines": [],
        }

    @api.model
    def _get_result_texts(self, outcome: Outcome) -> tuple[str, str, str]:
        """Return title, text and advice."""
        nothing = self.env._("Nothing was changed")
        if outcome is Outcome.UNLINKED:
            return (
                self.env._("Your account was removed"),
                self.env._("Without an account nobody can pay you."),
                self.env._(
                    "Payments already prepared may still go to your old account."
                ),
            )
        if outcome in (Outcome.LINKED, Outcome.UPDATED):
            return (
                self.env._("Your account is saved"),
                self.env._("Your payments go to this account from now on."),
                self.env._("Payments already prepared may still go elsewhere."),
            )
        if outcome is Outcome.LOCK_LIFTED:
            return (
                self.env._("Your account is unlocked"),
                self.env._("Others can ask to change your account again."),
                self.env._("You can lock it again at any time."),
            )
        if outcome is Outcome.HELD:
            return (
                self.env._("Your change has to wait"),
                self.env._("It will take effect after our staff have checked it."),
                self.env._("Until then, nothing changes."),
            )
        if outcome in _OVERTAKEN:
            return (
                nothing,
                self.env._("Your account was changed in the meantime."),
                self.env._("Go back, look at your account and start again."),
            )
        return (
            nothing,
            self.env._("The rules of this registry do not allow this change."),
            self.env._("Go to your welfare office with your ID card."),
        )

    @api.model
    def _get_stopped_texts(self) -> tuple[str, str]:
        return (
            self.env._("Nothing is paid to you at the moment"),
            self.env._(
                "Payments to your account were stopped. Go to your welfare office "
                "with your ID card if you do not know why."
            ),
        )

    # === PROBLEMS === #

    @api.model
    def _explain(self, code: str) -> str:
        """Return what happened, by the code of an error of these pages or of a login.

        Each text is about a page on which nothing was changed.
        """
        return self._get_problem_texts().get(code) or self.env[
            "spar.login.texts"
        ]._explain(code)

    @api.model
    def _get_problem_texts(self) -> dict[str, str]:
        return {
            "unknown": self.env._(
                "This page does not exist, or it is no longer kept. Go back to where "
                "you started and begin again."
            ),
            "expired": self.env._(
                "This page was open for too long. Go back to where you started and "
                "begin again."
            ),
            "cancelled": self.env._("You stopped this change."),
            "wrong_digits": self.env._(
                "Wrong digits were typed too many times. Go back to where you "
                "started and begin again."
            ),
            "visit_cancelled": self.env._("You stopped this sign-in."),
            "another_browser": self.env._(
                "This page was opened in another browser first, or you were signed out "
                "in the meantime. To protect you, it cannot be continued here. Go back "
                "to where you started and begin again."
            ),
            "altered": self.env._(
                "What was to be confirmed here is damaged and cannot be used. Go back "
                "to where you started and begin again."
            ),
            "try_later": self.env._(
                "The registry is busy at the moment. Please try again in a few minutes."
            ),
            "another_person": self.env._(
                "This change is for somebody else’s account. You showed who you are, "
                "but not as that person. If somebody sent you this page, do not "
                "continue."
            ),
            "not_fresh": self.env._(
                "The ID provider did not ask you to show who you are just now. It has "
                "to, for each change. Please try again."
            ),
            "token_refused": self.env._(
                "The ID provider’s answer does not belong to this change, so it was "
                "not used. Please try again. If it happens again, tell the office that "
                "pays you."
            ),
            "attempt_unknown": self.env._(
                "Showing who you are took too long, was already finished, or was "
                "started in another browser. Go back to where you started and look at "
                "your account before you begin again."
            ),
        }
