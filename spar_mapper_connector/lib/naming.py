"""Texts in which Odoo finds names of fields: filters, paths, formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Parts of the names of fields whose texts Odoo evaluates.
_EVALUATED = re.compile(
    "code|comput|condition|criteri|depend|domain|expr|field|filter|formula|group_?by"
    "|order|path|propert|relat|sort"
)


def holds_names(field: str) -> bool:
    """Return whether a field of this name holds names of fields.

    >>> holds_names("filter_domain"), holds_names("related"), holds_names("comment")
    (True, True, False)
    """
    return bool(_EVALUATED.search(field))


def find_name(text: str, names: Iterable[str]) -> str | None:
    """Return the first of these names that is a word of a text.

    >>> find_name("[('user_ids.totp_secret', '=', 'x')]", {"totp_secret"})
    'totp_secret'
    >>> find_name("x_totp_secret_2", {"totp_secret"})
    """
    words = set(re.findall(r"\w+", text))
    return next((name for name in sorted(names) if name in words), None)
