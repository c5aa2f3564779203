"""Whether an expression that is kept in the database is being evaluated.

Odoo evaluates text that people edit: QWeb views, mail templates, server actions, record
rules, computed fields. Such text reaches every method of every model by its name, and
names with one underscore as well; ``sudo()`` makes it superuser. What it cannot change
is who called whom: it runs with builtins that Odoo chose for it instead of Python's,
and that shows on each of its frames (``safe_eval`` and ``ir.qweb`` alike).
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Collection
from types import CodeType, FrameType

_BUILTINS = vars(builtins)


def is_evaluating(deferring: Collection[CodeType] = ()) -> bool:
    """Return whether an evaluated expression is among the callers.

    :param deferring: code that runs what was left with it for later, perhaps by an
        expression that has ended by then; it counts as one

    >>> is_evaluating()
    False
    >>> eval("ask()", {"__builtins__": {}, "ask": is_evaluating})
    True
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_builtins is not _BUILTINS or frame.f_code in deferring:
            return True
        frame = frame.f_back
    return False
