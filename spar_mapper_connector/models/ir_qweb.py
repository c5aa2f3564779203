import ast

from odoo import models

from ..lib.addon_code import is_plain
from ..lib.safe_formats import replace_formats, uses_format


class IrQweb(models.AbstractModel):
    _inherit = "ir.qweb"

    def _generate_code(self, template):
        """Compile a template, without what a caller adds to its code by the context.

        Some addons copy texts of the context (``snippet_lang``), or keys of views, into
        expressions, and everybody chooses the context of a call.
        """
        context = {
            key: value
            for key, value in self.env.context.items()
            if not isinstance(value, str) or is_plain(value)
        }
        qweb = self.with_env(self.env(context=context))
        return super(IrQweb, qweb)._generate_code(template)

    def _compile_expr(self, expr, raise_on_missing=False):
        """Return the Python source of an expression, with its formats checked."""
        source = super()._compile_expr(expr, raise_on_missing=raise_on_missing)
        # Python reads some other letters as these: only plain text is quick to tell.
        if source.isascii() and "format" not in source:
            return source
        if not uses_format(compile(source, "<>", "eval")):
            return source
        return f"({ast.unparse(replace_formats(source, 'eval'))})"
