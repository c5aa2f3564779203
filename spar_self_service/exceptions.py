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
