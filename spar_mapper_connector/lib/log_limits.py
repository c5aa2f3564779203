"""Odoo's log of a statement that failed: the statement without its values.

Odoo logs it whole: half a megabyte in one line if it contains a batch, with data that
people typed.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from psycopg2.errors import LockNotAvailable

#: Maximum length of what is logged of a failing statement.
MAX_LENGTH = 1000

_LITERAL = re.compile(r"'[^']*(?:''[^']*)*(?:'|$)")
_BYTES_LITERAL = re.compile(_LITERAL.pattern.encode())


def shorten(value: Any) -> Any:
    """Return a part of a log line without literals, cut; other types stay unchanged.

    >>> shorten(b"SELECT 1 WHERE a = 'it''s 7' AND b = 2"), shorten(7)
    (b"SELECT 1 WHERE a = '...' AND b = 2", 7)
    >>> len(shorten("x" * 10**6)), shorten("VALUES ('" + "9" * 10**6)
    (1024, "VALUES ('...'... (1000009 characters)")
    """
    if isinstance(value, bytes):
        kept = _BYTES_LITERAL.sub(b"'...'", value[:MAX_LENGTH])
        return kept + _get_rest(len(value)).encode()
    if isinstance(value, str):
        return _LITERAL.sub("'...'", value[:MAX_LENGTH]) + _get_rest(len(value))
    return value


def _get_rest(length: int) -> str:
    return f"... ({length} characters)" if length > MAX_LENGTH else ""


class StatementsShortened(logging.Filter):
    """A filter that applies ``shorten`` to the log of statements that fail."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True: every line is kept, if shortened."""
        if record.levelno >= logging.WARNING and isinstance(record.args, tuple):
            if any(isinstance(value, LockNotAvailable) for value in record.args):
                # The request is retried, so this is no error.
                record.levelno, record.levelname = logging.INFO, "INFO"
            record.args = tuple(map(_shorten_part, record.args))
        return True


def _shorten_part(value: Any) -> Any:
    """Return a statement, or PostgreSQL's message without the values that it quotes.

    >>> _shorten_part(ValueError('duplicate key "x"\\nDETAIL:  Key (a)=(7) exists.'))
    'duplicate key "x"'
    """
    if not isinstance(value, BaseException):
        return shorten(value)
    return re.split(r"\n(?:DETAIL:|LINE )", str(value))[0][:MAX_LENGTH].rstrip()


def shorten_statements() -> None:
    """Make this process log no failing statement whole."""
    logging.getLogger("odoo.sql_db").addFilter(StatementsShortened())
