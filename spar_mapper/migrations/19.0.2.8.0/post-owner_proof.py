"""Seal the list of issuers of owners' proofs, which is new and empty.

Owners' changes need no proof until two people switch that on. Events keep their format;
the table's new column is added, and its guard renewed, by the model.
"""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    Environment(cr, SUPERUSER_ID, {})["spar.settings.seal"]._seal_unsealed()
