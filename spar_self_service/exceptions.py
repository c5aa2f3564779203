"""Errors between a person, their ID provider and their pages.

``code`` is a stable identifier: pages turn it into a text, the log names it, and tests
assert it. Messages never contain an ID, a token or a claim's value.
"""


class SelfServiceError(Exception):
    """Base class of everything that these pages raise."""

    code = "self_service_error"


class NotLoggedIn(SelfServiceError):
    """No beneficiary is logged in: the session ended, or it is another user's."""

    code = "not_logged_in"


class StepUpNeeded(SelfServiceError):
    """There is no unused proof that this person authenticated for this draft."""

    code = "step_up_needed"


class TicketNeeded(SelfServiceError):
    """There is no unused ticket of this officer for this draft."""

    code = "ticket_needed"


class DraftError(SelfServiceError):
    """Base class of problems with a draft; nothing was changed."""

    code = "draft_error"


class NoSuchDraft(DraftError):
    """This person has no such draft; another person's draft looks the same."""

    code = "no_such_draft"


class DraftOutdated(DraftError):
    """The draft has changed since the page was built, in another window or long ago."""

    code = "draft_outdated"


class DraftClosed(DraftError):
    """The draft has already been carried out, or refused."""

    code = "draft_closed"


class AnswerRefused(DraftError):
    """An answer cannot be used; ``problems`` says why, in the person's language."""

    code = "answer_refused"

    def __init__(self, problems: dict[str, str]):
        super().__init__(self.code)
        self.problems = problems


class OutcomeUnknown(SelfServiceError):
    """The mapper failed midway, and whether the change was made is unknown."""

    code = "outcome_unknown"


class LoginRefused(SelfServiceError):
    """A person could not be logged in; nothing was written.

    ``reason`` is a stable identifier of the cause within a leaf class, such as
    ``nonce``; ``return_to`` is where the person may continue.
    """

    code = "login_refused"
    return_to = "/spar"

    def __init__(self, reason: str = ""):
        super().__init__(reason)
        self.reason = reason


class AttemptUnknown(LoginRefused):
    """This browser began no such login, or it is finished or expired."""

    code = "attempt_unknown"


class TooManyAttempts(LoginRefused):
    """This browser has begun so many logins that it has to wait for a while."""

    code = "too_many_attempts"


class AttemptCancelled(LoginRefused):
    """The person or the provider cancelled; ``reason`` is the provider's error."""

    code = "attempt_cancelled"


class WrongProvider(LoginRefused):
    """The response comes from another provider than the one requested (mix-up)."""

    code = "wrong_provider"


class ProviderUnavailable(LoginRefused):
    """The provider does not answer, or its answer cannot be read."""

    code = "provider_unavailable"


class ProviderNotReady(LoginRefused):
    """The provider is switched off, incomplete, or waits for a second person."""

    code = "provider_not_ready"


class CodeRefused(LoginRefused):
    """The provider gave no token for this code; ``reason`` is its error."""

    code = "code_refused"


class IdTokenRefused(LoginRefused):
    """The ID token is not valid; ``reason`` names the failed check."""

    code = "token_refused"


class UserinfoRefused(LoginRefused):
    """The provider's userinfo is not valid."""

    code = "userinfo_refused"


class NotStrongEnough(LoginRefused):
    """The person authenticated in a way that is not accepted here."""

    code = "not_strong_enough"


class NotFresh(LoginRefused):
    """The person did not authenticate anew, as a change of the address requires."""

    code = "not_fresh"


class AnotherPerson(LoginRefused):
    """A person other than the one who is logged in authenticated."""

    code = "another_person"


class NoUsableId(LoginRefused):
    """The provider returned no ID, or one that cannot be used."""

    code = "no_usable_id"


class UserNotAllowed(LoginRefused):
    """The person's user is blocked, or is no longer a portal user."""

    code = "user_not_allowed"
