"""What may be said of an error: to its caller, and in the log."""

from __future__ import annotations

import traceback


def get_text(error: Exception) -> str:
    """Return the text of one of our errors, which contains no value of a message.

    >>> from ..exceptions import OperationNotGranted
    >>> get_text(OperationNotGranted()) == OperationNotGranted.description
    True
    """
    text = getattr(error, "text", "") or getattr(error, "description", "")
    return text or str(error)


def describe_error(error: BaseException) -> str:
    """Return the class of an error and the lines of code that it came through.

    Its text is left out, because it may contain values.

    >>> describe_error(ValueError("4711")).splitlines()
    ['ValueError, at:']
    """
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}, at:\n{frames}"
