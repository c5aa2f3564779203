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
