"""The store's own field types: wide references that are checked set by set."""

from odoo import fields


class BigInteger(fields.Integer):
    """A number that may hold an id of the store."""

    _column_type = ("int8", "int8")


class BigMany2one(fields.Many2one):
    """A reference to a table whose ids are ``bigint``.

    Odoo's own Many2one is ``int4``. That is too small for the events of a hundred
    million people, and Odoo converts a wider column back at each upgrade.
    """

    _column_type = ("int8", "int8")


class CheckedMany2one(fields.Many2one):
    """A reference that is checked once per statement, not once per row.

    Odoo creates a foreign key for each Many2one, and PostgreSQL checks it row by row:
    the ten checks of one link cost more than everything else that the database does for
    it. ``spar.store.table`` creates statement triggers instead, which enforce the same
    constraints.
    """

    def update_db_foreign_key(self, model, column):
        """Create no foreign key; ``spar.store.table`` drops any legacy one."""


class StoreMany2one(CheckedMany2one, BigMany2one):
    """A reference from one table of the store to another."""
