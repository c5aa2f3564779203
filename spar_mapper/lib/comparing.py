"""The proof that somebody who approves a change compared it with its evidence.

What a mask shows can be copied from the screen, so the characters just before it are
asked for: only the document has them, or a reveal, which is logged.
"""

from __future__ import annotations

from collections.abc import Iterable

from odoo.addons.spar_fa_directory.lib.fa_mask import get_hidden
from odoo.addons.spar_fa_directory.lib.fa_text import remove_gaps, to_plain

#: How many characters are asked for. With fewer, a guess would often be right.
ASKED = 4
#: How often somebody may mistype them; afterwards only a reveal helps.
MAX_MISTYPED = 3


def find_asked(hidden_values: Iterable[str]) -> str:
    """Return the characters to retype, of the longest value; "" if too few are hidden.

    >>> find_asked(["111100001234", "Ada"]), find_asked(["12"])
    ('0001', '')
    """
    longest = max(hidden_values, key=len, default="")
    tail = _fold(get_hidden(longest))[-ASKED:]
    return tail if len(tail) == ASKED else ""


def is_same(typed: str, asked: str) -> bool:
    """Return whether ``typed`` are the characters ``asked``, in any script or grouping.

    >>> is_same(" 00 01", "0001"), is_same("", ""), is_same("0002", "0001")
    (True, False, False)
    """
    return bool(asked) and _fold(typed) == asked


def _fold(text: str) -> str:
    return remove_gaps(to_plain(text))
