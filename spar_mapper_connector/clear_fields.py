"""Fields that hold clear values only while a form is open."""

from odoo import fields

from .expressions import refuse_expressions


class _Clear:
    """A field that no expression reads, though the transaction's cache has its value.

    The user who opened the form may see it; an expression that is evaluated in the same
    transaction may not.
    """

    def __get__(self, record, owner=None):
        if record is not None:
            refuse_expressions()
        return super().__get__(record, owner)

    def convert_to_export(self, value, record):
        """Return nothing: what a form shows to one user is in no exported file."""
        return ""


class ClearChar(_Clear, fields.Char):
    """A text that only code sees."""

    #: The most characters that people type into it: no ID, no account, no name and no
    #: reason is longer.
    spar_longest = 500


class ClearBinary(_Clear, fields.Binary):
    """A file that only code sees."""


def is_clear(field: fields.Field) -> bool:
    """Return whether a field holds clear values while a form is open."""
    return isinstance(field, _Clear)
