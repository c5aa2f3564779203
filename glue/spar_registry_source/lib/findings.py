"""Who can be paid now, and why others cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from odoo.addons.spar_mapper_connector.lib.contract import PaymentState, Standing

#: Reasons that do not come from the mapper; a mapper's reason is its payment state.
NO_PAYEE = "no_payee"
NO_IDENTITY = "no_identity"
SHARED_IDENTITY = "shared_identity"
#: The mapper could not be asked, or gave no answer that is certain.
UNAVAILABLE = "unavailable"
NO_ANSWER = "no_answer"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Finding:
    """Whether somebody would be paid now.

    :param reason: why not; "" if they would
    :param id_value: the ID by which the payee is paid; "" if there is none
    """

    partner_id: int
    reason: str = ""
    payee_id: int | None = None
    type_id: int | None = None
    id_value: str = ""

    @property
    def is_ready(self) -> bool:
        return not self.reason


def get_reason(standing: Standing | None) -> str:
    """Return why the owner of an ID is not paid, "" if they are.

    >>> get_reason(Standing("1", "", PaymentState.PAYABLE))
    ''
    >>> get_reason(Standing("1", "", PaymentState.UNKNOWN)), get_reason(None)
    ('unknown', 'no_answer')
    """
    if standing is None:
        return NO_ANSWER
    return "" if standing.state is PaymentState.PAYABLE else standing.state.value


def match_standings(
    ids: Sequence[str], standings: Iterable[Standing]
) -> dict[str, Standing | None]:
    """Return the standing of each ID, None where no answer is certain.

    A mapper may answer in another order, a part, other IDs, or the same ID twice: what
    it says counts if it says it of the ID, and only once.

    >>> one, two = (Standing(n, "", PaymentState.PAYABLE) for n in "12")
    >>> match_standings(["1", "2"], [two, one]) == {"1": one, "2": two}
    True
    >>> match_standings(["1", "2"], [one, one]) == {"1": None, "2": None}
    True
    """
    named: dict[str, list[Standing]] = {}
    for standing in standings:
        named.setdefault(standing.id_value, []).append(standing)
    return {
        id_value: named[id_value][0] if len(named.get(id_value, ())) == 1 else None
        for id_value in ids
    }


def split(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in chunks.

    >>> list(split([1, 2, 3], 2))
    [[1, 2], [3]]
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]
