"""Values of fields that all requests of a process share, made unchangeable.

``env["spar.setting.change"]._fields["state"].selection.reverse()`` in an expression
would exchange the labels that everybody reads, until the server starts again.
"""

from odoo.tools import frozendict

#: Attributes of a field that may hold a list or a dict.
_NAMES = ("context", "domain", "selection")


class _FrozenList(list):
    """A list that stays as it is; Odoo's code expects a list."""

    def _refuse(self, *_args, **_kwargs):
        raise TypeError("this list of a field is shared and stays as it is")

    __delitem__ = __iadd__ = __imul__ = __setitem__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse


def freeze_fields(registry) -> None:
    """Make the lists and dicts of our models' fields unchangeable."""
    for name, model in registry.items():
        if name.startswith("spar."):
            for field in model._fields.values():
                _freeze(field)


def _freeze(field) -> None:
    for name in _NAMES:
        value = getattr(field, name, None)
        if type(value) is list:
            setattr(field, name, _FrozenList(value))
        elif type(value) is dict:
            setattr(field, name, frozendict(value))
