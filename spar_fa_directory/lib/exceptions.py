"""What can be wrong with an address, its parts or its strategy.

Each error carries a stable `code`, an English `text` with named placeholders and
their `values`. Models translate by `code`; `str(error)` is the English sentence.
No value that a person entered is ever among the `values`.
"""


class DirectoryError(Exception):
    """The root: `code` is stable, `text % values` is the English sentence."""

    def __init__(self, code: str, text: str, **values: str):
        self.code = code
        self.text = text
        self.values = values
        super().__init__(text % values)


class InvalidTemplate(DirectoryError):
    """A strategy's template could not be taken apart again."""


class MissingPart(DirectoryError):
    """A part that the strategy writes is not there."""


class InvalidPart(DirectoryError):
    """A part does not pass its check."""


class InvalidParameter(DirectoryError):
    """A check cannot work with the parameter that it was given."""
