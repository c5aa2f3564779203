"""Whether people can be paid: what a mapper's answer says, and what has changed.

Nothing here knows a database. Only what a mapper says for certain counts: everything
else is unknown, never payable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.lib.contract import PaymentState, Standing


class ReadinessState(str, Enum):
    """Whether a person can be paid, or what stands in the way."""

    WAITING = "waiting"  # not checked yet
    PAYABLE = "payable"
    NOT_LINKED = "not_linked"
    STOPPED = "stopped"
    PROVIDER_CLOSED = "provider_closed"
    CONTESTED = "contested"
    LOCKED = "locked"
    INVALID_ID = "invalid_id"
    UNKNOWN = "unknown"
    NO_IDENTITY = "no_identity"
    SHARED_IDENTITY = "shared_identity"
    NO_PAYEE = "no_payee"
    ERROR = "error"


#: States that say nothing about the person: nothing is concluded from them.
UNDECIDED = (ReadinessState.WAITING, ReadinessState.UNKNOWN, ReadinessState.ERROR)


class Change(str, Enum):
    """What has changed since the run before."""

    SAME = "same"
    NEWLY_READY = "newly_ready"
    NEWLY_NOT_READY = "newly_not_ready"
    FIRST = "first"  # the person was not in the run before
    UNCLEAR = "unclear"  # one of the two says nothing about the person


class Finding(NamedTuple):
    """What is known of one person; what a mapper cannot tell is None.

    :param reason: a stable word for why a state is undecided
    """

    state: ReadinessState
    reason: str = ""
    is_disputed: bool | None = None
    has_waiting_change: bool | None = None
    shared_with: int | None = None


#: Reasons that concern a whole call: it is made again before the run ends.
CALL_FAILED = ("unavailable", "late", "failed")


def match_standings(
    ids: Collection[str], purpose: str, answer: object
) -> dict[str, Standing]:
    """Return the standings in a mapper's answer that are certain, by ID.

    A standing names its ID and its purpose. It is believed only if it was asked for,
    and if nothing else in the answer names the same ID.

    >>> one, two = (
    ...     Standing(text, "", PaymentState.PAYABLE) for text in ("1", "2")
    ... )
    >>> sorted(match_standings(["1", "2"], "", [two, one]))
    ['1', '2']
    >>> sorted(match_standings(["1", "2"], "", [one]))
    ['1']
    >>> sorted(match_standings(["1", "2"], "", [one, one, two]))
    ['2']
    >>> match_standings(["1"], "pension", [one])
    {}
    >>> match_standings(["1"], "", None), match_standings(["1"], "", ["1", 7])
    ({}, {})
    """
    if not isinstance(answer, (list, tuple)):
        return {}
    wanted, named, twice = set(ids), {}, set()
    for each in answer:
        if not isinstance(each, Standing) or each.id_value not in wanted:
            continue
        if each.id_value in named:
            twice.add(each.id_value)
        named[each.id_value] = each
    return {
        id_value: standing
        for id_value, standing in named.items()
        if id_value not in twice and standing.purpose == purpose
    }


_STATES = {
    PaymentState.PAYABLE: ReadinessState.PAYABLE,
    PaymentState.NOT_LINKED: ReadinessState.NOT_LINKED,
    PaymentState.STOPPED: ReadinessState.STOPPED,
    PaymentState.PROVIDER_CLOSED: ReadinessState.PROVIDER_CLOSED,
    PaymentState.CONTESTED: ReadinessState.CONTESTED,
    PaymentState.LOCKED: ReadinessState.LOCKED,
    PaymentState.INVALID_ID: ReadinessState.INVALID_ID,
}


def read_standing(standing: Standing | None) -> Finding:
    """Return what a standing says of a person; None if the mapper gave none.

    >>> read_standing(Standing("1", "", PaymentState.STOPPED)).state.value
    'stopped'
    >>> read_standing(Standing("1", "", "payable")).state.value
    'unknown'
    >>> read_standing(None)
    Finding(state=<ReadinessState.UNKNOWN: 'unknown'>, reason='no_answer', \
is_disputed=None, has_waiting_change=None, shared_with=None)
    """
    if standing is None:
        return Finding(ReadinessState.UNKNOWN, "no_answer")
    return _read_values(
        standing.state,
        standing.is_disputed,
        standing.has_waiting_change,
        standing.shared_with,
    )


@lru_cache(maxsize=1000, typed=True)
def _read_values(
    state: object, is_disputed: object, has_waiting_change: object, shared: object
) -> Finding:
    """Return the finding of a standing's values: most people have the same ones."""
    return Finding(
        _STATES.get(state, ReadinessState.UNKNOWN)
        if isinstance(state, PaymentState)
        else ReadinessState.UNKNOWN,
        is_disputed=is_disputed if isinstance(is_disputed, bool) else None,
        has_waiting_change=has_waiting_change
        if isinstance(has_waiting_change, bool)
        else None,
        shared_with=_read_count(shared),
    )


def _read_count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def compare(before: str | None, now: str) -> Change:
    """Return what has changed between two runs, given both states by their values.

    >>> compare("not_linked", "payable").value, compare("payable", "stopped").value
    ('newly_ready', 'newly_not_ready')
    >>> compare("not_linked", "stopped").value, compare(None, "payable").value
    ('same', 'first')
    >>> compare("payable", "error").value, compare("unknown", "payable").value
    ('unclear', 'unclear')
    """
    if before is None:
        return Change.FIRST
    if before in UNDECIDED or now in UNDECIDED:
        return Change.UNCLEAR
    ready = ReadinessState.PAYABLE.value
    if (before == ready) == (now == ready):
        return Change.SAME
    return Change.NEWLY_READY if now == ready else Change.NEWLY_NOT_READY


def build_array(values: Iterable[str | int | None]) -> str:
    """Return an array of numbers and plain words as PostgreSQL reads it.

    >>> build_array([7, None]), build_array(["no_answer", None])
    ('{7,NULL}', '{no_answer,NULL}')
    """
    written = ["NULL" if each is None else str(each) for each in values]
    return f"{{{','.join(written)}}}"


def has_failed_call(findings: Iterable[Finding]) -> bool:
    """Return whether a call failed as a whole, so that it is worth another one."""
    return any(finding.reason in CALL_FAILED for finding in findings)


# === FILES OF IDS === #

#: Headers of the column with the IDs, folded: lower case, letters and digits only.
ID_HEADERS = frozenset(
    {
        "id",
        "ids",
        "idnumber",
        "idno",
        "idvalue",
        "nationalid",
        "nationalidnumber",
        "nid",
        "registryid",
        "beneficiaryid",
        "personid",
        "uin",
        "vid",
        "sub",
        "payeeid",
        "payeeidentifier",
    }
)


def fold_header(header: str) -> str:
    """Return a header in the form that is compared.

    >>> fold_header(" National-ID ")
    'nationalid'
    """
    return "".join(sign for sign in header.lower() if sign.isalnum())


def count_id_headers(cells: Iterable[str]) -> int:
    """Return how many of the cells are headers of a column with IDs.

    >>> count_id_headers(["Name", "National ID"])
    1
    """
    return len({fold_header(cell) for cell in cells} & ID_HEADERS)


def find_id_column(headers: list[str]) -> int:
    """Return the number of the column with the IDs, from 1; 1 if no header names it.

    >>> find_id_column(["Name", "National ID"]), find_id_column(["Numero", "Nome"])
    (2, 1)
    """
    for number, header in enumerate(headers, 1):
        if fold_header(header) in ID_HEADERS:
            return number
    return 1
