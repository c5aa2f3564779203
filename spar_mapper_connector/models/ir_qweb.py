import ast

from odoo import models
from odoo.http import request

from ..exceptions import PageTooLarge
from ..lib.addon_code import is_plain
from ..lib.safe_formats import replace_formats, uses_format

#: The most templates, and characters, of what a website shows in one request: far more
#: than a full page has, and done in a second or so.
_MAX_TEMPLATES = 10_000
_MAX_CHARACTERS = 50_000_000
#: How many times more there may be in a request that is none for a website, such as the
#: printing of many documents.
_MORE_FOR_STAFF = 10


class IrQweb(models.AbstractModel):
    """Templates: what expressions may not do, and an end to pages of websites.

    Blocks within blocks grow by a power with each level: six levels of nine blocks
    occupy a worker for half a minute, seven for four. Whoever edits a website adds
    blocks, and whoever visits it has them rendered.
    """

    _inherit = "ir.qweb"

    def _compile(self, template):
        """Compile a template, which is done each time that it is called; count it."""
        _count("spar_templates", 1, _MAX_TEMPLATES)
        return super()._compile(template)

    def _render_iterall(self, view_ref, method, values, directive="render"):
        parts = super()._render_iterall(view_ref, method, values, directive=directive)
        for part in parts:
            _count("spar_characters", len(part), _MAX_CHARACTERS)
            yield part

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


def _count(name: str, amount: int, limit: int) -> None:
    """Count what a request renders.

    Raises PageTooLarge beyond the limit. Then the count begins again, for the page that
    reports the error.
    """
    if not request:
        return
    if not getattr(request, "is_frontend", False):
        limit *= _MORE_FOR_STAFF
    count = getattr(request, name, 0) + amount
    setattr(request, name, count if count <= limit else 0)
    if count > limit:
        raise PageTooLarge(f"{name}: more than {limit} in a request")
