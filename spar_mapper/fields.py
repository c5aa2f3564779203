"""Fields of the store's own: references that are wide, and checked in sets."""

from odoo import fields


class BigInteger(fields.Integer):
    """A number that may be an id of the store."""

    _column_type = ("int8", "int8")


class BigMany2one(fields.Many2one):
    """A reference to a table whose ids are ``bigint``.

    Odoo's own is ``int4``: too small for the events of a hundred million people, and
    Odoo converts a wider column back at each upgrade.
    """

    _column_type = ("int8", "int8")


class CheckedMany2one(fields.Many2one):
    """A reference that is checked once for each statement, not once for each row.

    Odoo makes a foreign key for each Many2one, and PostgreSQL checks it row by row: the
    ten checks of one link cost more than everything else that the database does for it.
    ``spar.store.table`` makes statement triggers instead, which refuse the same things.
    """

    def update_db_foreign_key(self, model, column):
        """Make none; see ``spar.store.table``, which drops one from before."""


class StoreMany2one(CheckedMany2one, BigMany2one):
    """A reference from one table of the store to another."""
