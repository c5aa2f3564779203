"""No request is recorded by Odoo's profiler.

Its records hold each statement with its values, what people typed among them, and
Odoo's administrator reads them. A link is enough to have the session of whoever opens
it recorded.
"""

import contextlib

from odoo.http import Request


def forbid_profiling() -> None:
    """Have Odoo serve every request without its profiler."""
    Request._get_profiler_context_manager = _get_no_profiler


def _get_no_profiler(_request):
    """Return a context manager that does nothing, whatever the session says."""
    return contextlib.nullcontext()
