"""Pure Python: no ``odoo`` import below this folder."""
