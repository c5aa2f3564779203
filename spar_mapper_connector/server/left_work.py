"""What an expression leaves to be done after it has ended is done as if it did it.

Odoo computes stored fields at the end of a transaction, and runs callbacks then: for
nobody in particular, since the expression that wrote what they depend on is no longer
among the callers. The name of the record that an activity is about would be stored for
whoever may read activities.
"""

import functools

from odoo.orm.environments import Transaction
from odoo.tools import OrderedSet
from odoo.tools.misc import Callbacks

from ..expressions import do_for_expression, is_called_from_expression


class _RowIds(OrderedSet):
    """The rows of which a field is to be computed, and those that expressions left."""

    __slots__ = ("_left",)

    def __init__(self, elems=()):
        super().__init__(elems)
        self._left = set()

    def update(self, elems):
        row_ids = list(elems)
        if row_ids and is_called_from_expression():
            self._left.update(row_ids)
        return super().update(row_ids)

    def discard(self, elem):
        self._left.discard(elem)
        return super().discard(elem)


def note_left_work() -> None:
    """Note which fields expressions leave to be computed, and run their callbacks.

    The guard of computed fields computes the fields: see ``reading.py``.
    """
    _note_left_fields()
    _note_left_callbacks()


def _note_left_fields() -> None:
    begin = Transaction.__init__

    @functools.wraps(begin)
    def __init__(self, registry):
        begin(self, registry)
        self.tocompute.default_factory = _RowIds

    Transaction.__init__ = __init__


def filter_left(field, records):
    """Return the records of which an expression left a field to be computed."""
    row_ids = records.env.transaction.tocompute.get(field)
    # A transaction that began before this addon was there notes nothing.
    left = getattr(row_ids, "_left", ())
    return records.browse(row_id for row_id in records._ids if row_id in left)


def _note_left_callbacks() -> None:
    add = Callbacks.add

    @functools.wraps(add)
    def note(self, func):
        if is_called_from_expression():
            func = functools.partial(do_for_expression, func)
        add(self, func)

    Callbacks.add = note
