"""Limits on expressions that are stored in the database.

A user who may edit a web page, a mail template, a server action or a record rule writes
expressions that call any method of any model by name, as superuser or as any other
user. So code that an expression calls may not use keys, make a call in a person's name
or write guarded settings: ``lib/expressions.py`` describes how such a call is detected.
"""

import functools
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from odoo.http import request
from odoo.tools import rendering_tools, safe_eval
from odoo.tools.misc import Callbacks

from odoo.addons.base.models.ir_actions import IrActionsServer

from .exceptions import CalledFromExpression, NotThePerson
from .lib.expressions import is_evaluating
from .loaded_files import find_loaded_addon, is_ours

_logger = logging.getLogger(__name__)


def do_for_expression(left):
    """Do what an expression has left to be done: see ``server/left_work.py``."""
    return left()


#: Runs callbacks that were left for the end of a transaction, which an expression can
#: do as well, and stored actions, whether or not they are code.
_DEFERRING = (
    Callbacks.run.__code__,
    IrActionsServer._run.__code__,
    do_for_expression.__code__,
)
_ADDONS, _OURS = "odoo.addons.", "odoo.addons.spar_"
#: The file of the guard on every model.
GUARD = str(Path(__file__).with_name("models") / "base.py")
#: Methods of every model, which addons override and other addons call on any record.
_GENERIC = (
    "action_archive",
    "action_unarchive",
    "copy",
    "create",
    "load",
    "name_create",
    "unlink",
    "write",
)
#: Calls one of our jobs by its name; see ``models/ir_actions_server.py``.
_NAMING: list = []

#: The user who was authenticated, for each request that is being served.
_persons: WeakKeyDictionary = WeakKeyDictionary()
#: Whether this thread runs a scheduled job.
_here = threading.local()


def names_jobs(function):
    """Mark the function that calls our scheduled jobs by their names."""
    _NAMING.append(function.__code__)
    return function


def is_called_from_expression() -> bool:
    """Return whether an evaluated expression or a stored action is among the callers.

    Actions of Odoo's own types write without evaluating anything, but somebody typed
    what they write.
    """
    return is_evaluating(_DEFERRING, _NAMING)


def is_called_from_file_of(function) -> bool:
    """Return whether code of the file that defines a function is among the callers."""
    file = function.__code__.co_filename
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != file:
        frame = frame.f_back
    return frame is not None


def is_called_from_module(name: str) -> bool:
    """Return whether code of a Python module is among the callers."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") != name:
        frame = frame.f_back
    return frame is not None


def refuse_expressions() -> None:
    """Raise CalledFromExpression if an expression is among the callers."""
    if is_called_from_expression():
        _logger.error(
            "SPAR ALARM an expression (a view, template, server action, record rule or "
            "computed field) tried to use keys, or to read or change the registry; "
            "refused",
        )
        raise CalledFromExpression("called from an expression")


def is_called_by_other_addon() -> bool:
    """Return whether the code that began a write belongs to an addon that is not ours.

    Some of Odoo's addons write any record with ``sudo()`` for their user: they archive
    what was recycled, or erase what names a person. The frames of the ORM are passed
    over, and those of generic methods that were called as superuser.
    """
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith(_ADDONS) and not _is_passing(frame):
            return not name.startswith(_OURS)
        frame = frame.f_back
    return False


def _is_passing(frame) -> bool:
    """Return whether a frame passes on a superuser's call, or asks this question."""
    if frame.f_code.co_filename == GUARD:
        return True
    env = getattr(frame.f_locals.get("self"), "env", None)
    return frame.f_code.co_name in _GENERIC and bool(env and env.su)


# === WHO ACTS === #


def note_person(uid: int | None) -> None:
    """Note the user of the session of the request that is being served.

    It is called once the session has been verified. Raises CalledFromExpression.
    """
    refuse_expressions()
    _persons[request._get_current_object()] = uid


def check_person(env) -> None:
    """Raise NotThePerson unless the user of ``env`` is really logged in.

    Raises CalledFromExpression if an expression is among the callers.

    ``with_user`` gives the environment of any user, and an API key is not a person:
    what counts is the session that the browser sent, as it was verified at the
    beginning. Without a request (a command, the schedule) there is no other user.
    """
    refuse_expressions()
    if request:
        if env.uid != _persons.get(request._get_current_object()):
            raise NotThePerson("not the person who is logged in")
    elif hasattr(threading.current_thread(), "url"):
        # A request was served here and is over: the code that still runs was left
        # behind.
        raise NotThePerson("nobody is logged in")
    env.user._check_true_account()


def get_person(env) -> int:
    """Return the id of the user who really acts: the one logged in, not ``env``'s."""
    if not request:
        return env.uid
    session_uid = _persons.get(request._get_current_object())
    return session_uid or getattr(threading.current_thread(), "uid", None) or env.uid


@contextmanager
def scheduled() -> Iterator[None]:
    """Note that the schedule started the code in the block."""
    before = getattr(_here, "is_scheduled", False)
    _here.is_scheduled = True
    try:
        yield
    finally:
        _here.is_scheduled = before


def is_on_command_line() -> bool:
    """Return whether the operator of the machine started the running code.

    Neither a request, the schedule nor an expression did.
    """
    is_serving = request or hasattr(threading.current_thread(), "url")
    is_scheduled = getattr(_here, "is_scheduled", False)
    return not (is_serving or is_scheduled or is_called_from_expression())


def is_by_operator(env) -> bool:
    """Return whether a command of the operator does this with all addons loaded.

    A command that loads addons also acts on rows that somebody prepared.
    """
    return env.registry.ready and is_on_command_line()


def is_loading(env) -> bool:
    """Return whether this comes from the files of an addon that is being loaded.

    Odoo also evaluates expressions meanwhile, and acts on rows that people wrote
    before; for those this is False (``loaded_files.py``).
    """
    return _find_addon(env) is not None


def is_loading_ours(env) -> bool:
    """Return whether it comes from one of our addons, or one that depends on them."""
    addon = _find_addon(env)
    return addon is not None and is_ours(addon)


def _find_addon(env) -> str | None:
    """Return the addon whose files Odoo is loading, or None."""
    if env.registry.ready or is_called_from_expression():
        return None
    return find_loaded_addon()


def is_at_run_time(env) -> bool:
    """Return whether the running server does this for its users.

    Neither files of an addon that is being installed or upgraded do it, nor the
    operator of the machine.
    """
    return not is_loading(env) and not is_by_operator(env)


# === BUILTINS OF EXPRESSIONS === #


def call_at_once() -> None:
    """Give expressions a ``map`` and a ``filter`` that call at once.

    Python's own call later, when their result is iterated: by then the expression has
    ended, and the stack no longer shows who wrote it.
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
