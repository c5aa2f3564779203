"""Messages that wait begin anew, and the settings of before are sealed as they are."""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    # Turns that ended because something was away counted as bad ones, and do no more.
    cr.execute(
        "UPDATE spar_message SET attempts = 0, next_try = NULL WHERE state = 'waiting'"
    )
    Environment(cr, SUPERUSER_ID, {})["spar.settings.seal"]._seal_unsealed()
