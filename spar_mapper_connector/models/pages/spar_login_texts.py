from odoo import api, models


class SparLoginTexts(models.AbstractModel):
    """What people read when their login at the ID provider does not succeed."""

    _name = "spar.login.texts"
    _description = "Texts about logins"

    @api.model
    def _explain(self, code: str) -> str:
        """Return what happened and what to do, in the person's own plain language.

        :param code: that of the refusal, see ``lib/oidc/exceptions.py``
        """
        texts = self._get_provider_problem_texts() | self._get_person_problem_texts()
        return texts.get(code) or self.env._(
            "The ID provider's answer could not be trusted, so you were not signed in. "
            "Try again. If it happens again, tell the office that pays you."
        )

    @api.model
    def _get_provider_problem_texts(self) -> dict[str, str]:
        """Return the texts for a login that was not completed at the provider."""
        return {
            "attempt_unknown": self.env._(
                "Signing in took too long, was already finished, or was started in "
                "another browser. Please start again."
            ),
            "too_many_attempts": self.env._(
                "You have tried to sign in many times in a few minutes. Please wait "
                "ten minutes and try again."
            ),
            "attempt_cancelled": self.env._(
                "You did not finish signing in at the ID provider. You can try again "
                "at any time."
            ),
            "provider_unavailable": self.env._(
                "The ID provider is not responding at the moment. Please try again in "
                "a few minutes."
            ),
            "provider_not_ready": self.env._(
                "Signing in with this ID provider is not possible at the moment."
            ),
            "code_refused": self.env._(
                "The ID provider did not confirm this sign-in. Please start again."
            ),
        }

    @api.model
    def _get_person_problem_texts(self) -> dict[str, str]:
        """Return the texts for problems with the person or how they authenticated."""
        return {
            "not_strong_enough": self.env._(
                "The way you signed in is not accepted here. Please sign in again and "
                "choose another way."
            ),
            "not_fresh": self.env._(
                "To change your account, you need to show the ID provider who you are "
                "again. It did not ask you this time. Please try again."
            ),
            "another_person": self.env._(
                "You used somebody else's ID, not that of the person who is signed in "
                "here. If it is your ID, sign out first."
            ),
            "no_usable_id": self.env._(
                "The ID provider did not tell us your ID number. Tell the office "
                "that pays you."
            ),
            "user_not_allowed": self.env._(
                "You are blocked from signing in. Please ask the office that pays you."
            ),
            "not_logged_in": self.env._(
                "You have been signed out in the meantime. Please sign in again."
            ),
        }
