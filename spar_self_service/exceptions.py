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
