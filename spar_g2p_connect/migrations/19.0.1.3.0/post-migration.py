"""Reset the attempts of waiting messages, and seal existing settings as they are."""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    # Turns that ended because something was unavailable used to count as failed
    # attempts.
    cr.execute(
        "UPDATE spar_message SET attempts = 0, next_try = NULL WHERE state = 'waiting'"
    )
    Environment(cr, SUPERUSER_ID, {})["spar.settings.seal"]._seal_unsealed()
