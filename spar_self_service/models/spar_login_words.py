from odoo import api, models

from ..exceptions import SelfServiceError


class SparLogin(models.AbstractModel):
    """The texts for a person whose login has failed."""

    _inherit = "spar.login"

    @api.model
    def _explain(self, error: SelfServiceError) -> str:
        """Return what happened and what to do, in the person's own plain language."""
        known = {**self._explain_ways(), **self._explain_people()}
        return known.get(error.code) or self.env._(
            "The ID provider's answer could not be trusted, so you were not signed in. "
            "Try again. If it happens again, tell the office that pays you."
        )

    @api.model
    def _explain_ways(self) -> dict[str, str]:
        """Return the texts for a login that was not completed at the provider."""
        return {
            "attempt_unknown": self.env._(
                "Signing in took too long, was finished already, or was begun in "
                "another browser. Please begin again."
            ),
            "too_many_attempts": self.env._(
                "You have begun to sign in many times in a few minutes. Please wait "
                "ten minutes and try again."
            ),
            "attempt_cancelled": self.env._(
                "You did not finish at the ID provider. You can try again whenever "
                "you like."
            ),
            "provider_unavailable": self.env._(
                "The ID provider does not answer just now. Please try again in a "
                "few minutes."
            ),
            "provider_not_ready": self.env._(
                "Signing in with this ID provider is not possible at the moment."
            ),
            "code_refused": self.env._(
                "The ID provider did not confirm this sign-in. Please begin again."
            ),
        }

    @api.model
    def _explain_people(self) -> dict[str, str]:
        """Return the texts for problems with the person or how they authenticated."""
        return {
            "not_strong_enough": self.env._(
                "Please sign in again in one of the ways that are offered there: this "
                "one is not accepted here."
            ),
            "not_fresh": self.env._(
                "To change your financial address, show again who you are at the ID "
                "provider. It did not ask you anew, so please try once more."
            ),
            "another_person": self.env._(
                "Somebody else's ID was used than the one that is signed in here. Sign "
                "out first if you are that person."
            ),
            "no_usable_id": self.env._(
                "The ID provider did not tell us your ID number. Tell the office "
                "that pays you."
            ),
            "user_not_allowed": self.env._(
                "Signing in is blocked for you. Please ask the office that pays you."
            ),
            "not_logged_in": self.env._(
                "You have been signed out in the meantime. Please sign in again."
            ),
        }
