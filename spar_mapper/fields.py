"""A field of the store's own."""

from odoo import fields


class CheckedMany2one(fields.Many2one):
    """A reference that is checked once for each statement, not once for each row.

    Odoo makes a foreign key for each Many2one, and PostgreSQL checks it row by row: the
    ten checks of one link cost more than everything else that the database does for it.
    ``spar.store.table`` makes statement triggers instead, which refuse the same things.
    """

    def update_db_foreign_key(self, model, column):
        """Make none; see ``spar.store.table``, which drops one from before."""
