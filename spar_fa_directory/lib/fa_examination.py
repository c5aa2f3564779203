"""Checking whether an address that was read can be paid to.

Reading determines the parts; here they are compared with the directory: the provider
and the branch exist, are in use and of the right kind, and every text passes its check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .exceptions import InvalidPart
from .fa_accounts import check_account
from .fa_checks import check_text, list_gaps, to_form
from .fa_reader import AddressReading, Holder
from .placeholders import is_placeholder


class Problem(NamedTuple):
    """Why an address cannot be used: a stable word, never a value that was entered.

    If ``code`` is "part", ``part`` is the key of the part, and ``check`` is the word
    for what is wrong with it.
    """

    code: str
    part: str = ""
    check: str = ""


@dataclass(frozen=True, slots=True)
class KnownPart:
    """A part of a kind of address, as plain values.

    ``is_account``: it is an account number, to which the provider's own rules apply.
    """

    key: str
    kind: str
    check_code: str = ""
    check_parameter: str = ""
    gaps_do_not_count: bool = False
    is_account: bool = False


@dataclass(frozen=True, slots=True)
class KnownKind:
    """A kind of address; ``provider_kind`` is "" for any provider."""

    provider_kind: str
    parts: tuple[KnownPart, ...]
    code: str = ""

    def list_gaps(self) -> dict[str, str]:
        """Return the signs that are not part of the texts, by the key of the part."""
        return {
            part.key: list_gaps(
                part.check_code, part.check_parameter, part.gaps_do_not_count
            )
            for part in self.parts
            if part.kind == "text"
        }


UNREAD = Problem("unread")
#: The word for a closed provider or branch, by whether another one took over.
_CLOSED = {False: "closed", True: "replaced"}
PLACEHOLDER = Problem("placeholder")
#: Words for parts that may never be stored, even if few other checks apply.
MISSING_VALUE_CODES = frozenset(("empty", "placeholder"))


def lacks_value(problem: Problem | None) -> bool:
    """Return whether an address has no value where it needs one: null, {sub}, empty.

    Such addresses are rejected for every user.

    >>> lacks_value(Problem("part", "number", "placeholder")), lacks_value(UNREAD)
    (True, False)
    """
    return problem is not None and (
        problem.code == PLACEHOLDER.code or problem.check in MISSING_VALUE_CODES
    )


def examine(
    reading: AddressReading | None, holder: Holder, kinds: Mapping[int, KnownKind]
) -> Problem | None:
    """Return the first problem of an address, in the order of its kind's parts.

    Return None if there is none. Parts without a value come before all others. A
    provider or branch that the strategy does not write is not required.

    :param kinds: by the ID of the type

    >>> from . import fa_reader, fa_syntax
    >>> syntax = fa_syntax.compile_strategy("voucher:{serial}@{scheme}")
    >>> known = fa_reader.KnownStrategy(1, 7, "voucher", syntax, provider_key="scheme")
    >>> parts = KnownPart("scheme", "provider"), KnownPart("serial", "text", "luhn")
    >>> kinds = {7: KnownKind("voucher", parts)}
    >>> by_scheme = fa_reader.group_by_scheme([known])
    >>> [reading] = fa_reader.read_text(by_scheme, "voucher:12345@FOOD")
    >>> examine(reading, Holder(), kinds).code
    'provider_unknown'
    >>> food = Holder(4, None, "voucher", "", provider_is_active=True)
    >>> examine(reading, food, kinds)
    Problem(code='part', part='serial', check='luhn')
    """
    if reading is None:
        return UNREAD
    return read_parts(reading, holder, kinds[reading.known.type_id])[1]


def read_parts(
    reading: AddressReading, holder: Holder, kind: KnownKind
) -> tuple[dict[str, str], Problem | None]:
    """Return an address's texts in canonical form, and its problem, as in ``examine``.

    A text that does not pass its check is as close to its form as possible.
    """
    texts: dict[str, str] = {}
    problem = None
    for part in kind.parts:
        if part.kind == "text":
            texts[part.key], found = read_part(part, reading.parts[part.key], holder)
        else:
            found = _EXAMINERS[part.kind](part, kind, reading, holder)
        if problem is None or lacks_value(found) and not lacks_value(problem):
            problem = found
    return texts, problem


def read_part(
    part: KnownPart, value: str, holder: Holder
) -> tuple[str, Problem | None]:
    """Return a text in its canonical form, and what is wrong with it.

    >>> number = KnownPart("number", "text", "regex", "[0-9]+", gaps_do_not_count=True)
    >>> read_part(number, "12-34", Holder())
    ('1234', None)
    """
    try:
        return form_text(part, value, holder), None
    except InvalidPart as error:
        return get_near_form(part, value), Problem("part", part.key, error.code)


def form_text(part: KnownPart, value: str, holder: Holder) -> str:
    """Return the canonical form of a text in an address at ``holder``.

    :raises InvalidPart: when it does not pass its check, or cannot belong to ``holder``
    """
    form = check_text(
        value,
        part.check_code,
        part.check_parameter,
        holder.country,
        holder.prefixes,
        part.gaps_do_not_count,
    )
    if part.is_account:
        check_account(form, holder.rule, holder)
    return form


def get_near_form(part: KnownPart, value: str) -> str:
    """Return a text that does not pass its check, as close to its form as possible."""
    try:
        return to_form(value, part.check_code, part.gaps_do_not_count)
    except InvalidPart:
        return value


def _examine_provider(
    part: KnownPart, kind: KnownKind, reading: AddressReading, holder: Holder
) -> Problem | None:
    known = reading.known
    if not known.provider_key:
        return None
    if holder.provider_id is None:
        return _build_code_problem(
            part, reading, known.provider_key, "provider_unknown"
        )
    if not holder.provider_is_active:
        return Problem("provider_archived")
    if holder.provider_is_closed:
        return Problem(f"provider_{_CLOSED[holder.provider_is_replaced]}")
    return None if kind.provider_kind in ("", holder.kind) else Problem("provider_kind")


def _examine_branch(
    part: KnownPart, kind: KnownKind, reading: AddressReading, holder: Holder
) -> Problem | None:
    key = reading.known.branch_key
    if not key:
        return None
    if holder.branch_id is not None:
        if not holder.branch_is_active:
            return Problem("branch_archived")
        if holder.branch_is_closed:
            return Problem(f"branch_{_CLOSED[holder.branch_is_replaced]}")
        return None
    if not holder.has_open_branches and not reading.parts[key].strip():
        return None
    return _build_code_problem(part, reading, key, "branch_unknown")


def _build_code_problem(
    part: KnownPart, reading: AddressReading, key: str, code: str
) -> Problem:
    """Return the problem of a code missing from the directory, or a placeholder's."""
    if (value := reading.parts[key].strip()) and is_placeholder(value):
        return Problem("part", part.key, "placeholder")
    return Problem(code)


_Examiner = Callable[[KnownPart, KnownKind, AddressReading, Holder], Problem | None]
_EXAMINERS: dict[str, _Examiner] = {
    "provider": _examine_provider,
    "branch": _examine_branch,
}
