"""Why a page of a proposal cannot be shown; nothing was changed.

``code`` is a stable identifier: the page turns it into a text, and tests assert it.
"""


class ConfirmationError(Exception):
    """Base class of these errors."""

    code = "confirmation_error"


class NoSuchConfirmation(ConfirmationError):
    """There is no such page, or it was deleted."""

    code = "unknown"


class AnotherBrowser(ConfirmationError):
    """The page was opened in another browser, or in another session of this one."""

    code = "another_browser"


class ConfirmationAltered(ConfirmationError):
    """What is stored is not what was proposed."""

    code = "altered"
