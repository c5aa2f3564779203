"""Words in the context of a call that would decide for the code that is called.

Whoever calls a method chooses its context. While Odoo removes an addon, it sets a word
there with which no ``@api.ondelete(at_uninstall=False)`` runs, of Odoo's or of ours.
Another one makes archived records be found: rules, ID types and issuers that are no
longer in force.
"""

import functools
import sys

from odoo.api import Environment
from odoo.service import model as service

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

from .. import expressions

#: How the methods are called that only read for whoever calls them, archived or not.
_READING = (
    "export",
    "fields_get",
    "formatted_read",
    "get_",
    "name_search",
    "read",
    "search",
    "web_name_search",
    "web_read",
    "web_search",
)
_OURS = "odoo.addons.spar_"


def guard_contexts() -> None:
    """Leave out the words that no caller may choose."""
    _guard_deleting()
    _guard_archived()


def _guard_deleting() -> None:
    """Leave its word out of every environment, unless Odoo removes an addon."""
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


def _guard_archived() -> None:
    """Let callers of our methods find archived records only by methods that read."""
    find = service.get_public_method

    @functools.wraps(find)
    def get_public_method(model, name):
        method = find(model, name)
        is_ours = model._name.startswith("spar.") or method.__module__.startswith(_OURS)
        if not is_ours or name.startswith(_READING):
            return method

        @functools.wraps(method)
        def call(records, *args, **kwargs):
            if "active_test" in records.env.context:
                context = dict(records.env.context)
                del context["active_test"]
                records = records.with_env(records.env(context=context))
            return method(records, *args, **kwargs)

        return call

    # Modules that were loaded before have the function by its name.
    for module in list(sys.modules.values()):
        if getattr(module, "get_public_method", None) is find:
            module.get_public_method = get_public_method
