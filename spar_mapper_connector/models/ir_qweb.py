import ast

from odoo import models

from ..lib.safe_formats import replace_formats, uses_format


class IrQweb(models.AbstractModel):
    _inherit = "ir.qweb"

    def _compile_expr(self, expr, raise_on_missing=False):
        """Return the Python source of an expression, with its formats checked."""
        source = super()._compile_expr(expr, raise_on_missing=raise_on_missing)
        # Python reads some other letters as these: only plain text is quick to tell.
        if source.isascii() and "format" not in source:
            return source
        if not uses_format(compile(source, "<>", "eval")):
            return source
        return f"({ast.unparse(replace_formats(source, 'eval'))})"
