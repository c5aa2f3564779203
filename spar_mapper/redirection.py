"""Refusals that lead a user elsewhere."""

import logging

from odoo.exceptions import RedirectWarning


class Redirection(RedirectWarning):
    """A refusal that offers the way on, such as the page to open instead.

    The web client shows it as Odoo's own: see ``static/src/redirection``.
    """

    #: Odoo would log it as an error, with a traceback: it is expected.
    loglevel = logging.INFO


class LookupReasonNeeded(Redirection):
    """A user searches more than usual, and has to say why before going on."""
