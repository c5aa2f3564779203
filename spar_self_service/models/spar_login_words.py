from odoo import api, models
from odoo.tools import LazyTranslate

from ..exceptions import SelfServiceError

_lt = LazyTranslate(__name__)

#: What happened and what to do, for each code of a refusal that has words of its own.
EXPLANATIONS = {
    "attempt_unknown": _lt(
        "This login took too long, was finished already, or was begun in "
        "another browser. Please begin again."
    ),
    "attempt_cancelled": _lt(
        "You did not finish at the ID provider. You can try again whenever you like."
    ),
    "provider_unavailable": _lt(
        "The ID provider does not answer just now. Please try again in a few minutes."
    ),
    "provider_not_ready": _lt(
        "Logging in with this ID provider is not possible at the moment."
    ),
    "code_refused": _lt(
        "The ID provider did not confirm this login. Please begin again."
    ),
    "not_strong_enough": _lt(
        "Please log in again in one of the ways that are offered there: this "
        "one is not accepted here."
    ),
    "not_fresh": _lt(
        "To change your financial address, show again who you are at the ID "
        "provider. It did not ask you anew, so please try once more."
    ),
    "another_person": _lt(
        "Somebody else's ID was used than the one that is logged in here. Log "
        "out first if you are that person."
    ),
    "no_usable_id": _lt(
        "The ID provider did not tell us your ID number. Tell the office that pays you."
    ),
    "user_not_allowed": _lt(
        "Logging in is blocked for you. Please ask the office that pays you."
    ),
    "not_logged_in": _lt(
        "You have been logged out in the meantime. Please log in again."
    ),
}
UNTRUSTED = _lt(
    "The ID provider's answer could not be trusted, so you were not logged in. "
    "Try again. If it happens again, tell the office that pays you."
)


class SparLogin(models.AbstractModel):
    """What a person reads when a login did not come about."""

    _inherit = "spar.login"

    @api.model
    def _explain(self, error: SelfServiceError) -> str:
        """What happened and what to do, in the person's language, without jargon."""
        return self.env._(EXPLANATIONS.get(error.code, UNTRUSTED))
