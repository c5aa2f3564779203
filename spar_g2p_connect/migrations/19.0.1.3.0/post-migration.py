"""Turns that ended because something was away counted as bad ones, and do no more."""


def migrate(cr, version):
    cr.execute(
        "UPDATE spar_message SET attempts = 0, next_try = NULL WHERE state = 'waiting'"
    )
