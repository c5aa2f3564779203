"""Let people who are there already be found by name."""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    Environment(cr, SUPERUSER_ID, {})["spar.person.name"]._index_all()
