"""Format strings that read no attribute which an expression may not name.

``"{0.cr}".format(env)`` reads ``env.cr`` without naming it: names are checked when an
expression is compiled, and a format string can be put together when it runs. So each
``.format`` in an expression is replaced by a call of ``get_format``, as Jinja's sandbox
does.
"""

from __future__ import annotations

import ast
import string
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any

from markupsafe import EscapeFormatter, Markup

#: The methods of a string that read attributes by a text.
METHODS = ("format", "format_map")
#: The name under which expressions find ``get_format``.
FUNCTION = "spar_get_format"

IsClosed = Callable[[str], bool]


class _Checked(string.Formatter):
    """A formatter that refuses the names that are closed to expressions."""

    is_closed: IsClosed

    def get_field(
        self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        # The name of the argument itself is none of an attribute.
        _first, rest = string._string.formatter_field_name_split(field_name)  # type: ignore[attr-defined]
        for is_attribute, name in rest:
            if is_attribute and ("__" in name or self.is_closed(name)):
                raise NameError(f"Access to forbidden name {name!r} in a format")
        return super().get_field(field_name, args, kwargs)


class _CheckedEscaping(_Checked, EscapeFormatter):
    """The same for HTML: it escapes what it fills in."""


def get_format(value: Any, name: str, is_closed: IsClosed) -> Any:
    """Return ``getattr(value, name)``, for ``name`` in ``METHODS``, with names checked.

    Anything but a string keeps its own method (``currency.format(amount)``). The class
    ``str`` gets a function that takes the string first, as ``str.format`` does.

    >>> get_format("{0.real:>3}", "format", "secret".__eq__)(7)
    '  7'
    >>> get_format("{0.secret}", "format", "secret".__eq__)(7)
    Traceback (most recent call last):
        ...
    NameError: Access to forbidden name 'secret' in a format
    """
    if isinstance(value, type) and issubclass(value, str):
        return lambda text, *args, **kwargs: get_format(value(text), name, is_closed)(
            *args, **kwargs
        )
    if not isinstance(value, str):
        method = getattr(value, name)
        # A rendered part of a template passes on to its text.
        owner = getattr(method, "__self__", None)
        return get_format(owner, name, is_closed) if isinstance(owner, str) else method
    formatter = (
        _CheckedEscaping(value.escape) if isinstance(value, Markup) else _Checked()
    )
    formatter.is_closed = is_closed
    # Not a copy that a subclass of ``str`` could make of itself.
    text, result_class = str.__str__(value), type(value)

    def fill(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        filled = formatter.vformat(text, args, kwargs)
        return result_class(filled) if isinstance(value, Markup) else filled

    if name == "format_map":
        return lambda mapping: fill((), mapping)
    return lambda *args, **kwargs: fill(args, kwargs)


def uses_format(code: CodeType) -> bool:
    """Return whether a code object, or one inside it, may use one of ``METHODS``."""
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return any(name in METHODS for name in code.co_names) or any(
        map(uses_format, inner)
    )


class _Replacing(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr not in METHODS or not isinstance(node.ctx, ast.Load):
            return node
        call = ast.Call(
            func=ast.Name(FUNCTION, ast.Load()),
            args=[node.value, ast.Constant(node.attr)],
            keywords=[],
        )
        return ast.copy_location(call, node)


def replace_formats(source: str, mode: str) -> ast.AST:
    """Return the syntax tree of an expression whose formats are checked.

    :param mode: ``eval`` or ``exec``
    :raise SyntaxError: where ``source`` is none

    >>> ast.unparse(replace_formats("a.format(b.format)", "eval"))
    "spar_get_format(a, 'format')(spar_get_format(b, 'format'))"
    """
    tree: ast.AST = _Replacing().visit(ast.parse(source, mode=mode))
    return ast.fix_missing_locations(tree)
