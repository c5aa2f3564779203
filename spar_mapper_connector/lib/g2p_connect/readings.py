"""The inverse of ``codes``: what an item's status, code and text mean.

A text that is in the table names the outcome and its problem exactly; another mapper
has other texts, and then the code alone has to do. What is in neither list is unknown:
it is never taken for a success.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ..contract import UNKNOWN_CODE, UNKNOWN_EFFECT, Operation, Outcome
from .codes import BY_BOTH, BY_FA, BY_ID, iterate_lines

SUCCEEDED, REJECTED, PENDING, RECEIVED = "succ", "rjct", "pdng", "rcvd"
UNDECIDED = (PENDING, RECEIVED)

_LOOKUPS = (BY_ID, BY_FA, BY_BOTH)


class Reading(NamedTuple):
    """What an item of an answer means, in the words of the contract."""

    outcome: Outcome
    problem: str = ""
    values: dict[str, str] | None = None


#: (operation, status, code) -> its meaning, whatever the text. None is any operation.
_MEANINGS: dict[tuple[Operation | None, str, str], Reading] = {
    (Operation.LINK, SUCCEEDED, ""): Reading(Outcome.LINKED),
    (Operation.UPDATE, SUCCEEDED, ""): Reading(Outcome.UPDATED),
    (Operation.UNLINK, SUCCEEDED, ""): Reading(Outcome.UNLINKED),
    (Operation.RESOLVE, SUCCEEDED, "succ.id.active"): Reading(Outcome.FOUND),
    (Operation.RESOLVE, SUCCEEDED, "succ.fa.active"): Reading(Outcome.FOUND),
    (Operation.RESOLVE, SUCCEEDED, "succ.fa.inactive"): Reading(Outcome.SUSPENDED),
    (Operation.RESOLVE, SUCCEEDED, "succ.id.inactive"): Reading(
        Outcome.SUSPENDED, "payments_stopped"
    ),
    (Operation.RESOLVE, SUCCEEDED, "succ.id.not_found"): Reading(Outcome.NOT_LINKED),
    (Operation.RESOLVE, SUCCEEDED, "succ.fa.not_found"): Reading(Outcome.NOT_LINKED),
    (Operation.RESOLVE, SUCCEEDED, "succ.fa.not_linked_to_id"): Reading(
        Outcome.FA_MISMATCH
    ),
    (None, REJECTED, "rjct.id.invalid"): Reading(Outcome.INVALID_ID),
    (None, REJECTED, "rjct.fa.invalid"): Reading(Outcome.INVALID_FA),
    (None, REJECTED, "rjct.name.invalid"): Reading(Outcome.INVALID_FA, "name"),
    (None, REJECTED, "rjct.beneficiary_name.invalid"): Reading(
        Outcome.INVALID_FA, "name"
    ),
    (None, REJECTED, "rjct.mobile_number.invalid"): Reading(
        Outcome.INVALID_FA, "phone_number"
    ),
    (None, REJECTED, "rjct.resolve_type.not_supported"): Reading(
        Outcome.FORBIDDEN, "resolve_type"
    ),
    (None, REJECTED, "rjct.other.error"): Reading(Outcome.FORBIDDEN),
    (None, REJECTED, "rjct.unknown.retry"): Reading(Outcome.RETRY),
    (None, REJECTED, "rjct.timestamp.invalid"): Reading(Outcome.RETRY, "timestamp"),
    (None, REJECTED, "rjct.reference_id.invalid"): Reading(Outcome.RETRY, "reference"),
    # Our reference IDs are random: it has seen this very item before.
    (None, REJECTED, "rjct.reference_id.duplicate"): Reading(
        Outcome.RETRY, UNKNOWN_EFFECT
    ),
}

#: Table -> what differs in it from the above.
_OTHER_MEANINGS: dict[str, dict[tuple[Operation | None, str, str], Reading]] = {
    "g2p-connect": {},
    "openg2p-1.x": {
        (Operation.RESOLVE, SUCCEEDED, ""): Reading(Outcome.FOUND),
        (Operation.RESOLVE, SUCCEEDED, "succ.fa.not_linked_to_id"): Reading(
            Outcome.NOT_LINKED
        ),
        (Operation.LINK, REJECTED, "rjct.reference_id.duplicate"): Reading(
            Outcome.ALREADY_LINKED
        ),
        (Operation.UPDATE, REJECTED, "rjct.reference_id.duplicate"): Reading(
            Outcome.NOT_LINKED
        ),
    },
}

#: OpenG2P 1.1 and 2.x corrected the spelling of one text.
_SPELLINGS = {
    "ID doesn't exist, please link first": "ID doesnt exist please link first"
}


@lru_cache(maxsize=4096)
def read_codes(
    operation: Operation,
    status: str,
    code: str,
    text: str = "",
    table: str = "g2p-connect",
) -> Reading:
    """Return what an item of an answer means.

    >>> read_codes(Operation.LINK, "succ", "").outcome.name
    'LINKED'
    >>> read_codes(Operation.LINK, "succ", "succ.surprise").problem
    'unknown_effect'
    >>> found = read_codes(Operation.UPDATE, "rjct", "rjct.id.invalid", "who?")
    >>> found.outcome.name
    'INVALID_ID'
    >>> text = "The ID is not linked."
    >>> read_codes(Operation.UPDATE, "rjct", "rjct.id.invalid", text).outcome.name
    'NOT_LINKED'
    >>> text = "fa: the part account does not pass its check (luhn)."
    >>> read_codes(Operation.LINK, "rjct", "rjct.fa.invalid", text)[1:]
    ('part', {'part': 'account', 'check': 'luhn'})
    """
    text = _SPELLINGS.get(text, text)
    exact = _find_text(operation, status, code, text, table) if text else None
    if exact:
        return exact
    if status in UNDECIDED:
        return Reading(Outcome.HELD)
    for meanings in (_OTHER_MEANINGS[table], _MEANINGS):
        for scope in (operation, None):
            reading = meanings.get((scope, status, code))
            if reading:
                return reading
    # A rejection had no effect, whatever its reason; all else might have had one.
    is_rejected = status == REJECTED or operation is Operation.RESOLVE
    return Reading(Outcome.RETRY, UNKNOWN_CODE if is_rejected else UNKNOWN_EFFECT)


def _find_text(
    operation: Operation, status: str, code: str, text: str, table: str
) -> Reading | None:
    for pattern, reading in _get_patterns(operation, table).get((status, code), ()):
        found = pattern.fullmatch(text)
        if found:
            return reading._replace(values=found.groupdict() or None)
    return None


@lru_cache(maxsize=16)
def _get_patterns(
    operation: Operation, table: str
) -> dict[tuple[str, str], list[tuple[re.Pattern[str], Reading]]]:
    """Return the texts of a table by status and code, each with its meaning.

    Where two outcomes have one text, the first one counts: for the caller they are the
    same.
    """
    patterns: dict[tuple[str, str], list[tuple[re.Pattern[str], Reading]]] = {}
    for outcome, word, answer in iterate_lines(operation, table):
        if answer.text:
            problem = "" if word in _LOOKUPS else word
            entry = _compile(answer.text), Reading(outcome, problem)
            patterns.setdefault((answer.status, answer.code), []).append(entry)
    return patterns


def _compile(text: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", text)
    names = [f"(?P<{name}>.{{1,200}})" for name in parts[1::2]]
    plain = [re.escape(part) for part in parts[::2]]
    return re.compile(
        "".join(f"{part}{name}" for part, name in zip(plain, [*names, ""], strict=True))
    )
