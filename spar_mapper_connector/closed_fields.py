"""Fields of Odoo's own models that no row reads.

What Odoo's administrator writes as rows, Odoo evaluates as superuser: the filter of an
automation, a record rule, the path of a custom field, the field that an action names.
So a field that says who somebody is, or that opens an account, asks who reads it,
whether its value is in the database or in the transaction's cache: see
``server/reading.py``.
"""

from odoo import fields

from .server.reading import check_field_reader, check_secret_reader


class _Closed:
    """A field that is read by code that may, never by a row."""

    def _check_reader(self, records) -> None:
        """Raise an error if the caller may not read it."""
        check_field_reader(records, self)

    def __get__(self, record, owner=None):
        if record is not None:
            self._check_reader(record)
        return super().__get__(record, owner)

    def condition_to_sql(self, field_expr, operator, value, model, alias, query):
        self._check_reader(model)
        return super().condition_to_sql(
            field_expr, operator, value, model, alias, query
        )


class ClosedDate(_Closed, fields.Date):
    """A date of a person of the registry."""


class ClosedInteger(_Closed, fields.Integer):
    """A number of a person of the registry."""


class ClosedMany2one(_Closed, fields.Many2one):
    """Somebody to whom a person of the registry belongs."""


class ClosedOne2many(_Closed, fields.One2many):
    """What belongs to a person of the registry."""


class _Secret(_Closed):
    def _check_reader(self, records) -> None:
        check_secret_reader(records, self)


class SecretChar(_Secret, fields.Char):
    """A password, or the secret of an authenticator app."""


class SecretBinary(_Secret, fields.Binary):
    """A picture that holds such a secret."""


def is_closed(field: fields.Field | None) -> bool:
    """Return whether a field is one of these."""
    return isinstance(field, _Closed)


def check_closed(model, spec: str) -> None:
    """Raise an error if records are ordered or grouped by a field that is closed."""
    field = model._fields.get(spec.split(":")[0].split(".")[0])
    if isinstance(field, _Closed):
        field._check_reader(model)
