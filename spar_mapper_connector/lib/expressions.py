"""The detection of expressions, stored in the database, that are being evaluated.

Odoo evaluates text that people edit: QWeb views, mail templates, server actions, record
rules, computed fields. Such text can call every method of every model by name,
including names with one underscore; ``sudo()`` makes it superuser. It cannot change the
call stack: it runs with builtins that Odoo supplies instead of Python's, and that shows
on each of its frames (``safe_eval`` and ``ir.qweb`` alike).
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Collection
from types import CodeType, FrameType

_BUILTINS = vars(builtins)


def is_evaluated(frame: FrameType) -> bool:
    """Return whether a frame is that of an evaluated expression."""
    return frame.f_builtins is not _BUILTINS


def is_evaluating(
    deferring: Collection[CodeType] = (), naming: Collection[CodeType] = ()
) -> bool:
    """Return whether an evaluated expression is among the callers.

    :param deferring: code that runs callbacks left for later, perhaps by an
        expression that has ended by then, or stored actions; it counts as an expression
    :param naming: code that calls one of our jobs by its name: the only stored text
        below it, up to the next caller that is deferring, is that name

    >>> is_evaluating()
    False
    >>> eval("ask()", {"__builtins__": {}, "ask": is_evaluating})
    True
    """
    deferred, named = set(map(id, deferring)), set(map(id, naming))
    is_named = False
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_builtins is not _BUILTINS:
            return True
        code = id(frame.f_code)
        if code in named:
            is_named = True
        elif code in deferred:
            if not is_named:
                return True
            is_named = False
        frame = frame.f_back
    return False
