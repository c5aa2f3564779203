"""Format strings in expressions, which are checked as the expressions' names are."""

from odoo.tools import safe_eval

from ..lib.safe_formats import FUNCTION, get_format, replace_formats, uses_format
from . import expression_names


def check_formats() -> None:
    """Have the format strings of every expression checked when they are used.

    ``models/ir_qweb.py`` does so for the expressions of templates.
    """
    compile_expression = safe_eval.compile_codeobj

    def compile_checked(expr, /, filename="<unknown>", mode="eval"):
        code = compile_expression(expr, filename, mode)
        if not uses_format(code):
            return code
        source = expr.strip() if mode == "eval" else expr
        return compile(replace_formats(source, mode), filename or "", mode)

    safe_eval.compile_codeobj = compile_checked
    # Templates are compiled with the same builtins.
    safe_eval._BUILTINS[FUNCTION] = _get_format


def _get_format(value, name):
    return get_format(value, name, expression_names.is_closed)
