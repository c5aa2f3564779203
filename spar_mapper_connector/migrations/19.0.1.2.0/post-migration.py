"""Seal the settings of an existing database once, as they are."""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    Environment(cr, SUPERUSER_ID, {})["spar.settings.seal"]._seal_unsealed()
