"""Views compared with their files once for each state of the database.

A check of the store compares all of them, which takes more than a second, and most
tests of checks change none.
"""

from ..models.customising.ir_ui_view import IrUiView

#: Everything in the database that the comparison reads.
_STATE = """
    SELECT (SELECT md5(string_agg(v::text, ';' ORDER BY v.id)) FROM ir_ui_view v)
        || (SELECT md5(string_agg(d::text, ';' ORDER BY d.id)) FROM ir_model_data d)"""
_found: dict[str, list[int]] = {}


def find_foreign_once(views) -> list[int]:
    """Return what ``_find_foreign`` returns, as it was found for the same rows."""
    for name in ("ir.ui.view", "ir.model.data"):
        views.env[name].flush_model()
    views.env.cr.execute(_STATE)
    (state,) = views.env.cr.fetchone()
    if state not in _found:
        _found[state] = IrUiView._find_foreign(views)
    return list(_found[state])
