"""The canonical form of an address, however and by whomever it was written.

An address is identified by its kind, its provider (by the code that never changes), its
branch (if the provider has branches), and its texts, each in the form that its check
returns. Strategies, spellings, capital letters of codes and a BIC in place of a code
are only ways to write it. ``CanonicalAddress.key`` is a text of this identity, for
digests: two addresses are the same if, and only if, their keys are equal.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from . import fa_syntax
from .exceptions import MissingPart
from .fa_accounts import is_own_id
from .fa_examination import (
    PLACEHOLDER,
    UNREAD,
    KnownKind,
    Problem,
    lacks_value,
    read_parts,
)
from .fa_reader import Address, AddressReading, Holder, KnownStrategy
from .placeholders import is_placeholder

# No stored text can contain it, so the key of an address that no strategy reads can
# never equal the key of one that a strategy reads.
_MARK = "\0"
_BETWEEN = re.compile("[:@]")


class CanonicalAddress(NamedTuple):
    """An address in its canonical form.

    ``parts`` are those of its kind, ``known`` is the strategy that read it; both are
    None, as are the IDs, if no strategy did. ``problem`` is why it cannot be used, as
    in ``examine``. ``accounts`` are the account numbers, none of which may be an ID of
    the person.
    """

    key: str
    problem: Problem | None = None
    known: KnownStrategy | None = None
    provider_id: int | None = None
    branch_id: int | None = None
    parts: dict[str, str] | None = None
    accounts: tuple[str, ...] = ()

    @property
    def lacks_value(self) -> bool:
        """Return whether it is rejected for every user: null, {sub}, empty."""
        return lacks_value(self.problem)

    def to_address(self, text: str) -> Address:
        """Return the address that ``text`` stands for, in this form.

        >>> CanonicalAddress("free text").to_address("Free text").parts is None
        True
        """
        if not (known := self.known):
            return Address(text)
        return Address(
            text,
            known.number,
            known.type_code,
            known.type_id,
            self.provider_id,
            self.branch_id,
            self.parts,
        )


def write_as_read(canonical: CanonicalAddress) -> str | None:
    """Return the address in the strategy that has read it.

    :return: None if no strategy has, or if it needs a part that is only known to the
        directory, such as a BIC
    """
    known, parts = canonical.known, canonical.parts
    if known is None or parts is None:
        return None
    try:
        return fa_syntax.build(known.syntax, parts)
    except MissingPart:
        return None


def canonicalise(
    reading: AddressReading, holder: Holder, kind: KnownKind
) -> CanonicalAddress:
    """Return the canonical form of an address, and what is wrong with it.

    There is a form even if something is wrong: a text that does not pass its check is
    as close to its form as possible, and a provider or branch that is not in the
    directory is represented by the code that was written.

    >>> from . import fa_reader, fa_syntax
    >>> from .fa_examination import KnownPart
    >>> syntax = fa_syntax.compile_strategy("account:{number}@{bank}")
    >>> known = KnownStrategy(1, 7, "account", syntax, provider_key="bank")
    >>> number = KnownPart("number", "text", gaps_do_not_count=True)
    >>> kind = KnownKind("bank", (KnownPart("bank", "provider"), number), "account")
    >>> holder = Holder(4, None, "bank", "", True, provider_code="DEMO")
    >>> texts = "account:12-34@DEMO", "ACCOUNT:12 34@demo"
    >>> readings = (fa_reader.read_text({"account:": (known,)}, text) for text in texts)
    >>> one, other = (canonicalise(found[0], holder, kind) for found in readings)
    >>> one.key == other.key, one.parts == other.parts
    (True, True)
    >>> one.parts
    {'number': '1234', 'bank': 'DEMO'}
    """
    known = reading.known
    texts, problem = read_parts(reading, holder, kind)
    key = _build_key(_begin_key(kind.code, *_get_place(reading, holder)), texts)
    accounts: tuple[str, ...] = ()
    if not holder.rule.pattern:
        accounts = tuple([texts[part.key] for part in kind.parts if part.is_account])
    return CanonicalAddress(
        key,
        problem,
        known,
        holder.provider_id,
        holder.branch_id,
        _fill_place(texts, reading, holder, kind),
        accounts,
    )


def keep_text(text: str) -> CanonicalAddress:
    """Return the form of a text that no strategy reads: that text, as it was sent.

    A placeholder between its colons and at signs makes the address empty
    (``lacks_value``).

    >>> keep_text("Account:AbC@Bank").key, keep_text("other:null@B").lacks_value
    ('account:AbC@bank', True)
    """
    pieces = list(filter(None, _BETWEEN.split(text))) or [""]
    problem = PLACEHOLDER if any(map(is_placeholder, pieces)) else UNREAD
    return CanonicalAddress(fold_text(text), problem)


def is_free_text(key: str) -> bool:
    """Return whether a key belongs to an address that no strategy has read.

    >>> is_free_text(keep_text("free text").key)
    True
    """
    return not key.startswith(_MARK)


def fold_text(text: str) -> str:
    """Return a text in lower case before its first colon and after its last @.

    The text in between may be a digest, whose case is significant.
    """
    left, at, provider = text.rpartition("@")
    if not at:
        left, provider = text, ""
    kind, colon, value = left.partition(":")
    if colon:
        kind = kind.casefold()
    return f"{kind}{colon}{value}{at}{provider.casefold()}"


def find_own_id(address: CanonicalAddress, ids: Iterable[str]) -> Problem | None:
    """Return the problem of an account number that is the person's own ID, or None.

    :param ids: of the person, as typed or as sent on the wire

    >>> address = CanonicalAddress("", parts={"number": "20"}, accounts=("20",))
    >>> find_own_id(address, ["token:20@nationalId"])
    Problem(code='part', part='number', check='own_id')
    """
    for number in address.accounts:
        if is_own_id(number, ids):
            parts = address.parts or {}
            key = next(key for key, value in parts.items() if value == number)
            return Problem("part", key, "own_id")
    return None


# === THE KEY === #


def _get_place(reading: AddressReading, holder: Holder) -> tuple[str, str, str]:
    """Return the provider's code, or what was written for it, and the branch's."""
    known, place = reading.known, reading.place
    branch = holder.branch_code.upper() or place.branch
    # Text that cannot be a code is folded to "", but still names one particular branch.
    branch = branch or reading.parts.get(known.branch_key, "").strip().lower()
    if holder.provider_id is None:
        written = reading.parts.get(known.provider_key, "").strip().lower()
        provider = place.provider or written
        return "", f"{place.by}:{provider}" * bool(provider), branch
    return holder.provider_code.upper(), "", branch if holder.has_branches else ""


def build_key(
    kind: str, provider: str, written: str, branch: str, texts: dict[str, str]
) -> str:
    """Return the key of an address by its parts.

    :param provider: the provider's code, or "" if it is not known; then ``written`` is
        what was written for it
    """
    return _build_key(_begin_key(kind, provider, written, branch), texts)


@lru_cache(maxsize=4096)
def _begin_key(*names: str) -> str:
    return _MARK + "".join(map(_pack, names))


def _build_key(start: str, texts: dict[str, str]) -> str:
    if len(texts) == 1:  # as in nearly all addresses
        ((key, value),) = texts.items()
        return f"{start}{len(key)}:{key}{len(value)}:{value}"
    return start + "".join(_pack(key) + _pack(texts[key]) for key in sorted(texts))


def _pack(text: str) -> str:
    """Return a text prefixed with its length, so that concatenation is unambiguous."""
    return f"{len(text)}:{text}"


# === THE PARTS === #


def _fill_place(
    texts: dict[str, str], reading: AddressReading, holder: Holder, kind: KnownKind
) -> dict[str, str]:
    """Return the texts, and the codes of provider and branch, for any strategy.

    A branch that was not named stays unnamed, unless the provider has no branches.
    """
    if holder.provider_id is None:
        return reading.parts | texts
    branch = ""
    if holder.has_branches:
        branch = holder.branch_code or reading.parts.get(reading.known.branch_key, "")
    is_named = bool(branch) or not holder.has_branches
    filled = dict(texts)
    for part in kind.parts:
        if part.kind == "provider":
            filled[part.key] = holder.provider_code
        elif part.kind == "branch" and is_named:
            filled[part.key] = branch
    return filled
