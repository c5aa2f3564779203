"""The repeated check of stored addresses, because rules and directories change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from odoo.addons.spar_fa_directory.lib.fa_examination import Problem
from odoo.addons.spar_fa_directory.lib.fa_form import CanonicalAddress, find_own_id

from ..lib.moving import BROKEN
from .database import fetch
from .moving import PlaceProblem
from .showing import show_heads
from .work import Work

_PIECE = """
    SELECT id FROM spar_mapping
     WHERE id > %s AND state IN ('active', 'suspended') ORDER BY id LIMIT %s
"""


@dataclass(frozen=True)
class CheckedPiece:
    """The findings in some places; ``until`` is the last one, None at the end."""

    until: int | None
    count: int = 0
    found: tuple[PlaceProblem, ...] = ()


def check_piece(
    work: Work,
    canonicalise: Callable[[list[str]], list[CanonicalAddress]],
    after: int,
    size: int,
) -> CheckedPiece:
    """Check the addresses in force of the next places after ``after``.

    Nothing is locked or written.
    """
    row_ids = [row_id for (row_id,) in fetch(work.cr, _PIECE, after, size)]
    if not row_ids:
        return CheckedPiece(None)
    found = tuple(_find_failing(work, canonicalise, row_ids))
    return CheckedPiece(row_ids[-1], len(row_ids), found)


def _find_failing(
    work: Work,
    canonicalise: Callable[[list[str]], list[CanonicalAddress]],
    row_ids: list[int],
) -> Iterator[PlaceProblem]:
    shown = show_heads(work, row_ids)
    read = canonicalise([shown[i].fa for i in row_ids if i in shown])
    formed = dict(zip([i for i in row_ids if i in shown], read, strict=True))
    for row_id in row_ids:
        problem: Problem | None = BROKEN
        if row_id in formed:
            one = formed[row_id]
            problem = one.problem or find_own_id(one, [shown[row_id].canonical])
        if problem:
            yield PlaceProblem(row_id, problem)
