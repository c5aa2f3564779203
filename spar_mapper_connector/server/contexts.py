"""The word in a context that switches off what deleting refuses.

Odoo sets it while it removes an addon; then no ``@api.ondelete(at_uninstall=False)``
runs, of Odoo's or of ours. But whoever calls a method chooses its context.
"""

import functools

from odoo.api import Environment

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

from .. import expressions


def guard_contexts() -> None:
    """Leave the word out of every environment, unless Odoo removes an addon."""
    make = Environment.__new__

    @functools.wraps(make)
    def __new__(cls, cr, uid, context, su=False):
        if MODULE_UNINSTALL_FLAG in context and not _is_removing():
            context = {
                key: value
                for key, value in context.items()
                if key != MODULE_UNINSTALL_FLAG
            }
        return make(cls, cr, uid, context, su)

    Environment.__new__ = staticmethod(__new__)


def _is_removing() -> bool:
    """Return whether Odoo, or the operator of the machine, sets the word."""
    if expressions.is_called_from_expression():
        return False
    is_loading = expressions.find_loaded_addon() is not None
    return is_loading or expressions.is_on_command_line()
