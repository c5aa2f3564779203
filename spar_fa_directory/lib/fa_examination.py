"""Whether an address that was read is one that can be paid to.

Reading tells what the parts are; here they are held against the directory: the provider
and the branch exist, are in use and of the right kind, every text passes its check.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .exceptions import InvalidPart
from .fa_accounts import Bank, check_account
from .fa_checks import check_text, list_gaps, to_form
from .fa_reader import Holder, Reading
from .placeholders import is_placeholder


class Problem(NamedTuple):
    """Why an address cannot be used: a stable word, never a value that was entered.

    With `code` "part", `part` is the key of the part and `check` the word of what is
    wrong with it.
    """

    code: str
    part: str = ""
    check: str = ""


@dataclass(frozen=True, slots=True)
class KnownPart:
    """A part of a kind of address, as plain values.

    `is_account`: it is an account number, for which the provider's own rules count.
    """

    key: str
    kind: str
    check_code: str = ""
    check_parameter: str = ""
    gaps_do_not_count: bool = False
    is_account: bool = False


@dataclass(frozen=True, slots=True)
class KnownKind:
    """A kind of address; `provider_kind` "" for any provider."""

    provider_kind: str
    parts: tuple[KnownPart, ...]
    code: str = ""

    def list_gaps(self) -> dict[str, str]:
        """The signs that are none of the texts, by the key of the part."""
        return {
            part.key: list_gaps(
                part.check_code, part.check_parameter, part.gaps_do_not_count
            )
            for part in self.parts
            if part.kind == "text"
        }


UNREAD = Problem("unread")
#: The word for what has closed, by whether something took over.
_CLOSED = {False: "closed", True: "replaced"}
PLACEHOLDER = Problem("placeholder")
#: Words for parts that nobody may store, however little else is looked at.
NOTHING = frozenset(("empty", "placeholder"))


def is_nothing(problem: Problem | None) -> bool:
    """Whether an address says nothing where it should: null, {sub}, no number at all.

    Those are refused for everybody.

    >>> is_nothing(Problem("part", "number", "placeholder")), is_nothing(UNREAD)
    (True, False)
    """
    return problem is not None and (
        problem.code == PLACEHOLDER.code or problem.check in NOTHING
    )


def examine(
    reading: Reading | None, holder: Holder, kinds: Mapping[int, KnownKind]
) -> Problem | None:
    """The first problem of an address, in the order of its kind's parts, or None.

    Parts that say nothing come before all others. A provider or branch that the
    strategy does not write is not missed.

    :param kinds: by the id of the type

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
    reading: Reading, holder: Holder, kind: KnownKind
) -> tuple[dict[str, str], Problem | None]:
    """The texts of an address in their one form, and its problem, as `examine` says it.

    A text that does not pass its check is as near to its form as can be told.
    """
    texts: dict[str, str] = {}
    problem = None
    for part in kind.parts:
        if part.kind == "text":
            texts[part.key], found = read_part(part, reading.parts[part.key], holder)
        else:
            found = _EXAMINERS[part.kind](part, kind, reading, holder)
        if problem is None or is_nothing(found) and not is_nothing(problem):
            problem = found
    return texts, problem


def read_part(
    part: KnownPart, value: str, holder: Holder
) -> tuple[str, Problem | None]:
    """A text in its one form, and what is wrong with it.

    >>> number = KnownPart("number", "text", "regex", "[0-9]+", gaps_do_not_count=True)
    >>> read_part(number, "12-34", Holder())
    ('1234', None)
    """
    try:
        return form_text(part, value, holder), None
    except InvalidPart as error:
        return get_near_form(part, value), Problem("part", part.key, error.code)


def form_text(part: KnownPart, value: str, holder: Holder) -> str:
    """The one form of a text that `holder` has an address with.

    :raises InvalidPart: when it does not pass its check, or cannot be one of `holder`
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
        bank = Bank(holder.country, holder.bic, holder.bank_codes)
        check_account(form, holder.rule, bank)
    return form


def get_near_form(part: KnownPart, value: str) -> str:
    """A text that does not pass its check, as near to its form as can be told."""
    try:
        return to_form(value, part.check_code, part.gaps_do_not_count)
    except InvalidPart:
        return value


def _examine_provider(
    part: KnownPart, kind: KnownKind, reading: Reading, holder: Holder
) -> Problem | None:
    known = reading.known
    if not known.provider_key:
        return None
    if holder.provider_id is None:
        return _find_no_code(part, reading, known.provider_key, "provider_unknown")
    if not holder.provider_is_active:
        return Problem("provider_archived")
    if holder.provider_is_closed:
        return Problem(f"provider_{_CLOSED[holder.provider_is_replaced]}")
    return None if kind.provider_kind in ("", holder.kind) else Problem("provider_kind")


def _examine_branch(
    part: KnownPart, kind: KnownKind, reading: Reading, holder: Holder
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
    if not holder.asks_branch and not reading.parts[key].strip():
        return None
    return _find_no_code(part, reading, key, "branch_unknown")


def _find_no_code(part: KnownPart, reading: Reading, key: str, code: str) -> Problem:
    """Of a code that the directory does not know: whether it is one at all."""
    if (value := reading.parts[key].strip()) and is_placeholder(value):
        return Problem("part", part.key, "placeholder")
    return Problem(code)


_Examiner = Callable[[KnownPart, KnownKind, Reading, Holder], Problem | None]
_EXAMINERS: dict[str, _Examiner] = {
    "provider": _examine_provider,
    "branch": _examine_branch,
}
