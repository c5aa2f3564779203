"""Refuse to upgrade before every row of the store has been resealed.

That does not fit into one transaction, so a command does it beforehand: see
``cli/spar_migrate.py``.
"""

from odoo.tools.sql import column_exists


def migrate(cr, version):
    if column_exists(cr, "spar_mapping", "identifier_id"):
        raise ValueError(
            "The store has the layout of before: stop Odoo, make a backup, run"
            f" `odoo spar_migrate -d {cr.dbname}`, then upgrade."
        )
