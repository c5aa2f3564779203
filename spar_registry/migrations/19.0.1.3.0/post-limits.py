"""Seal the limits of looking people up where no limit was sealed before."""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    Environment(cr, SUPERUSER_ID, {})["spar.settings.seal"]._seal_unsealed()
