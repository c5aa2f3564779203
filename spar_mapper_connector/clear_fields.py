"""Fields that hold clear values for a moment, while a form is open."""

from odoo import fields

from .expressions import refuse_expressions


class _Clear:
    """What is read by no expression, though it stands in the transaction's cache.

    Whoever opened the form has the right to see it; an expression that is evaluated in
    the same transaction has not.
    """

    def __get__(self, record, owner=None):
        if record is not None:
            refuse_expressions()
        return super().__get__(record, owner)


class ClearChar(_Clear, fields.Char):
    """A text that only code sees."""


class ClearBinary(_Clear, fields.Binary):
    """A file that only code sees."""
