"""What can go wrong between a person, their ID provider and their pages.

``code`` is a stable word: pages turn it into a text, the log names it, tests assert it.
Messages never hold an ID, a token or a claim's value.
"""


class SelfServiceError(Exception):
    """Base of everything that these pages raise."""

    code = "self_service_error"


class NotLoggedIn(SelfServiceError):
    """No beneficiary is logged in: the session ended, or somebody else's user runs."""

    code = "not_logged_in"


class StepUpNeeded(SelfServiceError):
    """There is no unused proof that this person authenticated for this draft."""

    code = "step_up_needed"


class TicketNeeded(SelfServiceError):
    """There is no unused ticket of this officer for this draft."""

    code = "ticket_needed"


class DraftError(SelfServiceError):
    """Base of what is wrong with a draft; nothing was changed."""

    code = "draft_error"


class NoSuchDraft(DraftError):
    """There is no such draft of this person: unknown and another's look alike."""

    code = "no_such_draft"


class DraftOutdated(DraftError):
    """The draft was changed since the page was made: in another window, or long ago."""

    code = "draft_outdated"


class DraftClosed(DraftError):
    """What the draft is for has been done, or refused."""

    code = "draft_closed"


class AnswerRefused(DraftError):
    """An answer cannot be used; ``problems`` says why, in the person's language."""

    code = "answer_refused"

    def __init__(self, problems: dict[str, str]):
        super().__init__(self.code)
        self.problems = problems


class OutcomeUnknown(SelfServiceError):
    """The mapper failed in the middle, and does not say what has become of it."""

    code = "outcome_unknown"


class LoginRefused(SelfServiceError):
    """Somebody could not be logged in; nothing was written.

    ``reason`` is a stable word for the cause within a leaf, such as ``nonce``;
    ``return_to`` where the person may go on.
    """

    code = "login_refused"
    return_to = "/spar"

    def __init__(self, reason: str = ""):
        super().__init__(reason)
        self.reason = reason


class AttemptUnknown(LoginRefused):
    """This browser began no such login, or finished it, or too long ago."""

    code = "attempt_unknown"


class TooManyAttempts(LoginRefused):
    """This browser began so many logins that it has to wait for a while."""

    code = "too_many_attempts"


class AttemptCancelled(LoginRefused):
    """The person, or the provider for them, did not go on; ``reason`` is its error."""

    code = "attempt_cancelled"


class WrongProvider(LoginRefused):
    """The answer is of another provider than the one that was asked (mix-up)."""

    code = "wrong_provider"


class ProviderUnavailable(LoginRefused):
    """The provider does not answer, or not in a form that can be read."""

    code = "provider_unavailable"


class ProviderNotReady(LoginRefused):
    """The provider is switched off, half set up, or waits for a second person."""

    code = "provider_not_ready"


class CodeRefused(LoginRefused):
    """The provider gives no token for this code; ``reason`` is its error."""

    code = "code_refused"


class TokenRefused(LoginRefused):
    """The ID token is not what it must be; ``reason`` names the check."""

    code = "token_refused"


class UserinfoRefused(LoginRefused):
    """What the provider tells of the person is not what it must be."""

    code = "userinfo_refused"


class NotStrongEnough(LoginRefused):
    """The person authenticated in a way that is not accepted here."""

    code = "not_strong_enough"


class NotFresh(LoginRefused):
    """The person did not authenticate anew, as a change of the address asks for."""

    code = "not_fresh"


class AnotherPerson(LoginRefused):
    """Somebody else authenticated than the person who is logged in."""

    code = "another_person"


class NoUsableId(LoginRefused):
    """The provider told no ID, or one that cannot be used."""

    code = "no_usable_id"


class UserNotAllowed(LoginRefused):
    """The person's user is blocked, or is no portal user any more."""

    code = "user_not_allowed"
