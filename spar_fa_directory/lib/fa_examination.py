"""Whether an address that was read is one that can be paid to.

Reading tells what the parts are; here they are held against the directory: the provider
and the branch exist, are in use and of the right kind, every text passes its check.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .exceptions import InvalidPart
from .fa_checks import check_text
from .fa_reader import Holder, KnownStrategy, Reading


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
    """A part of a kind of address, as plain values."""

    key: str
    kind: str
    check_code: str = ""
    check_parameter: str = ""


@dataclass(frozen=True, slots=True)
class KnownKind:
    """A kind of address; `provider_kind` "" for any provider."""

    provider_kind: str
    parts: tuple[KnownPart, ...]


UNREAD = Problem("unread")


def examine(
    reading: Reading | None, holder: Holder, kinds: Mapping[int, KnownKind]
) -> Problem | None:
    """The first problem of an address, in the order of its kind's parts, or None.

    A provider or branch that the strategy does not write is not missed.

    :param kinds: by the id of the type

    >>> from . import fa_reader, fa_syntax
    >>> syntax = fa_syntax.compile_strategy("voucher:{serial}@{scheme}")
    >>> known = KnownStrategy(1, 7, "voucher", syntax, provider_key="scheme")
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
    kind = kinds[reading.known.type_id]
    problems = (
        _EXAMINERS[part.kind](part, kind, reading, holder) for part in kind.parts
    )
    return next(filter(None, problems), None)


def _examine_provider(
    part: KnownPart, kind: KnownKind, reading: Reading, holder: Holder
) -> Problem | None:
    return next(_find_provider_problems(kind, reading.known, holder), None)


def _find_provider_problems(
    kind: KnownKind, known: KnownStrategy, holder: Holder
) -> Iterator[Problem]:
    if not known.provider_key:
        return
    if holder.provider_id is None:
        yield Problem("provider_unknown")
    elif not holder.provider_is_active:
        yield Problem("provider_archived")
    elif kind.provider_kind not in ("", holder.kind):
        yield Problem("provider_kind")


def _examine_branch(
    part: KnownPart, kind: KnownKind, reading: Reading, holder: Holder
) -> Problem | None:
    if not reading.known.branch_key:
        return None
    if holder.branch_id is None:
        return Problem("branch_unknown")
    return None if holder.branch_is_active else Problem("branch_archived")


def _examine_text(
    part: KnownPart, kind: KnownKind, reading: Reading, holder: Holder
) -> Problem | None:
    value = reading.parts[part.key]
    try:
        check_text(value, part.check_code, part.check_parameter, holder.country)
    except InvalidPart as error:
        return Problem("part", part.key, error.code)
    return None


_Examiner = Callable[[KnownPart, KnownKind, Reading, Holder], Problem | None]
_EXAMINERS: dict[str, _Examiner] = {
    "provider": _examine_provider,
    "branch": _examine_branch,
    "text": _examine_text,
}
