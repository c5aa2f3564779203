"""What can be wrong with a financial address, its parts or its strategy.

Each error has a stable ``code``, an English ``text`` with named placeholders and their
``values``. Models translate by ``code``; ``str(error)`` is the English sentence. The
``values`` never include a value that a person entered.
"""


class DirectoryError(Exception):
    """The base class: ``code`` is stable, ``text % values`` is the English sentence."""

    def __init__(self, code: str, text: str, **values: str):
        self.code = code
        self.text = text
        self.values = values
        super().__init__(text % values)


class InvalidStrategyTemplate(DirectoryError):
    """A strategy's template whose addresses could not be parsed back."""


class MissingPart(DirectoryError):
    """A part that the strategy writes is missing."""


class InvalidPart(DirectoryError):
    """A part does not pass its check."""


class InvalidParameter(DirectoryError):
    """A check cannot work with the parameter that it was given."""


class LoadStopped(Exception):
    """A file is not loaded any further until somebody has seen why."""
