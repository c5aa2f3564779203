"""What became of the rows of a file, and why rows were refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from odoo.addons.spar_fa_directory.lib.directory_rows import Row

#: The header of the last column in a file of refused rows.
REASON = "reason"


class Reason(NamedTuple):
    """Why a row is refused, in words; ``general`` is the same for many rows."""

    text: str
    general: str = ""


@dataclass
class RowOutcome:
    """The result for a set of rows: how many had each, and which were refused.

    ``listed`` of the refused rows are counted under another result: they are listed
    with a reason, but it is not a refusal.

    >>> outcome = RowOutcome(Counter(accepted=2))
    >>> outcome.refused.append((Row(4, {}), [Reason("ID: this is empty.")]))
    >>> outcome.get_counts(), outcome.count_reasons()
    ({'accepted': 2, 'refused': 1}, {'ID: this is empty.': 1})
    """

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[Row, list[Reason]]] = field(default_factory=list)
    listed: int = 0

    def get_counts(self) -> dict[str, int]:
        """Return how many rows had each result."""
        return {**self.counts, "refused": len(self.refused) - self.listed}

    def count_reasons(self) -> dict[str, int]:
        """Return how many rows were refused for each reason."""
        counts = Counter(
            reason.general or reason.text
            for _row, reasons in self.refused
            for reason in set(reasons)
        )
        return dict(counts)

    def sort_refused(self) -> list[tuple[Row, list[Reason]]]:
        """Return the refused rows in their order in the file."""
        return sorted(self.refused, key=lambda pair: pair[0].number)
