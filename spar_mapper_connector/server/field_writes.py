"""A guard on fields, which write past the methods of their models.

``record._fields["active"].write(record, False)`` calls no ``write`` of a model, where
``models/base.py`` and many models of Odoo refuse what must not be.
"""

import functools
import sys

from odoo.orm.fields import Field

from .. import expressions
from ..lib.expressions import is_evaluated


def guard_fields() -> None:
    """Have each kind of field refuse to write for an expression."""
    kinds = [Field]
    for kind in kinds:
        kinds += kind.__subclasses__()
        for name in ("write", "create"):
            if name in vars(kind):
                setattr(kind, name, _guard(vars(kind)[name]))


def _guard(method):
    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        # Only the direct caller counts: an expression may read a field that is computed
        # and so written by code of ours.
        frame = sys._getframe(1)
        while frame.f_code.co_filename == expressions.__file__:
            frame = frame.f_back
        if is_evaluated(frame):
            expressions.refuse_expressions()
        return method(self, *args, **kwargs)

    return guarded
