"""What expressions that are kept in the database may not do.

Whoever may edit a web page, a mail template, a server action or a record rule writes
expressions that call any method of any model by name, as superuser or as anybody else.
So the right to use keys, to make a call in a person's name or to write guarded settings
is nobody's who is called from one: see ``lib/expressions.py`` for how that is seen.
"""

import functools
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from odoo.http import request
from odoo.tools import rendering_tools, safe_eval
from odoo.tools.misc import Callbacks

from odoo.addons.base.models.ir_actions import IrActionsServer

from .exceptions import CalledFromExpression, NotThePerson
from .lib.expressions import is_evaluating

_logger = logging.getLogger(__name__)

#: Runs what was left for the end of a transaction, which an expression can do as well,
#: and what somebody stored as an action, whether or not it is code.
_DEFERRING = (Callbacks.run.__code__, IrActionsServer._run.__code__)
#: Calls a job of ours by its name; see ``models/ir_actions_server.py``.
_NAMING: list = []

#: Who was authenticated, for each request that is being served.
_persons: WeakKeyDictionary = WeakKeyDictionary()
#: Whether this thread runs a scheduled job.
_here = threading.local()


def names_jobs(function):
    """Mark the function that calls scheduled jobs of ours by their names."""
    _NAMING.append(function.__code__)
    return function


def is_called_from_expression() -> bool:
    """Return whether an evaluated expression or a stored action is among the callers.

    Actions of Odoo's own types write without evaluating anything: what they write was
    typed by somebody all the same.
    """
    return is_evaluating(_DEFERRING, _NAMING)


def refuse_expressions() -> None:
    """Raise CalledFromExpression where one is among the callers."""
    if is_called_from_expression():
        _logger.error(
            "SPAR ALARM an expression (a view, template, server action, record rule or "
            "computed field) tried to use keys or to change the registry; refused",
        )
        raise CalledFromExpression("called from an expression")


# === WHO ACTS === #


def note_person(uid: int | None) -> None:
    """Note whose session the request that is being served came with, once it has been
    verified; raises CalledFromExpression."""
    refuse_expressions()
    _persons[request._get_current_object()] = uid


def check_person(env) -> None:
    """Raise NotThePerson unless ``env`` is of who is really logged in, and
    CalledFromExpression.

    ``with_user`` gives anybody's environment, and an API key is no person: what counts
    is the session that the browser sent, as it was verified at the beginning. Without a
    request (a command, the schedule) there is nobody else.
    """
    refuse_expressions()
    if request:
        if env.uid != _persons.get(request._get_current_object()):
            raise NotThePerson("not the person who is logged in")
    elif hasattr(threading.current_thread(), "url"):
        # A request has been served here and is over: what still runs was left behind.
        raise NotThePerson("nobody is logged in")
    env.user._check_true_account()


def get_person(env) -> int:
    """Return the id of who really acts: who is logged in, whoever ``env`` names."""
    if not request:
        return env.uid
    session_uid = _persons.get(request._get_current_object())
    return session_uid or getattr(threading.current_thread(), "uid", None) or env.uid


@contextmanager
def scheduled() -> Iterator[None]:
    """Note that what runs in the block was started by the schedule."""
    before = getattr(_here, "is_scheduled", False)
    _here.is_scheduled = True
    try:
        yield
    finally:
        _here.is_scheduled = before


def is_on_command_line() -> bool:
    """Return whether the operator of the machine started what runs: neither a request
    nor the schedule did, and no expression."""
    is_serving = request or hasattr(threading.current_thread(), "url")
    is_scheduled = getattr(_here, "is_scheduled", False)
    return not (is_serving or is_scheduled or is_called_from_expression())


# === WHAT EXPRESSIONS GET === #


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
