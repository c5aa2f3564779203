"""What expressions that are kept in the database may not do.

Whoever may edit a web page, a mail template, a server action or a record rule writes
expressions that call any method of any model by name, as superuser or as anybody else.
So the right to use keys, to make a call in a person's name or to write guarded settings
is nobody's who is called from one: see ``lib/expressions.py`` for how that is seen.
"""

import functools
import logging
import threading

from odoo.http import request
from odoo.tools import rendering_tools, safe_eval
from odoo.tools.misc import Callbacks

from .exceptions import CalledFromExpression, NotThePerson
from .lib.expressions import is_evaluating

_logger = logging.getLogger(__name__)

#: Runs what was left for the end of a transaction, which an expression can do as well.
_DEFERRING = (Callbacks.run.__code__,)


def refuse_expressions() -> None:
    """Raise CalledFromExpression where an evaluated expression is among the callers."""
    if is_evaluating(_DEFERRING):
        _logger.error(
            "SPAR ALARM an expression (a view, template, server action, record rule or "
            "computed field) tried to use keys or to change the registry; refused",
        )
        raise CalledFromExpression("called from an expression")


def check_person(env) -> None:
    """Raise NotThePerson unless ``env`` is of who is really logged in, and
    CalledFromExpression.

    ``with_user`` gives anybody's environment: what counts is whose session the browser
    sent, or who logged in to Odoo's external API. Without a request (a command, the
    schedule) there is nobody else.
    """
    refuse_expressions()
    thread = threading.current_thread()
    if request:
        persons = {request.session.uid or thread.uid}
    elif hasattr(thread, "url"):
        # A request has been served here and is over: what still runs was left behind.
        persons = set()
    else:
        return
    if env.uid not in persons:
        raise NotThePerson("not the person who is logged in")


def get_person(env) -> int:
    """Return the id of who really acts: who is logged in, whoever ``env`` names."""
    thread = threading.current_thread()
    if request:
        return request.session.uid or getattr(thread, "uid", None) or env.uid
    return env.uid


def call_at_once() -> None:
    """Give expressions a ``map`` and a ``filter`` that call at once.

    Python's own call later, when whoever got them goes through them: by then the
    expression has ended, and it no longer shows who wrote it.
    """
    eager = {"map": _map, "filter": _filter}
    safe_eval._BUILTINS.update(eager)
    rendering_tools.template_env_globals.update(eager)


@functools.wraps(map, assigned=("__name__", "__doc__"), updated=())
def _map(function, *iterables):
    return list(map(function, *iterables))


@functools.wraps(filter, assigned=("__name__", "__doc__"), updated=())
def _filter(function, iterable):
    return list(filter(function, iterable))
